/* Tags and captions from one end to the other: with the real decoder and the models that ship, on pictures made here.
 * What is written is kept, whatever happens; what the user wrote stays. */
#include <errno.h>
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

static const pd_annotate_options both = { .tags = true, .captions = true };
static const pd_annotate_options captions = { .captions = true };

static const char *picture(unsigned number)
{
    char name[64];
    (void)snprintf(name, sizeof name, "photos/picture-%02u.bmp", number);
    return scene_path(name);
}

/* Pictures from..to - 1, each a day younger than the one before. */
static bool make_pictures(unsigned from, unsigned to)
{
    bool is_made = true;
    for (unsigned i = from; i < to; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "photos/picture-%02u.bmp", i);
        is_made &= scene_picture(name, i) && scene_touch(name, 1500000000 + 86400 * (int64_t)i);
    }
    return is_made;
}

/* A library that has learned n pictures; NULL when that fails. */
static pd_library *learn_scene(unsigned n) { return scene_begin() && make_pictures(0, n) ? learn_all(n) : NULL; }

static pd_annotation_state annotate(pd_library *library, const pd_annotate_options *options)
{
    pd_annotation_state state = { .outcome = PD_ERR_INTERNAL };
    pd_error error = { 0 };
    if (pd_library_annotate(library, options, &error) == PD_OK)
        pd_library_annotate_finish(library, &state);
    else
        fprintf(stderr, "%s\n", error.message);
    if (state.message[0])
        fprintf(stderr, "%s\n", state.message);
    return state;
}

static pd_annotation_state wait_for(pd_library *library, bool (*is_reached)(const pd_annotation_state *state))
{
    pd_annotation_state state = { 0 };
    while (pd_library_annotate_wait(library, state.seq, state.seq ? 20000 : 0, &state) && state.running &&
           !is_reached(&state))
        continue;
    return state;
}

static bool has_written(const pd_annotation_state *state) { return state->captioned > 0; }
static bool is_waiting(const pd_annotation_state *state) { return state->waiting; }

typedef struct known {
    char caption[512], machine[512];
    pd_said_by by;
    size_t n_tags;
    int64_t id;
} known;

static known look_up(pd_library *library, unsigned number)
{
    pd_photo photo;
    pd_work work = { 0 };
    known k = { .id = -1 };
    if (pd_library_show(library, picture(number), &photo, &work, NULL) != PD_OK)
        return k;
    k.id = photo.id;
    k.by = work.caption_by;
    k.n_tags = work.n_tags;
    (void)snprintf(k.caption, sizeof k.caption, "%s", work.caption);
    (void)snprintf(k.machine, sizeof k.machine, "%s", work.caption_machine);
    return k;
}

static bool has_caption(pd_library *library, unsigned number) { return look_up(library, number).machine[0] != '\0'; }

static unsigned count_captions(pd_library *library, unsigned n)
{
    unsigned count = 0;
    for (unsigned i = 0; i < n; i++)
        count += has_caption(library, i);
    return count;
}

static void every_photo_is_written_about_once(void)
{
    enum { N = 7 };
    pd_library *library = learn_scene(N);
    REQUIRE(library);
    pd_annotation_state state;
    CHECK(!pd_library_annotate_look(library, &state));
    state = annotate(library, &both);
    CHECK(state.outcome == PD_OK && state.tagged == N && state.captioned == N && state.failed == 0 && !state.running);
    CHECK(count_captions(library, N) == N && look_up(library, 3).by == PD_SAID_MACHINE);
    state = annotate(library, &both);
    CHECK(state.outcome == PD_OK && state.tagged == 0 && state.captioned == 0);
    CHECK(make_pictures(N, N + 2) && learn(library).learned == 2);
    state = annotate(library, &captions);
    CHECK(state.captioned == 2 && state.tagged == 0 && count_captions(library, N + 2) == N + 2);
    pd_library_close(&library);
}

static void captions_are_off_until_somebody_wants_them(void)
{
    pd_library *library = learn_scene(2);
    REQUIRE(library);
    bool on = true;
    CHECK(pd_library_captions_get(library, &on, NULL) == PD_OK && !on);
    CHECK(pd_library_captions_set(library, true, NULL) == PD_OK);
    CHECK(pd_library_captions_get(library, &on, NULL) == PD_OK && on);
    pd_library_close(&library);
    library = open_library();
    REQUIRE(library);
    CHECK(pd_library_captions_get(library, &on, NULL) == PD_OK && on); /* it outlives the process */
    CHECK(pd_library_captions_set(library, false, NULL) == PD_OK);
    CHECK(pd_library_captions_get(library, &on, NULL) == PD_OK && !on);
    pd_library_close(&library);
}

