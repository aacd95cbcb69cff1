#include "test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "media/media.h"
#include "pipeline/plan.h"
#include "scene.h"

static pd_store *store;
static pd_board board;
static pd_plan plan;
static int64_t model;
static pd_progress now;

/* The board outlives its plan: tests read its log. */
static bool has_board;

static void close_board(void)
{
    if (has_board)
        pd_board_done(&board);
    has_board = false;
}

static bool begin(void)
{
    pd_error err = { 0 };
    return scene_begin() && pd_store_open(&store, scene_path("catalogue"), PD_STORE_WRITE, &err) == PD_OK &&
           pd_store_model_add(store, "aa", "test", 4, &model, &err) == PD_OK;
}

static void end(void)
{
    close_board();
    pd_store_close(&store);
    scene_end();
}

/* Plans for the folders (names in the scene, ended by NULL); no folder: every root. */
static uint32_t reader_version = PD_MEDIA_READER_VERSION;

static pd_status make_plan(const char *const *names, bool recheck)
{
    const char *folders[8];
    size_t n = 0;
    for (; names && names[n]; n++)
        folders[n] = scene_path(names[n]);
    close_board();
    pd_board_init(&board, PD_SPEED_NORMAL);
    has_board = true;
    const pd_plan_options options = { folders, n, model, recheck, false };
    const pd_status status = pd_plan_make(&plan, store, &options, &board, NULL);
    pd_board_snapshot(&board, &now);
    return status;
}

static void drop_plan(void) { pd_plan_done(&plan); }

/* Stands for the stages: every file to be done becomes a learned photo, its content told by its name. */
static bool learn_all(void)
{
    for (size_t i = 0; i < plan.n_todo; i++) {
        const pd_todo *todo = &plan.todo[i];
        pd_content content = { .type = "bmp",
                               .width = 1,
                               .height = 1,
                               .pages = 1,
                               .orientation = 1,
                               .taken = "",
                               .taken_source = "",
                               .make = "",
                               .camera = "",
                               .lens = "",
                               .reader = reader_version };
        snprintf((char *)content.sha256, sizeof content.sha256, "%.31s", strrchr(todo->path, '/'));
        int64_t content_id, id, seq;
        const uint16_t half[4] = { 0x3C00, 0, 0, 0 };
        if (pd_store_content_put(store, &content, &content_id, NULL) != PD_OK ||
            pd_store_embedding_put(store, content_id, model, half, 4, &seq, NULL) != PD_OK)
            return false;
        const pd_photo_file file = { plan.roots[todo->root].id, todo->path, todo->bytes, todo->mtime_ns, content_id,
                                     todo->sidecar_ns };
        if (pd_store_photo_put(store, &file, &id, NULL) != PD_OK)
            return false;
    }
    return true;
}

static bool learn(const char *const *names)
{
    const bool ok =
        make_plan(names, false) == PD_OK && learn_all() && pd_plan_settle(&plan, store, &board, NULL) == PD_OK;
    pd_board_snapshot(&board, &now);
    drop_plan();
    return ok;
}

typedef struct roots {
    size_t n, n_offline;
    int64_t photos;
} roots;

static bool count_root(void *user, const pd_root *root)
{
    roots *r = user;
    r->n++;
    r->n_offline += root->offline;
    r->photos += root->n_photos;
    return true;
}

static roots ask_roots(void)
{
    roots r = { 0 };
    CHECK(pd_store_roots(store, count_root, &r, NULL) == PD_OK);
    return r;
}

static bool make_pictures(const char *folder, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%04u.bmp", folder, i);
        if (!scene_write(name, "x", 1))
            return false;
    }
    return true;
}

