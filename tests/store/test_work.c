/* What the user says about photos: it wins, and it stays with them. */
#include "work_fixture.h"

static int64_t seen_version;

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
    seen_version = 0;
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
    seen_version = 0;
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

int main(void)
{
    RUN(the_user_s_word_wins_over_the_file_s);
    RUN(machines_are_heard_last);
    RUN(the_feed_says_what_filters_ask);
    RUN(work_follows_the_photo_and_comes_back_with_its_content);
    RUN(work_comes_to_a_photo_that_is_read_later_or_moved_over);
    RUN(what_is_no_work_is_refused_with_a_sentence);
    return TEST_RESULT();
}
