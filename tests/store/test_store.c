/* What the catalogue remembers: roots, contents, photos, errors, embeddings. */
#include "store_fixture.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/store_private.h"

static fixture f;
static pd_store *store;
static int64_t root, model;

static void open_new(void)
{
    f = fixture_make();
    CHECK(pd_store_open(&store, f.path, PD_STORE_WRITE, NULL) == PD_OK);
    CHECK(pd_store_root_add(store, "/photos", &root, NULL) == PD_OK);
    CHECK(pd_store_model_add(store, "abc", "tiny", FIXTURE_DIM, &model, NULL) == PD_OK);
}

static void close_and_remove(void)
{
    pd_store_close(&store);
    fixture_remove(&f);
    CHECK(pd_mem_live() == 0);
}

static bool count_roots(void *user, const pd_root *r)
{
    (void)r;
    ++*(int *)user;
    return true;
}

static void a_root_added_twice_has_one_id(void)
{
    open_new();
    int64_t again = 0, other = 0;
    CHECK(pd_store_root_add(store, "/photos", &again, NULL) == PD_OK && again == root);
    CHECK(pd_store_root_add(store, "/other", &other, NULL) == PD_OK && other != root);
    int n = 0;
    CHECK(pd_store_roots(store, count_roots, &n, NULL) == PD_OK && n == 2);
    close_and_remove();
}

static void everything_is_there_after_reopening(void)
{
    open_new();
    pd_content c = content_of(7);
    c.taken = "2019-06-01T10:20:30+02:00";
    c.camera = "X100";
    c.iso = 800;
    c.gps_lat = -48.5;
    c.has_phash = true;
    c.phash = UINT64_C(0xFEDCBA9876543210);
    int64_t content = 0;
    REQUIRE(pd_store_content_put(store, &c, &content, NULL) == PD_OK);
    const int64_t id = add_photo(store, root, "/photos/a\xff\n.jpg", content);
    add_embedding(store, content, model, 1);
    pd_store_close(&store);

    REQUIRE(pd_store_open(&store, f.path, PD_STORE_READ, NULL) == PD_OK);
    pd_photo p;
    REQUIRE(pd_store_photo_by_path(store, "/photos/a\xff\n.jpg", &p, NULL) == PD_OK);
    CHECK(p.id == id && p.content == content && p.bytes == 100 && p.mtime_ns == 5);
    CHECK(!strcmp(p.path, "/photos/a\xff\n.jpg"));
    CHECK(!strcmp(p.facts.taken, "2019-06-01T10:20:30+02:00") && !strcmp(p.facts.camera, "X100"));
    CHECK(!strcmp(p.facts.lens, "") && p.facts.iso == 800 && p.facts.gps_lat < -48.4 && isnan(p.facts.fnumber));
    CHECK(p.facts.has_phash && p.facts.phash == UINT64_C(0xFEDCBA9876543210));
    CHECK(!memcmp(p.facts.sha256, c.sha256, sizeof c.sha256));
    CHECK(p.learned_model && !strcmp(p.learned_model, "tiny") && strlen(p.learned_at) == 20);
    CHECK(p.error_status == PD_OK && !p.error);
    CHECK(pd_store_photo_by_id(store, id, &p, NULL) == PD_OK && p.id == id);
    CHECK(pd_store_photo_by_id(store, 999, &p, NULL) == PD_ERR_NO_MATCH);
    CHECK(pd_store_photo_by_path(store, "/photos/a", &p, NULL) == PD_ERR_NO_MATCH);
    close_and_remove();
}

static void a_content_is_known_by_its_bytes(void)
{
    open_new();
    const int64_t content = add_content(store, 1);
    CHECK(add_content(store, 1) == content);
    const pd_content c = content_of(1), unknown = content_of(2);
    int64_t found = -1;
    bool learned = true;
    CHECK(pd_store_content_find(store, c.sha256, model, &found, &learned, NULL) == PD_OK);
    CHECK(found == content && !learned);
    add_embedding(store, content, model, 1);
    CHECK(pd_store_content_find(store, c.sha256, model, &found, &learned, NULL) == PD_OK && learned);
    CHECK(pd_store_content_find(store, c.sha256, model + 1, &found, &learned, NULL) == PD_OK && !learned);
    CHECK(pd_store_content_find(store, unknown.sha256, model, &found, &learned, NULL) == PD_OK);
    CHECK(found == 0 && !learned);
    close_and_remove();
}