static void newest_come_first_and_unchanged_are_left(void)
{
    REQUIRE(begin() && make_pictures("p", 0, 3));
    REQUIRE(scene_touch("p/0001.bmp", 3000) && scene_touch("p/0000.bmp", 2000) && scene_touch("p/0002.bmp", 1000));
    const char *const p[] = { "p", NULL };
    REQUIRE(make_plan(p, false) == PD_OK);
    REQUIRE(plan.n_todo == 3);
    CHECK(strstr(plan.todo[0].path, "0001") && strstr(plan.todo[1].path, "0000") && strstr(plan.todo[2].path, "0002"));
    CHECK(!plan.todo[0].known && now.found == 3);
    CHECK(learn_all());
    drop_plan();

    REQUIRE(scene_touch("p/0000.bmp", 5000) && scene_write("p/0002.bmp", "xx", 2) && scene_touch("p/0002.bmp", 1000));
    REQUIRE(make_plan(p, false) == PD_OK);
    CHECK(plan.n_todo == 2 && now.unchanged == 1); /* one has another time, one another size */
    CHECK(plan.todo[0].known && plan.todo[0].content > 0);
    drop_plan();
    REQUIRE(make_plan(p, true) == PD_OK);
    CHECK(plan.n_todo == 3 && now.unchanged == 0); /* recheck */
    drop_plan();
    end();
}

static void a_sidecar_that_comes_changes_or_goes_makes_work(void)
{
    REQUIRE(begin() && make_pictures("p", 0, 2));
    const char *const p[] = { "p", NULL };
    REQUIRE(learn(p));
    REQUIRE(make_plan(p, false) == PD_OK);
    CHECK(plan.n_todo == 0);
    drop_plan();
    REQUIRE(scene_write("p/0001.xmp", "x", 1) && scene_touch("p/0001.xmp", 1000));
    REQUIRE(make_plan(p, false) == PD_OK && plan.n_todo == 1);
    CHECK(plan.todo[0].refresh && plan.todo[0].known && strstr(plan.todo[0].sidecar, "p/0001.xmp"));
    CHECK(plan.todo[0].sidecar_ns == INT64_C(1000000000000));
    CHECK(learn_all());
    drop_plan();
    REQUIRE(make_plan(p, false) == PD_OK);
    CHECK(plan.n_todo == 0);
    drop_plan();
    REQUIRE(scene_touch("p/0001.xmp", 2000));
    REQUIRE(make_plan(p, false) == PD_OK && plan.n_todo == 1);
    CHECK(plan.todo[0].refresh && learn_all());
    drop_plan();
    REQUIRE(unlink(scene_path("p/0001.xmp")) == 0);
    REQUIRE(make_plan(p, false) == PD_OK && plan.n_todo == 1);
    CHECK(plan.todo[0].refresh && !plan.todo[0].sidecar && !plan.todo[0].sidecar_ns);
    drop_plan();
    end();
}

static void what_older_readers_found_is_found_again(void)
{
    REQUIRE(begin() && make_pictures("p", 0, 1));
    const char *const p[] = { "p", NULL };
    reader_version = 0;
    CHECK(learn(p));
    reader_version = PD_MEDIA_READER_VERSION;
    REQUIRE(make_plan(p, false) == PD_OK && plan.n_todo == 1);
    CHECK(plan.todo[0].refresh && learn_all());
    drop_plan();
    REQUIRE(make_plan(p, false) == PD_OK);
    CHECK(plan.n_todo == 0);
    drop_plan();
    end();
}

static void remembered_errors_are_not_tried_again(void)
{
    REQUIRE(begin() && make_pictures("p", 0, 1));
    const char *const p[] = { "p", NULL };
    REQUIRE(make_plan(p, false) == PD_OK && plan.n_todo == 1);
    const pd_photo_file file = { plan.roots[0].id, plan.todo[0].path, plan.todo[0].bytes, plan.todo[0].mtime_ns, 0, 0 };
    REQUIRE(pd_store_photo_fail(store, &file, PD_ERR_FORMAT, "broken", NULL) == PD_OK);
    drop_plan();
    REQUIRE(make_plan(p, false) == PD_OK);
    CHECK(plan.n_todo == 0 && now.failed == 1 && now.unchanged == 0);
    drop_plan();
    REQUIRE(make_plan(p, true) == PD_OK);
    CHECK(plan.n_todo == 1 && now.failed == 0);
    drop_plan();
    end();
}

