/* What the user did can be taken back, in this process and in another one. */
#include "work_fixture.h"

#include "store/store_private.h"

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

int main(void)
{
    RUN(every_edit_can_be_taken_back_newest_first);
    RUN(only_the_newest_steps_are_kept);
    RUN(another_connection_sees_edits_and_takes_them_back);
    return TEST_RESULT();
}