static bool edit_caption(pd_library *library, int64_t id, const char *text)
{
    const pd_edit edit = { .kind = PD_EDIT_CAPTION, .text = text, .photos = &id, .n_photos = 1 };
    pd_step step = { 0 };
    const bool is_done = pd_library_edit(library, &edit, &step, NULL) == PD_OK && step.photos == 1;
    pd_step_done(&step);
    return is_done;
}

/* A page of hits tells what counts, and who said it. */
static void what_is_found_says_its_caption(void)
{
    pd_library *library = learn_scene(3);
    REQUIRE(library);
    CHECK(annotate(library, &captions).captioned == 3);
    CHECK(edit_caption(library, look_up(library, 1).id, "my own words"));
    CHECK(edit_caption(library, look_up(library, 2).id, ""));
    pd_hits hits = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .text = "sort:date", .n = 3 }, &hits, NULL) == PD_OK);
    REQUIRE(hits.n == 3);
    const pd_hit *machine = &hits.items[0], *user = &hits.items[1], *emptied = &hits.items[2];
    CHECK(machine->caption && machine->caption_by == PD_SAID_MACHINE);
    CHECK(strcmp(machine->caption ? machine->caption : "", look_up(library, 0).machine) == 0);
    CHECK(user->caption && strcmp(user->caption, "my own words") == 0 && user->caption_by == PD_SAID_USER);
    CHECK(!user->caption_doubtful && !emptied->caption && emptied->caption_by == PD_SAID_USER);
    pd_hits_done(&hits);
    pd_library_close(&library);
}

static void what_the_user_writes_while_it_runs_stays(void)
{
    enum { N = 40 };
    pd_library *library = learn_scene(N);
    REQUIRE(library);
    CHECK(edit_caption(library, look_up(library, N - 1).id, "my own words before"));
    CHECK(pd_library_annotate(library, &captions, NULL) == PD_OK);
    const pd_annotation_state state = wait_for(library, has_written);
    CHECK(state.running);
    CHECK(edit_caption(library, look_up(library, 0).id, "my own words")); /* the oldest: still to come */
    CHECK(edit_caption(library, look_up(library, N - 2).id, ""));         /* written about already */
    pd_annotation_state last;
    pd_library_annotate_finish(library, &last);
    CHECK(last.outcome == PD_OK && last.captioned == N);
    CHECK(count_captions(library, N) == N);
    known k = look_up(library, 0);
    CHECK(strcmp(k.caption, "my own words") == 0 && k.by == PD_SAID_USER);
    k = look_up(library, N - 1);
    CHECK(strcmp(k.caption, "my own words before") == 0 && k.by == PD_SAID_USER);
    k = look_up(library, N - 2);
    CHECK(k.caption[0] == '\0' && k.by == PD_SAID_USER);
    pd_library_close(&library);
}

static void killed_at_any_moment_it_goes_on(void)
{
    enum { N = 60, N_KILLS = 5 };
    REQUIRE(begin_unprepared() && make_pictures(0, N));
    pd_library *library = learn_all(N);
    REQUIRE(library);
    pd_library_close(&library);
    unsigned before = 0;
    for (unsigned round = 0; round < N_KILLS; round++) {
        const pid_t child = fork();
        if (child == 0) {
            library = open_library();
            (void)annotate(library, &captions);
            _exit(0);
        }
        const struct timespec moment = { .tv_sec = round / 2, .tv_nsec = (long)(100 + 140 * round) * PD_NS_PER_MS };
        (void)nanosleep(&moment, NULL);
        CHECK(kill(child, SIGKILL) == 0);
        CHECK(waitpid(child, NULL, 0) == child);
        library = open_library();
        REQUIRE(library);
        const unsigned now = count_captions(library, N);
        CHECK(now >= before); /* what was committed is there */
        before = now;
        pd_library_close(&library);
    }
    library = open_library();
    REQUIRE(library);
    const pd_annotation_state rest = annotate(library, &captions);
    CHECK(rest.outcome == PD_OK && rest.captioned == N - (int64_t)before && rest.failed == 0); /* nothing twice */
    CHECK(count_captions(library, N) == N);
    pd_library_close(&library);
}

