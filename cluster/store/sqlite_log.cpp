// The log on disk: one SQLite file in WAL mode, synchronous=FULL, one row per block of records that
// were appended together (record_block.h), under the revision of its last record.
//
// Appending only ever adds rows at the end of one table, so a commit writes as few pages as
// possible; nothing else is kept up to date on the way. What the current state is follows from the
// newest record of each key, found once at start by reading backwards. Compaction writes down which
// records are dead, and packs a block anew when half of it is: so the file stays in proportion to the
// live objects plus the retained revisions. A second connection reads history and moves the WAL into
// the database beside the appends.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <unordered_set>

#include "cluster/store/acknowledged_mark.h"
#include "cluster/store/log_backend.h"
#include "cluster/store/record_block.h"
#include "core/log.h"

namespace steer {
namespace {

constexpr std::uint64_t kCompactStep = 200;  ///< revisions per transaction, so that appends get in between
constexpr int kFormat = 2;
/// The WAL file is written full of zeros once and then only overwritten: a flush that changes no
/// file size costs the disk several times less than one that does.
constexpr off_t kWalBytes = 8 * 1024 * 1024;
constexpr int kTidyFrames = 1200;  ///< 5 MB: well before the WAL grows

struct CloseDb {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct Finalize {
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
struct RollBackOpen {
  void operator()(sqlite3* db) const {
    if (sqlite3_get_autocommit(db) == 0) sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
  }
};
using Db = std::unique_ptr<sqlite3, CloseDb>;
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Error explain(const std::string& path, sqlite3* db, const std::string& what) {
  const int code = db == nullptr ? SQLITE_CANTOPEN : sqlite3_errcode(db);
  const std::string detail = db == nullptr ? "out of memory" : sqlite3_errmsg(db);
  const std::string dir = std::filesystem::path(path).parent_path().string();
  const int systemError = db == nullptr ? 0 : sqlite3_system_errno(db);
  if (code == SQLITE_FULL || systemError == ENOSPC || systemError == EDQUOT)
    return makeError(Errc::io, "cannot " + what + " " + path + ": the disk is full: free space on " + dir +
                                   "; nothing was acknowledged");
  if (code == SQLITE_IOERR)
    return makeError(Errc::io, "cannot " + what + " " + path + ": " + detail +
                                   (systemError != 0 ? std::string(" (") + std::strerror(systemError) + ")" : "") +
                                   ": check the disk under " + dir + "; nothing was acknowledged");
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
    return makeError(Errc::io, "cannot " + what + " " + path + ": the file is damaged (" + detail + "): restore " +
                                   dir + " from a backup");
  if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_PERM)
    return makeError(Errc::io, "cannot " + what + " " + path + ": " + detail + ": check that " + dir +
                                   " exists and can be written by this user");
  return makeError(Errc::io, "cannot " + what + " " + path + ": " + detail);
}

/// Holds the lock file of a data directory for this process, and names the holder to others.
class LockFile {
 public:
  LockFile() = default;
  LockFile(LockFile&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  LockFile& operator=(LockFile&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~LockFile() {
    if (fd_ >= 0) ::close(fd_);
  }

  static Result<LockFile> take(const std::string& path) {
    LockFile lock;
    const std::string file = path + ".lock";
    lock.fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock.fd_ < 0) return makeError(Errc::io, "cannot open " + file + ": " + std::strerror(errno));
    if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
      char pid[32] = {};
      const auto n = ::pread(lock.fd_, pid, sizeof pid - 1, 0);
      return makeError(Errc::unavailable, path + " is in use by another process" +
                                              (n > 0 ? " (pid " + std::string(pid) + ")" : std::string()) +
                                              ": stop it, or choose another --data-dir");
    }
    const std::string pid = std::to_string(::getpid());
    // The name of the holder is a courtesy: a full disk does not keep what is there from being read.
    if ((::ftruncate(lock.fd_, 0) != 0 || ::pwrite(lock.fd_, pid.data(), pid.size(), 0) < 0) && errno != ENOSPC &&
        errno != EDQUOT)
      return makeError(Errc::io, "cannot write " + file + ": " + std::strerror(errno));
    return lock;
  }