static void a_moved_photo_keeps_its_id_and_replaces_what_was_there(void)
{
    open_new();
    const int64_t content = add_content(store, 1);
    const int64_t id = add_photo(store, root, "/photos/a.jpg", content);
    const int64_t overwritten = add_photo(store, root, "/photos/b.jpg", add_content(store, 2));
    const pd_photo_file file = { .root_id = root, .path = "/photos/b.jpg", .bytes = 100, .content = content };
    CHECK(pd_store_photo_move(store, id, &file, NULL) == PD_OK);
    pd_photo p;
    CHECK(pd_store_photo_by_path(store, "/photos/b.jpg", &p, NULL) == PD_OK && p.id == id && p.content == content);
    CHECK(pd_store_photo_by_path(store, "/photos/a.jpg", &p, NULL) == PD_ERR_NO_MATCH);
    CHECK(pd_store_photo_by_id(store, overwritten, &p, NULL) == PD_ERR_NO_MATCH);
    CHECK(pd_store_photo_move(store, 999, &file, NULL) == PD_ERR_NO_MATCH);
    pd_store_totals t;
    CHECK(pd_store_totals_get(store, model, &t, NULL) == PD_OK && t.files == 1);
    close_and_remove();
}

static void a_removed_photo_leaves_its_learning(void)
{
    open_new();
    const int64_t content = add_content(store, 1);
    const int64_t id = add_photo(store, root, "/photos/a.jpg", content);
    add_embedding(store, content, model, 1);
    CHECK(pd_store_photo_remove(store, id, NULL) == PD_OK);
    pd_store_totals t;
    CHECK(pd_store_totals_get(store, model, &t, NULL) == PD_OK && t.files == 0 && t.learned == 0);
    const int64_t back = add_photo(store, root, "/photos/c.jpg", content);
    CHECK(back != id);
    CHECK(pd_store_totals_get(store, model, &t, NULL) == PD_OK && t.files == 1 && t.learned == 1);
    close_and_remove();
}

typedef struct error_list {
    int n;
    pd_status why;
    char path[64], sentence[64];
} error_list;

static bool take_error(void *user, const char *path, pd_status why, const char *sentence)
{
    error_list *list = user;
    list->n++;
    list->why = why;
    snprintf(list->path, sizeof list->path, "%s", path);
    snprintf(list->sentence, sizeof list->sentence, "%s", sentence);
    return true;
}

static bool take_state(void *user, const pd_photo_state *state)
{
    pd_photo_state *last = user;
    *last = *state;
    last->path = NULL;
    return true;
}

static const pd_photo_file bad_file = { .root_id = 1, .path = "/photos/bad.jpg", .bytes = 3, .mtime_ns = 4 };

static void an_error_is_remembered(void)
{
    open_new();
    CHECK(pd_store_photo_fail(store, &bad_file, PD_ERR_FORMAT, "the end is missing", NULL) == PD_OK);
    error_list list = { 0 };
    CHECK(pd_store_errors(store, root, take_error, &list, NULL) == PD_OK);
    CHECK(list.n == 1 && list.why == PD_ERR_FORMAT && !strcmp(list.sentence, "the end is missing"));
    CHECK(!strcmp(list.path, "/photos/bad.jpg"));
    CHECK(pd_store_errors(store, 0, take_error, &list, NULL) == PD_OK && list.n == 2);
    CHECK(pd_store_errors(store, root + 1, take_error, &list, NULL) == PD_OK && list.n == 2);
    pd_photo p;
    CHECK(pd_store_photo_by_path(store, "/photos/bad.jpg", &p, NULL) == PD_OK && p.error_status == PD_ERR_FORMAT);
    CHECK(!strcmp(p.error, "the end is missing") && !strcmp(p.facts.type, "") && !p.learned_model);
    close_and_remove();
}

