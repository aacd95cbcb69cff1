/* What the user did for photos: it wins, it stays, it can be taken back. */
#include "store_fixture.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/store_private.h"

static fixture f;
static pd_store *store;
static int64_t root, seen_version;

static void open_new(void)
{
    seen_version = 0;
    f = fixture_make();
    store = NULL;
    CHECK(pd_store_open(&store, f.path, PD_STORE_WRITE, NULL) == PD_OK);
    CHECK(pd_store_root_add(store, "/photos", &root, NULL) == PD_OK);
}

static void close_and_remove(void)
{
    pd_store_close(&store);
    fixture_remove(&f);
}

static int64_t put_content(uint32_t number, int32_t rating, const char *texts, size_t len)
{
    pd_content c = content_of(number);
    int64_t content = 0;
    c.rating = rating;
    c.texts = (pd_texts){ texts, len };
    CHECK(pd_store_content_put(store, &c, &content, NULL) == PD_OK);
    return content;
}
#define CONTENT(number, rating, texts) put_content(number, rating, texts, sizeof(texts))
#define PLAIN(number) put_content(number, PD_STORE_ABSENT, "", 0)

/* Returns how many photos changed. */
static int64_t edit_some(pd_edit_kind kind, const char *text, int number, const int64_t *photos, size_t n_photos)
{
    const pd_edit edit = { kind, text, number, photos, n_photos };
    int64_t n = -1, step = -1;
    pd_error err = { 0 };
    const pd_status status = pd_store_edit(store, &edit, &n, &step, &err);
    if (status != PD_OK)
        fprintf(stderr, "%s\n", err.message);
    CHECK(status == PD_OK && (n > 0) == (step > 0));
    return n;
}

static int64_t edit(pd_edit_kind kind, const char *text, int number, int64_t photo)
{
    return edit_some(kind, text, number, &photo, 1);
}

/* Asked for alone, it is the same. */
static void check_caption(int64_t photo, const pd_work *work)
{
    pd_said_caption caption = { 0 };
    CHECK(pd_store_caption(store, photo, &caption, NULL) == PD_OK && strcmp(caption.text, work->caption) == 0);
    CHECK(caption.by == work->caption_by && caption.doubtful == work->caption_doubtful);
}

/* The work of a photo in one line: "rating by*favorite|caption by|tag by,...|album,..." */
static const char *work_of(int64_t photo)
{
    static char line[2][1024];
    static int turn;
    char *to = line[turn ^= 1];
    pd_work work = { 0 };
    if (pd_store_work(store, photo, &work, NULL) != PD_OK)
        return "none";
    check_caption(photo, &work);
    int at = snprintf(to, 1024, "%d%d%s|%s%d|", work.rating, (int)work.rating_by, work.favorite ? "*" : "",
                      work.caption, (int)work.caption_by);
    for (size_t i = 0; i < work.n_tags; i++)
        at += snprintf(to + at, (size_t)(1024 - at), "%s%s%d", i ? "," : "", work.tags[i].name, (int)work.tags[i].by);
    at += snprintf(to + at, (size_t)(1024 - at), "|");
    for (size_t i = 0; i < work.n_albums; i++)
        at += snprintf(to + at, (size_t)(1024 - at), "%s%s", i ? "," : "", work.albums[i]);
    return to;
}

#define IS(photo, line)                                                    \
    do {                                                                   \
        const char *is = work_of(photo);                                   \
        if (strcmp(is, line) != 0)                                         \
            fprintf(stderr, "%d: '%s' is not '%s'\n", __LINE__, is, line); \
        CHECK(strcmp(is, line) == 0);                                      \
    } while (0)

static void undo(const char *sentence)
{
    char *said = NULL, *next = NULL;
    int64_t step = 0;
    CHECK(pd_store_undo_next(store, &step, &next, NULL) == PD_OK && step > 0);
    CHECK(pd_store_undo(store, step, &said, NULL) == PD_OK);
    if (!said || strcmp(said, sentence) != 0)
        fprintf(stderr, "'%s' is not '%s'\n", said ? said : "-", sentence);
    CHECK(said && next && strcmp(said, sentence) == 0 && strcmp(next, said) == 0);
    pd_mem_free(said);
    pd_mem_free(next);
}

static bool take_photo(void *user, int64_t photo)
{
    int64_t *last = user;
    *last = *last ? -1 : photo; /* -1: several */
    return true;
}

static int64_t only_photo(pd_text_where where, const char *pattern)
{
    int64_t last = 0;
    CHECK(pd_store_text_photos(store, where, pattern, take_photo, &last, NULL) == PD_OK);
    return last;
}

static bool take_word(void *user, int64_t photo, double score)
{
    (void)score;
    return take_photo(user, photo);
}

typedef struct found_texts {
    int n;
} found_texts;

static bool take_text(void *user, const char *text, int64_t n_photos)
{
    found_texts *found = user;
    CHECK(text[0] && n_photos == 1);
    return ++found->n < 9;
}

static bool take_row(void *user, const pd_photo_row *row)
{
    *(pd_photo_row *)user = *row;
    return true;
}

static pd_photo_row last_change(void)
{
    pd_photo_row row = { 0 };
    CHECK(pd_store_rows(store, seen_version, take_row, &row, &seen_version, NULL) == PD_OK);
    return row;
}

