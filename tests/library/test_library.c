/* The product from one end to the other, with the real decoder and the model that ships, on pictures made here. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "library_fixture.h"

static bool make_pictures(unsigned from, unsigned to)
{
    bool is_made = true;
    for (unsigned i = from; i < to; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "photos/%u/picture-%u.bmp", i % 3, i);
        is_made &= scene_picture(name, i);
    }
    return is_made;
}

static bool keep_reason(void *user, const char *path, pd_status why, const char *sentence)
{
    char(*reasons)[512] = user;
    (void)path, (void)why;
    for (size_t i = 0; i < 8; i++)
        if (!reasons[i][0]) {
            (void)snprintf(reasons[i], sizeof reasons[i], "%s", sentence);
            break;
        }
    return true;
}

static void learns_finds_and_learns_nothing_twice(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 10));
    pd_library *library = open_library();
    REQUIRE(library);
    pd_progress done = learn(library);
    CHECK(done.outcome == PD_OK && done.found == 10 && done.learned == 10 && done.failed == 0);
    CHECK(done.fraction >= 1 && done.phase == PD_PHASE_READY && !done.running);
    pd_hits hits = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .text = "a view", .n = 5 }, &hits, NULL) == PD_OK);
    CHECK(hits.n == 5 && hits.total == 10);
    for (size_t i = 1; i < hits.n; i++)
        CHECK(hits.items[i - 1].score >= hits.items[i].score);
    pd_hits_done(&hits);
    done = learn(library);
    CHECK(done.outcome == PD_OK && done.learned == 0 && done.unchanged == 10 && done.todo == 0);
    pd_library_close(&library);
    CHECK(!library);
}

static void a_moved_file_keeps_its_id_and_its_learning(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 4) && scene_folder("photos/new"));
    pd_library *library = open_library();
    REQUIRE(library);
    CHECK(learn(library).learned == 4);
    pd_photo photo;
    CHECK(pd_library_show(library, scene_path("photos/1/picture-1.bmp"), &photo, NULL, NULL) == PD_OK);
    const int64_t id = photo.id;
    CHECK(rename(scene_path("photos/1/picture-1.bmp"), scene_path("photos/new/name.bmp")) == 0);
    const pd_progress done = learn(library);
    CHECK(done.moved == 1 && done.learned == 0 && done.removed == 0);
    CHECK(pd_library_show(library, scene_path("photos/new/name.bmp"), &photo, NULL, NULL) == PD_OK);
    CHECK(photo.id == id && photo.learned_model);
    CHECK(pd_library_show(library, scene_path("photos/1/picture-1.bmp"), &photo, NULL, NULL) == PD_ERR_NO_MATCH);
    pd_library_close(&library);
}

static void bad_files_cost_themselves(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 3));
    CHECK(scene_write("photos/archive.jpg", "PK\3\4not a picture at all", 25));
    CHECK(scene_write("photos/cut.png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", 18));
    CHECK(scene_write("photos/empty.jpg", "", 0));
    CHECK(mkfifo(scene_path("photos/pipe.jpg"), 0600) == 0);
    CHECK(symlink("/dev/zero", scene_path("photos/zero.jpg")) == 0);
    pd_library *library = open_library();
    REQUIRE(library);
    pd_progress done = learn(library);
    CHECK(done.outcome == PD_ERR_PARTIAL && done.learned == 3 && done.failed == 3);
    char reasons[8][512] = { { 0 } };
    CHECK(pd_library_errors(library, NULL, 0, keep_reason, reasons, NULL) == PD_OK);
    for (size_t i = 0; i < 3; i++)
        CHECK(strlen(reasons[i]) > 10);
    CHECK(!reasons[3][0]);
    done = learn(library); /* remembered, not tried again */
    CHECK(done.todo == 0 && done.learned == 0);
    pd_library_close(&library);
}

static void a_second_learner_is_told_who_learns(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 40));
    pd_library *first = open_library(), *second = open_library();
    REQUIRE(first && second);
    const char *const folders[] = { scene_path("photos") };
    const pd_index_options options = { .folders = folders, .n_folders = 1 };
    pd_error error = { 0 };
    CHECK(pd_library_index(first, &options, NULL) == PD_OK);
    pd_library_job_pause(first, true);
    CHECK(pd_library_index(second, &options, &error) == PD_ERR_BUSY);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
    CHECK(strstr(error.message, pid) != NULL);
    pd_library_job_pause(first, false);
    pd_progress done;
    pd_library_job_finish(first, &done);
    CHECK(done.learned == 40);
    CHECK(pd_library_index(second, &options, NULL) == PD_OK);
    pd_library_job_finish(second, &done);
    CHECK(done.learned == 0 && done.unchanged == 40);
    pd_library_close(&second);
    pd_library_close(&first);
}

