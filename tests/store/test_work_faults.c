/* Edits when others write, memory ends or the file is damaged: done or not done, never half. */
#include "work_fixture.h"

#include <sys/wait.h>

#include "store/store_private.h"

static bool take_row(void *user, const pd_photo_row *row)
{
    *(pd_photo_row *)user = *row;
    return true;
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

static bool count_record(void *user, const pd_work_record *record)
{
    *(int64_t *)user += record->text != NULL;
    return true;
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

/* Each call, with memory that ends anywhere: it fails, says so and leaves nothing, or does all. */
static pd_status call(int which, const int64_t *photo)
{
    pd_photo_row row;
    found_texts texts = { 0 };
    int64_t n = 0;
    const pd_work_record record = { .kind = PD_EDIT_ALBUM, .text = "Import", .path = "/nowhere" };
    switch (which) {
    case 0: return pd_store_edit(store, &(pd_edit){ PD_EDIT_ALBUM, "Trip", 0, photo, 1 }, &n, NULL, NULL);
    case 1: return pd_store_album_rename(store, "trip", "Journey", NULL, NULL);
    case 2: return pd_store_album_remove(store, "journey", NULL, NULL);
    case 3: return pd_store_saved_put(store, "name", "query", NULL);
    case 4: return pd_store_history_add(store, "query", NULL);
    case 5: return pd_store_work_import(store, &record, &n, NULL);
    case 6: return pd_store_work_export(store, count_record, &n, NULL);
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
    RUN(edits_beside_a_learner_wait_for_its_batch);
    RUN(an_edit_that_waits_too_long_is_refused);
    RUN(damage_is_said);
    RUN(every_call_survives_the_end_of_memory);
    RUN(running_out_of_memory_leaves_everything_as_it_was);
    return TEST_RESULT();
}
