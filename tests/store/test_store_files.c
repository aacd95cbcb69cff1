/* The catalogue as a file: versions, damage, other processes, a full disk, a kill. */
#include "store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "store/store_private.h"

static pd_status open_path(const char *path, pd_store_mode mode, pd_store **ret_store, pd_error *err)
{
    *ret_store = NULL;
    const pd_status status = pd_store_open(ret_store, path, mode, err);
    CHECK((status == PD_OK) == (*ret_store != NULL));
    return status;
}

/* A catalogue with one photo, closed. */
static fixture make_catalogue(void)
{
    const fixture f = fixture_make();
    pd_store *store;
    int64_t root = 0, model = 0;
    CHECK(open_path(f.path, PD_STORE_WRITE, &store, NULL) == PD_OK);
    CHECK(pd_store_root_add(store, "/photos", &root, NULL) == PD_OK);
    CHECK(pd_store_model_add(store, "abc", "tiny", FIXTURE_DIM, &model, NULL) == PD_OK);
    const int64_t content = add_content(store, 1);
    add_photo(store, root, "/photos/a.jpg", content);
    add_embedding(store, content, model, 1);
    pd_store_close(&store);
    return f;
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

static int64_t count_files(pd_store *store)
{
    pd_store_totals t = { .files = -1 };
    CHECK(pd_store_totals_get(store, 1, &t, NULL) == PD_OK);
    return t.files;
}

static void reading_needs_a_catalogue(void)
{
    const fixture f = fixture_make();
    pd_store *store;
    pd_error err = { 0 };
    CHECK(open_path(f.path, PD_STORE_READ, &store, &err) == PD_ERR_NOT_FOUND);
    CHECK(strstr(err.message, f.path));
    CHECK(open_path("/nowhere/at/all", PD_STORE_READ, &store, &err) == PD_ERR_NOT_FOUND);
    CHECK(open_path("/nowhere/at/all", PD_STORE_WRITE, &store, &err) == PD_ERR_NOT_FOUND);
    CHECK(access(f.path, F_OK) != 0);
    fixture_remove(&f);
}

static void a_catalogue_is_for_its_owner_only(void)
{
    const fixture f = make_catalogue();
    struct stat st;
    CHECK(stat(f.path, &st) == 0 && (st.st_mode & 0777) == 0600);
    fixture_remove(&f);
}

static void an_empty_file_becomes_a_catalogue(void)
{
    const fixture f = fixture_make();
    FILE *file = fopen(f.path, "wb");
    REQUIRE(file);
    fclose(file);
    pd_store *store;
    CHECK(open_path(f.path, PD_STORE_READ, &store, NULL) == PD_ERR_NOT_FOUND);
    REQUIRE(open_path(f.path, PD_STORE_WRITE, &store, NULL) == PD_OK);
    CHECK(count_files(store) == 0);
    pd_store_close(&store);
    CHECK(open_path(f.path, PD_STORE_READ, &store, NULL) == PD_OK);
    pd_store_close(&store);
    fixture_remove(&f);
}

/* Writes to the database until pages must go to the file, and is killed then: the rollback journal stays. */
static _Noreturn void die_while_writing(const char *path)
{
    static const char sql[] = "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN IMMEDIATE;"
                              "CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(100000)), (randomblob(100000));";
    sqlite3 *db;
    if (sqlite3_open(path, &db) == SQLITE_OK && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        (void)kill(getpid(), SIGKILL);
    _exit(1);
}

static void one_killed_while_being_made_is_made_again(void)
{
    const fixture f = fixture_make();
    char journal[sizeof f.path + 16];
    (void)snprintf(journal, sizeof journal, "%s-journal", f.path);
    for (int mode = PD_STORE_READ; mode <= PD_STORE_WRITE; mode++) {
        const pid_t child = fork();
        if (child == 0)
            die_while_writing(f.path);
        int how = 0;
        CHECK(waitpid(child, &how, 0) == child && WIFSIGNALED(how));
        struct stat st;
        REQUIRE(stat(f.path, &st) == 0 && st.st_size > 0 && stat(journal, &st) == 0 && st.st_size > 0);
        pd_store *store;
        pd_error err = { 0 };
        const pd_status status = open_path(f.path, (pd_store_mode)mode, &store, &err);
        CHECK(status == (mode == PD_STORE_WRITE ? PD_OK : PD_ERR_NOT_FOUND));
        CHECK(mode == PD_STORE_WRITE || strstr(err.message, "index a folder first"));
        CHECK(stat(journal, &st) != 0);
        pd_store_close(&store);
    }
    fixture_remove(&f);
}

static void one_that_is_being_made_is_nobody_elses(void)
{
    enum { N_ROUNDS = 100 };
    for (int round = 0; round < N_ROUNDS; round++) {
        const fixture f = fixture_make();
        const pid_t child = fork();
        if (child == 0) {
            pd_store *made = NULL;
            _exit(pd_store_open(&made, f.path, PD_STORE_WRITE, NULL) != PD_OK);
        }
        pd_store *store = NULL;
        pd_error err = { 0 };
        pd_status status;
        do
            status = pd_store_open(&store, f.path, PD_STORE_READ, &err);
        while (status == PD_ERR_NOT_FOUND);
        CHECK(status == PD_OK);
        pd_store_close(&store);
        int how = 0;
        CHECK(waitpid(child, &how, 0) == child && WIFEXITED(how) && WEXITSTATUS(how) == 0);
        fixture_remove(&f);
    }
}

/* Who copies the file alone has all of it, also while somebody reads. */
static void a_writer_leaves_nothing_in_its_journal(void)
{
    const fixture f = make_catalogue();
    char copy[sizeof f.path + 16];
    (void)snprintf(copy, sizeof copy, "%s-copy", f.path);
    pd_store *reader, *writer;
    REQUIRE(open_path(f.path, PD_STORE_READ, &reader, NULL) == PD_OK);
    REQUIRE(open_path(f.path, PD_STORE_WRITE, &writer, NULL) == PD_OK);
    add_photo(writer, 1, "/photos/b.jpg", add_content(writer, 2));
    pd_store_close(&writer);
    char command[2 * sizeof copy + 16]; /* by another process: to close the file would end this one's locks */
    (void)snprintf(command, sizeof command, "cp '%s' '%s'", f.path, copy);
    CHECK(system(command) == 0);
    pd_store_close(&reader);
    REQUIRE(open_path(copy, PD_STORE_WRITE, &reader, NULL) == PD_OK);
    CHECK(count_files(reader) == 2);
    pd_store_close(&reader);
    (void)unlink(copy);
    fixture_remove(&f);
}

static void a_newer_catalogue_is_left_alone(void)
{
    const fixture f = make_catalogue();
    run_sql(f.path, "PRAGMA user_version = 9999");
    for (int mode = PD_STORE_READ; mode <= PD_STORE_WRITE; mode++) {
        pd_store *store;
        pd_error err = { 0 };
        CHECK(open_path(f.path, (pd_store_mode)mode, &store, &err) == PD_ERR_UNSUPPORTED);
        CHECK(strstr(err.message, "9999") && strstr(err.message, "versions up to 5") && strstr(err.message, "newer"));
    }
    run_sql(f.path, "PRAGMA user_version = 5");
    pd_store *store;
    REQUIRE(open_path(f.path, PD_STORE_WRITE, &store, NULL) == PD_OK);
    CHECK(count_files(store) == 1);
    pd_store_close(&store);
    fixture_remove(&f);
}

/* What a program of an older version left behind: what came later is taken out. */
static void make_old(const char *path, int version)
{
    static const char *const columns[] = { "subsec", "focal35_mm", "flash",     "white_balance",
                                           "rating", "reader",     "sharpness", "colours" };
    char sql[80];
    run_sql(path, "DROP TRIGGER content_written; DROP TRIGGER photo_came_written; DROP TRIGGER photo_read_written;"
                  "DROP INDEX photo_machine; ALTER TABLE photo DROP COLUMN tag_source;"
                  "ALTER TABLE photo DROP COLUMN caption_source; ALTER TABLE content DROP COLUMN tag_source;"
                  "ALTER TABLE content DROP COLUMN caption_source; DROP TABLE setting; DROP TABLE machine_text;"
                  "DROP TABLE machine_source;");
    if (version == 4) {
        run_sql(path, "DROP TABLE photo_fts;"
                      "CREATE VIRTUAL TABLE photo_fts USING fts5(name, folder, caption, title, tag, person, camera, "
                      "other, tokenize = 'unicode61 remove_diacritics 2');"
                      "INSERT INTO photo_fts (rowid, name, folder) VALUES (1, 'a.jpg', 'photos');"
                      "CREATE TABLE machine_text (content_id INTEGER NOT NULL, kind INTEGER NOT NULL, source TEXT NOT "
                      "NULL, text TEXT NOT NULL, score REAL, doubtful INTEGER NOT NULL DEFAULT 0, PRIMARY KEY "
                      "(content_id, kind, source, text)) WITHOUT ROWID;"
                      "PRAGMA user_version = 4");
        return;
    }
    run_sql(path,
            "DROP TRIGGER photo_gone; DROP TRIGGER photo_came; DROP TRIGGER photo_read;"
            "DROP TABLE photo_fts; DROP TABLE name_fts; DROP TABLE photo_label; DROP TABLE label;"
            "DROP TABLE photo_change; DROP TABLE history; DROP TABLE saved; DROP TABLE step_undo; DROP TABLE step;"
            "DROP TABLE album_work; DROP TABLE album; DROP TABLE work_tag;"
            "DROP TABLE work; DROP TABLE identity");
    if (version < 3) {
        for (size_t i = 0; i < PD_COUNT_OF(columns); i++) {
            (void)snprintf(sql, sizeof sql, "ALTER TABLE content DROP COLUMN %s", columns[i]);
            run_sql(path, sql);
        }
        run_sql(path, "ALTER TABLE photo DROP COLUMN sidecar_ns; DROP TABLE content_text");
    }
    if (version < 2)
        run_sql(path, "DROP INDEX photo_time; DROP INDEX photo_name");
    (void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
    run_sql(path, sql);
}

static void check_window(pd_store *store)
{
    int64_t id = 0, total = 0;
    size_t n = 0;
    for (int order = PD_STORE_OLDEST; order <= PD_STORE_NAME; order++) {
        const pd_store_window window = { (pd_store_order)order, 0, 1 };
        CHECK(pd_store_browse(store, &window, &id, &n, &total, NULL) == PD_OK && n == 1 && id == 1 && total == 1);
    }
}

static bool count_row(void *user, const pd_photo_row *row)
{
    CHECK(row->id == 1 && row->content == 1 && !row->gone && strcmp(row->path, "/photos/a.jpg") == 0);
    CHECK(row->width == 40 && row->height == 30 && strcmp(row->type, "jpeg") == 0 && isnan(row->lat));
    ++*(int *)user;
    return true;
}

static bool count_word(void *user, int64_t photo, double score)
{
    (void)score;
    CHECK(photo == 1);
    ++*(int *)user;
    return true;
}

/* Words of an older catalogue are nowhere; facts are. */
static void check_rows(pd_store *store, bool has_words)
{
    int n_rows = 0, n_words = 0;
    int64_t version = -1, next = -1;
    pd_error err = { 0 };
    CHECK(pd_store_version(store, &version, NULL) == PD_OK && version == has_words);
    CHECK(pd_store_rows(store, 0, count_row, &n_rows, &next, NULL) == PD_OK && n_rows == 1 && next == version);
    CHECK(pd_store_words_any(store, "a", 10, count_word, &n_words, NULL) == PD_OK && n_words == 0);
    CHECK(pd_store_words_any(store, "A.JPG", 10, count_word, &n_words, NULL) == PD_OK && n_words == has_words);
    CHECK(pd_store_words_exact(store, "a.jp", count_word, &n_words, &err) == (has_words ? PD_OK : PD_ERR_UNSUPPORTED));
    uint8_t identity[2][PD_STORE_IDENTITY_BYTES] = { { 0 } };
    CHECK(pd_store_identity(store, identity[0], NULL) == PD_OK);
    CHECK((memcmp(identity[0], identity[1], sizeof identity[0]) != 0) == has_words);
    CHECK(has_words ? n_words == 2 : strstr(err.message, "older version") != NULL);
}

static bool take_nothing(void *user, int64_t photo)
{
    *(int64_t *)user = photo;
    return true;
}

static void check_caption(pd_store *store)
{
    pd_said_caption caption = { .by = PD_SAID_USER };
    CHECK(pd_store_caption(store, 1, &caption, NULL) == PD_OK && !*caption.text && !caption.by && !caption.doubtful);
}

/* An older catalogue has no settings, and no machine wrote for it. */
static void check_machine(pd_store *store, bool is_current)
{
    const pd_machine_query query = { PD_MACHINE_TAG, "x", 0 };
    int64_t content = 0, todo = -1, photo = 0;
    size_t n = 99;
    pd_work work = { .rating = 9 };
    char *value = NULL;
    pd_error err = { 0 };
    CHECK(pd_store_setting_get(store, "model", &value, NULL) == PD_OK && !value);
    CHECK(pd_store_work(store, 1, &work, NULL) == PD_OK && work.rating == 0 && work.n_tags == 0 &&
          work.caption_machine[0] == '\0' && isnan(work.caption_score));
    check_caption(store);
    const pd_status status = pd_store_machine_todo(store, &query, 1, &content, &n, &err);
    CHECK(status == (is_current ? PD_OK : PD_ERR_UNSUPPORTED) && n == (is_current ? 1 : 99) && content == is_current);
    CHECK(is_current || strstr(err.message, "older version"));
    CHECK(pd_store_machine_count(store, &query, &todo, NULL) == status && todo == (is_current ? 1 : -1));
    if (pd_store_text_photos(store, PD_WHERE_CAPTION, "a", take_nothing, &photo, &err) != PD_OK)
        CHECK(err.status == PD_ERR_UNSUPPORTED);
    CHECK(photo == 0);
}

static void an_old_catalogue_is_read_as_it_is_and_mended_by_writing(void)
{
    for (int version = 1; version <= 4; version++) {
        const fixture f = make_catalogue();
        make_old(f.path, version);
        pd_store *reader, *store;
        REQUIRE(open_path(f.path, PD_STORE_READ, &reader, NULL) == PD_OK);
        CHECK(!pd_store_is_current(reader) && count_files(reader) == 1);
        check_window(reader);
        check_rows(reader, version == 4);
        check_machine(reader, false);
        REQUIRE(open_path(f.path, PD_STORE_WRITE, &store, NULL) == PD_OK);
        CHECK(pd_store_is_current(store) && count_files(store) == 1);
        check_window(store);
        check_rows(store, true);
        check_machine(store, true);
        pd_store_close(&store);
        check_window(reader); /* what was open goes on */
        check_rows(reader, version == 4);
        check_machine(reader, false);
        pd_store_close(&reader);
        REQUIRE(open_path(f.path, PD_STORE_READ, &store, NULL) == PD_OK);
        CHECK(pd_store_is_current(store));
        check_rows(store, true);
        check_machine(store, true);
        pd_store_close(&store);
        fixture_remove(&f);
    }
}

/* All or nothing: a step that cannot be done leaves the version before. */
static void a_migration_that_fails_leaves_the_old_version(void)
{
    const fixture f = make_catalogue();
    make_old(f.path, 1);
    run_sql(f.path, "CREATE TABLE photo_name (x)"); /* in the way of the second index */
    pd_store *store;
    pd_error err = { 0 };
    CHECK(open_path(f.path, PD_STORE_WRITE, &store, &err) != PD_OK && strstr(err.message, "up to date"));
    REQUIRE(open_path(f.path, PD_STORE_READ, &store, NULL) == PD_OK);
    CHECK(!pd_store_is_current(store));
    check_window(store);
    pd_store_close(&store);
    run_sql(f.path, "DROP TABLE photo_name");
    REQUIRE(open_path(f.path, PD_STORE_WRITE, &store, NULL) == PD_OK);
    pd_store_close(&store);
    fixture_remove(&f);
}

static void the_database_of_another_program_is_left_alone(void)
{
    const fixture f = fixture_make();
    run_sql(f.path, "CREATE TABLE theirs (x)");
    struct stat before, after;
    CHECK(stat(f.path, &before) == 0);
    for (int mode = PD_STORE_READ; mode <= PD_STORE_WRITE; mode++) {
        pd_store *store;
        pd_error err = { 0 };
        CHECK(open_path(f.path, (pd_store_mode)mode, &store, &err) == PD_ERR_CORRUPT);
        CHECK(strstr(err.message, "another program"));
    }
    CHECK(stat(f.path, &after) == 0 && after.st_size == before.st_size &&
          after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
    fixture_remove(&f);
}

static void check_damaged(const char *path)
{
    for (int mode = PD_STORE_READ; mode <= PD_STORE_WRITE; mode++) {
        pd_store *store;
        pd_error err = { 0 };
        CHECK(open_path(path, (pd_store_mode)mode, &store, &err) == PD_ERR_CORRUPT);
        CHECK(strstr(err.message, path) && strstr(err.message, "damaged") && strstr(err.message, "index your folders"));
        pd_store_close(&store);
    }
}

static void damage_is_said_with_advice(void)
{
    fixture f = fixture_make();
    FILE *file = fopen(f.path, "wb");
    REQUIRE(file);
    for (unsigned i = 0; i < 30000; i++)
        fputc((int)(i * 2654435761U >> 24), file);
    fclose(file);
    check_damaged(f.path);
    fixture_remove(&f);

    f = make_catalogue();
    CHECK(truncate(f.path, 8192) == 0);
    check_damaged(f.path);
    fixture_remove(&f);

    f = make_catalogue();
    CHECK(truncate(f.path, 60) == 0);
    check_damaged(f.path);
    fixture_remove(&f);
}

static void a_reader_sees_what_was_committed_while_another_writes(void)
{
    const fixture f = make_catalogue();
    pd_store *writer, *reader;
    REQUIRE(open_path(f.path, PD_STORE_WRITE, &writer, NULL) == PD_OK);
    REQUIRE(open_path(f.path, PD_STORE_READ, &reader, NULL) == PD_OK);
    REQUIRE(pd_store_begin(writer, NULL) == PD_OK);
    add_photo(writer, 1, "/photos/b.jpg", 0);
    CHECK(count_files(writer) == 2 && count_files(reader) == 1);
    REQUIRE(pd_store_begin(reader, NULL) == PD_OK && count_files(reader) == 1);
    CHECK(pd_store_commit(writer, NULL) == PD_OK);
    CHECK(count_files(reader) == 1); /* a batch of a reader is one moment */
    CHECK(pd_store_commit(reader, NULL) == PD_OK && count_files(reader) == 2);
    int64_t id;
    const pd_photo_file file = { .root_id = 1, .path = "/photos/c.jpg" };
    CHECK(pd_store_photo_put(reader, &file, &id, NULL) == PD_ERR_IO);
    pd_store_close(&reader);
    pd_store_close(&writer);
    fixture_remove(&f);
}

/* As root a folder without write permission is no obstacle: a child gives its rights up. */
static int read_as_nobody(const char *path)
{
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 2;
    pd_store *store = NULL;
    pd_error err = { 0 };
    if (pd_store_open(&store, path, PD_STORE_READ, &err) != PD_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    const int64_t n = count_files(store);
    pd_store_close(&store);
    /* who wants to write is told what is in the way */
    const bool is_told =
        pd_store_open(&store, path, PD_STORE_WRITE, &err) == PD_ERR_IO && strstr(err.message, "read-only") != NULL;
    return n == 1 && is_told ? 0 : 1;
}

static void a_catalogue_on_a_read_only_medium_can_be_read(void)
{
    const fixture f = make_catalogue();
    CHECK(chmod(f.path, 0444) == 0 && chmod(f.dir, 0555) == 0);
    const pid_t child = fork();
    if (child == 0)
        _exit(read_as_nobody(f.path));
    int state = -1;
    CHECK(waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0);
    CHECK(chmod(f.dir, 0755) == 0);
    fixture_remove(&f);
}

/* Writes batches of 10 photos and their contents for ever. */
static void write_until_killed(const char *path, uint32_t from)
{
    pd_store *store;
    if (pd_store_open(&store, path, PD_STORE_WRITE, NULL) != PD_OK)
        _exit(1);
    for (uint32_t i = from;; i++) {
        if (i % 10 == 0 && pd_store_begin(store, NULL) != PD_OK)
            _exit(1);
        char name[64];
        snprintf(name, sizeof name, "/photos/%u.jpg", i);
        const int64_t content = add_content(store, 1000 + i);
        add_embedding(store, content, 1, (uint16_t)i);
        add_photo(store, 1, name, content);
        if (i % 10 == 9 && pd_store_commit(store, NULL) != PD_OK)
            _exit(1);
    }
}

static void a_killed_writer_leaves_whole_batches(void)
{
    const fixture f = make_catalogue();
    int64_t last = 1, grown = 0;
    useconds_t patience = 20000; /* longer where a round brought nothing: the machine is slow or busy */
    for (int round = 0; round < 20; round++) {
        const pid_t child = fork();
        if (child == 0)
            write_until_killed(f.path, (uint32_t)(last - 1));
        usleep(patience + (useconds_t)round * 1313);
        kill(child, SIGKILL);
        int state;
        CHECK(waitpid(child, &state, 0) == child && WIFSIGNALED(state));
        pd_store *store;
        REQUIRE(open_path(f.path, PD_STORE_WRITE, &store, NULL) == PD_OK);
        pd_store_totals t;
        int64_t count, last_seq, intact;
        CHECK(pd_store_totals_get(store, 1, &t, NULL) == PD_OK && t.files % 10 == 1 && t.files == t.learned);
        CHECK(pd_store_embedding_extent(store, 1, &count, &last_seq, NULL) == PD_OK && count == t.files);
        CHECK(pd_store_pragma_int(store, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'",
                                  &intact, NULL) == PD_OK &&
              intact == 1);
        CHECK(t.files >= last);
        grown += t.files > last;
        patience *= t.files > last || patience > 1000000 ? 1 : 2;
        last = t.files;
        pd_store_close(&store);
    }
    CHECK(grown > 10);
    fixture_remove(&f);
}

static pd_status fill(pd_store *store, pd_error *err)
{
    static uint16_t half[4096];
    pd_status status = PD_OK;
    for (uint32_t i = 0; i < 1000 && status == PD_OK; i++) {
        const pd_content c = content_of(i);
        int64_t content = 0;
        status = pd_store_content_put(store, &c, &content, err);
        half[0] = (uint16_t)i;
        if (status == PD_OK)
            status = pd_store_embedding_put(store, content, 1, half, 4096, NULL, err);
    }
    return status;
}

static void a_full_disk_is_said_and_loses_only_the_batch(void)
{
    fixture f = fixture_make();
    if (mount("tmpfs", f.dir, "tmpfs", 0, "size=1m") != 0) {
        printf("# not allowed to mount a small disk: %s\n", strerror(errno));
        CHECK(true);
        fixture_remove(&f);
        return;
    }
    pd_store *store;
    int64_t root = 0, model = 0;
    pd_error err = { 0 };
    CHECK(open_path(f.path, PD_STORE_WRITE, &store, NULL) == PD_OK);
    CHECK(pd_store_root_add(store, "/photos", &root, NULL) == PD_OK);
    CHECK(pd_store_model_add(store, "abc", "tiny", 4096, &model, NULL) == PD_OK);
    add_photo(store, root, "/photos/a.jpg", 0);
    CHECK(pd_store_begin(store, NULL) == PD_OK);
    pd_status status = fill(store, &err);
    if (status == PD_OK)
        status = pd_store_commit(store, &err);
    CHECK(status == PD_ERR_FULL && strstr(err.message, "no space left") && strstr(err.message, f.path));
    pd_store_rollback(store);
    CHECK(count_files(store) == 1);
    pd_store_close(&store);
    CHECK(open_path(f.path, PD_STORE_READ, &store, NULL) == PD_OK && count_files(store) == 1);
    pd_store_close(&store);
    CHECK(umount(f.dir) == 0);
    fixture_remove(&f);
}

static bool ignore_embedding(void *user, int64_t seq, int64_t content, const uint16_t *half, size_t dim)
{
    (void)user, (void)seq, (void)content, (void)half, (void)dim;
    return true;
}

static void running_out_of_memory_leaks_nothing(void)
{
    const fixture f = make_catalogue();
    size_t tries = 0;
    for (pd_status status = PD_ERR_NOMEM; status == PD_ERR_NOMEM && tries < 100; tries++) {
        pd_store *store = NULL;
        pd_photo photo = { .id = -1 };
        (void)pd_mem_fail_at(tries + 1);
        status = pd_store_open(&store, f.path, PD_STORE_READ, NULL);
        CHECK((status == PD_OK) == (store != NULL));
        if (status == PD_OK)
            status = pd_store_photo_by_id(store, 1, &photo, NULL);
        CHECK((status == PD_OK) == (photo.id == 1));
        if (status == PD_OK)
            status = pd_store_embeddings(store, 1, 0, ignore_embedding, NULL, NULL);
        (void)pd_mem_fail_at(0);
        pd_store_close(&store);
        CHECK(pd_mem_live() == 0);
    }
    CHECK(tries == 5); /* store, path, strings, embedding, and the run that had enough */
    fixture_remove(&f);
}

int main(void)
{
    RUN(reading_needs_a_catalogue);
    RUN(a_catalogue_is_for_its_owner_only);
    RUN(an_empty_file_becomes_a_catalogue);
    RUN(one_killed_while_being_made_is_made_again);
    RUN(one_that_is_being_made_is_nobody_elses);
    RUN(a_writer_leaves_nothing_in_its_journal);
    RUN(a_newer_catalogue_is_left_alone);
    RUN(an_old_catalogue_is_read_as_it_is_and_mended_by_writing);
    RUN(a_migration_that_fails_leaves_the_old_version);
    RUN(the_database_of_another_program_is_left_alone);
    RUN(damage_is_said_with_advice);
    RUN(a_reader_sees_what_was_committed_while_another_writes);
    RUN(a_catalogue_on_a_read_only_medium_can_be_read);
    RUN(a_killed_writer_leaves_whole_batches);
    RUN(a_full_disk_is_said_and_loses_only_the_batch);
    RUN(running_out_of_memory_leaks_nothing);
    return TEST_RESULT();
}