static void the_user_s_word_wins_over_the_file_s(void)
{
    static const char texts[] = "\1Title\0\2Words\0\7Beach\0\7boat", more[] = "\2Other words\0\7beach\0\7boat\0\7sea";
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", put_content(1, 3, texts, sizeof texts));
    IS(a, "32|Words2|Beach2,boat2|");
    CHECK(edit(PD_EDIT_UNTAG, "BEACH", 0, a) == 1 && edit(PD_EDIT_UNTAG, "beach", 0, a) == 1);
    CHECK(edit(PD_EDIT_UNTAG, "beach", 0, a) == 0 && edit(PD_EDIT_UNTAG, "never", 0, a) == 0);
    CHECK(edit(PD_EDIT_TAG, " sunset ", 0, a) == 1 && edit(PD_EDIT_TAG, "sunset", 0, a) == 0);
    CHECK(edit(PD_EDIT_RATING, NULL, 5, a) == 1 && edit(PD_EDIT_RATING, NULL, 5, a) == 0);
    CHECK(edit(PD_EDIT_FAVORITE, NULL, 1, a) == 1 && edit(PD_EDIT_FAVORITE, NULL, 1, a) == 0);
    CHECK(edit(PD_EDIT_CAPTION, "Mine", 0, a) == 1 && edit(PD_EDIT_CAPTION, "Mine", 0, a) == 0);
    CHECK(edit(PD_EDIT_ALBUM, "Trip", 0, a) == 1 && edit(PD_EDIT_ALBUM, "trip", 0, a) == 0);
    IS(a, "51*|Mine1|boat2,sunset1|Trip");
    put_content(1, 1, more, sizeof more); /* read again */
    IS(a, "51*|Mine1|boat2,sea2,sunset1|Trip");
    CHECK(only_photo(PD_WHERE_TAG, "beach") == 0 && only_photo(PD_WHERE_TAG, "sunset") == a);
    CHECK(only_photo(PD_WHERE_CAPTION, "mine") == a && only_photo(PD_WHERE_ALBUM, "TRIP") == a);
    CHECK(edit(PD_EDIT_CAPTION, "", 0, a) == 1 && edit(PD_EDIT_RATING, NULL, 0, a) == 1);
    CHECK(edit(PD_EDIT_TAG, "boat", 0, a) == 1 && edit(PD_EDIT_FAVORITE, NULL, 0, a) == 1);
    IS(a, "01|1|boat1,sea2,sunset1|Trip");
    CHECK(edit(PD_EDIT_CAPTION, NULL, 0, a) == 1 && edit(PD_EDIT_RATING, NULL, PD_WORK_UNSET, a) == 1);
    CHECK(edit(PD_EDIT_UNALBUM, "trip", 0, a) == 1 && edit(PD_EDIT_UNALBUM, "trip", 0, a) == 0);
    IS(a, "12|Other words2|boat1,sea2,sunset1|");
    CHECK(edit(PD_EDIT_TAG, "beach", 0, a) == 1);
    IS(a, "12|Other words2|beach1,boat1,sea2,sunset1|");
    IS(999, "none");
    close_and_remove();
}

static void machines_are_heard_last(void)
{
    open_new();
    const int64_t content = CONTENT(1, -1, "\7dog");
    const int64_t a = add_photo(store, root, "/photos/a.jpg", content);
    const pd_machine_text tags[] = { { "Dog", 0.9f, false }, { "lawn", 0.8f, false } };
    const pd_machine_text captions[] = { { "a dog on a lawn", 0.9f, false }, { "a dog", 0.5f, false } };
    CHECK(pd_store_machine_put(store, &(pd_machine_about){ content, PD_MACHINE_TAG, "tiny" }, tags, 2, NULL) == PD_OK);
    CHECK(pd_store_machine_put(store, &(pd_machine_about){ content, PD_MACHINE_CAPTION, "blip" }, captions, 2, NULL) ==
          PD_OK);
    IS(a, "02|a dog on a lawn3|dog2,lawn3|");
    CHECK(last_change().marks.has_caption && only_photo(PD_WHERE_CAPTION, "lawn") == a);
    CHECK(edit(PD_EDIT_UNTAG, "lawn", 0, a) == 1 && edit(PD_EDIT_CAPTION, "", 0, a) == 1);
    IS(a, "02|1|dog2|");
    CHECK(!last_change().marks.has_caption && only_photo(PD_WHERE_CAPTION, "lawn") == 0);
    close_and_remove();
}

static void the_feed_says_what_filters_ask(void)
{
    open_new();
    (void)last_change();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", PLAIN(1));
    pd_photo_row row = last_change();
    CHECK(row.id == a && memcmp(&row.marks, &(pd_photo_marks){ 0 }, sizeof row.marks) == 0);
    CHECK(edit(PD_EDIT_RATING, NULL, 4, a) == 1);
    row = last_change();
    CHECK(row.id == a && row.marks.is_rated && row.rating == 4);
    CHECK(edit(PD_EDIT_FAVORITE, NULL, 1, a) == 1 && last_change().marks.favorite);
    CHECK(edit(PD_EDIT_TAG, "x", 0, a) == 1 && last_change().marks.has_tag);
    CHECK(edit(PD_EDIT_CAPTION, "x", 0, a) == 1 && last_change().marks.has_caption);
    CHECK(edit(PD_EDIT_ALBUM, "x", 0, a) == 1 && last_change().marks.has_album);
    CHECK(pd_store_album_rename(store, "x", "y", NULL, NULL) == PD_OK && last_change().id == a);
    CHECK(pd_store_album_remove(store, "y", NULL, NULL) == PD_OK);
    row = last_change();
    CHECK(row.id == a && row.rating == 4);
    CHECK(!row.marks.has_album && row.marks.has_tag);
    CHECK(last_change().id == 0);
    close_and_remove();
}

