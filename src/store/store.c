/* store.c: the connection: opening, what SQLite's failures mean, batches, totals. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/store_private.h"

#define BUSY_TIMEOUT_MS 10000
#define BUSY_LOOK_MS 1
#define TEXT_BYTES_MAX (1 << 20)  /* strings of one photo */
#define WORDS_BYTES_MAX (1 << 16) /* of a question, quoted */

static bool is_full(int sys_errno) { return sys_errno == ENOSPC || sys_errno == EDQUOT; }

static pd_status status_of_sqlite(int rc, int sys_errno)
{
    switch (rc & 0xFF) {
    case SQLITE_NOMEM: return PD_ERR_NOMEM;
    case SQLITE_FULL: return PD_ERR_FULL;
    /* SQLite tells no errno when the shared-memory file could not grow: that is what a full disk looks like */
    case SQLITE_IOERR: return is_full(sys_errno) || rc == SQLITE_IOERR_SHMSIZE ? PD_ERR_FULL : PD_ERR_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return PD_ERR_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return PD_ERR_BUSY;
    case SQLITE_CANTOPEN:
        if (is_full(sys_errno))
            return PD_ERR_FULL;
        return PD_ERR_IO;
    case SQLITE_PERM:
    case SQLITE_READONLY: return PD_ERR_IO;
    case SQLITE_INTERRUPT: return PD_ERR_CANCELLED;
    default: return PD_ERR_INTERNAL;
    }
}

pd_status pd_store_fail(pd_store *store, const char *doing, pd_error *err)
{
    const int sys_errno = sqlite3_system_errno(store->db);
    const pd_status status = status_of_sqlite(sqlite3_extended_errcode(store->db), sys_errno);
    const char *path = store->path, *reason = sqlite3_errmsg(store->db);
    switch ((int)status) {
    case PD_ERR_NOMEM: return pd_error_set_nomem(err);
    case PD_ERR_FULL:
        return pd_error_set(err, status, "%s '%s': no space left on the disk; free some and start again", doing, path);
    case PD_ERR_CORRUPT:
        return pd_error_set(err, status,
                            "the catalogue '%s' is damaged (%s); move it away and index your folders again. Your "
                            "pictures are not affected; keep the file, for what you wrote about them is in it",
                            path, reason);
    case PD_ERR_BUSY:
        return pd_error_set(err, status, "%s '%s': another process has been using it for %d s; try again", doing, path,
                            BUSY_TIMEOUT_MS / 1000);
    case PD_ERR_IO:
        if (sys_errno) {
            (void)pd_error_set_errno(err, sys_errno, "%s '%s'", doing, path);
            if (err)
                err->status = status;
            return status;
        }
        break;
    default: break;
    }
    return pd_error_set(err, status, "%s '%s': %s", doing, path, reason);
}

pd_status pd_store_exec(pd_store *store, const char *sql, const char *doing, pd_error *err)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return pd_store_fail(store, doing, err);
    return PD_OK;
}

pd_status pd_store_pragma_int(pd_store *store, const char *sql, int64_t *ret_value, pd_error *err)
{
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return pd_store_fail(store, "cannot read the catalogue", err);
    const pd_status status = pd_stmt_run(store, stmt, ret_value, err);
    (void)sqlite3_finalize(stmt);
    return status;
}

/* "file:" URI that tells SQLite that nobody writes: no locks, no shared memory. */
static pd_status append_immutable_uri(pd_buf *uri, const char *path)
{
    PD_TRY(pd_buf_append_string(uri, "file:"));
    for (const char *p = path; *p; p++)
        PD_TRY(*p == '/' ? pd_buf_append(uri, p, 1) : pd_buf_appendf(uri, "%%%02X", (unsigned)(unsigned char)*p));
    return pd_buf_append_string(uri, "?immutable=1");
}

/* Looks every few ms. SQLite's own waiting looks every 100 ms in the end, and so meets a writer that lets go between
 * its batches only by chance. */
static int wait_for_lock(void *user, int n_waits)
{
    pd_store *store = user;
    if (n_waits == 0)
        store->wait_until_ns = pd_clock_ns() + BUSY_TIMEOUT_MS * PD_NS_PER_MS;
    if (pd_clock_ns() >= store->wait_until_ns)
        return 0;
    (void)nanosleep(&(struct timespec){ .tv_nsec = BUSY_LOOK_MS * PD_NS_PER_MS }, NULL);
    return 1;
}

