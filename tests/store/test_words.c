/* Finding photos by words, by labels, and what changed. */
#include "store_fixture.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/store_private.h"

static fixture f;
static pd_store *store;
static int64_t root;

static void open_new(void)
{
    f = fixture_make();
    store = NULL;
    CHECK(pd_store_open(&store, f.path, PD_STORE_WRITE, NULL) == PD_OK);
    CHECK(pd_store_root_add(store, "/home/ann/Pictures", &root, NULL) == PD_OK);
}

static void close_and_remove(void)
{
    pd_store_close(&store);
    fixture_remove(&f);
}

/* A photo whose content has these texts (base/texts.h). */
static int64_t add_texts(const char *path, uint32_t number, const char *texts, size_t len)
{
    pd_content c = content_of(number);
    int64_t content = 0;
    c.make = "Canon";
    c.camera = "EOS R5";
    c.rating = PD_STORE_ABSENT;
    c.texts = (pd_texts){ texts, len };
    CHECK(pd_store_content_put(store, &c, &content, NULL) == PD_OK);
    return add_photo(store, root, path, content);
}
#define ADD(path, number, texts) \
    add_texts("/home/ann/Pictures/" path, number, texts, sizeof(texts) - (sizeof(texts) > 1 ? 0 : 1))

typedef struct found {
    size_t n;
    int64_t ids[64];
    double last;
    bool ordered;
} found;

static bool take_word(void *user, int64_t photo, double score)
{
    found *list = user;
    list->ordered = list->n == 0 || (list->ordered && score <= list->last);
    list->last = score;
    list->ids[list->n++] = photo;
    return list->n < PD_COUNT_OF(list->ids);
}

static bool take_photo(void *user, int64_t photo) { return take_word(user, photo, 0); }

static bool has(const found *list, int64_t id)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        n += list->ids[i] == id;
    CHECK(n <= 1);
    return n == 1;
}

static found any(const char *words)
{
    found list = { 0 };
    CHECK(pd_store_words_any(store, words, 10, take_word, &list, NULL) == PD_OK);
    CHECK(list.n == 0 || list.ordered);
    return list;
}

static found exact(const char *words)
{
    found list = { 0 };
    CHECK(pd_store_words_exact(store, words, take_word, &list, NULL) == PD_OK);
    return list;
}

static found photos(pd_text_where where, const char *pattern)
{
    found list = { 0 };
    CHECK(pd_store_text_photos(store, where, pattern, take_photo, &list, NULL) == PD_OK);
    return list;
}

static void words_are_found_wherever_they_are_written(void)
{
    open_new();
    const int64_t a = ADD("2019/Sea side/IMG_1234.jpg", 1, "\1Sunset over Malm\xc3\xb6\0\7beach\0\11Carla Bruni");
    const int64_t b = ADD("2020/Berge/DSC0077.jpg", 2, "\2A boat on\nthe lake\0\10Nature|Birds|Robin");
    found list = any("beach");
    CHECK(list.n == 1 && has(&list, a));
    list = any("robin sunset the");
    CHECK(list.n == 2 && has(&list, a) && has(&list, b));
    list = any("the of");
    CHECK(list.n == 0);
    list = any("MALMO");
    CHECK(list.n == 1 && has(&list, a));
    list = any("canon");
    CHECK(list.n == 2);
    list = any("carla side 2020 nature");
    CHECK(list.n == 2 && has(&list, a) && has(&list, b));
    list = any("home ann"); /* above the root: the same for all */
    CHECK(list.n == 0);
    list = any("pictures");
    CHECK(list.n == 2);
    list = exact("boat on the");
    CHECK(list.n == 1 && has(&list, b));
    list = exact("boat lake");
    CHECK(list.n == 0);
    list = exact("mg_12"); /* a piece of a name */
    CHECK(list.n == 1 && has(&list, a));
    list = exact("IMG_1234.jpg"); /* both ways, once */
    CHECK(list.n == 1 && has(&list, a));
    list = exact("jpg");
    CHECK(list.n == 2 && list.ids[0] == a && list.ids[1] == b);
    list = exact("mg");
    CHECK(list.n == 0);
    list = photos(PD_WHERE_CAPTION, "lake boat");
    CHECK(list.n == 1 && has(&list, b));
    list = photos(PD_WHERE_CAPTION, "lake beach");
    CHECK(list.n == 0);
    list = photos(PD_WHERE_CAPTION, " ");
    CHECK(list.n == 0);
    close_and_remove();
}