static void what_is_gone_is_removed(void)
{
    REQUIRE(begin() && make_pictures("p", 0, 10));
    const char *const p[] = { "p", NULL };
    REQUIRE(learn(p));
    REQUIRE(unlink(scene_path("p/0004.bmp")) == 0);
    REQUIRE(learn(p));
    CHECK(now.removed == 1 && ask_roots().photos == 9 && ask_roots().n_offline == 0);
    end();
}

static void a_few_gone_of_few_are_removed_but_many_at_once_go_offline(void)
{
    const char *const p[] = { "p", NULL };
    REQUIRE(begin() && make_pictures("p", 0, 50));
    REQUIRE(learn(p));
    for (unsigned i = 0; i < 21; i++) {
        char name[32];
        snprintf(name, sizeof name, "p/%04u.bmp", i);
        REQUIRE(unlink(scene_path(name)) == 0);
        if (i == 19) { /* 20 files: 40 %, but not more than 20 */
            REQUIRE(make_plan(p, false) == PD_OK);
            CHECK(plan.n_missing == 20);
            drop_plan();
        }
    }
    REQUIRE(learn(p));
    CHECK(now.removed == 0 && ask_roots().photos == 50 && ask_roots().n_offline == 1);
    pd_log_line line;
    CHECK(pd_board_lines(&board, 0, &line, 1) == 1 && line.level == PD_LOG_WARNING);

    REQUIRE(make_pictures("p", 0, 3)); /* 18 are missing still: the drive is back, some are deleted */
    REQUIRE(learn(p));
    CHECK(now.removed == 18 && ask_roots().photos == 32 && ask_roots().n_offline == 0);
    end();
}

static void many_gone_of_very_many_are_removed(void)
{
    const char *const p[] = { "p", NULL };
    REQUIRE(begin() && make_pictures("p", 0, 150));
    REQUIRE(learn(p));
    for (unsigned i = 0; i < 30; i++) { /* 30 of 150 are 20 %, not more */
        char name[32];
        snprintf(name, sizeof name, "p/%04u.bmp", i);
        REQUIRE(unlink(scene_path(name)) == 0);
    }
    REQUIRE(learn(p));
    CHECK(now.removed == 30 && ask_roots().n_offline == 0);
    end();
}

static void missing_or_empty_root_goes_offline_and_comes_back(void)
{
    const char *const p[] = { "p", NULL };
    REQUIRE(begin() && make_pictures("p", 0, 5));
    REQUIRE(learn(p));
    REQUIRE(rename(scene_path("p"), scene_path("away")) == 0);
    REQUIRE(learn(NULL)); /* every root: named, a missing folder would be an error before */
    CHECK(now.removed == 0 && ask_roots().n_offline == 1 && ask_roots().photos == 5);
    REQUIRE(scene_folder("p")); /* a mount point without its drive */
    REQUIRE(learn(p));
    CHECK(now.removed == 0 && ask_roots().n_offline == 1);
    REQUIRE(rmdir(scene_path("p")) == 0 && rename(scene_path("away"), scene_path("p")) == 0);
    REQUIRE(learn(p));
    CHECK(now.removed == 0 && now.unchanged == 5 && ask_roots().n_offline == 0);
    end();
}

static void a_folder_inside_a_root_belongs_to_it_and_only_it_is_walked(void)
{
    const char *const p[] = { "p", NULL }, *const sub[] = { "p/sub", NULL };
    REQUIRE(begin() && make_pictures("p", 0, 4) && make_pictures("p/sub", 4, 6));
    REQUIRE(learn(p));
    REQUIRE(unlink(scene_path("p/0000.bmp")) == 0 && unlink(scene_path("p/sub/0004.bmp")) == 0);
    REQUIRE(learn(sub));
    CHECK(ask_roots().n == 1 && now.found == 1 && now.removed == 1); /* what is gone outside is not looked at */
    REQUIRE(learn(p));
    CHECK(now.removed == 1 && ask_roots().photos == 4);
    end();
}