static void a_cancelled_job_keeps_what_it_has(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 60));
    pd_library *library = open_library();
    REQUIRE(library);
    const char *const folders[] = { scene_path("photos") };
    const pd_index_options options = { .folders = folders, .n_folders = 1 };
    CHECK(pd_library_index(library, &options, NULL) == PD_OK);
    pd_progress now = { 0 };
    double fraction = 0;
    while (pd_library_job_wait(library, now.seq, 5000, &now) && now.running && now.done < 5) {
        CHECK(now.fraction >= fraction && (now.eta_s >= 0 || now.eta_s == -1));
        CHECK(now.done <= now.todo && now.learned + now.unchanged + now.moved + now.failed <= now.found);
        fraction = now.fraction;
    }
    pd_library_job_cancel(library);
    pd_library_job_finish(library, &now);
    CHECK(now.outcome == PD_ERR_CANCELLED || now.learned == 60);
    const int64_t first = now.learned;
    const pd_progress rest = learn(library);
    CHECK(rest.outcome == PD_OK && first + rest.learned == 60);
    pd_library_close(&library);
}

static void killed_at_any_moment_it_goes_on(void)
{
    enum { N_PICTURES = 48, N_KILLS = 6 };
    REQUIRE(begin_unprepared() && make_pictures(0, N_PICTURES));
    for (unsigned round = 0; round < N_KILLS; round++) {
        const pid_t child = fork();
        if (child == 0) {
            pd_library *library = open_library();
            (void)learn(library);
            _exit(0);
        }
        const struct timespec moment = { .tv_nsec = (long)(30 + 70 * round) * PD_NS_PER_MS };
        (void)nanosleep(&moment, NULL);
        CHECK(kill(child, SIGKILL) == 0);
        CHECK(waitpid(child, NULL, 0) == child);
    }
    pd_library *library = open_library();
    REQUIRE(library);
    const pd_progress done = learn(library);
    CHECK(done.outcome == PD_OK && done.learned + done.unchanged == N_PICTURES && done.failed == 0);
    pd_library_status status;
    CHECK(pd_library_status_get(library, &status, NULL) == PD_OK);
    CHECK(status.files == N_PICTURES && status.learned == N_PICTURES && status.errors == 0);
    pd_hits hits = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .text = "a view", .n = N_PICTURES + 10 }, &hits, NULL) == PD_OK);
    CHECK(hits.n == N_PICTURES);
    pd_hits_done(&hits);
    pd_library_close(&library);
}

static void similar_leaves_the_example_out(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 6) && scene_picture("elsewhere.bmp", 2));
    pd_library *library = open_library();
    REQUIRE(library);
    CHECK(learn(library).learned == 6);
    const pd_example known = { .text = scene_path("photos/2/picture-2.bmp") };
    pd_hits hits = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .examples = &known, .n_examples = 1, .n = 10 }, &hits, NULL) ==
          PD_OK);
    CHECK(hits.n == 5);
    for (size_t i = 0; i < hits.n; i++)
        CHECK(strcmp(hits.items[i].path, known.text) != 0);
    pd_hits_done(&hits);
    const pd_example unknown = { .text = scene_path("elsewhere.bmp") }; /* the same bytes as picture-2 */
    CHECK(pd_library_find(library, &(pd_question){ .examples = &unknown, .n_examples = 1, .n = 10 }, &hits, NULL) ==
          PD_OK);
    CHECK(hits.n == 6 && strcmp(hits.items[0].path, known.text) == 0 && hits.items[0].score > 0.999F);
    pd_hits_done(&hits);
    pd_library_close(&library);
}

static void damaged_vectors_are_made_again(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 5));
    pd_library *library = open_library();
    REQUIRE(library);
    CHECK(learn(library).learned == 5);
    pd_library_close(&library);
    char command[4200];
    (void)snprintf(command, sizeof command, "find '%s' -path '*vectors*' -type f -exec truncate -s 100 {} +",
                   scene_path("data"));
    CHECK(system(command) == 0);
    library = open_library();
    REQUIRE(library);
    pd_hits hits = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .text = "a view", .n = 10 }, &hits, NULL) == PD_OK);
    CHECK(hits.n == 5);
    pd_hits_done(&hits);
    pd_library_close(&library);
}