static void work_follows_the_photo_and_comes_back_with_its_content(void)
{
    open_new();
    const int64_t one = PLAIN(1), two = PLAIN(2);
    const int64_t a = add_photo(store, root, "/photos/a.jpg", one), copy = add_photo(store, root, "/photos/c.jpg", one);
    CHECK(edit(PD_EDIT_TAG, "mine", 0, a) == 1 && edit(PD_EDIT_ALBUM, "Best", 0, a) == 1);
    CHECK(edit(PD_EDIT_TAG, "copied", 0, copy) == 1);
    IS(a, "00|0|mine1|Best");
    IS(copy, "00|0|copied1|");
    add_photo(store, root, "/photos/a.jpg", two); /* edited */
    const pd_photo_file file = { .root_id = root, .path = "/photos/sub/b.jpg", .bytes = 1, .content = two };
    CHECK(pd_store_photo_move(store, a, &file, NULL) == PD_OK);
    IS(a, "00|0|mine1|Best");
    CHECK(pd_store_photo_remove(store, a, NULL) == PD_OK && only_photo(PD_WHERE_TAG, "mine") == 0);
    const int64_t other = add_photo(store, root, "/photos/sub/b.jpg", PLAIN(3)); /* another picture of that name */
    IS(other, "00|0||");
    const int64_t back = add_photo(store, root, "/photos/back.jpg", two);
    CHECK(back != a && only_photo(PD_WHERE_TAG, "mine") == back && only_photo(PD_WHERE_ALBUM, "best") == back);
    IS(back, "00|0|mine1|Best");
    undo("tag 'copied' of 1 photo");
    undo("1 photo put into album 'Best'"); /* although it is another row now */
    IS(back, "00|0|mine1|");
    const int64_t second = add_photo(store, root, "/photos/second.jpg", two);
    IS(second, "00|0||");
    /* two copies go; each comes back at its own path */
    CHECK(edit(PD_EDIT_TAG, "second", 0, second) == 1);
    CHECK(pd_store_photo_remove(store, back, NULL) == PD_OK && pd_store_photo_remove(store, second, NULL) == PD_OK);
    IS(add_photo(store, root, "/photos/second.jpg", two), "00|0|second1|");
    IS(add_photo(store, root, "/photos/elsewhere.jpg", two), "00|0|mine1|");
    close_and_remove();
}

static void work_comes_to_a_photo_that_is_read_later_or_moved_over(void)
{
    open_new();
    const int64_t one = PLAIN(1);
    const int64_t a = add_photo(store, root, "/photos/a.jpg", one);
    CHECK(edit(PD_EDIT_TAG, "mine", 0, a) == 1 && pd_store_photo_remove(store, a, NULL) == PD_OK);
    const int64_t b = add_photo(store, root, "/photos/b.jpg", 0);
    IS(b, "00|0||");
    add_photo(store, root, "/photos/b.jpg", one);
    IS(b, "00|0|mine1|");
    /* a photo that is replaced by a move keeps its work for the next one of its content */
    const int64_t c = add_photo(store, root, "/photos/c.jpg", PLAIN(2));
    const pd_photo_file file = { .root_id = root, .path = "/photos/b.jpg", .bytes = 1, .content = 2 };
    CHECK(pd_store_photo_move(store, c, &file, NULL) == PD_OK);
    IS(c, "00|0||");
    IS(add_photo(store, root, "/photos/d.jpg", one), "00|0|mine1|");
    /* never read: known by its path */
    const int64_t never = add_photo(store, root, "/photos/never.jpg", 0);
    CHECK(edit(PD_EDIT_RATING, NULL, 2, never) == 1 && pd_store_photo_remove(store, never, NULL) == PD_OK);
    IS(add_photo(store, root, "/photos/never.jpg", PLAIN(5)), "21|0||");
    close_and_remove();
}