static void an_error_goes_when_the_file_is_read(void)
{
    open_new();
    CHECK(pd_store_photo_fail(store, &bad_file, PD_ERR_FORMAT, "the end is missing", NULL) == PD_OK);
    pd_photo_state state = { 0 };
    CHECK(pd_store_photo_states(store, root, model, take_state, &state, NULL) == PD_OK);
    CHECK(state.failed && !state.learned && state.content == 0 && state.bytes == 3 && state.mtime_ns == 4);
    pd_store_totals t;
    CHECK(pd_store_totals_get(store, model, &t, NULL) == PD_OK && t.errors == 1 && t.files == 1);

    const int64_t content = add_content(store, 1);
    add_photo(store, root, "/photos/bad.jpg", content);
    add_embedding(store, content, model, 1);
    error_list list = { 0 };
    CHECK(pd_store_errors(store, 0, take_error, &list, NULL) == PD_OK && list.n == 0);
    CHECK(pd_store_photo_states(store, root, model, take_state, &state, NULL) == PD_OK);
    CHECK(!state.failed && state.learned && state.content == content);
    CHECK(pd_store_totals_get(store, model, &t, NULL) == PD_OK && t.errors == 0 && t.learned == 1);
    close_and_remove();
}

typedef struct rows {
    int n;
    int64_t last_seq, last_content;
    uint16_t last_first;
} rows;

static bool take_embedding(void *user, int64_t seq, int64_t content, const uint16_t *half, size_t dim)
{
    rows *r = user;
    CHECK(seq > r->last_seq && dim == FIXTURE_DIM);
    *r = (rows){ .n = r->n + 1, .last_seq = seq, .last_content = content, .last_first = half[0] };
    return true;
}

static void embeddings_come_in_order_of_seq_by_model(void)
{
    open_new();
    int64_t other = 0, count = -1, last = -1;
    REQUIRE(pd_store_model_add(store, "def", "other", FIXTURE_DIM, &other, NULL) == PD_OK && other != model);
    CHECK(pd_store_embedding_extent(store, model, &count, &last, NULL) == PD_OK && count == 0 && last == 0);
    const int64_t a = add_content(store, 1), b = add_content(store, 2);
    const int64_t seq_a = add_embedding(store, a, model, 10);
    add_embedding(store, a, other, 11);
    const int64_t seq_b = add_embedding(store, b, model, 12);
    CHECK(seq_b == seq_a + 2);
    rows r = { 0 };
    CHECK(pd_store_embeddings(store, model, 0, take_embedding, &r, NULL) == PD_OK);
    CHECK(r.n == 2 && r.last_seq == seq_b && r.last_content == b && r.last_first == 12);
    r = (rows){ 0 };
    CHECK(pd_store_embeddings(store, model, seq_b, take_embedding, &r, NULL) == PD_OK && r.n == 0);
    CHECK(pd_store_embedding_extent(store, model, &count, &last, NULL) == PD_OK && count == 2 && last == seq_b);

    CHECK(add_embedding(store, b, model, 12) == seq_b);
    const int64_t seq_new = add_embedding(store, b, model, 13);
    CHECK(seq_new > seq_b);
    CHECK(pd_store_embedding_extent(store, model, &count, &last, NULL) == PD_OK && count == 2 && last == seq_new);
    uint16_t half[FIXTURE_DIM];
    CHECK(pd_store_embedding_get(store, b, model, half, FIXTURE_DIM, NULL) == PD_OK && half[0] == 13);
    CHECK(pd_store_embedding_get(store, b, other, half, FIXTURE_DIM, NULL) == PD_ERR_NO_MATCH);
    CHECK(pd_store_embedding_get(store, b, model, half, FIXTURE_DIM / 2, NULL) == PD_ERR_CORRUPT);
    close_and_remove();
}

static void a_model_is_found_by_its_id_only(void)
{
    open_new();
    int64_t found = 0;
    CHECK(pd_store_model_find(store, "abc", &found, NULL) == PD_OK && found == model);
    pd_model_row row;
    CHECK(pd_store_model_get(store, model, &row, NULL) == PD_OK && strcmp(row.id, "abc") == 0);
    CHECK(pd_store_model_get(store, model + 1, &row, NULL) == PD_ERR_NO_MATCH);
    CHECK(pd_store_model_find(store, "xyz", &found, NULL) == PD_ERR_NO_MATCH && found == model);
    CHECK(pd_store_model_add(store, "abc", "renamed", FIXTURE_DIM, &found, NULL) == PD_OK && found == model);
    CHECK(pd_store_model_add(store, "abc", "renamed", 5, &found, NULL) == PD_ERR_CORRUPT);
    close_and_remove();
}

