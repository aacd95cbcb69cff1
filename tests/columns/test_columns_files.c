/* The columns of a real catalogue: what changes in it is taken in; and their file: absent, damaged, foreign, older. */
#include "columns_fixture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static fixture f;

static void must(pd_status status)
{
    if (status != PD_OK)
        abort();
}

/* Photos of a catalogue, made from rows of chance. */
static void store_photo(photo *p, int64_t root, uint32_t number)
{
    pd_content c = { .type = p->row.type,
                     .width = p->row.width,
                     .height = p->row.height,
                     .pages = 1,
                     .orientation = 1,
                     .taken = p->row.sort_time,
                     .taken_source = p->row.sort_time[0] ? "exif" : "",
                     .make = p->row.make,
                     .camera = p->row.camera,
                     .lens = p->row.lens,
                     .iso = p->row.iso,
                     .exposure_s = p->row.exposure_s,
                     .fnumber = p->row.fnumber,
                     .focal_mm = p->row.focal_mm,
                     .gps_lat = p->row.lat,
                     .gps_lon = p->row.lon,
                     .gps_alt = (double)NAN,
                     .shot = { .focal35_mm = (double)NAN,
                               .flash = p->row.flash < 0 ? PD_STORE_ABSENT : p->row.flash,
                               .white_balance = PD_STORE_ABSENT,
                               .subsec = "" },
                     .rating = p->row.marks.is_rated ? p->row.rating : PD_STORE_ABSENT,
                     .has_phash = true,
                     .look = p->row.look };
    memcpy(c.sha256, &number, sizeof number);
    pd_photo_file file = { .root_id = root, .path = p->path, .bytes = p->row.bytes, .mtime_ns = 1000000000 };
    must(pd_store_content_put(f.store, &c, &file.content, NULL));
    must(pd_store_photo_put(f.store, &file, &p->row.id, NULL));
}

static int64_t root;

static void store_photos(uint32_t first, uint32_t n)
{
    uint32_t seed = 1000 * first;
    must(pd_store_begin(f.store, NULL));
    for (uint32_t i = first; i < first + n; i++) {
        photo p;
        fill_photo(&p, 0, &seed);
        snprintf(p.path, sizeof p.path, "/pictures/%02u/IMG_%04u.jpg", i % 13, i);
        store_photo(&p, root, i);
    }
    must(pd_store_commit(f.store, NULL));
}

static void begin(uint32_t n)
{
    f = fixture_make();
    must(pd_store_root_add(f.store, "/pictures", &root, NULL));
    store_photos(0, n);
}

static int64_t count_found(const pd_columns *columns, const char *text)
{
    pd_slots slots = find(columns, f.store, text);
    const int64_t count = slots.count;
    pd_slots_done(&slots);
    return count;
}

/* Brought up to date step by step, they say what columns made from nothing say. */
static bool are_as_made_anew(const pd_columns *columns)
{
    static const char *const texts[] = {
        "",          "camera:canon", "-lens:50mm",   "iso:>=400", "f:2.8",        "in:03",    "name:*7.jpg",
        "has:gps",   "date:2019",    "rating:>3",    "flash:no",  "color:red",    "gray:no",  "tag:beach",
        "has:tag",   "favorite:yes", "album:summer", "has:album", "caption:boat", "\"boat\"", "near:49,2.5,30km",
        "-tag:beach"
    };
    pd_columns *anew = columns_make(&f);
    bool same = pd_columns_count(anew) == pd_columns_count(columns);
    for (size_t i = 0; i < PD_COUNT_OF(texts); i++) {
        pd_slots ours = find(columns, f.store, texts[i]), theirs = find(anew, f.store, texts[i]);
        uint32_t at[1];
        size_t n = 0;
        same &= ours.count == theirs.count;
        for (size_t k = 0; same && k < (size_t)ours.count; k += 1 + (size_t)ours.count / 5) {
            CHECK(pd_columns_order(columns, &ours, &(pd_slot_window){ PD_ORDER_NAME, k, 1 }, at, &n, NULL) == PD_OK &&
                  n == 1);
            const int64_t id = pd_columns_photo(columns, at[0]);
            same &= pd_columns_content(columns, at[0]) == pd_columns_contents(columns)[at[0]];
            CHECK(pd_columns_order(anew, &theirs, &(pd_slot_window){ PD_ORDER_NAME, k, 1 }, at, &n, NULL) == PD_OK &&
                  n == 1);
            same &= id == pd_columns_photo(anew, at[0]);
        }
        if (!same)
            fprintf(stderr, "differs: %s (%lld, %lld)\n", texts[i], (long long)ours.count, (long long)theirs.count);
        pd_slots_done(&ours);
        pd_slots_done(&theirs);
    }
    pd_columns_close(&anew);
    return same;
}