static void every_edit_can_be_taken_back_newest_first(void)
{
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", CONTENT(1, 2, "\7dog"));
    const int64_t b = add_photo(store, root, "/photos/b.jpg", PLAIN(2)), both[] = { b, 77, a, b };
    char *said = NULL;
    pd_error err = { 0 };
    CHECK(pd_store_undo(store, 0, &said, &err) == PD_ERR_NO_MATCH && strstr(err.message, "nothing") && !said);
    CHECK(edit_some(PD_EDIT_TAG, "Dog", 0, both, 4) == 2);
    CHECK(edit_some(PD_EDIT_TAG, "dog", 0, both, 1) == 1);
    CHECK(edit_some(PD_EDIT_RATING, NULL, 4, both, 4) == 2);
    CHECK(edit(PD_EDIT_RATING, NULL, PD_WORK_UNSET, a) == 1);
    CHECK(edit_some(PD_EDIT_FAVORITE, NULL, 1, both, 4) == 2 && edit(PD_EDIT_FAVORITE, NULL, 0, b) == 1);
    CHECK(edit(PD_EDIT_CAPTION, "one", 0, a) == 1 && edit(PD_EDIT_CAPTION, "", 0, a) == 1);
    CHECK(edit(PD_EDIT_CAPTION, NULL, 0, a) == 1 && edit(PD_EDIT_UNTAG, "dog", 0, a) == 1);
    CHECK(edit_some(PD_EDIT_ALBUM, "Trip", 0, both, 4) == 2 && edit(PD_EDIT_UNALBUM, "trip", 0, b) == 1);
    CHECK(pd_store_album_make(store, "Empty", NULL, NULL) == PD_OK);
    CHECK(pd_store_album_rename(store, "empty", "Full", NULL, NULL) == PD_OK);
    CHECK(edit_some(PD_EDIT_ALBUM, "full", 0, both, 4) == 2);
    CHECK(pd_store_album_remove(store, "full", NULL, NULL) == PD_OK);
    IS(a, "22*|0||Trip");
    IS(b, "41|0|dog1|");
    CHECK(pd_store_undo(store, 1, &said, &err) == PD_ERR_NO_MATCH && strstr(err.message, "album 'full' removed"));
    undo("album 'full' removed");
    IS(a, "22*|0||Full,Trip");
    CHECK(only_photo(PD_WHERE_ALBUM, "full") == -1);
    undo("2 photos put into album 'full'");
    undo("album 'empty' renamed to 'Full'");
    undo("album 'Empty' made");
    undo("1 photo taken out of album 'trip'");
    IS(b, "41|0|dog1|Trip");
    undo("2 photos put into album 'Trip'");
    undo("tag 'dog' taken from 1 photo");
    IS(a, "22*|0|Dog1|");
    undo("caption taken from 1 photo");
    IS(a, "22*|1|Dog1|");
    undo("caption of 1 photo");
    IS(a, "22*|one1|Dog1|");
    undo("caption of 1 photo");
    undo("favourite mark taken from 1 photo");
    undo("favourite mark of 2 photos");
    undo("rating taken from 1 photo");
    IS(a, "41|0|Dog1|");
    undo("rating 4 of 2 photos");
    IS(a, "22|0|Dog1|");
    undo("tag 'dog' of 1 photo");
    IS(b, "00|0|Dog1|");
    undo("tag 'Dog' of 2 photos");
    IS(a, "22|0|dog2|");
    IS(b, "00|0||");
    CHECK(pd_store_undo(store, 0, &said, &err) == PD_ERR_NO_MATCH && !said);
    int64_t n = -1;
    CHECK(pd_store_pragma_int(store, "SELECT (SELECT count(*) FROM step_undo) + (SELECT count(*) FROM album)", &n,
                              NULL) == PD_OK &&
          n == 0);
    close_and_remove();
}

static void only_the_newest_steps_are_kept(void)
{
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", PLAIN(1));
    REQUIRE(pd_store_begin(store, NULL) == PD_OK);
    for (int i = 0; i < PD_WORK_UNDO_STEPS_MAX + 5; i++)
        CHECK(edit(PD_EDIT_RATING, NULL, i % 5, a) == 1);
    REQUIRE(pd_store_commit(store, NULL) == PD_OK);
    int64_t n = 0;
    CHECK(pd_store_pragma_int(store, "SELECT count(*) FROM step", &n, NULL) == PD_OK && n == PD_WORK_UNDO_STEPS_MAX);
    CHECK(pd_store_pragma_int(store, "SELECT count(*) FROM step_undo", &n, NULL) == PD_OK &&
          n == PD_WORK_UNDO_STEPS_MAX);
    /* a huge one drives the others out, but not itself */
    REQUIRE(sqlite3_exec(store->db, "UPDATE step SET n = 4000001 WHERE id = (SELECT max(id) FROM step)", NULL, NULL,
                         NULL) == SQLITE_OK);
    CHECK(edit(PD_EDIT_FAVORITE, NULL, 1, a) == 1);
    CHECK(pd_store_pragma_int(store, "SELECT count(*) FROM step", &n, NULL) == PD_OK && n == 1);
    close_and_remove();
}

typedef struct album_list {
    size_t n;
    char names[4][32];
    pd_album albums[4];
} album_list;

static bool take_album(void *user, const pd_album *album)
{
    album_list *list = user;
    snprintf(list->names[list->n], sizeof list->names[0], "%s", album->name);
    list->albums[list->n++] = *album;
    return true;
}

static album_list albums(void)
{
    album_list list = { 0 };
    CHECK(pd_store_albums(store, take_album, &list, NULL) == PD_OK);
    return list;
}

static void albums_are_listed_with_their_covers(void)
{
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", PLAIN(1)),
                  b = add_photo(store, root, "/photos/b.jpg", PLAIN(2));
    const int64_t both[] = { b, a };
    pd_error err = { 0 };
    CHECK(albums().n == 0);
    CHECK(pd_store_album_make(store, " Zoo ", NULL, NULL) == PD_OK);
    CHECK(pd_store_album_make(store, "zoo", NULL, &err) == PD_ERR_USAGE && strstr(err.message, "already"));
    CHECK(pd_store_album_make(store, " ", NULL, &err) == PD_ERR_USAGE && strstr(err.message, "empty"));
    CHECK(pd_store_album_remove(store, "none", NULL, &err) == PD_ERR_NO_MATCH && strstr(err.message, "'none'"));
    CHECK(pd_store_album_rename(store, "none", "x", NULL, &err) == PD_ERR_NO_MATCH);
    CHECK(edit_some(PD_EDIT_ALBUM, "\xc3\x84pfel", 0, both, 2) == 2);
    CHECK(pd_store_album_rename(store, "zoo", "apfel", NULL, &err) == PD_ERR_USAGE);
    album_list list = albums();
    CHECK(list.n == 2 && strcmp(list.names[0], "\xc3\x84pfel") == 0 && strcmp(list.names[1], "Zoo") == 0);
    CHECK(list.albums[0].n_photos == 2 && list.albums[0].cover == b && list.albums[1].n_photos == 0);
    CHECK(list.albums[1].cover == 0);
    CHECK(pd_store_photo_remove(store, b, NULL) == PD_OK);
    list = albums();
    CHECK(list.albums[0].n_photos == 1 && list.albums[0].cover == a);
    CHECK(pd_store_album_rename(store, "apfel", "APFEL", NULL, NULL) == PD_OK);
    CHECK(strcmp(albums().names[0], "APFEL") == 0 && albums().albums[0].n_photos == 1);
    IS(a, "00|0||APFEL");
    const int64_t back = add_photo(store, root, "/photos/b2.jpg", 2); /* and its place is the first */
    CHECK(albums().albums[0].cover == back);
    close_and_remove();
}