static void a_batch_is_all_or_nothing(void)
{
    open_new();
    REQUIRE(pd_store_begin(store, NULL) == PD_OK);
    add_photo(store, root, "/photos/a.jpg", 0);
    pd_store_rollback(store);
    pd_store_rollback(store);
    pd_store_totals t;
    CHECK(pd_store_totals_get(store, model, &t, NULL) == PD_OK && t.files == 0);
    REQUIRE(pd_store_begin(store, NULL) == PD_OK);
    add_photo(store, root, "/photos/a.jpg", 0);
    CHECK(pd_store_commit(store, NULL) == PD_OK);
    CHECK(pd_store_totals_get(store, model, &t, NULL) == PD_OK && t.files == 1);
    close_and_remove();
}

static int64_t number(const char *sql)
{
    int64_t value = -1;
    CHECK(pd_store_pragma_int(store, sql, &value, NULL) == PD_OK);
    return value;
}

static void do_something(uint32_t r)
{
    char path[32];
    snprintf(path, sizeof path, "/photos/%u", r / 8 % 20);
    const pd_photo_file file = {
        .root_id = r % 3 ? root : root + 1, .path = path, .bytes = r, .content = add_content(store, r / 160 % 10)
    };
    pd_status moved = PD_OK;
    switch (r % 6) {
    case 0: add_photo(store, file.root_id, path, file.content); break;
    case 1: CHECK(pd_store_photo_fail(store, &file, PD_ERR_IO, "x", NULL) == PD_OK); break;
    case 2: CHECK(pd_store_photo_remove(store, 1 + r / 8 % 40, NULL) == PD_OK); break;
    case 3: add_embedding(store, file.content, model, (uint16_t)(r / 8 % 2)); break;
    case 4: moved = pd_store_photo_move(store, 1 + r / 16 % 40, &file, NULL); break;
    default: add_photo(store, file.root_id, path, 0); break;
    }
    CHECK(moved == PD_OK || moved == PD_ERR_NO_MATCH);
}

/* The counters that triggers keep, against counting. */
static void totals_agree_with_the_rows(void)
{
    open_new();
    int64_t second = 0;
    REQUIRE(pd_store_root_add(store, "/second", &second, NULL) == PD_OK && second == root + 1);
    REQUIRE(pd_store_root_set_offline(store, second, true, NULL) == PD_OK);
    uint32_t r = 1;
    for (int i = 0; i < 3000; i++) {
        r = r * 1664525 + 1013904223;
        do_something(r >> 8);
        if (i % 100 != 99)
            continue;
        pd_store_totals t;
        REQUIRE(pd_store_totals_get(store, model, &t, NULL) == PD_OK);
        CHECK(t.files == number("SELECT count(*) FROM photo"));
        CHECK(t.errors == number("SELECT count(*) FROM photo WHERE error_status <> 0"));
        CHECK(t.learned == number("SELECT count(*) FROM photo JOIN embedding USING (content_id)"));
        CHECK(t.offline == number("SELECT count(*) FROM photo WHERE root_id = 2"));
        CHECK(number("SELECT n_embeddings FROM model") == number("SELECT count(*) FROM embedding"));
    }
    CHECK(number("SELECT count(*) FROM photo") > 5);
    close_and_remove();
}

static void sort_time_is_the_camera_s_or_the_file_s(void)
{
    open_new();
    const int64_t content = add_content(store, 1);
    add_photo(store, root, "/photos/a.jpg", content);
    CHECK(number("SELECT sort_time = strftime('%Y-%m-%dT%H:%M:%S', 0, 'unixepoch', 'localtime') FROM photo") == 1);
    pd_content c = content_of(1);
    c.taken = "2019-06-01T10:20:30+02:00";
    int64_t same = 0;
    CHECK(pd_store_content_put(store, &c, &same, NULL) == PD_OK && same == content);
    CHECK(number("SELECT sort_time = '2019-06-01T10:20:30' FROM photo") == 1);
    add_photo(store, root, "/photos/b.jpg", content);
    CHECK(number("SELECT count(*) FROM photo WHERE sort_time = '2019-06-01T10:20:30'") == 2);
    close_and_remove();
}