static void one_writes_for_a_library(void)
{
    pd_library *one = learn_scene(30), *other = open_library();
    REQUIRE(one && other);
    pd_error error = { 0 };
    CHECK(pd_library_annotate(one, &captions, NULL) == PD_OK);
    pd_library_annotate_pause(one, true);
    CHECK(pd_library_annotate(other, &captions, &error) == PD_ERR_BUSY && strstr(error.message, "captions"));
    CHECK(pd_library_annotate(one, &captions, NULL) == PD_ERR_BUSY);
    pd_library_annotate_cancel(one);
    pd_annotation_state state;
    pd_library_annotate_finish(one, &state);
    CHECK(state.outcome == PD_ERR_CANCELLED);
    state = annotate(other, &captions);
    CHECK(state.outcome == PD_OK);
    pd_library_close(&other);
    pd_library_close(&one);
}

static void a_pause_holds_and_a_cancel_keeps(void)
{
    enum { N = 60 };
    pd_library *library = learn_scene(N);
    REQUIRE(library);
    CHECK(pd_library_annotate(library, &captions, NULL) == PD_OK);
    pd_annotation_state state = wait_for(library, has_written), later;
    pd_library_annotate_pause(library, true);
    CHECK(pd_library_annotate_look(library, &state));
    const struct timespec a_second = { .tv_sec = 1 };
    (void)nanosleep(&a_second, NULL); /* what was handed out comes to its end, two for each of the two threads */
    CHECK(pd_library_annotate_look(library, &later) && later.paused && later.running && later.rate <= 0);
    CHECK(later.done <= state.done + 4 && later.captioned < N);
    pd_library_annotate_pause(library, false);
    CHECK(pd_library_annotate_wait(library, later.seq, 20000, &later));
    pd_library_annotate_cancel(library);
    pd_library_annotate_finish(library, &state);
    CHECK(state.outcome == PD_ERR_CANCELLED || state.captioned == N);
    CHECK(count_captions(library, N) == (unsigned)state.captioned);
    pd_library_close(&library);
}

static void what_is_looked_at_comes_first(void)
{
    enum { N = 60 };
    pd_library *library = learn_scene(N);
    REQUIRE(library);
    const int64_t oldest[] = { look_up(library, 2).id, look_up(library, 0).id };
    CHECK(pd_library_annotate(library, &captions, NULL) == PD_OK);
    pd_library_annotate_first(library, oldest, 2);
    pd_annotation_state state = { 0 }; /* one or two may have been begun before it was asked for */
    while (pd_library_annotate_wait(library, state.seq, state.seq ? 20000 : 0, &state) && state.running &&
           !(has_caption(library, 2) && has_caption(library, 0)))
        continue;
    CHECK(state.captioned < N);
    pd_library_annotate_cancel(library);
    pd_library_annotate_finish(library, NULL);
    CHECK(has_caption(library, 2) && has_caption(library, 0) && !has_caption(library, 1));
    pd_library_close(&library);
}

static void a_job_that_learns_goes_first(void)
{
    pd_library *library = learn_scene(4);
    REQUIRE(library);
    CHECK(make_pictures(4, 60));
    const char *const folders[] = { scene_path("photos") };
    const pd_index_options options = { .folders = folders, .n_folders = 1 };
    CHECK(pd_library_index(library, &options, NULL) == PD_OK);
    pd_library_job_pause(library, true);
    CHECK(pd_library_annotate(library, &captions, NULL) == PD_OK);
    pd_annotation_state state = wait_for(library, is_waiting);
    CHECK(state.waiting && state.captioned == 0);
    pd_library_job_pause(library, false);
    pd_library_annotate_finish(library, &state); /* the job ends by itself, and nobody put it away */
    CHECK(state.outcome == PD_OK && state.captioned == 60 && !state.waiting);
    pd_library_job_finish(library, NULL);
    pd_library_close(&library);
}

/* The same size and time, so that nobody learns it anew. */
static bool spoil(unsigned number)
{
    struct stat st;
    char name[64], rubbish[4096];
    (void)snprintf(name, sizeof name, "photos/picture-%02u.bmp", number);
    memset(rubbish, 'x', sizeof rubbish);
    return stat(scene_path(name), &st) == 0 && st.st_size <= (off_t)sizeof rubbish &&
           scene_write(name, rubbish, (size_t)st.st_size) && scene_touch(name, st.st_mtim.tv_sec);
}

static void bad_files_cost_themselves_and_are_not_tried_again(void)
{
    enum { N = 6 };
    pd_library *library = learn_scene(N);
    REQUIRE(library);
    CHECK(spoil(2));
    pd_annotation_state state = annotate(library, &captions);
    CHECK(state.outcome == PD_OK && state.captioned == N - 1 && state.failed == 1);
    state = annotate(library, &captions);
    CHECK(state.outcome == PD_OK && state.captioned == 0 && state.failed == 0 && state.todo == 0);
    pd_library_close(&library);
}