static void what_is_no_work_is_refused_with_a_sentence(void)
{
    static const struct {
        pd_edit edit;
        pd_status status;
        const char *word;
    } cases[] = {
        { { PD_EDIT_TAG, "", 0, NULL, 0 }, PD_ERR_USAGE, "empty" },
        { { PD_EDIT_TAG, " \t", 0, NULL, 0 }, PD_ERR_USAGE, "empty" },
        { { PD_EDIT_TAG, NULL, 0, NULL, 0 }, PD_ERR_USAGE, "empty" },
        { { PD_EDIT_TAG, "a\nb", 0, NULL, 0 }, PD_ERR_USAGE, "control" },
        { { PD_EDIT_TAG,
            "a\xc2\x85"
            "b",
            0, NULL, 0 },
          PD_ERR_USAGE,
          "control" },
        { { PD_EDIT_TAG, "\xff", 0, NULL, 0 }, PD_ERR_USAGE, "UTF-8" },
        { { PD_EDIT_RATING, NULL, 6, NULL, 0 }, PD_ERR_USAGE, "0 to 5" },
        { { PD_EDIT_FAVORITE, NULL, 2, NULL, 0 }, PD_ERR_USAGE, "favourite" },
        { { PD_EDIT_FAVORITE, NULL, 1, NULL, PD_WORK_PHOTOS_MAX + 1 }, PD_ERR_LIMIT, "1000000" },
    };
    open_new();
    int64_t n = -5;
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        pd_error err = { 0 };
        CHECK(pd_store_edit(store, &cases[i].edit, &n, NULL, &err) == cases[i].status && n == -5);
        CHECK(strstr(err.message, cases[i].word));
    }
    char *text = calloc(1, PD_WORK_CAPTION_BYTES_MAX + 2);
    REQUIRE(text);
    for (pd_edit_kind kind = PD_EDIT_TAG; kind < PD_EDIT_KIND_COUNT; kind++) {
        if (kind == PD_EDIT_RATING || kind == PD_EDIT_FAVORITE)
            continue;
        const size_t len_max = kind == PD_EDIT_CAPTION ? PD_WORK_CAPTION_BYTES_MAX : 256;
        memset(text, 'x', len_max + 1);
        CHECK(pd_store_edit(store, &(pd_edit){ kind, text, 0, NULL, 0 }, &n, NULL, NULL) == PD_ERR_LIMIT);
        text[len_max] = '\0';
        CHECK(pd_store_edit(store, &(pd_edit){ kind, text, 0, NULL, 0 }, &n, NULL, NULL) == PD_OK && n == 0);
    }
    free(text);
    char *sentence = NULL;
    int64_t step = -1;
    CHECK(pd_store_undo_next(store, &step, &sentence, NULL) == PD_OK && step == 0 && sentence && !sentence[0]);
    pd_mem_free(sentence);
    close_and_remove();
}

typedef struct saved_list {
    size_t n;
    char text[PD_WORK_HISTORY_MAX + 1][48];
} saved_list;

static bool take_saved(void *user, const pd_saved *saved)
{
    saved_list *list = user;
    CHECK(saved->at > 1700000000);
    snprintf(list->text[list->n++], sizeof list->text[0], "%s=%s", saved->name, saved->query);
    return true;
}

static void searches_are_kept_by_name_and_by_time(void)
{
    static saved_list list;
    open_new();
    pd_error err = { 0 };
    CHECK(pd_store_saved_put(store, " Dogs", "dog -cat", NULL) == PD_OK);
    CHECK(pd_store_saved_put(store, "Cats", "cat", NULL) == PD_OK);
    CHECK(pd_store_saved_put(store, "Dogs", "dog", NULL) == PD_OK);
    CHECK(pd_store_saved_put(store, "", "dog", &err) == PD_ERR_USAGE);
    list.n = 0;
    CHECK(pd_store_saved(store, take_saved, &list, NULL) == PD_OK && list.n == 2);
    CHECK(strcmp(list.text[0], "Cats=cat") == 0 && strcmp(list.text[1], "Dogs=dog") == 0);
    CHECK(pd_store_saved_remove(store, "Cats ", NULL) == PD_OK);
    CHECK(pd_store_saved_remove(store, "Cats", &err) == PD_ERR_NO_MATCH && strstr(err.message, "'Cats'"));
    REQUIRE(pd_store_begin(store, NULL) == PD_OK);
    for (int i = 0; i < PD_WORK_HISTORY_MAX + 3; i++) {
        char query[32];
        snprintf(query, sizeof query, "q%d", i);
        CHECK(pd_store_history_add(store, query, NULL) == PD_OK);
    }
    REQUIRE(pd_store_commit(store, NULL) == PD_OK);
    CHECK(pd_store_history_add(store, "q7", NULL) == PD_OK && pd_store_history_add(store, "q499", NULL) == PD_OK);
    list.n = 0;
    CHECK(pd_store_history(store, SIZE_MAX, take_saved, &list, NULL) == PD_OK && list.n == PD_WORK_HISTORY_MAX);
    CHECK(strcmp(list.text[0], "=q499") == 0 && strcmp(list.text[1], "=q7") == 0 && strcmp(list.text[2], "=q502") == 0);
    CHECK(strcmp(list.text[499], "=q3") == 0);
    CHECK(pd_store_history_add(store, " ", NULL) == PD_OK);
    list.n = 0;
    CHECK(pd_store_history(store, 2, take_saved, &list, NULL) == PD_OK && list.n == 2);
    CHECK(pd_store_history_clear(store, NULL) == PD_OK);
    list.n = 0;
    CHECK(pd_store_history(store, 9, take_saved, &list, NULL) == PD_OK && list.n == 0);
    close_and_remove();
}