static pd_status open_connection(pd_store *store, const char *name, int flags, pd_error *err)
{
    if (sqlite3_open_v2(name, &store->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) == SQLITE_OK) {
        (void)sqlite3_busy_handler(store->db, wait_for_lock, store);
        return PD_OK;
    }
    if (!store->db)
        return pd_error_set_nomem(err);
    return pd_store_fail(store, "cannot open the catalogue", err);
}

/* A catalogue on a medium or in a folder that cannot be written: SQLite wants to make its shared-memory file beside it
 * and cannot. When no journal with changes lies there either, nobody can be writing, and it may be read as it is. */
static bool may_be_immutable(const char *path)
{
    char side[PD_STORE_PATH_BYTES_MAX + 8];
    const size_t len = strlen(path);
    memcpy(side, path, len + 1);
    char *slash = strrchr(side, '/');
    if (slash)
        slash[slash == side] = '\0';
    if (access(slash ? side : ".", W_OK) == 0)
        return false;
    memcpy(side, path, len);
    memcpy(side + len, "-wal", 5);
    struct stat st;
    return stat(side, &st) != 0 || st.st_size == 0;
}

static void close_connection(pd_store *store)
{
    (void)sqlite3_close(store->db); /* rolls back what is open */
    store->db = NULL;
}