static void what_a_user_writes_is_never_syntax(void)
{
    static const char *const odd[] = {
        "\"",       "\"\"", "a OR",   "NEAR(a b)", "name:img", "*",   "img*", "-img",
        "(",        ")",    "{a b}:", "^img",      "a AND",    "NOT", "+",    "''; DROP TABLE photo",
        "\xff\xfe", "",     " ",      "\"img",     "- -",      "%_",  "[",    "\\"
    };
    open_new();
    ADD("IMG_1.jpg", 1, "\7caf\xc3\xa9");
    for (size_t i = 0; i < PD_COUNT_OF(odd); i++) {
        (void)any(odd[i]);
        (void)exact(odd[i]);
        for (int where = PD_WHERE_TAG; where <= PD_WHERE_CAPTION; where++)
            (void)photos((pd_text_where)where, odd[i]);
    }
    char *words = malloc(40001);
    REQUIRE(words);
    memset(words, '"', 40000);
    words[40000] = '\0';
    found list = { 0 };
    pd_error err = { 0 };
    CHECK(pd_store_words_exact(store, words, take_word, &list, &err) == PD_ERR_LIMIT &&
          strstr(err.message, "too long"));
    free(words);
    close_and_remove();
}

static void labels_are_found_whole_or_by_a_glob_whatever_their_case(void)
{
    open_new();
    const int64_t a = ADD("a.jpg", 1, "\7Caf\xc3\xa9\0\7beach house\0\7x[1]\0\11Zo\xc3\xab");
    const int64_t b = ADD("b.jpg", 2, "\7cafe\0\7beach\0\11Anna");
    found list = photos(PD_WHERE_TAG, "CAFE");
    CHECK(list.n == 2 && has(&list, a) && has(&list, b));
    list = photos(PD_WHERE_TAG, "beach");
    CHECK(list.n == 1 && has(&list, b));
    list = photos(PD_WHERE_TAG, "B?ach*");
    CHECK(list.n == 2 && has(&list, a) && has(&list, b));
    list = photos(PD_WHERE_TAG, "*[1]");
    CHECK(list.n == 1 && has(&list, a));
    list = photos(PD_WHERE_TAG, "anna");
    CHECK(list.n == 0);
    list = photos(PD_WHERE_PERSON, "zoe");
    CHECK(list.n == 1 && has(&list, a));
    list = photos(PD_WHERE_ALBUM, "*");
    CHECK(list.n == 0);
    close_and_remove();
}

typedef struct values {
    size_t n, n_max;
    char text[8][64];
    int64_t counts[8];
} values;

static bool take_value(void *user, const char *text, int64_t n_photos)
{
    values *v = user;
    snprintf(v->text[v->n], sizeof v->text[0], "%s", text);
    v->counts[v->n++] = n_photos;
    return v->n < v->n_max;
}

static values values_of(pd_text_where where, const char *prefix, size_t n_max)
{
    values v = { .n_max = n_max };
    CHECK(pd_store_text_values(store, where, prefix, take_value, &v, NULL) == PD_OK);
    return v;
}

static void values_are_counted(void)
{
    open_new();
    ADD("a.jpg", 1, "\7Beach\0\7Boat");
    const int64_t b = ADD("b.jpg", 2, "\7beach\0\7\xc3\x89tang");
    ADD("c.jpg", 3, "\7tree");
    values v = values_of(PD_WHERE_TAG, "", 8);
    CHECK(v.n == 4 && strcmp(v.text[0], "Beach") == 0 && v.counts[0] == 2 && v.counts[1] == 1);
    v = values_of(PD_WHERE_TAG, "B", 8);
    CHECK(v.n == 2 && v.counts[0] == 2 && strcmp(v.text[1], "Boat") == 0);
    v = values_of(PD_WHERE_TAG, "et", 8);
    CHECK(v.n == 1 && strcmp(v.text[0], "\xc3\x89tang") == 0);
    v = values_of(PD_WHERE_TAG, "", 1);
    CHECK(v.n == 1);
    CHECK(pd_store_photo_remove(store, b, NULL) == PD_OK);
    v = values_of(PD_WHERE_TAG, "", 8);
    CHECK(v.n == 3 && v.counts[0] == 1);
    CHECK(photos(PD_WHERE_TAG, "etang").n == 0);
    close_and_remove();
}