static void another_connection_sees_edits_and_takes_them_back(void)
{
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", PLAIN(1));
    pd_store *first = store, *other = NULL, *reader = NULL;
    REQUIRE(pd_store_open(&other, f.path, PD_STORE_WRITE, NULL) == PD_OK);
    REQUIRE(pd_store_open(&reader, f.path, PD_STORE_READ, NULL) == PD_OK);
    int64_t before = 0, after = 0, n = -1;
    CHECK(pd_store_version(reader, &before, NULL) == PD_OK);
    CHECK(edit(PD_EDIT_TAG, "mine", 0, a) == 1);
    CHECK(pd_store_version(reader, &after, NULL) == PD_OK && after > before);
    store = reader;
    IS(a, "00|0|mine1|");
    CHECK(only_photo(PD_WHERE_TAG, "mine") == a);
    pd_error err = { 0 };
    CHECK(pd_store_edit(reader, &(pd_edit){ PD_EDIT_TAG, "x", 0, &a, 1 }, &n, NULL, &err) == PD_ERR_IO && n == -1);
    store = other;
    CHECK(edit(PD_EDIT_TAG, "theirs", 0, a) == 1);
    store = first;
    undo("tag 'theirs' of 1 photo");
    undo("tag 'mine' of 1 photo");
    IS(a, "00|0||");
    pd_store_close(&other);
    pd_store_close(&reader);
    close_and_remove();
}

/* Records of an export, as an import finds them. */
typedef struct record_list {
    size_t n;
    pd_work_record records[64];
    char texts[64][64], paths[64][64];
} record_list;

static bool take_record(void *user, const pd_work_record *record)
{
    record_list *list = user;
    const size_t i = list->n++;
    snprintf(list->texts[i], sizeof list->texts[i], "%s", record->text);
    snprintf(list->paths[i], sizeof list->paths[i], "%s", record->path);
    list->records[i] = *record;
    list->records[i].text = list->texts[i];
    list->records[i].path = list->paths[i];
    return list->n < PD_COUNT_OF(list->records);
}

static void export_work(record_list *list)
{
    list->n = 0;
    CHECK(pd_store_work_export(store, take_record, list, NULL) == PD_OK);
}

/* Returns how many records found a photo. */
static size_t import_work(const record_list *list)
{
    size_t n_taken = 0;
    CHECK(pd_store_begin(store, NULL) == PD_OK);
    for (size_t i = 0; i < list->n; i++) {
        int64_t n = -1;
        CHECK(pd_store_work_import(store, &list->records[i], &n, NULL) == PD_OK && n >= 0);
        n_taken += n > 0;
    }
    CHECK(pd_store_commit(store, NULL) == PD_OK);
    return n_taken;
}

static record_list exported;

/* A library with work of all kinds, exported. */
static void make_export(void)
{
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", CONTENT(1, 2, "\7dog"));
    const int64_t copy = add_photo(store, root, "/photos/copies/a2.jpg", 1);
    const int64_t never = add_photo(store, root, "/photos/never.jpg", 0), gone = add_photo(store, root, "/g", PLAIN(3));
    const int64_t some[] = { copy, never, a };
    CHECK(edit(PD_EDIT_RATING, NULL, 0, a) == 1 && edit(PD_EDIT_FAVORITE, NULL, 1, a) == 1);
    CHECK(edit(PD_EDIT_CAPTION, "", 0, a) == 1 && edit(PD_EDIT_UNTAG, "dog", 0, a) == 1);
    CHECK(edit(PD_EDIT_TAG, "Hund", 0, a) == 1 && edit(PD_EDIT_CAPTION, "Copy", 0, copy) == 1);
    CHECK(edit(PD_EDIT_RATING, NULL, 4, gone) == 1 && pd_store_photo_remove(store, gone, NULL) == PD_OK);
    CHECK(edit_some(PD_EDIT_ALBUM, "Trip", 0, some, 3) == 3);
    CHECK(pd_store_album_make(store, "Empty", NULL, NULL) == PD_OK);
    export_work(&exported);
    CHECK(exported.n == 11);
    close_and_remove();
}

static void check_import(int64_t a, int64_t copy, int64_t never)
{
    IS(a, "01*|1|Hund1|Trip");
    IS(copy, "22|Copy1|dog2|Trip");
    IS(never, "00|0||Trip");
    const album_list list = albums();
    CHECK(list.n == 2 && strcmp(list.names[0], "Empty") == 0 && list.albums[1].cover == copy);
    int64_t step = -1;
    char *sentence = NULL;
    CHECK(pd_store_undo_next(store, &step, &sentence, NULL) == PD_OK && step == 0);
    pd_mem_free(sentence);
    static record_list again;
    export_work(&again);
    CHECK(again.n == exported.n);
    import_work(&again); /* a second time changes nothing */
    export_work(&again);
    CHECK(again.n == exported.n);
}

static void work_goes_into_another_library_before_its_photos(void)
{
    make_export();
    open_new();
    CHECK(import_work(&exported) == 0);
    const int64_t a = add_photo(store, root, "/photos/a.jpg", CONTENT(1, 2, "\7dog"));
    const int64_t copy = add_photo(store, root, "/photos/copies/a2.jpg", 1);
    const int64_t never = add_photo(store, root, "/photos/never.jpg", PLAIN(2)); /* found by its path */
    check_import(a, copy, never);
    IS(add_photo(store, root, "/elsewhere/g.jpg", PLAIN(3)), "41|0||");
    close_and_remove();
}