static void edit(pd_edit_kind kind, const char *text, int number, int64_t first, size_t n)
{
    int64_t ids[100], n_changed;
    for (size_t i = 0; i < n; i++)
        ids[i] = first + (int64_t)i;
    const pd_edit e = { kind, text, number, ids, n };
    must(pd_store_edit(f.store, &e, &n_changed, NULL, NULL));
}

static void changes_of_the_catalogue_are_taken_in(void)
{
    begin(500);
    pd_columns *columns = columns_make(&f);
    bool changed = true;
    CHECK(pd_columns_count(columns) == 500 && count_found(columns, "tag:beach") == 0);
    CHECK(pd_columns_refresh(columns, f.store, &changed, NULL) == PD_OK && !changed);

    edit(PD_EDIT_TAG, "beach", 0, 10, 40);
    edit(PD_EDIT_ALBUM, "summer", 0, 100, 30);
    edit(PD_EDIT_FAVORITE, NULL, 1, 120, 20);
    edit(PD_EDIT_CAPTION, "a boat at sea", 0, 200, 10);
    edit(PD_EDIT_RATING, NULL, 5, 300, 7);
    CHECK(pd_columns_refresh(columns, f.store, &changed, NULL) == PD_OK && changed);
    CHECK(count_found(columns, "tag:beach") == 40 && count_found(columns, "-tag:beach") == 460 &&
          count_found(columns, "album:SUMMER favorite:yes") == 10 && count_found(columns, "caption:boat") == 10 &&
          count_found(columns, "\"boat at sea\" has:caption") == 10 &&
          count_found(columns, "-\"boat at sea\"") == 490 && count_found(columns, "rating:5") >= 7 &&
          are_as_made_anew(columns));

    pd_columns_close(&columns);
    fixture_remove(&f);
}

static void photos_that_go_move_and_come_are_taken_in(void)
{
    begin(500);
    edit(PD_EDIT_TAG, "beach", 0, 10, 40);
    pd_columns *columns = columns_make(&f);
    bool changed = false;
    must(pd_store_photo_remove(f.store, 12, NULL));
    must(pd_store_photo_remove(f.store, 500, NULL));
    const pd_photo_file moved = {
        .root_id = root, .path = "/pictures/new/moved.png", .bytes = 3, .mtime_ns = 5, .content = 77
    };
    must(pd_store_photo_move(f.store, 77, &moved, NULL));
    store_photos(500, 300);
    CHECK(pd_columns_refresh(columns, f.store, &changed, NULL) == PD_OK && changed);
    int64_t version = 0;
    CHECK(pd_store_version(f.store, &version, NULL) == PD_OK && pd_columns_version(columns) == version);
    CHECK(pd_columns_count(columns) == 798 && pd_columns_n(columns) == 800 &&
          count_found(columns, "in:new name:moved") == 1 && count_found(columns, "tag:beach") == 39 &&
          are_as_made_anew(columns));
    pd_columns_close(&columns);
    fixture_remove(&f);
}

typedef struct seen {
    const char *value;
    int64_t count;
} seen;

static bool look_for(void *user, const pd_value_count *value)
{
    seen *s = user;
    if (strcmp(value->value, s->value) == 0)
        s->count = value->count;
    return true;
}

static int64_t count_value(const pd_columns *columns, const pd_slots *slots, pd_field field, const char *value)
{
    seen s = { value, 0 };
    CHECK(pd_columns_count_values(columns, f.store, slots, &(pd_value_question){ field, "", 100, look_for, &s },
                                  NULL) == PD_OK);
    return s.count;
}

static void texts_are_counted_within_a_set(void)
{
    begin(100);
    edit(PD_EDIT_TAG, "beach", 0, 1, 40);
    edit(PD_EDIT_TAG, "sea", 0, 30, 30);
    edit(PD_EDIT_ALBUM, "summer", 0, 35, 10);
    pd_columns *columns = columns_make(&f);
    pd_slots all = find(columns, f.store, ""), some = find(columns, f.store, "tag:sea");
    CHECK(count_value(columns, &all, PD_FIELD_TAG, "beach") == 40 &&
          count_value(columns, &all, PD_FIELD_TAG, "sea") == 30);
    CHECK(count_value(columns, &some, PD_FIELD_TAG, "beach") == 11 &&
          count_value(columns, &some, PD_FIELD_TAG, "sea") == 30);
    CHECK(count_value(columns, &some, PD_FIELD_ALBUM, "summer") == 10);
    pd_slots_done(&all);
    pd_slots_done(&some);
    pd_columns_close(&columns);
    fixture_remove(&f);
}

