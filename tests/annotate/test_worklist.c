/* What is to be written about comes newest first, each once, and what is looked at before all else. */
#include "annotate/worklist.h"

#include "../store/store_fixture.h"

#define SOURCE "captioner/1"

static const pd_machine_query query = { .kind = PD_MACHINE_CAPTION, .source = SOURCE };

typedef struct world {
    fixture f;
    pd_store *store;
    pd_worklist list;
    pd_slate slate;
    int64_t todo;
} world;

/* n photos, each a second younger than the one before; their contents are 1 .. n. */
static bool begin(world *w, int n)
{
    memset(w, 0, sizeof *w);
    w->f = fixture_make();
    pd_slate_init(&w->slate, NULL, NULL);
    if (pd_store_open(&w->store, w->f.path, PD_STORE_WRITE, NULL) != PD_OK)
        return false;
    int64_t root = 0;
    CHECK(pd_store_begin(w->store, NULL) == PD_OK && pd_store_root_add(w->store, "/p", &root, NULL) == PD_OK);
    for (int i = 1; i <= n; i++) {
        char path[32];
        snprintf(path, sizeof path, "/p/%d", i);
        const pd_photo_file file = { .root_id = root,
                                     .path = path,
                                     .bytes = 100,
                                     .mtime_ns = (int64_t)i * 1000000000,
                                     .content = add_content(w->store, (uint32_t)i) };
        int64_t id;
        CHECK(pd_store_photo_put(w->store, &file, &id, NULL) == PD_OK);
    }
    CHECK(pd_store_commit(w->store, NULL) == PD_OK);
    return pd_worklist_begin(&w->list, w->store, &query, &w->todo, NULL) == PD_OK;
}

static void end(world *w)
{
    pd_store_close(&w->store);
    pd_slate_done(&w->slate);
    fixture_remove(&w->f);
}

/* 0: there is nothing left. */
static int64_t next(world *w)
{
    int64_t content = 0;
    bool any = false;
    CHECK(pd_worklist_next(&w->list, &w->slate, &content, &any, NULL) == PD_OK);
    return any ? content : 0;
}

static void write_about(world *w, int64_t content)
{
    const pd_machine_text text = { .text = "words", .score = 1 };
    const pd_machine_about about = { .content = content, .kind = PD_MACHINE_CAPTION, .source = SOURCE };
    CHECK(pd_store_machine_put(w->store, &about, &text, 1, NULL) == PD_OK);
    pd_worklist_done(&w->list, content);
}

static void each_comes_once_newest_first(void)
{
    enum { N = 2 * PD_WORKLIST_WINDOW + 3 };
    world w;
    REQUIRE(begin(&w, N) && w.todo == N);
    bool in_order = true;
    for (int64_t i = N; i >= 1; i--) {
        const int64_t content = next(&w);
        in_order &= content == i;
        if (content)
            write_about(&w, content);
    }
    CHECK(in_order && next(&w) == 0);
    CHECK(pd_worklist_begin(&w.list, w.store, &query, &w.todo, NULL) == PD_OK && w.todo == 0 && next(&w) == 0);
    end(&w);
}

static void what_cannot_be_written_about_is_not_tried_again(void)
{
    world w;
    REQUIRE(begin(&w, 5));
    CHECK(next(&w) == 5 && next(&w) == 4 && next(&w) == 3); /* and nobody says that they were done */
    CHECK(next(&w) == 2 && next(&w) == 1 && next(&w) == 0 && next(&w) == 0);
    CHECK(pd_worklist_begin(&w.list, w.store, &query, &w.todo, NULL) == PD_OK && w.todo == 5 && next(&w) == 5);
    end(&w);
}

static void what_was_not_begun_comes_again(void)
{
    world w;
    REQUIRE(begin(&w, 3));
    CHECK(next(&w) == 3 && next(&w) == 2);
    pd_worklist_return(&w.list, 2);
    pd_worklist_return(&w.list, 3);
    CHECK(next(&w) == 3 && next(&w) == 2 && next(&w) == 1 && next(&w) == 0);
    pd_worklist_return(&w.list, 1);
    CHECK(next(&w) == 1 && next(&w) == 0);
    end(&w);
}

static void what_is_looked_at_comes_first(void)
{
    world w;
    REQUIRE(begin(&w, 9));
    CHECK(next(&w) == 9);
    write_about(&w, 9);
    pd_slate_first(&w.slate, (int64_t[]){ 3, 9, 77, 5 }, 4);
    CHECK(next(&w) == 3); /* 9 is written about, 77 is none */
    pd_slate_first(&w.slate, (int64_t[]){ 1, 3 }, 2);
    CHECK(next(&w) == 1);
    CHECK(next(&w) == 8 && next(&w) == 7 && next(&w) == 6 && next(&w) == 5 && next(&w) == 4 && next(&w) == 2);
    CHECK(next(&w) == 0);
    end(&w);
}

static void what_another_program_wrote_is_passed_over(void)
{
    world w;
    REQUIRE(begin(&w, 4));
    CHECK(next(&w) == 4);
    const pd_machine_text text = { .text = "words", .score = 1 };
    const pd_machine_about about = { .content = 3, .kind = PD_MACHINE_CAPTION, .source = SOURCE };
    CHECK(pd_store_machine_put(w.store, &about, &text, 1, NULL) == PD_OK);
    CHECK(next(&w) == 2 && next(&w) == 1 && next(&w) == 0);
    end(&w);
}

int main(void)
{
    RUN(each_comes_once_newest_first);
    RUN(what_cannot_be_written_about_is_not_tried_again);
    RUN(what_was_not_begun_comes_again);
    RUN(what_is_looked_at_comes_first);
    RUN(what_another_program_wrote_is_passed_over);
    return TEST_RESULT();
}