static void a_hidden_folder_named_by_the_user_is_a_root_of_its_own(void)
{
    const char *const p[] = { "p", NULL }, *const hidden[] = { "p/.secret", NULL };
    REQUIRE(begin() && make_pictures("p", 0, 2) && make_pictures("p/.secret", 2, 4));
    REQUIRE(learn(p));
    CHECK(now.found == 2);
    REQUIRE(learn(hidden));
    CHECK(now.found == 2 && ask_roots().n == 2);
    REQUIRE(learn(p));
    CHECK(now.removed == 0 && ask_roots().photos == 4); /* the walk of p does not come by, and takes nothing away */
    end();
}

static void a_root_above_others_leaves_their_photos_to_them(void)
{
    const char *const inner[] = { "p/inner", NULL }, *const p[] = { "p", NULL };
    REQUIRE(begin() && make_pictures("p/inner", 0, 3) && make_pictures("p", 3, 5));
    REQUIRE(learn(inner));
    const int64_t id = scene_photo_id(scene_path("catalogue"), scene_path("p/inner/0000.bmp"));
    REQUIRE(learn(p));
    CHECK(ask_roots().n == 2 && now.found == 5 && now.unchanged == 3 && ask_roots().photos == 5);
    CHECK(id > 0 && scene_photo_id(scene_path("catalogue"), scene_path("p/inner/0000.bmp")) == id);
    REQUIRE(rename(scene_path("p/inner"), scene_path("away")) == 0); /* only the inner one's drive is gone */
    REQUIRE(learn(p));
    CHECK(now.removed == 0 && ask_roots().n_offline == 1 && ask_roots().photos == 5);
    end();
}

static void the_same_folder_twice_or_inside_another_is_walked_once(void)
{
    const char *const both[] = { "p/sub", "p", "p", NULL };
    REQUIRE(begin() && make_pictures("p/sub", 0, 2));
    REQUIRE(learn(both));
    CHECK(now.found == 2 && ask_roots().n == 1 && ask_roots().photos == 2);
    end();
}

static void missing_photos_are_found_by_content_unless_their_root_is_absent(void)
{
    const char *const p[] = { "p", NULL };
    REQUIRE(begin() && make_pictures("p", 0, 5) && learn(p));
    REQUIRE(rename(scene_path("p/0002.bmp"), scene_path("p/new.bmp")) == 0);
    REQUIRE(make_plan(p, false) == PD_OK);
    REQUIRE(plan.n_missing == 1);
    pd_missing *missing = pd_plan_find_missing(&plan, plan.missing[0].content);
    CHECK(missing == &plan.missing[0]);
    CHECK(pd_plan_find_missing(&plan, 0) == NULL && pd_plan_find_missing(&plan, 123456) == NULL);
    plan.missing[0].moved = true;
    CHECK(pd_plan_find_missing(&plan, plan.missing[0].content) == NULL);
    drop_plan();
    REQUIRE(rename(scene_path("p"), scene_path("away")) == 0 && scene_folder("p"));
    REQUIRE(make_plan(p, false) == PD_OK);
    CHECK(plan.n_missing == 5 && pd_plan_find_missing(&plan, plan.missing[0].content) == NULL);
    drop_plan();
    end();
}

static void out_of_memory_is_told_and_leaks_nothing(void)
{
    const char *const p[] = { "p", NULL };
    REQUIRE(begin() && make_pictures("p", 0, 3) && learn(p));
    REQUIRE(unlink(scene_path("p/0000.bmp")) == 0 && scene_write("p/more/9.bmp", "x", 1));
    pd_status status = PD_ERR_NOMEM;
    for (size_t nth = 1; status != PD_OK && nth < 500; nth++) {
        const size_t live = pd_mem_live();
        pd_mem_fail_at(nth);
        status = make_plan(p, false);
        pd_mem_fail_at(0);
        CHECK(status == PD_OK || status == PD_ERR_NOMEM);
        if (status == PD_OK)
            CHECK(plan.n_todo == 1 && plan.n_missing == 1);
        drop_plan();
        CHECK(pd_mem_live() == live);
    }
    CHECK(status == PD_OK);
    end();
}