static void work_goes_into_another_library_after_its_photos(void)
{
    make_export();
    open_new();
    const int64_t a = add_photo(store, root, "/other/a.jpg", CONTENT(1, 2, "\7dog")); /* by content and name */
    const int64_t copy = add_photo(store, root, "/other/a2.jpg", 1);
    const int64_t never = add_photo(store, root, "/photos/never.jpg", PLAIN(2));
    CHECK(import_work(&exported) == exported.n - 2); /* but for the empty album and the picture that is gone */
    check_import(a, copy, never);
    close_and_remove();
}

static void what_is_here_stays_when_work_comes_in(void)
{
    make_export();
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", CONTENT(1, 2, "\7dog"));
    CHECK(edit(PD_EDIT_RATING, NULL, 5, a) == 1 && edit(PD_EDIT_CAPTION, "Mine", 0, a) == 1);
    CHECK(edit(PD_EDIT_UNTAG, "dog", 0, a) == 1 && edit(PD_EDIT_TAG, "dog", 0, a) == 1);
    import_work(&exported);
    IS(a, "51*|Mine1|dog1,Hund1|Trip");
    pd_error err = { 0 };
    int64_t n = -1;
    const pd_work_record nobody = { .kind = PD_EDIT_TAG, .text = "x", .path = "" },
                         bad = { .kind = PD_EDIT_TAG, .text = "" };
    CHECK(pd_store_work_import(store, &nobody, &n, &err) == PD_ERR_USAGE && strstr(err.message, "which picture"));
    CHECK(pd_store_work_import(store, &bad, &n, &err) == PD_ERR_USAGE && n == -1);
    close_and_remove();
}

/* Edits of two processes at once: each waits for the other. */
static void edits_beside_a_learner_wait_for_its_batch(void)
{
    enum { N = 60 };
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", PLAIN(1));
    pd_store_close(&store);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        pd_store *learner = NULL;
        pd_status status = pd_store_open(&learner, f.path, PD_STORE_WRITE, NULL);
        for (uint32_t i = 0; i < N && status == PD_OK; i++) {
            char path[32];
            int64_t content = 0;
            const pd_content c = content_of(100 + i);
            snprintf(path, sizeof path, "/photos/%u.jpg", i);
            status = pd_store_begin(learner, NULL);
            if (status == PD_OK)
                status = pd_store_content_put(learner, &c, &content, NULL);
            const pd_photo_file file = { .root_id = root, .path = path, .content = content };
            int64_t id;
            if (status == PD_OK)
                status = pd_store_photo_put(learner, &file, &id, NULL);
            if (status == PD_OK)
                status = pd_store_commit(learner, NULL);
        }
        _exit(status == PD_OK ? 0 : 1);
    }
    REQUIRE(pd_store_open(&store, f.path, PD_STORE_WRITE, NULL) == PD_OK);
    for (int i = 0; i < N; i++)
        CHECK(edit(PD_EDIT_RATING, NULL, 1 + i % 5, a) == 1);
    int state = -1;
    CHECK(waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0);
    int64_t n = 0;
    CHECK(pd_store_pragma_int(store, "SELECT count(*) FROM photo_change", &n, NULL) == PD_OK && n == N + 1);
    CHECK(pd_store_pragma_int(store, "SELECT count(*) FROM photo_fts WHERE photo_fts MATCH 'jpg'", &n, NULL) == PD_OK &&
          n == N + 1);
    close_and_remove();
}

static void an_edit_that_waits_too_long_is_refused(void)
{
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", PLAIN(1));
    pd_store *other = NULL;
    int64_t n = -1;
    char *said = NULL;
    pd_error err = { 0 };
    REQUIRE(pd_store_open(&other, f.path, PD_STORE_WRITE, NULL) == PD_OK && pd_store_begin(other, NULL) == PD_OK);
    (void)sqlite3_busy_timeout(store->db, 20);
    CHECK(pd_store_edit(store, &(pd_edit){ PD_EDIT_TAG, "x", 0, &a, 1 }, &n, NULL, &err) == PD_ERR_BUSY && n == -1);
    CHECK(strstr(err.message, "another process has been using it for 10 s"));
    CHECK(pd_store_undo(store, 0, &said, &err) == PD_ERR_BUSY && !said);
    pd_store_rollback(other);
    CHECK(edit(PD_EDIT_TAG, "x", 0, a) == 1);
    pd_store_close(&other);
    close_and_remove();
}

/* Each call, with memory that ends anywhere: it fails, says so and leaves nothing, or does all. */
static pd_status call(int which, const int64_t *photo)
{
    static record_list list;
    pd_photo_row row;
    found_texts texts = { 0 };
    int64_t n = 0;
    const pd_work_record record = { .kind = PD_EDIT_ALBUM, .text = "Import", .path = "/nowhere" };
    list.n = 0;
    switch (which) {
    case 0: return pd_store_edit(store, &(pd_edit){ PD_EDIT_ALBUM, "Trip", 0, photo, 1 }, &n, NULL, NULL);
    case 1: return pd_store_album_rename(store, "trip", "Journey", NULL, NULL);
    case 2: return pd_store_album_remove(store, "journey", NULL, NULL);
    case 3: return pd_store_saved_put(store, "name", "query", NULL);
    case 4: return pd_store_history_add(store, "query", NULL);
    case 5: return pd_store_work_import(store, &record, &n, NULL);
    case 6: return pd_store_work_export(store, take_record, &list, NULL);
    case 7: return pd_store_rows(store, 0, take_row, &row, &n, NULL);
    case 8: return pd_store_text_values(store, PD_WHERE_TAG, "d", take_text, &texts, NULL);
    case 9: return pd_store_words_any(store, "dog title", 9, take_word, &n, NULL);
    case 10: return pd_store_text_photos(store, PD_WHERE_CAPTION, "title", take_photo, &n, NULL);
    default: return pd_store_text_photos(store, PD_WHERE_TAG, "d*", take_photo, &n, NULL);
    }
}