static ino_t inode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static pd_columns *open_cached(void)
{
    pd_columns *columns = NULL;
    CHECK(pd_columns_open(&columns, f.store, f.cache, NULL) == PD_OK);
    return columns;
}

/* Mapped when it fits: then it is not written again. */
static bool opens_from_file(void)
{
    const ino_t before = inode_of(f.cache);
    pd_columns *columns = open_cached();
    const bool mapped = columns->map != NULL && inode_of(f.cache) == before;
    CHECK(are_as_made_anew(columns));
    pd_columns_close(&columns);
    return mapped;
}

static void the_file_is_mapped_and_grows_in_memory(void)
{
    begin(300);
    CHECK(inode_of(f.cache) == 0 && !opens_from_file() && inode_of(f.cache) != 0);
    CHECK(opens_from_file());
    pd_columns *columns = open_cached();
    const pd_columns *other = open_cached();
    store_photos(300, 10); /* few: the file stays as it is */
    bool changed = false;
    CHECK(pd_columns_refresh(columns, f.store, &changed, NULL) == PD_OK && changed && columns->map);
    CHECK(pd_columns_count(columns) == 310 && pd_columns_count(other) == 300 && are_as_made_anew(columns));
    uint8_t *const at = columns->map;
    CHECK((uint8_t *)columns->f.time >= at && (uint8_t *)columns->f.time < at + columns->map_len);
    CHECK(pd_columns_reserve(columns, 50000, 0) == PD_OK); /* as if many more came: copied, and still the same */
    CHECK((uint8_t *)columns->f.time < at || (uint8_t *)columns->f.time >= at + columns->map_len);
    CHECK(are_as_made_anew(columns));
    pd_columns_close(&columns);
    CHECK(opens_from_file());
    pd_columns *writable = (pd_columns *)(uintptr_t)other;
    pd_columns_close(&writable);
    const ino_t before = inode_of(f.cache);
    store_photos(310, 100); /* many: it is written again */
    columns = open_cached();
    CHECK(inode_of(f.cache) != before);
    pd_columns_close(&columns);
    CHECK(opens_from_file());
    fixture_remove(&f);
}

static void overwrite(const char *path, const void *data, size_t len)
{
    must(pd_file_replace(path, data, len, false, NULL));
}

static void what_is_damaged_or_foreign_is_made_anew(void)
{
    begin(300);
    CHECK(!opens_from_file());
    pd_buf whole;
    pd_buf_init(&whole, 1 << 24);
    must(pd_file_read(f.cache, 1 << 24, &whole, NULL));
    overwrite(f.cache, "PDcols\r\n", 8);
    CHECK(!opens_from_file());
    overwrite(f.cache, "", 0);
    CHECK(!opens_from_file());
    overwrite(f.cache, whole.data, whole.len - 1);
    CHECK(!opens_from_file());
    static const size_t places[] = { 33, 160, 4096, 4096 + 2000 }; /* version, a checksum, ids */
    for (size_t i = 0; i < PD_COUNT_OF(places); i++) {
        whole.data[places[i]] ^= 1;
        overwrite(f.cache, whole.data, whole.len);
        whole.data[places[i]] ^= 1;
        CHECK(!opens_from_file());
        must(pd_file_read(f.cache, 1 << 24, &whole, NULL));
    }
    CHECK(opens_from_file());
    whole.data[8] ^= 2; /* another version */
    overwrite(f.cache, whole.data, whole.len);
    CHECK(!opens_from_file());
    (void)unlink(f.cache);
    CHECK(mkdir(f.cache, 0700) == 0); /* cannot be read and not be written: works all the same */
    CHECK(!opens_from_file());
    CHECK(rmdir(f.cache) == 0 && !opens_from_file());
    fixture kept = f;
    must(pd_file_read(f.cache, 1 << 24, &whole, NULL));
    begin(300); /* another catalogue with the same photos */
    overwrite(f.cache, whole.data, whole.len);
    CHECK(!opens_from_file() && opens_from_file());
    fixture_remove(&f);
    f = kept;
    pd_columns *columns = open_cached();
    columns->version += 1000; /* of a catalogue that was brought back from a copy */
    must(pd_columns_save(columns, f.cache, NULL));
    pd_columns_close(&columns);
    CHECK(!opens_from_file() && opens_from_file());
    pd_buf_done(&whole);
    fixture_remove(&f);
}

