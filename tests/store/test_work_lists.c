/* What the user keeps beside photos: albums, saved searches, what was asked before. */
#include "work_fixture.h"

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

int main(void)
{
    RUN(albums_are_listed_with_their_covers);
    RUN(searches_are_kept_by_name_and_by_time);
    return TEST_RESULT();
}