static void every_call_survives_the_end_of_memory(void)
{
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", CONTENT(1, 2, "\1Title\0\7dog\0\7cat"));
    size_t n_failed = 0;
    for (int which = 0; which < 12; which++) {
        pd_status status = PD_ERR_NOMEM;
        for (size_t tries = 1; status == PD_ERR_NOMEM && tries < 100; tries++) {
            pd_store_close(&store);
            CHECK(pd_mem_live() == 0);
            REQUIRE(pd_store_open(&store, f.path, PD_STORE_WRITE, NULL) == PD_OK);
            (void)pd_mem_fail_at(tries);
            status = call(which, &a);
            (void)pd_mem_fail_at(0);
            n_failed += status == PD_ERR_NOMEM;
        }
        if (status != PD_OK)
            fprintf(stderr, "call %d: status %d\n", which, (int)status);
        CHECK(status == PD_OK);
    }
    CHECK(n_failed > 20);
    IS(a, "22|Title2|cat2,dog2|");
    close_and_remove();
}

static void damage_is_said(void)
{
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", PLAIN(1));
    CHECK(edit(PD_EDIT_TAG, "x", 0, a) == 1);
    REQUIRE(sqlite3_exec(store->db, "UPDATE step_undo SET kind = 99", NULL, NULL, NULL) == SQLITE_OK);
    pd_error err = { 0 };
    char *said = NULL;
    CHECK(pd_store_undo(store, 0, &said, &err) == PD_ERR_CORRUPT && strstr(err.message, "damaged") && !said);
    IS(a, "00|0|x1|");
    close_and_remove();
}

static void running_out_of_memory_leaves_everything_as_it_was(void)
{
    open_new();
    const int64_t a = add_photo(store, root, "/photos/a.jpg", CONTENT(1, 2, "\1Title\0\7dog\0\7cat"));
    pd_store_close(&store);
    int64_t n = 0;
    size_t tries = 0;
    for (pd_status status = PD_ERR_NOMEM; status == PD_ERR_NOMEM && tries < 200; tries++) {
        REQUIRE(pd_store_open(&store, f.path, PD_STORE_WRITE, NULL) == PD_OK);
        n = -1;
        (void)pd_mem_fail_at(tries + 1);
        status = pd_store_edit(store, &(pd_edit){ PD_EDIT_TAG, "Mine", 0, &a, 1 }, &n, NULL, NULL);
        (void)pd_mem_fail_at(0);
        CHECK((status == PD_OK) == (n == 1));
        IS(a, status == PD_OK ? "22|Title2|cat2,dog2,Mine1|" : "22|Title2|cat2,dog2|");
        pd_store_close(&store);
        CHECK(pd_mem_live() == 0);
    }
    CHECK(tries > 5 && tries < 200);
    tries = 0;
    for (pd_status status = PD_ERR_NOMEM; status == PD_ERR_NOMEM && tries < 200; tries++) {
        REQUIRE(pd_store_open(&store, f.path, PD_STORE_WRITE, NULL) == PD_OK);
        char *said = NULL;
        pd_work work = { 0 };
        int64_t photo = 0;
        (void)pd_mem_fail_at(tries + 1);
        status = pd_store_work(store, a, &work, NULL);
        if (status == PD_OK)
            status = pd_store_text_photos(store, PD_WHERE_TAG, "dog", take_photo, &photo, NULL);
        if (status == PD_OK)
            status = pd_store_undo(store, 0, &said, NULL);
        (void)pd_mem_fail_at(0);
        CHECK((status == PD_OK) == (said != NULL));
        pd_mem_free(said);
        pd_store_close(&store);
        CHECK(pd_mem_live() == 0);
    }
    CHECK(tries > 5 && tries < 200);
    fixture_remove(&f);
}

int main(void)
{
    RUN(the_user_s_word_wins_over_the_file_s);
    RUN(machines_are_heard_last);
    RUN(the_feed_says_what_filters_ask);
    RUN(work_follows_the_photo_and_comes_back_with_its_content);
    RUN(work_comes_to_a_photo_that_is_read_later_or_moved_over);
    RUN(every_edit_can_be_taken_back_newest_first);
    RUN(only_the_newest_steps_are_kept);
    RUN(albums_are_listed_with_their_covers);
    RUN(what_is_no_work_is_refused_with_a_sentence);
    RUN(searches_are_kept_by_name_and_by_time);
    RUN(another_connection_sees_edits_and_takes_them_back);
    RUN(work_goes_into_another_library_before_its_photos);
    RUN(work_goes_into_another_library_after_its_photos);
    RUN(what_is_here_stays_when_work_comes_in);
    RUN(edits_beside_a_learner_wait_for_its_batch);
    RUN(an_edit_that_waits_too_long_is_refused);
    RUN(damage_is_said);
    RUN(every_call_survives_the_end_of_memory);
    RUN(running_out_of_memory_leaves_everything_as_it_was);
    return TEST_RESULT();
}