static void cancelled_scan_plans_nothing(void)
{
    const char *folder;
    REQUIRE(begin() && make_pictures("p", 0, 3));
    folder = scene_path("p");
    pd_board_init(&board, PD_SPEED_NORMAL);
    pd_board_cancel(&board);
    const pd_plan_options options = { &folder, 1, model, false, false };
    CHECK(pd_plan_make(&plan, store, &options, &board, NULL) == PD_ERR_CANCELLED);
    drop_plan();
    end();
}

/* Whether the folder is one that is known was not found out: it becomes none of its own either. */
static void a_scan_that_is_cancelled_adds_no_folder_in_place_of_one_that_is_gone(void)
{
    const char *folder;
    REQUIRE(begin() && make_pictures("p", 0, 3));
    CHECK(make_plan((const char *const[]){ "p", NULL }, false) == PD_OK && learn_all());
    drop_plan();
    close_board();
    REQUIRE(rename(scene_path("p"), scene_path("q")) == 0);
    folder = scene_path("q");
    pd_board_init(&board, PD_SPEED_NORMAL);
    has_board = true;
    pd_board_cancel(&board);
    const pd_plan_options options = { &folder, 1, model, false, false };
    CHECK(pd_plan_make(&plan, store, &options, &board, NULL) == PD_ERR_CANCELLED);
    CHECK(ask_roots().n == 1);
    drop_plan();
    end();
}

/* As after a move that was stopped: the root has a new place, longer than the whole path of its photo, which is not
 * there. */
static void a_photo_outside_of_its_root_is_no_part_of_what_moved(void)
{
    char far[2000];
    const char *const names[] = { "q", NULL };
    REQUIRE(begin() && make_pictures("p", 0, 1) && make_pictures("q", 0, 1));
    CHECK(make_plan((const char *const[]){ "p", NULL }, false) == PD_OK && learn_all());
    const int64_t root = plan.roots[0].id;
    drop_plan();
    for (size_t i = 0; i < sizeof far; i++)
        far[i] = i % 100 == 0 ? '/' : 'x';
    far[sizeof far - 1] = '\0';
    CHECK(pd_store_root_move(store, root, far, NULL) == PD_OK);
    CHECK(make_plan(names, false) == PD_OK && plan.n_roots == 2 && !plan.roots[0].was);
    CHECK(scene_photo_id(scene_path("catalogue"), scene_path("p/0000.bmp")) > 0);
    drop_plan();
    end();
}

int main(void)
{
    RUN(newest_come_first_and_unchanged_are_left);
    RUN(a_sidecar_that_comes_changes_or_goes_makes_work);
    RUN(what_older_readers_found_is_found_again);
    RUN(remembered_errors_are_not_tried_again);
    RUN(what_is_gone_is_removed);
    RUN(a_few_gone_of_few_are_removed_but_many_at_once_go_offline);
    RUN(many_gone_of_very_many_are_removed);
    RUN(missing_or_empty_root_goes_offline_and_comes_back);
    RUN(a_folder_inside_a_root_belongs_to_it_and_only_it_is_walked);
    RUN(a_hidden_folder_named_by_the_user_is_a_root_of_its_own);
    RUN(a_root_above_others_leaves_their_photos_to_them);
    RUN(the_same_folder_twice_or_inside_another_is_walked_once);
    RUN(missing_photos_are_found_by_content_unless_their_root_is_absent);
    RUN(out_of_memory_is_told_and_leaks_nothing);
    RUN(cancelled_scan_plans_nothing);
    RUN(a_scan_that_is_cancelled_adds_no_folder_in_place_of_one_that_is_gone);
    RUN(a_photo_outside_of_its_root_is_no_part_of_what_moved);
    return TEST_RESULT();
}