static bool collect_ids(void *user, const pd_photo *photo)
{
    int64_t **at = user;
    *(*at)++ = photo->id;
    return true;
}

static void photos_of_a_content_come_lowest_id_first(void)
{
    open_new();
    const int64_t content = add_content(store, 1);
    const int64_t a = add_photo(store, root, "/photos/z.jpg", content);
    const int64_t b = add_photo(store, root, "/photos/a.jpg", content);
    int64_t ids[4] = { 0 }, *end = ids;
    CHECK(pd_store_photos_of_content(store, content, collect_ids, &end, NULL) == PD_OK);
    CHECK(end == ids + 2 && ids[0] == a && ids[1] == b);
    close_and_remove();
}

static void a_path_beyond_the_limit_is_refused(void)
{
    open_new();
    char *path = malloc(PD_STORE_PATH_BYTES_MAX + 2);
    memset(path, 'a', PD_STORE_PATH_BYTES_MAX + 1);
    path[PD_STORE_PATH_BYTES_MAX + 1] = '\0';
    pd_error err = { 0 };
    const pd_photo_file file = { .root_id = root, .path = path };
    int64_t id = -1;
    CHECK(pd_store_photo_put(store, &file, &id, &err) == PD_ERR_LIMIT && id == -1);
    CHECK(strstr(err.message, "4096"));
    free(path);
    close_and_remove();
}

static int64_t add_timed(const char *path, uint32_t number, const char *taken, int64_t mtime_ns)
{
    pd_content c = content_of(number);
    c.taken = taken;
    int64_t content = 0, id = 0;
    CHECK(pd_store_content_put(store, &c, &content, NULL) == PD_OK);
    const pd_photo_file file = { .root_id = root, .path = path, .bytes = 1, .mtime_ns = mtime_ns, .content = content };
    CHECK(pd_store_photo_put(store, &file, &id, NULL) == PD_OK);
    return id;
}

static void check_browse(pd_store_order order, size_t offset, size_t n, const int64_t *ids, size_t n_ids)
{
    int64_t got[16] = { 0 }, total = 0;
    size_t n_got = 0;
    const pd_store_window window = { order, offset, n };
    CHECK(pd_store_browse(store, &window, got, &n_got, &total, NULL) == PD_OK && total == 5 && n_got == n_ids);
    CHECK(memcmp(got, ids, n_ids * sizeof *ids) == 0);
}