static pd_status open_immutable(pd_store *store, pd_error *err)
{
    pd_buf uri;
    pd_buf_init(&uri, 3 * PD_STORE_PATH_BYTES_MAX + 64);
    const pd_status reopened = append_immutable_uri(&uri, store->path) != PD_OK
                                   ? pd_error_set_nomem(err)
                                   : open_connection(store, uri.data, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
    pd_buf_done(&uri);
    return reopened;
}

static pd_status open_write(pd_store *store, pd_error *err)
{
    /* Made here because SQLite would let others read it. Never opened when it exists: closing would drop the locks that
     * another connection of this process holds (POSIX). */
    const int fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return pd_error_set_errno(err, errno, "cannot create the catalogue '%s'", store->path);
    PD_TRY(open_connection(store, store->path, SQLITE_OPEN_READWRITE, err));
    if (sqlite3_db_readonly(store->db, "main") == 1) /* it is opened all the same, and each statement would fail */
        return pd_error_set(err, PD_ERR_IO,
                            "the catalogue '%s' cannot be written: it, or the disk it lies on, is "
                            "read-only",
                            store->path);
    return PD_OK;
}

/* A process that was killed while it made the catalogue, before that had its write-ahead log, leaves a rollback
 * journal. SQLite does not read past it, and plays it back only for a connection that may write. */
static pd_status roll_back(pd_store *store, pd_error *err)
{
    int64_t version;
    close_connection(store);
    PD_TRY(open_write(store, err));
    PD_TRY(pd_store_pragma_int(store, "PRAGMA user_version", &version, err));
    close_connection(store);
    PD_TRY(open_connection(store, store->path, SQLITE_OPEN_READONLY, err));
    return pd_store_pragma_int(store, "PRAGMA user_version", &version, err);
}

static pd_status open_read(pd_store *store, pd_error *err)
{
    struct stat st;
    if (stat(store->path, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return pd_error_set(err, PD_ERR_NOT_FOUND, "there is no catalogue '%s' yet: index a folder first",
                                store->path);
        return pd_error_set_errno(err, errno, "cannot open the catalogue '%s'", store->path);
    }
    PD_TRY(open_connection(store, store->path, SQLITE_OPEN_READONLY, err));
    int64_t version;
    const pd_status status = pd_store_pragma_int(store, "PRAGMA user_version", &version, err);
    if (sqlite3_extended_errcode(store->db) == SQLITE_READONLY_ROLLBACK)
        return roll_back(store, err);
    if (status != PD_ERR_IO || !may_be_immutable(store->path))
        return status;
    close_connection(store);
    return open_immutable(store, err);
}

/* cache_size: 1 MiB, since the system caches the file anyway. page_size: of 8 KiB holds seven embeddings of 512 fp16,
 * one of 4 KiB three. synchronous FULL: a commit survives a power cut, so that the vector file, which is written after
 * it, is never ahead of the catalogue; one fsync a batch. */
static pd_status configure(pd_store *store, pd_error *err)
{
    static const char read_pragmas[] = "PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY";
    static const char write_pragmas[] = "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                        "PRAGMA journal_size_limit = 16777216; PRAGMA foreign_keys = ON;"
                                        "PRAGMA recursive_triggers = ON";
    PD_TRY(pd_store_exec(store, read_pragmas, "cannot open the catalogue", err));
    if (store->mode == PD_STORE_READ)
        return PD_OK;
    return pd_store_exec(store, write_pragmas, "cannot open the catalogue", err);
}

/* In one transaction: another process may be making the catalogue just now. */
static pd_status check(pd_store *store, int64_t *ret_version, pd_error *err)
{
    PD_TRY(pd_store_exec(store, "BEGIN", "cannot open the catalogue", err));
    const pd_status status = pd_store_check(store, ret_version, err);
    (void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL); /* nothing was written: there is nothing to fail */
    return status;
}

pd_status pd_store_open(pd_store **ret_store, const char *path, pd_store_mode mode, pd_error *err)
{
    PD_TRY(pd_store_check_path(path, err));
    pd_store *store = pd_mem_alloc(1, sizeof *store);
    if (!store)
        return pd_error_set_nomem(err);
    pd_buf_init(&store->text, TEXT_BYTES_MAX);
    pd_buf_init(&store->words, WORDS_BYTES_MAX);
    pd_buf_init(&store->caption, TEXT_BYTES_MAX);
    pd_said_init(&store->doc);
    pd_said_init(&store->said);
    store->mode = mode;
    store->path = pd_mem_dup_string(path);
    pd_status status = store->path ? PD_OK : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = mode == PD_STORE_WRITE ? open_write(store, err) : open_read(store, err);
    int64_t version = 0;
    if (status == PD_OK)
        status = check(store, &version, err);
    if (status == PD_OK)
        status = configure(store, err);
    store->version = (int)version;
    if (status == PD_OK && version < pd_store_schema_version())
        status = mode == PD_STORE_WRITE ? pd_store_migrate(store, err) : PD_OK;
    if (status == PD_OK)
        *ret_store = store;
    else
        pd_store_close(&store);
    return status;
}

bool pd_store_is_current(const pd_store *store) { return store->version == pd_store_schema_version(); }

void pd_store_close(pd_store **store)
{
    pd_store *s = *store;
    if (!s)
        return;
    for (size_t i = 0; i < PD_STMT_COUNT; i++)
        (void)sqlite3_finalize(s->stmts[i]);
    if (s->mode == PD_STORE_WRITE && pd_store_is_current(s)) /* else only who closes last does it, and only a writer */
        (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    (void)sqlite3_close(s->db); /* rolls back what is open */
    pd_buf_done(&s->text);
    pd_buf_done(&s->words);
    pd_buf_done(&s->caption);
    pd_said_done(&s->doc);
    pd_said_done(&s->said);
    pd_mem_free(s->work_tags);
    pd_mem_free(s->work_albums);
    pd_mem_free(s->half);
    pd_mem_free(s->path);
    pd_mem_free(s);
    *store = NULL;
}

static pd_status run_plain(pd_store *store, pd_stmt id, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, id, &stmt, err));
    return pd_stmt_run(store, stmt, NULL, err);
}

/* IMMEDIATE: a second writer waits here and not in the middle of its batch. */
pd_status pd_store_begin(pd_store *store, pd_error *err)
{
    return run_plain(store, store->mode == PD_STORE_WRITE ? PD_STMT_BEGIN_WRITE : PD_STMT_BEGIN_READ, err);
}

pd_status pd_store_commit(pd_store *store, pd_error *err) { return run_plain(store, PD_STMT_COMMIT, err); }

void pd_store_rollback(pd_store *store)
{
    if (!sqlite3_get_autocommit(store->db)) /* SQLite has already rolled back after some failures */
        (void)run_plain(store, PD_STMT_ROLLBACK, NULL);
}

pd_status pd_store_enter(pd_store *store, bool *ret_own, pd_error *err)
{
    *ret_own = sqlite3_get_autocommit(store->db) != 0;
    return *ret_own ? pd_store_begin(store, err) : PD_OK;
}

pd_status pd_store_leave(pd_store *store, bool own, pd_status status, pd_error *err)
{
    if (own && status == PD_OK)
        status = pd_store_commit(store, err);
    if (own && status != PD_OK)
        pd_store_rollback(store);
    return status;
}

pd_status pd_store_totals_get(pd_store *store, int64_t model, pd_store_totals *ret_totals, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_TOTALS, &stmt, err));
    sqlite3_bind_int64(stmt, 1, model);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    *ret_totals = (pd_store_totals){
        .files = sqlite3_column_int64(stmt, 0),
        .learned = sqlite3_column_int64(stmt, 1),
        .errors = sqlite3_column_int64(stmt, 2),
        .offline = sqlite3_column_int64(stmt, 3),
    };
    pd_stmt_reset(stmt);
    return PD_OK;
}
