/* The work of one library in another. */
#include "work_fixture.h"

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

int main(void)
{
    RUN(work_goes_into_another_library_before_its_photos);
    RUN(work_goes_into_another_library_after_its_photos);
    RUN(what_is_here_stays_when_work_comes_in);
    return TEST_RESULT();
}