static void search_answers_while_it_learns(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 300));
    pd_library *library = open_library();
    REQUIRE(library);
    const char *const folders[] = { scene_path("photos") };
    const pd_index_options options = { .folders = folders, .n_folders = 1 };
    CHECK(pd_library_index(library, &options, NULL) == PD_OK);
    pd_progress now = { 0 };
    while (pd_library_job_wait(library, now.seq, 5000, &now) && now.running && now.learned < 64)
        continue;
    pd_library_job_pause(library, true);
    pd_hits hits = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .text = "a view", .n = 5 }, &hits, NULL) == PD_OK);
    CHECK(hits.n == 5 && hits.total >= 64 && hits.total < 300);
    pd_hits_done(&hits);
    pd_library_job_pause(library, false);
    pd_library_job_finish(library, &now);
    CHECK(now.learned == 300);
    CHECK(pd_library_find(library, &(pd_question){ .text = "a view", .n = 5 }, &hits, NULL) == PD_OK);
    CHECK(hits.total == 300); /* the same handle sees what came since */
    pd_hits_done(&hits);
    pd_library_close(&library);
}

static void a_root_that_lost_much_is_offline_and_not_forgotten(void)
{
    enum { N_PICTURES = 30 };
    REQUIRE(scene_begin() && make_pictures(0, N_PICTURES));
    pd_library *library = open_library();
    REQUIRE(library);
    CHECK(learn(library).learned == N_PICTURES);
    CHECK(unlink(scene_path("photos/0/picture-0.bmp")) == 0);
    CHECK(learn(library).removed == 1); /* one file: deleted by its owner */
    CHECK(rename(scene_path("photos/0"), scene_path("away-0")) == 0);
    CHECK(rename(scene_path("photos/1"), scene_path("away-1")) == 0);
    CHECK(rename(scene_path("photos/2"), scene_path("away-2")) == 0);
    CHECK(learn(library).removed == 0); /* all of them: a disk that is not there */
    pd_library_status status;
    CHECK(pd_library_status_get(library, &status, NULL) == PD_OK);
    CHECK(status.files == N_PICTURES - 1 && status.offline == N_PICTURES - 1);
    CHECK(rename(scene_path("away-0"), scene_path("photos/0")) == 0);
    CHECK(rename(scene_path("away-1"), scene_path("photos/1")) == 0);
    CHECK(rename(scene_path("away-2"), scene_path("photos/2")) == 0);
    const pd_progress back = learn(library);
    CHECK(back.learned == 0 && back.unchanged == N_PICTURES - 1);
    CHECK(pd_library_status_get(library, &status, NULL) == PD_OK && status.offline == 0);
    pd_library_close(&library);
}

static void a_library_of_nothing_says_so(void)
{
    REQUIRE(scene_begin());
    pd_library *library = open_library();
    REQUIRE(library);
    pd_hits hits = { 0 };
    pd_error error = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .text = "a dog", .n = 5 }, &hits, &error) == PD_ERR_NO_MATCH);
    CHECK(strstr(error.message, "index") != NULL);
    pd_library_status status;
    error = (pd_error){ 0 };
    CHECK(pd_library_status_get(library, &status, &error) == PD_OK && status.files == 0);
    CHECK(pd_library_errors(library, NULL, 0, keep_reason, NULL, &error) == PD_OK);
    CHECK(!error.message[0]); /* that there is nothing yet is no error */
    const char *const folders[] = { scene_path("nowhere") };
    const pd_index_options options = { .folders = folders, .n_folders = 1 };
    CHECK(pd_library_index(library, &options, &error) == PD_ERR_NOT_FOUND);
    pd_library_close(&library);
}

int main(void)
{
    find_program();
    RUN(learns_finds_and_learns_nothing_twice);
    RUN(a_moved_file_keeps_its_id_and_its_learning);
    RUN(bad_files_cost_themselves);
    RUN(a_second_learner_is_told_who_learns);
    RUN(a_cancelled_job_keeps_what_it_has);
    RUN(killed_at_any_moment_it_goes_on);
    RUN(similar_leaves_the_example_out);
    RUN(damaged_vectors_are_made_again);
    RUN(search_answers_while_it_learns);
    RUN(a_root_that_lost_much_is_offline_and_not_forgotten);
    RUN(a_library_of_nothing_says_so);
    scene_end();
    return TEST_RESULT();
}