 private:
  int fd_ = -1;
};

/// Makes a file at least so long with written zeros. After the frames of a WAL, zeros read as its end.
Result<void> preallocate(const std::string& path, off_t bytes) {
  struct statvfs disk {};
  if (::statvfs(path.c_str(), &disk) != 0 || disk.f_bavail * disk.f_frsize < static_cast<std::size_t>(bytes) * 8)
    return {};
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return makeError(Errc::io, "cannot open " + path + ": " + std::strerror(errno));
  const std::string zeros(1024 * 1024, '\0');
  off_t at = ::lseek(fd, 0, SEEK_END);
  while (at >= 0 && at < bytes) {
    const auto n = ::write(fd, zeros.data(), std::min(zeros.size(), static_cast<std::size_t>(bytes - at)));
    if (n <= 0) break;  // no space to spare: slower, not wrong
    at += n;
  }
  ::fsync(fd);
  ::close(fd);
  return {};
}

/// One connection and its prepared statements. Not thread-safe: see the mutexes of SqliteLog.
struct Connection {
  Db db;
  std::string path;

  Result<void> open(const std::string& file) {
    path = file;
    sqlite3* raw = nullptr;
    const int rc =
        sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    db.reset(raw);
    if (rc != SQLITE_OK) return explain(path, raw, "open");
    sqlite3_busy_timeout(raw, 10'000);
    return {};
  }
  Result<void> exec(const char* sql, const char* what) {
    if (sqlite3_exec(db.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return explain(path, db.get(), what);
    return {};
  }
  Result<Statement> prepare(std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v3(db.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw,
                           nullptr) != SQLITE_OK)
      return explain(path, db.get(), "read");
    return Statement(raw);
  }
};

void bindText(sqlite3_stmt* s, int at, std::string_view text) {
  sqlite3_bind_text64(s, at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}
void bindRevision(sqlite3_stmt* s, int at, std::uint64_t revision) {
  sqlite3_bind_int64(s, at, static_cast<sqlite3_int64>(revision));
}
std::uint64_t revisionAt(sqlite3_stmt* s, int column) {
  return static_cast<std::uint64_t>(sqlite3_column_int64(s, column));
}
std::string_view textAt(sqlite3_stmt* s, int column) {
  const void* data = sqlite3_column_blob(s, column);
  return {static_cast<const char*>(data),
          data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(s, column))};
}

class SqliteLog final : public LogBackend {
 public:
  ~SqliteLog() override {
    insert_.reset();
    std::lock_guard lock(readMutex_);
    select_.reset();
  }

  Result<void> open(const std::string& path) {
    STEER_TRY(lock_, LockFile::take(path));
    STEER_CHECK(writer_.open(path));
    STEER_CHECK(
        writer_.exec("PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                     "PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2000;",
                     "open"));
    STEER_CHECK(writer_.exec(
        "BEGIN IMMEDIATE;"
        "CREATE TABLE IF NOT EXISTS log(revision INTEGER PRIMARY KEY, records INTEGER NOT NULL, block BLOB NOT NULL);"
        "CREATE TABLE IF NOT EXISTS dead(block INTEGER, revision INTEGER, PRIMARY KEY(block, revision)) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
        "INSERT OR IGNORE INTO meta VALUES('format', 2), ('compacted', 0); COMMIT;",
        "create"));
    STEER_TRY(const auto format, meta(writer_, "format"));
    if (format != kFormat)
      return makeError(Errc::io, path + " was written by another version of this program (format " +
                                     std::to_string(format) + ", this one reads " + std::to_string(kFormat) + ")");
    STEER_TRY(insert_, writer_.prepare("INSERT OR REPLACE INTO log(revision, records, block) VALUES(?1,?2,?3)"));
    STEER_TRY(find_, writer_.prepare("SELECT revision, records FROM log WHERE revision>=?1 ORDER BY revision LIMIT 1"));
    STEER_TRY(bury_, writer_.prepare("INSERT OR IGNORE INTO dead(block, revision) VALUES(?1, ?2)"));
    STEER_TRY(begin_, writer_.prepare("BEGIN IMMEDIATE"));
    STEER_TRY(commit_, writer_.prepare("COMMIT"));
    STEER_CHECK(reader_.open(path));
    STEER_CHECK(reader_.exec("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-1000;", "open"));
    STEER_TRY(select_, reader_.prepare("SELECT revision, block FROM log WHERE revision>=?1 ORDER BY revision"));
    int keepWal = 1;  // also when closing
    sqlite3_file_control(writer_.db.get(), nullptr, SQLITE_FCNTL_PERSIST_WAL, &keepWal);
    sqlite3_file_control(reader_.db.get(), nullptr, SQLITE_FCNTL_PERSIST_WAL, &keepWal);
    sqlite3_wal_hook(
        writer_.db.get(),
        [](void* self, sqlite3*, const char*, int frames) {
          static_cast<SqliteLog*>(self)->frames_ = frames;
          return SQLITE_OK;
        },
        this);
    mark_ = AcknowledgedMark(path + ".acknowledged");
    if (auto tidied = tidy(); !tidied.ok())  // what is in the WAL is read from there
      log::warn("cannot tidy the store's log", {{"error", tidied.error().message}});
    return preallocate(path + "-wal", kWalBytes);
  }

  std::uint64_t acknowledged() const override { return mark_.revision(); }

  Result<void> append(const std::vector<LogRecord>& records) override {
    std::lock_guard lock(writeMutex_);
    if (step(begin_.get()) != SQLITE_DONE) return explain(writer_.path, writer_.db.get(), "write");
    // An exception on the way leaves no transaction open behind it.
    const std::unique_ptr<sqlite3, RollBackOpen> open(writer_.db.get());
    for (std::size_t next = 0; next < records.size();) {
      const std::size_t first = next;
      const std::string block = packer_.pack(records, next);
      if (!insert(records[next - 1].revision, next - first, block)) return rolledBack("write");
    }
    if (step(commit_.get()) != SQLITE_DONE) return rolledBack("write");
    mark_.note(records.back().revision);
    return {};
  }

  Result<std::uint64_t> loadState(const std::function<void(LogRecord)>& visit) override {
    std::lock_guard lock(readMutex_);
    STEER_TRY(std::uint64_t last, meta(reader_, "compacted"));
    STEER_TRY(const auto dead, numbers(reader_, "SELECT revision FROM dead WHERE block>=?1", 0));
    const std::unordered_set<std::uint64_t> forgotten(dead.begin(), dead.end());
    STEER_TRY(const auto all, reader_.prepare("SELECT revision, block FROM log ORDER BY revision DESC"));
    std::unordered_set<std::string> seen;
    std::string key;
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(all.get())) == SQLITE_ROW) {
      last = std::max(last, revisionAt(all.get(), 0));
      STEER_TRY(auto records, unpackBlock(textAt(all.get(), 1)));
      for (auto record = records.rbegin(); record != records.rend(); ++record) {
        if (forgotten.contains(record->revision)) continue;
        key.clear();
        for (const auto* part : {&record->target.resource, &record->target.ns, &record->target.name})
          key.append(*part) += '\x1f';
        if (seen.insert(key).second && !record->removed) visit(std::move(*record));
      }
    }
    if (rc != SQLITE_DONE) return explain(reader_.path, reader_.db.get(), "read");
    return last;
  }