static void a_file_that_is_away_is_tried_again(void)
{
    enum { N = 6 };
    pd_library *library = learn_scene(N);
    REQUIRE(library);
    CHECK(rename(picture(1), scene_path("away.bmp")) == 0);
    pd_annotation_state state = annotate(library, &captions);
    CHECK(state.outcome == PD_OK && state.captioned == N - 1 && count_captions(library, N) == N - 1);
    CHECK(rename(scene_path("away.bmp"), picture(1)) == 0);
    state = annotate(library, &captions);
    CHECK(state.outcome == PD_OK && state.captioned == 1 && count_captions(library, N) == N);
    CHECK(scene_touch("photos/picture-03.bmp", 1400000000)); /* changed: what it is now is not what was learned */
    CHECK(annotate(library, &captions).captioned == 0);
    pd_library_close(&library);
}

static void one_picture_is_described_at_once(void)
{
    pd_library *library = learn_scene(3);
    REQUIRE(library && scene_picture("elsewhere.bmp", 77) && scene_write("none.jpg", "no picture", 10));
    pd_written written;
    pd_error error = { 0 };
    char id[32];
    (void)snprintf(id, sizeof id, "%lld", (long long)look_up(library, 1).id);
    const atomic_bool cancelled = true;
    CHECK(pd_library_describe(library, &(pd_example){ .text = id }, &cancelled, &written, &error) == PD_ERR_CANCELLED);
    CHECK(error.message[0] && !has_caption(library, 1));
    CHECK(pd_library_describe(library, &(pd_example){ .text = id }, NULL, &written, &error) == PD_OK);
    CHECK(written.caption[0] && written.caption_score >= 0 && written.caption_score <= 1);
    CHECK(written.caption_source[0] && written.tags_source[0]);
    CHECK(strcmp(look_up(library, 1).machine, written.caption) == 0 && !has_caption(library, 0));
    CHECK(pd_library_describe(library, &(pd_example){ .text = picture(0) }, NULL, &written, NULL) == PD_OK);
    CHECK(strcmp(look_up(library, 0).machine, written.caption) == 0);
    const pd_annotation_state state = annotate(library, &captions);
    CHECK(state.captioned == 1); /* two were written about already, by the same captioner */
    CHECK(pd_library_describe(library, &(pd_example){ .text = scene_path("elsewhere.bmp") }, NULL, &written, NULL) ==
          PD_OK);
    CHECK(written.caption[0]);
    CHECK(pd_library_describe(library, &(pd_example){ .text = scene_path("none.jpg") }, NULL, &written, &error) !=
          PD_OK);
    CHECK(error.message[0]);
    CHECK(pd_library_describe(library, &(pd_example){ .text = "999999" }, NULL, &written, NULL) == PD_ERR_NO_MATCH);
    CHECK(edit_caption(library, look_up(library, 1).id, "mine"));
    CHECK(pd_library_describe(library, &(pd_example){ .text = id }, NULL, &written, NULL) == PD_OK);
    CHECK(strcmp(look_up(library, 1).caption, "mine") == 0);
    pd_library_close(&library);
}

static void without_a_library_a_file_is_described_all_the_same(void)
{
    REQUIRE(scene_begin() && scene_picture("elsewhere.bmp", 5));
    pd_library *library = open_library();
    REQUIRE(library);
    pd_written written;
    pd_error error = { 0 };
    CHECK(pd_library_describe(library, &(pd_example){ .text = scene_path("elsewhere.bmp") }, NULL, &written, &error) ==
          PD_OK);
    CHECK(written.caption[0] && access(scene_path("data/pixel-detective/catalogue.sqlite"), F_OK) != 0);
    CHECK(pd_library_annotate(library, &both, NULL) == PD_ERR_NO_MATCH);
    pd_library_close(&library);
}

int main(void)
{
    find_program();
    n_threads = 2;
    RUN(every_photo_is_written_about_once);
    RUN(captions_are_off_until_somebody_wants_them);
    RUN(what_is_found_says_its_caption);
    RUN(what_the_user_writes_while_it_runs_stays);
    RUN(killed_at_any_moment_it_goes_on);
    RUN(one_writes_for_a_library);
    RUN(a_pause_holds_and_a_cancel_keeps);
    RUN(what_is_looked_at_comes_first);
    RUN(a_job_that_learns_goes_first);
    RUN(bad_files_cost_themselves_and_are_not_tried_again);
    RUN(a_file_that_is_away_is_tried_again);
    RUN(one_picture_is_described_at_once);
    RUN(without_a_library_a_file_is_described_all_the_same);
    scene_end();
    return TEST_RESULT();
}