static void browsing_goes_by_time_or_name_with_ties_by_id(void)
{
    open_new();
    const int64_t noon_ns = INT64_C(1000000000) * 1000000000; /* 2001-09-09 */
    const int64_t late = add_timed("/photos/x/b.jpg", 1, "2020-01-01T10:00:00+02:00", 5);
    const int64_t tie = add_timed("/photos/a/c.jpg", 2, "2020-01-01T10:00:00", 5);
    const int64_t file_time = add_timed("/photos/b/a b.jpg", 3, "", noon_ns);
    const int64_t early = add_timed("/photos/0/b.jpg", 4, "1999-12-31T23:59:59", 5);
    const int64_t odd = add_timed("/photos/\xc3/\x80z.jpg", 5, "2010-05-05T05:05:05", 5);
    add_photo(store, root, "/photos/never-decoded.jpg", 0);
    const int64_t oldest[] = { early, file_time, odd, late, tie }, newest[] = { tie, late, odd, file_time, early };
    const int64_t names[] = { file_time, late, early, tie, odd };
    check_browse(PD_STORE_OLDEST, 0, 16, oldest, 5);
    check_browse(PD_STORE_NEWEST, 0, 16, newest, 5);
    check_browse(PD_STORE_NAME, 0, 16, names, 5);
    for (size_t offset = 0; offset <= 5; offset++)
        for (size_t n = 0; n <= 5; n++)
            check_browse(PD_STORE_NEWEST, offset, n, newest + offset, n < 5 - offset ? n : 5 - offset);
    check_browse(PD_STORE_OLDEST, 1000, 5, oldest, 0);
    int64_t model_named = 0, newer = 0;
    CHECK(pd_store_model_named(store, "tiny", &model_named, NULL) == PD_OK && model_named == model);
    CHECK(pd_store_model_add(store, "def", "tiny", FIXTURE_DIM, &newer, NULL) == PD_OK);
    CHECK(pd_store_model_named(store, "tiny", &model_named, NULL) == PD_OK && model_named == newer);
    CHECK(pd_store_model_named(store, "big", &model_named, NULL) == PD_ERR_NO_MATCH);
    /* one model by several names, and a name that goes back to the model before */
    CHECK(pd_store_model_call(store, "abc", "twin", NULL) == PD_OK);
    CHECK(pd_store_model_named(store, "twin", &model_named, NULL) == PD_OK && model_named == model);
    CHECK(pd_store_model_add(store, "def", "other", FIXTURE_DIM, &newer, NULL) == PD_OK);
    CHECK(pd_store_model_named(store, "tiny", &model_named, NULL) == PD_OK && model_named == newer);
    CHECK(pd_store_model_named(store, "other", &model_named, NULL) == PD_OK && model_named == newer);
    CHECK(pd_store_model_call(store, "abc", "tiny", NULL) == PD_OK);
    CHECK(pd_store_model_named(store, "tiny", &model_named, NULL) == PD_OK && model_named == model);
    CHECK(pd_store_model_call(store, "of nobody", "tiny", NULL) == PD_OK); /* not what was told of by that name */
    CHECK(pd_store_model_named(store, "tiny", &model_named, NULL) == PD_ERR_NO_MATCH);
    /* by a path: its last part, unless the whole means another */
    CHECK(pd_store_model_add(store, "abc", "/here/big", FIXTURE_DIM, &newer, NULL) == PD_OK && newer == model);
    CHECK(pd_store_model_named(store, "/elsewhere/big", &model_named, NULL) == PD_OK && model_named == model);
    CHECK(pd_store_model_call(store, "of nobody", "/elsewhere/big", NULL) == PD_OK);
    CHECK(pd_store_model_named(store, "/elsewhere/big", &model_named, NULL) == PD_ERR_NO_MATCH);
    CHECK(pd_store_model_named(store, "/here/big", &model_named, NULL) == PD_OK && model_named == model);
    close_and_remove();
}

/* What the statements did since this was asked last, in steps of SQLite's machine: as many wherever they run. */
static long steps_taken(void)
{
    long steps = 0;
    for (size_t i = 0; i < PD_COUNT_OF(store->stmts); i++)
        if (store->stmts[i])
            steps += sqlite3_stmt_status(store->stmts[i], SQLITE_STMTSTATUS_VM_STEP, true);
    return steps;
}

static void a_window_of_100000_photos_is_not_sorted_for(void)
{
    enum { N = 100000, PAGE = 100 };
    static const char fill[] =
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)"
        " INSERT INTO photo (root_id, path, bytes, mtime_ns, content_id, sort_time) SELECT 1, CAST(printf("
        "'/photos/%d/IMG_%05d.jpg', i % 100, i * 7919 % 100000) AS BLOB), 1, 5, 1,"
        " printf('20%02d-01-01T00:%02d:%02d', i % 24, i * 31 % 60, i * 17 % 60) FROM n";
    open_new();
    add_content(store, 1);
    REQUIRE(sqlite3_exec(store->db, fill, NULL, NULL, NULL) == SQLITE_OK);
    static const size_t offsets[] = { 0, 9900 };
    for (int order = PD_STORE_OLDEST; order <= PD_STORE_NAME; order++)
        for (size_t o = 0; o < PD_COUNT_OF(offsets); o++) {
            int64_t ids[PAGE], total = 0;
            size_t n = 0;
            const pd_store_window window = { (pd_store_order)order, offsets[o], PAGE };
            (void)steps_taken();
            const int64_t start_ns = pd_clock_ns();
            CHECK(pd_store_browse(store, &window, ids, &n, &total, NULL) == PD_OK && n == PAGE && total == N);
            const int64_t took_ns = pd_clock_ns() - start_ns;
            const long steps = steps_taken();
            printf("# order %d from %zu of %d: %ld steps, %.2f ms\n", order, offsets[o], N, steps,
                   (double)took_ns / 1e6);
            CHECK(steps < 4 * N + 4 * 10000); /* counting them, and walking to where the window begins */
        }
    close_and_remove();
}