  Result<std::vector<LogRecord>> read(std::uint64_t after, std::size_t limit) override {
    std::lock_guard lock(readMutex_);
    std::vector<LogRecord> out;
    STEER_CHECK(visitFrom(after + 1, [&](LogRecord& record) {
      if (record.revision > after) out.push_back(std::move(record));
      return out.size() < limit;
    }));
    return out;
  }

  Result<std::optional<LogRecord>> at(std::uint64_t revision) override {
    std::lock_guard lock(readMutex_);
    std::optional<LogRecord> out;
    if (unpackedRevision_ < revision || unpacked_.empty() || unpacked_.front().revision > revision) {
      unpacked_.clear();
      bindRevision(select_.get(), 1, revision);
      const int rc = sqlite3_step(select_.get());
      Result<std::vector<LogRecord>> records{std::vector<LogRecord>{}};
      if (rc == SQLITE_ROW) {
        unpackedRevision_ = revisionAt(select_.get(), 0);
        records = unpackBlock(textAt(select_.get(), 1));
      }
      sqlite3_reset(select_.get());
      if (rc != SQLITE_ROW && rc != SQLITE_DONE) return explain(reader_.path, reader_.db.get(), "read");
      STEER_TRY(unpacked_, std::move(records));
    }
    const auto found = std::lower_bound(unpacked_.begin(), unpacked_.end(), revision,
                                        [](const LogRecord& record, std::uint64_t r) { return record.revision < r; });
    if (found != unpacked_.end() && found->revision == revision) out = *found;
    return out;
  }

