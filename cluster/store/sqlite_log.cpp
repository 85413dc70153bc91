// The log on disk: one SQLite file in WAL mode, synchronous=FULL, one row per revision.
//
// Appending only ever adds rows at the end of one table, so a commit writes as few pages as
// possible; nothing else is kept up to date on the way. What the current state is follows from the
// newest row of each key, found once at start by reading backwards; compaction keeps the file in
// proportion to the live objects plus the retained revisions. A second connection reads history and
// moves the WAL into the database beside the appends.
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
#include <mutex>
#include <unordered_set>

#include "cluster/store/log_backend.h"

namespace steer {
namespace {

constexpr std::uint64_t kCompactStep = 200;  ///< revisions per transaction, so that appends get in between
constexpr int kFormat = 1;
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
    if (::ftruncate(lock.fd_, 0) != 0 || ::pwrite(lock.fd_, pid.data(), pid.size(), 0) < 0)
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

constexpr std::string_view kColumns = "revision, previous, removed, resource, ns, name, body";

LogRecord recordAt(sqlite3_stmt* s) {
  LogRecord out;
  out.revision = revisionAt(s, 0);
  out.previous = revisionAt(s, 1);
  out.removed = sqlite3_column_int(s, 2) != 0;
  out.target = {std::string(textAt(s, 3)), std::string(textAt(s, 4)), std::string(textAt(s, 5))};
  out.body = textAt(s, 6);
  return out;
}

class SqliteLog final : public LogBackend {
 public:
  ~SqliteLog() override {
    insert_.reset();
    std::lock_guard lock(readMutex_);
    select_.reset();
    selectOne_.reset();
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
        "CREATE TABLE IF NOT EXISTS log(revision INTEGER PRIMARY KEY, previous INTEGER NOT NULL, removed INTEGER NOT "
        "NULL, resource TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL);"
        "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
        "INSERT OR IGNORE INTO meta VALUES('format', 1), ('compacted', 0); COMMIT;",
        "create"));
    STEER_TRY(const auto format, meta(writer_, "format"));
    if (format != kFormat)
      return makeError(Errc::io, path + " was written by another version of this program (format " +
                                     std::to_string(format) + ", this one reads " + std::to_string(kFormat) + ")");
    STEER_TRY(insert_, writer_.prepare("INSERT INTO log(" + std::string(kColumns) + ") VALUES(?1,?2,?3,?4,?5,?6,?7)"));
    STEER_TRY(begin_, writer_.prepare("BEGIN IMMEDIATE"));
    STEER_TRY(commit_, writer_.prepare("COMMIT"));
    STEER_CHECK(reader_.open(path));
    STEER_CHECK(reader_.exec("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-1000;", "open"));
    STEER_TRY(select_, reader_.prepare("SELECT " + std::string(kColumns) +
                                       " FROM log WHERE revision>?1 ORDER BY revision LIMIT ?2"));
    STEER_TRY(selectOne_, reader_.prepare("SELECT " + std::string(kColumns) + " FROM log WHERE revision=?1"));
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
    STEER_CHECK(tidy());
    return preallocate(path + "-wal", kWalBytes);
  }

  Result<void> append(const std::vector<LogRecord>& records) override {
    std::lock_guard lock(writeMutex_);
    if (step(begin_.get()) != SQLITE_DONE) return explain(writer_.path, writer_.db.get(), "write");
    for (const auto& record : records) {
      auto* s = insert_.get();
      bindRevision(s, 1, record.revision);
      bindRevision(s, 2, record.previous);
      sqlite3_bind_int(s, 3, record.removed ? 1 : 0);
      bindText(s, 4, record.target.resource);
      bindText(s, 5, record.target.ns);
      bindText(s, 6, record.target.name);
      sqlite3_bind_blob64(s, 7, record.body.empty() ? "" : record.body.data(), record.body.size(), SQLITE_STATIC);
      if (step(s) != SQLITE_DONE) return rolledBack("write");
    }
    if (step(commit_.get()) != SQLITE_DONE) return rolledBack("write");
    return {};
  }

  Result<std::uint64_t> loadState(const std::function<void(LogRecord)>& visit) override {
    std::lock_guard lock(readMutex_);
    STEER_TRY(const auto all, reader_.prepare("SELECT " + std::string(kColumns) + " FROM log ORDER BY revision DESC"));
    std::unordered_set<std::string> seen;
    std::string key;
    STEER_TRY(std::uint64_t last, meta(reader_, "compacted"));
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(all.get())) == SQLITE_ROW) {
      last = std::max(last, revisionAt(all.get(), 0));
      key.clear();
      for (const int column : {3, 4, 5}) key.append(textAt(all.get(), column)) += '\x1f';
      if (!seen.insert(key).second || sqlite3_column_int(all.get(), 2) != 0) continue;
      visit(recordAt(all.get()));
    }
    if (rc != SQLITE_DONE) return explain(reader_.path, reader_.db.get(), "read");
    return last;
  }

  Result<std::vector<LogRecord>> read(std::uint64_t after, std::size_t limit) override {
    std::lock_guard lock(readMutex_);
    bindRevision(select_.get(), 1, after);
    bindRevision(select_.get(), 2, limit);
    return rows(select_.get());
  }

  Result<std::optional<LogRecord>> at(std::uint64_t revision) override {
    std::lock_guard lock(readMutex_);
    bindRevision(selectOne_.get(), 1, revision);
    STEER_TRY(auto found, rows(selectOne_.get()));
    if (found.empty()) return std::optional<LogRecord>{};
    return std::optional<LogRecord>{std::move(found.front())};
  }

  Result<std::uint64_t> compact(std::uint64_t upTo) override {
    std::lock_guard lock(writeMutex_);
    STEER_TRY(const std::uint64_t from, meta(writer_, "compacted"));
    if (from >= upTo) return from;
    const std::uint64_t to = std::min(upTo, from + kCompactStep);
    const std::string range = " revision>" + std::to_string(from) + " AND revision<=" + std::to_string(to);
    const std::string sql = "BEGIN IMMEDIATE; DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE" +
                            range + " AND previous>0); DELETE FROM log WHERE" + range +
                            " AND removed=1; UPDATE meta SET value=" + std::to_string(to) +
                            " WHERE key='compacted'; COMMIT;";
    if (sqlite3_exec(writer_.db.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      return rolledBack("compact");
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

  Result<std::vector<LogRecord>> rows(sqlite3_stmt* s) {
    std::vector<LogRecord> out;
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) out.push_back(recordAt(s));
    sqlite3_reset(s);
    if (rc != SQLITE_DONE) return explain(reader_.path, reader_.db.get(), "read");
    return out;
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
  Statement insert_, begin_, commit_;
  std::mutex readMutex_;
  Connection reader_;
  Statement select_, selectOne_;
};

}  // namespace

Result<std::unique_ptr<LogBackend>> openSqliteLog(const std::string& path) {
  auto log = std::make_unique<SqliteLog>();
  STEER_CHECK(log->open(path));
  return std::unique_ptr<LogBackend>(std::move(log));
}

}  // namespace steer