/* Those whose rows are few, or have to be ranked. */
static bool sorts_few(const char *sql)
{
    static const char *const marks[] = { "ORDER BY path", "ORDER BY kind, score", "ORDER BY score DESC",
                                         "SELECT DISTINCT photo_id", "ORDER BY n_photos" };
    for (size_t i = 0; i < PD_COUNT_OF(marks); i++)
        if (strstr(sql, marks[i]))
            return true;
    return false;
}

/* Tables that the user fills by hand. */
static bool scans_few(const char *step)
{
    static const char *const tables[] = { "SCAN step",  "SCAN history",         "SCAN saved",   "SCAN a ",
                                          "SCAN alike", "SCAN sqlite_sequence", "SCAN identity" };
    for (size_t i = 0; i < PD_COUNT_OF(tables); i++)
        if (strncmp(step, tables[i], strlen(tables[i])) == 0)
            return strncmp(step, "SCAN step_undo", 14) != 0;
    return false;
}

static bool plan_walks(const char *sql)
{
    char explain[4096];
    snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *stmt;
    CHECK(sqlite3_prepare_v2(store->db, explain, -1, &stmt, NULL) == SQLITE_OK);
    bool walks = false;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(stmt, 3);
        /* a window of an index that is in the right order ends early */
        const bool in_order = strstr(step, "USING INDEX photo_time") || strstr(step, "USING INDEX photo_name");
        /* the words of one content, put in order before they are joined */
        const bool in_hand = !strcmp(step, "SCAN CONSTANT ROW") || !strncmp(step, "SCAN (subquery-", 15);
        /* full text: by id or by words */
        const bool by_words = strstr(step, "VIRTUAL TABLE INDEX") && (strstr(step, ":=") || strstr(step, ":M"));
        const bool by_count = strstr(step, "subquery") != NULL;
        walks |= !strncmp(step, "SCAN", 4) && !in_hand && !in_order && !by_words && !by_count && !scans_few(step);
        walks |= strstr(step, "TEMP B-TREE") != NULL && !sorts_few(sql);
    }
    sqlite3_finalize(stmt);
    return walks;
}

/* A statement that walks a table is slow only when the library is large: nobody would notice while testing. Roots are
 * few, and the errors of all roots are a partial index. */
static void no_statement_walks_a_table_by_mistake(void)
{
    open_new();
    for (int id = PD_STMT_ROOT_ADD; id < PD_STMT_COUNT; id++) {
        sqlite3_stmt *stmt;
        REQUIRE(pd_stmt_get(store, (pd_stmt)id, &stmt, NULL) == PD_OK);
        const bool walks = plan_walks(sqlite3_sql(stmt));
        const bool may_walk = id == PD_STMT_ROOTS || id == PD_STMT_TOTALS || id == PD_STMT_ERRORS ||
                              id == PD_STMT_PHOTO_IDS || /* migration */
                              id == PD_STMT_EXPORT || id == PD_STMT_EXPORT_ALBUMS;
        if (walks != may_walk)
            fprintf(stderr, "plan of: %s\n", sqlite3_sql(stmt));
        CHECK(walks == may_walk);
    }
    close_and_remove();
}

static bool count_states(void *user, const pd_photo_state *state)
{
    (void)state;
    ++*(int *)user;
    return true;
}

static void the_states_of_10000_photos_are_looked_up_once_each(void)
{
    open_new();
    REQUIRE(pd_store_begin(store, NULL) == PD_OK);
    for (uint32_t i = 0; i < 10000; i++) {
        char path[64];
        snprintf(path, sizeof path, "/photos/2019/holiday/IMG_%05u.jpg", i);
        const int64_t content = add_content(store, i);
        add_embedding(store, content, model, 1);
        add_photo(store, root, path, content);
    }
    REQUIRE(pd_store_commit(store, NULL) == PD_OK);
    int n = 0;
    (void)steps_taken();
    const int64_t start_ns = pd_clock_ns();
    REQUIRE(pd_store_photo_states(store, root, model, count_states, &n, NULL) == PD_OK && n == 10000);
    const int64_t took_ns = pd_clock_ns() - start_ns;
    const long steps = steps_taken();
    printf("# states of 10,000 photos: %ld steps, %.1f ms\n", steps, (double)took_ns / 1e6);
    CHECK(steps < 10000 * 100);
    close_and_remove();
}