  Result<std::uint64_t> compact(std::uint64_t upTo) override {
    STEER_TRY(const std::uint64_t from, compactedRevision());
    if (from >= upTo) return from;
    const std::uint64_t to = std::min(upTo, from + kCompactStep);
    std::vector<std::uint64_t> dead;
    {
      std::lock_guard lock(readMutex_);
      STEER_CHECK(visitFrom(from + 1, [&](const LogRecord& record) {
        if (record.revision > to) return false;
        if (record.revision <= from) return true;
        if (record.previous != 0) dead.push_back(record.previous);
        if (record.removed) dead.push_back(record.revision);
        return true;
      }));
    }
    std::lock_guard lock(writeMutex_);
    if (step(begin_.get()) != SQLITE_DONE) return explain(writer_.path, writer_.db.get(), "compact");
    const std::unique_ptr<sqlite3, RollBackOpen> open(writer_.db.get());
    if (auto done = bury(dead, to); !done.ok()) {
      rolledBack("compact");
      return std::move(done).error();
    }
    if (step(commit_.get()) != SQLITE_DONE) return rolledBack("compact");
    return to;
  }

  Result<std::uint64_t> compactedRevision() override {
    std::lock_guard lock(readMutex_);
    return meta(reader_, "compacted");
  }

  bool wantsTidy() const override { return frames_ >= kTidyFrames; }

  /// Moves the WAL into the database beside the appends; only what was added meanwhile is moved
  /// with the appends held up, so that the next one starts the WAL file anew.
  Result<void> tidy() override {
    STEER_CHECK(checkpoint());
    std::lock_guard lock(writeMutex_);
    return checkpoint();
  }

 private:
  static int step(sqlite3_stmt* s) {
    const int rc = sqlite3_step(s);
    // The error stays readable on the connection: sqlite3_reset repeats it.
    sqlite3_reset(s);
    return rc;
  }

  Error rolledBack(const std::string& what) {
    Error error = explain(writer_.path, writer_.db.get(), what);
    if (sqlite3_get_autocommit(writer_.db.get()) == 0)
      sqlite3_exec(writer_.db.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    return error;
  }

  bool insert(std::uint64_t revision, std::size_t records, std::string_view block) {
    auto* s = insert_.get();
    bindRevision(s, 1, revision);
    bindRevision(s, 2, records);
    sqlite3_bind_blob64(s, 3, block.data(), block.size(), SQLITE_STATIC);
    return step(s) == SQLITE_DONE;
  }

  /// The records of the blocks that reach up to `revision` or beyond, while visit says true. Under readMutex_.
  template <class F>
  Result<void> visitFrom(std::uint64_t revision, F&& visit) {
    auto* s = select_.get();
    bindRevision(s, 1, revision);
    int rc = SQLITE_ROW;
    for (bool more = true; more && (rc = sqlite3_step(s)) == SQLITE_ROW;) {
      auto records = unpackBlock(textAt(s, 1));
      if (!records.ok()) {
        sqlite3_reset(s);
        return std::move(records).error();
      }
      for (auto& record : *records)
        if (!(more = visit(record))) break;
    }
    sqlite3_reset(s);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) return explain(reader_.path, reader_.db.get(), "read");
    return {};
  }

  /// All numbers that a query gives for ?1.
  static Result<std::vector<std::uint64_t>> numbers(Connection& connection, std::string_view sql, std::uint64_t about) {
    STEER_TRY(const auto s, connection.prepare(sql));
    bindRevision(s.get(), 1, about);
    std::vector<std::uint64_t> out;
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(s.get())) == SQLITE_ROW)
      for (int column = 0; column < sqlite3_column_count(s.get()); ++column) out.push_back(revisionAt(s.get(), column));
    if (rc != SQLITE_DONE) return explain(connection.path, connection.db.get(), "read");
    return out;
  }

  Result<void> change(std::string_view sql, std::uint64_t about) {
    STEER_TRY(const auto s, writer_.prepare(sql));
    bindRevision(s.get(), 1, about);
    if (sqlite3_step(s.get()) != SQLITE_DONE) return explain(writer_.path, writer_.db.get(), "compact");
    return {};
  }

