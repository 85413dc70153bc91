#pragma once
// PersistentMap<V>: an immutable ordered map from string keys. Copying is O(1) and shares
// structure, so a copy is a snapshot; insert and erase cost O(log n) and reuse nodes that nobody
// else can see. A treap whose priorities are hashes of the keys: equal content, equal shape.
// Thread rule: distinct PersistentMap objects may be used from distinct threads although they
// share nodes; one object follows the rule of standard containers.
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <new>
#include <string_view>
#include <utility>

namespace steer {

template <class V>
class PersistentMap {
  struct Node;

  /// Counted pointer with an acquiring uniqueness test (shared_ptr::use_count has none).
  class Ref {
   public:
    Ref() = default;
    explicit Ref(Node* fresh) : node_(fresh) {}
    Ref(const Ref& o) : node_(o.node_) {
      if (node_) node_->refs.fetch_add(1, std::memory_order_relaxed);
    }
    Ref(Ref&& o) noexcept : node_(std::exchange(o.node_, nullptr)) {}
    Ref& operator=(Ref o) noexcept {
      std::swap(node_, o.node_);
      return *this;
    }
    ~Ref() {
      if (node_ && node_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) Node::destroy(node_);
    }
    explicit operator bool() const { return node_ != nullptr; }
    const Node* operator->() const { return node_; }
    const Node* get() const { return node_; }
    /// A node that this reference alone owns, copied if it is shared.
    Node& own() {
      if (node_->refs.load(std::memory_order_acquire) != 1) *this = Ref(Node::copy(*node_));
      return *node_;
    }

   private:
    Node* node_ = nullptr;
  };

  /// One block of memory with its key behind it: a step down the tree costs one miss of the processor's cache.
  struct Node {
    std::atomic<std::uint32_t> refs{1};
    std::uint32_t keySize;
    std::uint64_t priority;
    std::size_t count = 1;
    Ref left, right;
    V value;

    std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), keySize}; }

    static Node* make(std::string_view key, V value, std::uint64_t priority) {
      void* memory = ::operator new(sizeof(Node) + key.size());
      Node* node = new (memory) Node(static_cast<std::uint32_t>(key.size()), priority, std::move(value));
      std::memcpy(static_cast<void*>(node + 1), key.data(), key.size());
      return node;
    }
    static Node* copy(const Node& o) {
      Node* node = make(o.key(), o.value, o.priority);
      node->count = o.count;
      node->left = o.left;
      node->right = o.right;
      return node;
    }
    static void destroy(Node* node) {
      node->~Node();
      ::operator delete(static_cast<void*>(node));
    }

   private:
    Node(std::uint32_t size, std::uint64_t p, V v) : keySize(size), priority(p), value(std::move(v)) {}
  };

 public:
  std::size_t size() const { return count(root_); }
  bool empty() const { return !root_; }
  /// Both are copies of one map that nobody changed since: equal content, told in O(1).
  bool sharesAllWith(const PersistentMap& other) const { return root_.get() == other.root_.get(); }

  /// nullptr when absent; valid while this map is unchanged.
  const V* find(std::string_view key) const {
    for (const Node* n = root_.get(); n != nullptr;) {
      const int c = key.compare(n->key());
      if (c == 0) return &n->value;
      n = c < 0 ? n->left.get() : n->right.get();
    }
    return nullptr;
  }
  bool contains(std::string_view key) const { return find(key) != nullptr; }

  /// The value to change, in this map alone; nullptr when absent.
  V* findToChange(std::string_view key) {
    if (!contains(key)) return nullptr;
    for (Ref* at = &root_;;) {
      Node& n = at->own();
      const int c = key.compare(n.key());
      if (c == 0) return &n.value;
      at = c < 0 ? &n.left : &n.right;
    }
  }

  void insert(std::string_view key, V value) {
    root_ = insertInto(std::move(root_), key, std::move(value), priorityOf(key));
  }
  /// True when the key was there.
  bool erase(std::string_view key) {
    if (!contains(key)) return false;
    root_ = eraseFrom(std::move(root_), key);
    return true;
  }
  void clear() { root_ = Ref(); }

  /// Visits in key order, from the first key >= from, while f(key, value) returns true.
  template <class F>
  bool scan(std::string_view from, F&& f) const {
    return scanFrom(root_.get(), from, f);
  }
  /// Visits every key that starts with prefix, in order.
  template <class F>
  void prefix(std::string_view start, F&& f) const {
    scan(start, [&](std::string_view key, const V& value) {
      if (!key.starts_with(start)) return false;
      f(key, value);
      return true;
    });
  }
  template <class F>
  void each(F&& f) const {
    scan("", [&](std::string_view key, const V& value) {
      f(key, value);
      return true;
    });
  }

 private:
  static std::size_t count(const Ref& r) { return r ? r->count : 0; }
  static std::uint64_t priorityOf(std::string_view key) {
    std::uint64_t h = std::hash<std::string_view>{}(key);
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 33;
    return h;
  }
  static void recount(Node& n) { n.count = 1 + count(n.left) + count(n.right); }

  static Ref insertInto(Ref at, std::string_view key, V value, std::uint64_t priority) {
    if (!at) return Ref(Node::make(key, std::move(value), priority));
    Node& n = at.own();
    const int c = key.compare(n.key());
    if (c == 0) {
      n.value = std::move(value);
      return at;
    }
    if (c < 0) {
      n.left = insertInto(std::move(n.left), key, std::move(value), priority);
      recount(n);
      return n.left->priority > n.priority ? rotateRight(std::move(at)) : std::move(at);
    }
    n.right = insertInto(std::move(n.right), key, std::move(value), priority);
    recount(n);
    return n.right->priority > n.priority ? rotateLeft(std::move(at)) : std::move(at);
  }
  static Ref rotateRight(Ref at) {
    Node& n = at.own();
    Ref up = std::move(n.left);
    Node& u = up.own();
    n.left = std::move(u.right);
    recount(n);
    u.right = std::move(at);
    recount(u);
    return up;
  }
  static Ref rotateLeft(Ref at) {
    Node& n = at.own();
    Ref up = std::move(n.right);
    Node& u = up.own();
    n.right = std::move(u.left);
    recount(n);
    u.left = std::move(at);
    recount(u);
    return up;
  }
  static Ref eraseFrom(Ref at, std::string_view key) {
    const int c = key.compare(at->key());
    if (c == 0) {
      Ref left = at->left, right = at->right;
      at = Ref();  // give the children back their uniqueness before merging
      return merge(std::move(left), std::move(right));
    }
    Node& n = at.own();
    if (c < 0) n.left = eraseFrom(std::move(n.left), key);
    else n.right = eraseFrom(std::move(n.right), key);
    recount(n);
    return at;
  }
  static Ref merge(Ref a, Ref b) {
    if (!a) return b;
    if (!b) return a;
    if (a->priority > b->priority) {
      Node& n = a.own();
      n.right = merge(std::move(n.right), std::move(b));
      recount(n);
      return a;
    }
    Node& n = b.own();
    n.left = merge(std::move(a), std::move(n.left));
    recount(n);
    return b;
  }
  template <class F>
  static bool scanFrom(const Node* n, std::string_view from, F& f) {
    if (n == nullptr) return true;
    if (from <= n->key()) {
      if (!scanFrom(n->left.get(), from, f)) return false;
      if (!f(n->key(), n->value)) return false;
    }
    return scanFrom(n->right.get(), from, f);
  }

  Ref root_;
};

}  // namespace steer