typedef struct feed {
    size_t n, n_gone;
    int64_t ids[64];
    pd_photo_row last;
    int64_t version;
} feed;

static bool take_row(void *user, const pd_photo_row *row)
{
    feed *list = user;
    list->ids[list->n++] = row->id;
    list->n_gone += row->gone;
    list->last = *row;
    CHECK(row->gone || (strcmp(row->camera, "EOS R5") == 0 && strlen(row->sort_time) == 19));
    return true;
}

static feed changes(int64_t after)
{
    feed list = { 0 };
    int64_t version = -1;
    CHECK(pd_store_rows(store, after, take_row, &list, &list.version, NULL) == PD_OK);
    CHECK(pd_store_version(store, &version, NULL) == PD_OK && version == list.version);
    return list;
}

static void every_change_is_told_once(void)
{
    open_new();
    CHECK(changes(0).n == 0 && changes(0).version == 0);
    const int64_t a = ADD("a.jpg", 1, "\7tree"), b = ADD("b.jpg", 2, "");
    const int64_t never = add_photo(store, root, "/home/ann/Pictures/never-read.jpg", 0);
    feed list = changes(0);
    CHECK(list.n == 2 && list.ids[0] == a && list.ids[1] == b && list.n_gone == 0);
    CHECK(list.last.root_id == root && list.last.content == 2);
    CHECK(!list.last.marks.has_tag && !list.last.marks.is_rated && !list.last.is_dated);
    int64_t version = list.version;
    CHECK(changes(version).n == 0 && changes(version).version == version);

    ADD("c/a.jpg", 1, "\7tree\0\7oak"); /* a's content says more, and there is a copy of it */
    list = changes(version);
    CHECK(list.n == 2 && list.ids[0] == a && list.last.marks.has_tag && list.version > version);
    version = list.version;

    CHECK(pd_store_photo_remove(store, b, NULL) == PD_OK && pd_store_photo_remove(store, never, NULL) == PD_OK);
    list = changes(version);
    CHECK(list.n == 1 && list.n_gone == 1 && list.ids[0] == b);
    CHECK(changes(0).n == 2); /* who begins is not told of the dead */
    close_and_remove();
}

static void what_is_moved_over_or_not_readable_is_told(void)
{
    open_new();
    const int64_t a = ADD("a.jpg", 1, "\7tree");
    ADD("c/a.jpg", 1, "\7tree");
    int64_t version = changes(0).version;
    const pd_photo_file over = { .root_id = root, .path = "/home/ann/Pictures/c/a.jpg", .bytes = 7, .content = 1 };
    CHECK(pd_store_photo_move(store, a, &over, NULL) == PD_OK);
    feed list = changes(version);
    CHECK(list.n == 2 && list.n_gone == 1 && list.ids[1] == a && list.last.bytes == 7);
    CHECK(exact("a.jpg").n == 1);
    version = list.version;

    CHECK(pd_store_photo_fail(store, &over, PD_ERR_IO, "the disk is gone", NULL) == PD_OK);
    CHECK(changes(version).n == 1 && changes(version).n_gone == 0);
    add_photo(store, root, over.path, 0); /* not readable any more */
    list = changes(version);
    CHECK(list.n == 1 && list.n_gone == 1 && changes(0).n == 0 && any("tree").n == 0 && exact("a.jpg").n == 0);
    close_and_remove();
}

static void a_batch_that_is_rolled_back_changed_nothing(void)
{
    open_new();
    ADD("a.jpg", 1, "\7tree");
    const int64_t version = changes(0).version;
    REQUIRE(pd_store_begin(store, NULL) == PD_OK);
    ADD("b.jpg", 2, "\7tree");
    ADD("a.jpg", 1, "");
    CHECK(any("tree").n == 1 && changes(version).n == 2);
    pd_store_rollback(store);
    CHECK(any("tree").n == 1 && changes(version).n == 0 && changes(0).n == 1 && photos(PD_WHERE_TAG, "tree").n == 1);
    close_and_remove();
}

int main(void)
{
    RUN(words_are_found_wherever_they_are_written);
    RUN(what_a_user_writes_is_never_syntax);
    RUN(labels_are_found_whole_or_by_a_glob_whatever_their_case);
    RUN(values_are_counted);
    RUN(every_change_is_told_once);
    RUN(what_is_moved_over_or_not_readable_is_told);
    RUN(a_batch_that_is_rolled_back_changed_nothing);
    return TEST_RESULT();
}