  /// Inside a transaction: these records are dead, and everything up to `to` is compacted.
  Result<void> bury(const std::vector<std::uint64_t>& dead, std::uint64_t to) {
    std::map<std::uint64_t, std::pair<std::uint64_t, std::vector<std::uint64_t>>>
        graves;  // by block: its size, its dead
    for (const auto revision : dead) {
      bindRevision(find_.get(), 1, revision);
      const int rc = sqlite3_step(find_.get());
      if (rc == SQLITE_ROW) {
        auto& grave = graves[revisionAt(find_.get(), 0)];
        grave.first = revisionAt(find_.get(), 1);
        grave.second.push_back(revision);
      }
      sqlite3_reset(find_.get());
      if (rc != SQLITE_ROW && rc != SQLITE_DONE) return explain(writer_.path, writer_.db.get(), "compact");
    }
    for (auto& [block, grave] : graves) {
      STEER_TRY(const auto earlier, numbers(writer_, "SELECT revision FROM dead WHERE block=?1", block));
      grave.second.insert(grave.second.end(), earlier.begin(), earlier.end());
      if (grave.second.size() * 2 >= grave.first) {
        STEER_CHECK(repack(block, grave.second));
        continue;
      }
      for (std::size_t i = 0; i < grave.second.size() - earlier.size(); ++i) {
        bindRevision(bury_.get(), 1, block);
        bindRevision(bury_.get(), 2, grave.second[i]);
        if (step(bury_.get()) != SQLITE_DONE) return explain(writer_.path, writer_.db.get(), "compact");
      }
    }
    return change("UPDATE meta SET value=?1 WHERE key='compacted'", to);
  }

  /// A block without its dead; none when nothing is left.
  Result<void> repack(std::uint64_t block, const std::vector<std::uint64_t>& dead) {
    STEER_TRY(const auto s, writer_.prepare("SELECT block FROM log WHERE revision=?1"));
    bindRevision(s.get(), 1, block);
    if (sqlite3_step(s.get()) != SQLITE_ROW) return explain(writer_.path, writer_.db.get(), "compact");
    STEER_TRY(auto records, unpackBlock(textAt(s.get(), 0)));
    const std::unordered_set<std::uint64_t> gone(dead.begin(), dead.end());
    std::erase_if(records, [&](const LogRecord& record) { return gone.contains(record.revision); });
    sqlite3_reset(s.get());
    STEER_CHECK(change("DELETE FROM dead WHERE block=?1", block));
    if (records.empty()) return change("DELETE FROM log WHERE revision=?1", block);
    std::size_t first = 0;
    const std::string packed = packer_.pack(records, first);  // less than what was one block is one block
    if (!insert(block, records.size(), packed)) return explain(writer_.path, writer_.db.get(), "compact");
    return {};
  }

  static Result<std::uint64_t> meta(Connection& connection, std::string_view key) {
    STEER_TRY(const auto s, connection.prepare("SELECT value FROM meta WHERE key=?1"));
    bindText(s.get(), 1, key);
    if (sqlite3_step(s.get()) != SQLITE_ROW) return explain(connection.path, connection.db.get(), "read");
    return revisionAt(s.get(), 0);
  }

  Result<void> checkpoint() {
    std::lock_guard lock(readMutex_);
    const int rc = sqlite3_wal_checkpoint_v2(reader_.db.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (rc != SQLITE_OK && rc != SQLITE_BUSY) return explain(reader_.path, reader_.db.get(), "tidy");
    return {};
  }

  LockFile lock_;  // first, so that it is given back last
  std::mutex writeMutex_;
  std::atomic<int> frames_{0};  ///< in the WAL
  Connection writer_;
  Statement insert_, find_, bury_, begin_, commit_;
  BlockPacker packer_;
  AcknowledgedMark mark_;
  std::mutex readMutex_;
  Connection reader_;
  Statement select_;
  std::vector<LogRecord> unpacked_;  ///< the block that at() read last: the next one is often in it, too
  std::uint64_t unpackedRevision_ = 0;
};

}  // namespace

Result<std::unique_ptr<LogBackend>> openSqliteLog(const std::string& path) {
  auto log = std::make_unique<SqliteLog>();
  STEER_CHECK(log->open(path));
  return std::unique_ptr<LogBackend>(std::move(log));
}

}  // namespace steer