static void words_of_a_content_are_replaced_whole(void)
{
    static const char words[] = "\1A title\0\2line\nline\0\7robin\0\7sea\0\11Carla", fewer[] = "\7sea";
    open_new();
    int64_t content_id = 0;
    pd_content c = content_of(1);
    c.texts = (pd_texts){ words, sizeof words };
    c.shot = (pd_shot){ 52, 25, 0, "25" };
    c.rating = -1;
    c.reader = 7;
    c.has_phash = true;
    c.phash = 99;
    c.look = (pd_look){ 12.5F, 2, { { 200, 30, 20, 60 }, { 255, 255, 255, 40 } } };
    REQUIRE(pd_store_content_put(store, &c, &content_id, NULL) == PD_OK);
    const int64_t id = add_photo(store, root, "/photos/a.jpg", content_id);
    pd_photo photo;
    REQUIRE(pd_store_photo_by_id(store, id, &photo, NULL) == PD_OK);
    CHECK(photo.facts.texts.len == sizeof words && memcmp(photo.facts.texts.bytes, words, sizeof words) == 0);
    CHECK(strcmp(photo.facts.shot.subsec, "25") == 0 && photo.facts.shot.focal35_mm == 52 &&
          photo.facts.shot.flash == 25);
    CHECK(photo.facts.shot.white_balance == 0 && photo.facts.rating == -1 && photo.facts.reader == 7);
    CHECK(strcmp(photo.path, "/photos/a.jpg") == 0 && strcmp(photo.facts.type, "jpeg") == 0);
    /* less is known now; the hash of the pixels is not asked for again */
    c = content_of(1);
    c.texts = (pd_texts){ fewer, sizeof fewer };
    c.shot = (pd_shot){ (double)NAN, PD_STORE_ABSENT, PD_STORE_ABSENT, "" };
    c.rating = PD_STORE_ABSENT;
    REQUIRE(pd_store_content_put(store, &c, &content_id, NULL) == PD_OK);
    REQUIRE(pd_store_photo_by_id(store, id, &photo, NULL) == PD_OK);
    CHECK(photo.facts.texts.len == sizeof fewer && memcmp(photo.facts.texts.bytes, fewer, sizeof fewer) == 0);
    CHECK(photo.facts.rating == PD_STORE_ABSENT && photo.facts.shot.flash == PD_STORE_ABSENT);
    CHECK(isnan(photo.facts.shot.focal35_mm) && !photo.facts.shot.subsec[0] && !photo.facts.reader);
    CHECK(photo.facts.has_phash && photo.facts.phash == 99);
    CHECK(memcmp(&photo.facts.look, &(pd_look){ 12.5F, 2, { { 200, 30, 20, 60 }, { 255, 255, 255, 40 } } },
                 sizeof photo.facts.look) == 0);
    close_and_remove();
}

int main(void)
{
    RUN(a_root_added_twice_has_one_id);
    RUN(everything_is_there_after_reopening);
    RUN(a_content_is_known_by_its_bytes);
    RUN(words_of_a_content_are_replaced_whole);
    RUN(a_moved_photo_keeps_its_id_and_replaces_what_was_there);
    RUN(a_removed_photo_leaves_its_learning);
    RUN(an_error_is_remembered);
    RUN(an_error_goes_when_the_file_is_read);
    RUN(embeddings_come_in_order_of_seq_by_model);
    RUN(a_model_is_found_by_its_id_only);
    RUN(a_batch_is_all_or_nothing);
    RUN(totals_agree_with_the_rows);
    RUN(sort_time_is_the_camera_s_or_the_file_s);
    RUN(photos_of_a_content_come_lowest_id_first);
    RUN(a_path_beyond_the_limit_is_refused);
    RUN(browsing_goes_by_time_or_name_with_ties_by_id);
    RUN(a_window_of_100000_photos_is_not_sorted_for);
    RUN(no_statement_walks_a_table_by_mistake);
    RUN(the_states_of_10000_photos_are_looked_up_once_each);
    return TEST_RESULT();
}