static void use(pd_columns *columns)
{
    static const char *const texts[] = { "camera:canon",    "in:03",    "name:*7*",      "color:#336699",
                                         "near:49,2,900km", "type:raw", "month:3 f:2.8", "lens:mm" };
    uint32_t some[64];
    size_t n;
    for (size_t i = 0; i < PD_COUNT_OF(texts); i++) {
        pd_slots slots = find(columns, f.store, texts[i]);
        CHECK(pd_columns_order(columns, &slots, &(pd_slot_window){ PD_ORDER_NAME, 0, 64 }, some, &n, NULL) == PD_OK);
        CHECK(pd_columns_order(columns, &slots, &(pd_slot_window){ PD_ORDER_NEWEST, 0, 4 }, some, &n, NULL) == PD_OK);
        (void)count_value(columns, &slots, PD_FIELD_IN, "x");
        (void)count_value(columns, &slots, PD_FIELD_CAMERA, "x");
        pd_slots_done(&slots);
    }
    uint32_t seed = 5;
    for (int64_t id = 1; id < 400; id += 40) {
        photo p;
        fill_photo(&p, id, &seed);
        CHECK(pd_columns_put(columns, &p.row, NULL) == PD_OK);
        CHECK(pd_columns_photo(columns, pd_columns_slot(columns, id)) == id);
    }
}

/* Bytes of a sound file changed and its checksums passed over: nothing may be read or written outside, whatever is
 * found then. The sanitizer builds are what looks. */
static void no_change_of_the_file_leads_astray(void)
{
    begin(200);
    CHECK(!opens_from_file());
    pd_buf whole;
    pd_buf_init(&whole, 1 << 24);
    must(pd_file_read(f.cache, 1 << 24, &whole, NULL));
    uint32_t seed = 9;
    int taken = 0;
    for (int round = 0; round < 400; round++) {
        void *map = mmap(NULL, whole.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(map != MAP_FAILED);
        uint8_t *bytes = map;
        memcpy(bytes, whole.data, whole.len);
        const size_t where = round % 2 ? whole.len : 4096;
        for (uint32_t i = 0; i < 1 + chance(&seed, 2000) * (uint32_t)(round % 2); i++)
            bytes[chance(&seed, (uint32_t)(where == 4096 ? 200 : where))] = (uint8_t)chance(&seed, 256);
        pd_columns columns = { 0 };
        if (pd_columns_adopt(&columns, bytes, whole.len, false, NULL) == PD_OK) {
            taken++;
            use(&columns);
        }
        pd_columns_clear(&columns);
    }
    CHECK(taken > 20 && taken < 390);
    pd_buf_done(&whole);
    fixture_remove(&f);
}

static pd_status use_file(void)
{
    pd_columns *columns = NULL;
    const pd_status status = pd_columns_open(&columns, f.store, f.cache, NULL);
    CHECK((status == PD_OK) == (columns != NULL));
    pd_columns_close(&columns);
    return status;
}

static void running_out_of_memory_leaks_nothing(void)
{
    begin(100);
    for (int round = 0; round < 2; round++) { /* made, and then mapped */
        REQUIRE(round == 0 || use_file() == PD_OK);
        const size_t live = pd_mem_live();
        pd_status status = PD_ERR_NOMEM;
        for (size_t nth = 1; status != PD_OK && nth < 10000; nth++) {
            (void)pd_mem_fail_at(nth);
            status = use_file();
            (void)pd_mem_fail_at(0);
            CHECK(pd_mem_live() == live && (status == PD_OK || status == PD_ERR_NOMEM));
        }
        CHECK(status == PD_OK);
    }
    fixture_remove(&f);
}

int main(void)
{
    RUN(changes_of_the_catalogue_are_taken_in);
    RUN(photos_that_go_move_and_come_are_taken_in);
    RUN(texts_are_counted_within_a_set);
    RUN(the_file_is_mapped_and_grows_in_memory);
    RUN(what_is_damaged_or_foreign_is_made_anew);
    RUN(no_change_of_the_file_leads_astray);
    RUN(running_out_of_memory_leaks_nothing);
    return TEST_RESULT();
}
