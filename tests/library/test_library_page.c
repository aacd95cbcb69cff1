/* What a page needs of the library: windows, browsing, pictures to show, counts that cost nothing, many hands at once.
 */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "library_fixture.h"
#include "media/media.h"

static bool make_pictures(unsigned from, unsigned to)
{
    bool is_made = true;
    for (unsigned i = from; i < to; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "photos/%u/picture-%u.bmp", i % 3, i);
        is_made &= scene_picture(name, i) && scene_touch(name, 1000000000 + i / 2 * 86400);
    }
    return is_made;
}

static pd_library *learn_scene(unsigned n) { return scene_begin() && make_pictures(0, n) ? learn_all(n) : NULL; }

static bool is_same_hit(const pd_hit *a, const pd_hit *b)
{
    return a->id == b->id && strcmp(a->path, b->path) == 0 && strcmp(a->taken, b->taken) == 0 &&
           (a->score == b->score || (isnan(a->score) && isnan(b->score))) && a->width == b->width &&
           a->height == b->height;
}

typedef enum asking { SEARCH, SIMILAR, BROWSE, ASKING_COUNT } asking;

static pd_status ask(pd_library *library, asking what, pd_question window, pd_hits *ret_hits)
{
    const pd_example example = { .text = "1", .fd = -1 };
    if (what == SEARCH)
        window.text = "a view";
    if (what == SIMILAR) {
        window.examples = &example;
        window.n_examples = 1;
    }
    return pd_library_find(library, &window, ret_hits, NULL);
}

static bool is_in_order(const pd_hit *a, const pd_hit *b, pd_order order)
{
    if (a->match >= 50 && b->match < 50)
        return true; /* strong ones come first in every order */
    if (order == PD_ORDER_NAME) {
        const int names = strcmp(pd_path_name(a->path), pd_path_name(b->path));
        return names < 0 || (names == 0 && a->id < b->id);
    }
    return order != PD_ORDER_SCORE || isnan(a->score) || a->score > b->score || (a->score == b->score && a->id < b->id);
}

/* Page by page is what one long list is, in every order of every question. */
static void pages_put_together_are_the_long_list(void)
{
    enum { N = 23, PAGE = 5 };
    pd_library *library = learn_scene(N);
    REQUIRE(library);
    for (int what = SEARCH; what < ASKING_COUNT; what++)
        for (int order = PD_ORDER_SCORE; order <= PD_ORDER_NAME; order++) {
            pd_hits all = { 0 };
            REQUIRE(ask(library, (asking)what, (pd_question){ .n = 100, .order = (pd_order)order }, &all) == PD_OK);
            const int64_t total = what == SIMILAR ? N - 1 : N;
            CHECK(all.total == total && (int64_t)all.n == total);
            for (size_t i = 1; i < all.n; i++)
                CHECK(is_in_order(&all.items[i - 1], &all.items[i], (pd_order)order));
            size_t seen = 0;
            for (size_t offset = 0; offset < N + PAGE; offset += PAGE) {
                pd_hits page = { 0 };
                const pd_question window = { .offset = offset, .n = PAGE, .order = (pd_order)order };
                CHECK(ask(library, (asking)what, window, &page) == PD_OK && page.total == total);
                for (size_t i = 0; i < page.n; i++, seen++)
                    CHECK(seen < all.n && is_same_hit(&page.items[i], &all.items[seen]));
                pd_hits_done(&page);
            }
            CHECK(seen == all.n);
            pd_hits_done(&all);
        }
    pd_hits hits = { 0 };
    for (int what = SEARCH; what < ASKING_COUNT; what++) {
        CHECK(ask(library, (asking)what, (pd_question){ .n = PD_LIBRARY_WINDOW_MAX + 1 }, &hits) == PD_ERR_LIMIT);
        CHECK(ask(library, (asking)what, (pd_question){ .offset = SIZE_MAX, .n = 2 }, &hits) == PD_OK && hits.n == 0);
        pd_hits_done(&hits);
        CHECK(ask(library, (asking)what, (pd_question){ .n = 0 }, &hits) == PD_OK && hits.n == 0 && hits.total > 0);
        pd_hits_done(&hits);
    }
    pd_library_close(&library);
}

/* Two pictures share each time: the lower id comes first in either direction. */
static void browsing_is_by_time_with_ties_by_id(void)
{
    enum { N = 10 };
    pd_library *library = learn_scene(N);
    REQUIRE(library);
    CHECK(scene_write("photos/broken.jpg", "no picture", 10) && learn(library).failed == 1);
    pd_hits newest = { 0 }, oldest = { 0 }, preset = { 0 };
    CHECK(ask(library, BROWSE, (pd_question){ .n = 50, .order = PD_ORDER_NEWEST }, &newest) == PD_OK);
    CHECK(ask(library, BROWSE, (pd_question){ .n = 50, .order = PD_ORDER_OLDEST }, &oldest) == PD_OK);
    CHECK(ask(library, BROWSE, (pd_question){ .n = 50 }, &preset) == PD_OK);
    REQUIRE(newest.n == N && oldest.n == N && preset.n == N &&
            newest.total == N); /* what is broken was never decoded */
    for (size_t i = 0; i < N; i++) {
        CHECK(is_same_hit(&newest.items[i], &oldest.items[N - 2 + i % 2 - i + i % 2]) &&
              is_same_hit(&newest.items[i], &preset.items[i]));
        CHECK(isnan(newest.items[i].score) && newest.items[i].width == 32 && newest.items[i].height == 24);
        struct stat st, before;
        CHECK(stat(newest.items[i].path, &st) == 0);
        CHECK(i == 0 || (stat(newest.items[i - 1].path, &before) == 0 && before.st_mtime >= st.st_mtime));
        CHECK(i == 0 || before.st_mtime > st.st_mtime || newest.items[i - 1].id < newest.items[i].id);
    }
    pd_hits_done(&newest);
    pd_hits_done(&oldest);
    pd_hits_done(&preset);
    pd_library_close(&library);
}

static void an_open_picture_is_an_example_like_a_path(void)
{
    pd_library *library = learn_scene(12);
    REQUIRE(library && scene_picture("elsewhere.bmp", 500));
    const pd_example by_path = { .text = scene_path("elsewhere.bmp"), .fd = -1 };
    const int fd = open(by_path.text, O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    const pd_example by_fd = { .fd = fd };
    pd_hits a = { 0 }, b = { 0 };
    CHECK(pd_library_find(library, &(pd_question){ .examples = &by_path, .n_examples = 1, .n = 20 }, &a, NULL) ==
              PD_OK &&
          a.n == 12);
    CHECK(pd_library_find(library, &(pd_question){ .examples = &by_fd, .n_examples = 1, .n = 20 }, &b, NULL) == PD_OK &&
          b.n == 12);
    for (size_t i = 0; i < a.n && i < b.n; i++)
        CHECK(is_same_hit(&a.items[i], &b.items[i]));
    pd_hits_done(&a);
    pd_hits_done(&b);
    CHECK(fcntl(fd, F_GETFD) >= 0); /* it stayed ours */
    close(fd);
    REQUIRE(scene_write("junk", "no picture at all", 17));
    const int junk = open(scene_path("junk"), O_RDONLY | O_CLOEXEC);
    pd_error error = { 0 };
    const pd_example junk_example = { .fd = junk };
    CHECK(pd_library_find(library, &(pd_question){ .examples = &junk_example, .n_examples = 1 }, &a, &error) ==
          PD_ERR_FORMAT);
    CHECK(error.message[0]);
    close(junk);
    pd_library_close(&library);
}

static int64_t id_of(pd_library *library, const char *name)
{
    pd_photo photo = { 0 };
    CHECK(pd_library_show(library, scene_path(name), &photo, NULL, NULL) == PD_OK);
    return photo.id;
}

static bool has_bytes(const pd_rendition *r, size_t at, const char *bytes, size_t n)
{
    char got[16] = "";
    struct stat st;
    return fstat(r->fd, &st) == 0 && (int64_t)st.st_size == r->bytes && pread(r->fd, got, n, (off_t)at) == (ssize_t)n &&
           memcmp(got, bytes, n) == 0;
}

static void a_thumbnail_comes_from_the_cache_and_is_made_again(void)
{
    pd_library *library = learn_scene(3);
    REQUIRE(library);
    const int64_t id = id_of(library, "photos/1/picture-1.bmp");
    pd_rendition first = { .fd = -1 }, again = { .fd = -1 };
    REQUIRE(pd_library_rendition(library, id, 0, NULL, &first, NULL) == PD_OK);
    CHECK(strcmp(first.mime, "image/webp") == 0 && has_bytes(&first, 8, "WEBP", 4));
    CHECK(strlen(first.tag) > 64);
    close(first.fd);
    CHECK(pd_library_rendition(library, id, 0, first.tag, &again, NULL) == PD_OK && again.fd == -1);
    CHECK(strcmp(again.tag, first.tag) == 0);
    char command[4200];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", scene_path("cache/pixel-detective/thumbs"));
    CHECK(system(command) == 0);
    REQUIRE(pd_library_rendition(library, id, 0, "another tag", &again, NULL) == PD_OK && again.fd >= 0);
    CHECK(again.bytes == first.bytes && has_bytes(&again, 8, "WEBP", 4));
    close(again.fd);
    /* a cache that cannot be written: shown all the same */
    CHECK(system(command) == 0 && scene_write("cache/pixel-detective/thumbs", "a file in the way", 17));
    REQUIRE(pd_library_rendition(library, id, 0, NULL, &again, NULL) == PD_OK && again.fd >= 0);
    CHECK(again.bytes == first.bytes && has_bytes(&again, 8, "WEBP", 4));
    close(again.fd);
    CHECK(pd_library_rendition(library, 999, 0, NULL, &again, NULL) == PD_ERR_NO_MATCH);
    pd_library_close(&library);
}

static void a_view_is_made_once_and_kept(void)
{
    pd_library *library = learn_scene(3);
    REQUIRE(library);
    const int64_t id = id_of(library, "photos/1/picture-1.bmp");
    pd_rendition first = { .fd = -1 }, again = { .fd = -1 };
    pd_error error = { 0 };
    const pd_status status = pd_library_rendition(library, id, 2048, NULL, &first, &error);
    if (status != PD_OK)
        fprintf(stderr, "%s\n", error.message);
    REQUIRE(status == PD_OK);
    CHECK(strcmp(first.mime, "image/jpeg") == 0 && has_bytes(&first, 0, "\xff\xd8\xff", 3));
    close(first.fd);
    CHECK(unlink(scene_path("photos/1/picture-1.bmp")) == 0); /* the cache needs no original */
    CHECK(pd_library_rendition(library, id, 2048, NULL, &again, NULL) == PD_OK && again.bytes == first.bytes);
    close(again.fd);
    CHECK(pd_library_rendition(library, id, 2048, first.tag, &again, NULL) == PD_OK && again.fd == -1);
    CHECK(pd_library_rendition(library, id, 640, first.tag, &again, &error) == PD_ERR_NOT_FOUND); /* another size */
    CHECK(strstr(error.message, "not there"));
    CHECK(pd_library_rendition(library, id, 0, NULL, &again, NULL) == PD_OK); /* offline, and still to be seen */
    close(again.fd);
    CHECK(pd_library_rendition(library, id, PD_MEDIA_RENDITION_SIDE_MAX + 1, NULL, &again, NULL) == PD_ERR_LIMIT);
    pd_library_close(&library);
}

static void a_link_out_of_the_root_is_refused(void)
{
    pd_library *library = learn_scene(6);
    REQUIRE(library && scene_picture("secret/picture-1.bmp", 1) && scene_picture("secret/picture-4.bmp", 4));
    const int64_t file = id_of(library, "photos/1/picture-1.bmp"), folder = id_of(library, "photos/1/picture-4.bmp");
    const int64_t inner = id_of(library, "photos/2/picture-2.bmp");
    pd_rendition r = { .fd = -1 };
    pd_error error = { 0 };
    /* the file itself has become a link to the same bytes elsewhere */
    CHECK(unlink(scene_path("photos/1/picture-1.bmp")) == 0);
    CHECK(symlink(scene_path("secret/picture-1.bmp"), scene_path("photos/1/picture-1.bmp")) == 0);
    CHECK(pd_library_rendition(library, file, 640, NULL, &r, &error) == PD_ERR_NOT_FOUND);
    CHECK(strstr(error.message, "leads out of"));
    /* its folder has */
    CHECK(rename(scene_path("photos/1"), scene_path("was-1")) == 0);
    CHECK(symlink(scene_path("secret"), scene_path("photos/1")) == 0);
    CHECK(pd_library_rendition(library, folder, 640, NULL, &r, &error) == PD_ERR_NOT_FOUND);
    /* another picture than the one that was learned */
    CHECK(scene_picture("photos/2/picture-2.bmp", 99));
    CHECK(pd_library_rendition(library, inner, 640, NULL, &r, &error) == PD_ERR_NOT_FOUND);
    CHECK(strstr(error.message, "changed after"));
    /* the same one under a new time */
    CHECK(scene_picture("photos/2/picture-2.bmp", 2) && scene_touch("photos/2/picture-2.bmp", 1));
    CHECK(pd_library_rendition(library, inner, 640, NULL, &r, NULL) == PD_OK);
    close(r.fd);
    pd_library_close(&library);
}

static int64_t views_bytes(void)
{
    char command[4200], text[64] = "";
    (void)snprintf(command, sizeof command, "find '%s' -type f -printf '%%s\\n' | awk '{s+=$1} END {print s+0}'",
                   scene_path("cache/pixel-detective/views"));
    FILE *pipe = popen(command, "r");
    if (!pipe || !fgets(text, sizeof text, pipe))
        text[0] = '\0';
    if (pipe)
        pclose(pipe);
    return strtoll(text, NULL, 10);
}

static void the_cache_of_views_is_bounded(void)
{
    enum { N = 24 };
    pd_library *library = learn_scene(N);
    REQUIRE(library);
    pd_library_close(&library);
    pd_library_options options = options_of("data");
    options.views_bytes_max = 6000;
    library = open_with(&options);
    REQUIRE(library);
    int64_t made = 0;
    char last[96] = "";
    for (int64_t id = 1; id <= N; id++) {
        pd_rendition r = { .fd = -1 };
        REQUIRE(pd_library_rendition(library, id, 400, NULL, &r, NULL) == PD_OK);
        made += r.bytes;
        (void)snprintf(last, sizeof last, "%.64s", r.tag);
        close(r.fd);
        CHECK(views_bytes() <= 6000);
    }
    CHECK(made > 2 * 6000);
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/%.2s/%s-400.jpg", scene_path("cache/pixel-detective/views"), last, last);
    CHECK(access(path, F_OK) == 0); /* the newest stayed */
    pd_library_close(&library);
}

static void counts_are_cheap_and_right(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 8) && scene_write("photos/broken.jpg", "no picture", 10));
    pd_library *library = open_library();
    REQUIRE(library);
    pd_library_totals t = { .files = -1 };
    CHECK(pd_library_totals_get(library, &t, NULL) == PD_OK && t.files == 0 && strcmp(t.model_state, "cold") == 0);
    CHECK(pd_library_prepare_catalogue(library, NULL) == PD_OK); /* there is none: nothing to prepare */
    CHECK(learn(library).learned == 8);
    CHECK(pd_library_totals_get(library, &t, NULL) == PD_OK);
    CHECK(t.files == 9 && t.learned == 8 && t.errors == 1 && t.offline == 0 &&
          strcmp(t.model_state, "ready") == 0); /* the image tower, still there */
    CHECK(pd_library_prepare_catalogue(library, NULL) == PD_OK && pd_library_prepare_model(library, NULL) == PD_OK);
    CHECK(pd_library_totals_get(library, &t, NULL) == PD_OK && t.learned == 8 && !strcmp(t.model_state, "ready"));
    const int64_t start_ns = pd_clock_ns();
    for (int i = 0; i < 1000; i++)
        CHECK(pd_library_totals_get(library, &t, NULL) == PD_OK);
    const double each_us = (double)(pd_clock_ns() - start_ns) / 1e6;
    printf("# totals: %.0f us\n", each_us); /* measured 20: told, not judged */
    pd_library_close(&library);
}

static void the_log_outlives_the_job(void)
{
    REQUIRE(scene_begin() && make_pictures(0, 4));
    pd_library *library = open_library();
    REQUIRE(library);
    static pd_log_line lines[PD_JOB_LOG_LINES];
    CHECK(pd_library_job_log(library, 0, lines, PD_JOB_LOG_LINES) == 0);
    CHECK(learn(library).learned == 4);
    const size_t n = pd_library_job_log(library, 0, lines, PD_JOB_LOG_LINES);
    CHECK(n > 2 && lines[0].number == 1 && lines[n - 1].number == n && strstr(lines[n - 1].text, "finished"));
    CHECK(pd_library_job_log(library, n - 2, lines, PD_JOB_LOG_LINES) == 2 && lines[0].number == n - 1);
    CHECK(pd_library_job_log(library, 0, lines, 1) == 1 && lines[0].number == n);
    CHECK(pd_library_job_log(library, n, lines, 1) == 0);
    CHECK(learn(library).learned == 0);
    CHECK(pd_library_job_log(library, 0, lines, PD_JOB_LOG_LINES) > 0 && lines[0].number == 1); /* a new job's own */
    pd_library_job_pause(library, true); /* nothing to pause or to speed up any more: no harm */
    pd_library_job_speed(library, PD_SPEED_GENTLE);
    pd_library_close(&library);
}

static void an_old_catalogue_is_brought_up_to_date_when_nobody_learns(void)
{
    pd_library *library = learn_scene(5), *other = NULL;
    REQUIRE(library);
    pd_library_close(&library);
    char command[4200];
    (void)snprintf(
        command, sizeof command,
        "python3 -c \"import sqlite3,sys; d=sqlite3.connect(sys.argv[1], isolation_level=None);"
        "[d.execute('DROP TRIGGER '+t) for t in 'photo_gone photo_came photo_read content_written"
        " photo_came_written photo_read_written'.split()]; d.execute('DROP INDEX photo_machine');"
        "[d.execute('DROP TABLE '+t) for t in 'photo_fts name_fts photo_label label photo_change history"
        " saved step_undo step machine_text machine_source setting album_work album work_tag work identity'.split()];"
        "[d.execute('ALTER TABLE '+t+' DROP COLUMN '+c+'_source') for t in ('photo','content')"
        " for c in ('tag','caption')];"
        "[d.execute('ALTER TABLE content DROP COLUMN '+c) for c in"
        " 'subsec focal35_mm flash white_balance rating reader sharpness colours'.split()];"
        "[d.execute(s) for s in ('ALTER TABLE photo DROP COLUMN sidecar_ns','DROP TABLE content_text',"
        "'DROP INDEX photo_time','DROP INDEX photo_name','PRAGMA user_version=1')]\""
        " '%s'",
        scene_path("data/pixel-detective/catalogue.sqlite"));
    REQUIRE(system(command) == 0);
    REQUIRE(make_pictures(5, 400));
    library = open_library();
    other = open_library();
    REQUIRE(library && other);
    pd_hits hits = { 0 };
    CHECK(ask(library, BROWSE, (pd_question){ .n = 3 }, &hits) == PD_OK && hits.n == 3 && hits.total == 5);
    pd_hits_done(&hits);
    pd_store *store = NULL;
    REQUIRE(pd_store_open(&store, scene_path("data/pixel-detective/catalogue.sqlite"), PD_STORE_READ, NULL) == PD_OK);
    CHECK(pd_store_is_current(store));
    pd_store_close(&store);
    pd_library_close(&other);
    pd_library_close(&library);
}

typedef struct crowd {
    pd_library *library;
    const char *example;
    atomic_bool stop;
    atomic_uint n_asked, n_failed;
} crowd;

static void ask_one(crowd *c, unsigned turn)
{
    pd_hits hits = { 0 };
    pd_rendition r = { .fd = -1 };
    pd_library_totals totals;
    static const char *const words[] = { "a dog", "red", "the sea", "stripes" };
    pd_question question = { .offset = turn % 3, .n = 5, .order = (pd_order)(1 + turn % 4) };
    pd_status status = PD_OK;
    switch (turn % 5) {
    case 0: status = pd_library_find(c->library, &question, &hits, NULL); break;
    case 1: status = pd_library_rendition(c->library, 1 + turn % 4, turn % 2 ? 0 : 320, NULL, &r, NULL); break;
    case 2: status = pd_library_totals_get(c->library, &totals, NULL); break;
    case 3: {
        const int fd = open(c->example, O_RDONLY | O_CLOEXEC);
        const pd_example example = { .fd = fd };
        question.examples = &example;
        question.n_examples = 1;
        status = pd_library_find(c->library, &question, &hits, NULL);
        close(fd);
        break;
    }
    default:
        question.text = words[turn % 4];
        status = pd_library_find(c->library, &question, &hits, NULL);
        break;
    }
    pd_hits_done(&hits);
    if (r.fd >= 0)
        close(r.fd);
    atomic_fetch_add(&c->n_asked, 1);
    atomic_fetch_add(&c->n_failed, status != PD_OK);
}

static void *ask_again_and_again(void *user)
{
    crowd *c = user;
    for (unsigned turn = 0; !atomic_load(&c->stop); turn++)
        ask_one(c, turn + (unsigned)(uintptr_t)pthread_self() / 4096);
    return NULL;
}

/* Eight threads ask everything while a job learns, the model is prepared by one more, and the job is played with. */
static void many_ask_beside_a_job(void)
{
    enum { N = TEST_SANITIZED ? 60 : 260, N_THREADS = 8 };
    pd_library *library = learn_scene(10);
    REQUIRE(library && make_pictures(10, N) && scene_picture("elsewhere.bmp", 3000));
    pd_library_close(&library);
    library = open_library();
    REQUIRE(library && begin_learning(library, &(pd_index_options){ .speed = PD_SPEED_NORMAL }) == PD_OK);
    crowd c = { .library = library, .example = scene_path("elsewhere.bmp") };
    pthread_t threads[N_THREADS];
    for (int i = 0; i < N_THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, ask_again_and_again, &c) == 0);
    CHECK(pd_library_prepare_model(library, NULL) == PD_OK);
    pd_progress now = { 0 };
    for (unsigned i = 0; pd_library_job_wait(library, now.seq, 500, &now) && now.running; i++) {
        pd_library_job_speed(library, i % 16 == 7 ? PD_SPEED_FULL : i % 16 == 15 ? PD_SPEED_NORMAL : now.speed);
        pd_library_job_pause(library, i % 32 == 30);
    }
    pd_library_job_finish(library, &now);
    atomic_store(&c.stop, true);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("# %u questions\n", atomic_load(&c.n_asked));
    CHECK(atomic_load(&c.n_asked) > 50 && atomic_load(&c.n_failed) == 0);
    CHECK(now.outcome == PD_OK && now.learned == N - 10 && now.unchanged == 10);
    pd_library_close(&library);
}

/* Every allocation may fail: an error, nothing left behind, and the library works afterwards. */
static void everything_survives_a_lack_of_memory(void)
{
    pd_library *library = learn_scene(4);
    REQUIRE(library);
    pd_library_close(&library);
    char command[4200];
    (void)snprintf(command, sizeof command, "rm -rf '%s' '%s'", scene_path("cache/pixel-detective/thumbs"),
                   scene_path("cache/pixel-detective/views"));
    for (unsigned kind = 0; kind < 4; kind++) {
        size_t tries = 1;
        for (bool done = false; !done && tries < 5000; tries += tries < 200 ? 1 : 7) {
            const size_t live = pd_mem_live();
            library = open_library();
            REQUIRE(library && system(command) == 0);
            pd_hits hits = { 0 };
            pd_rendition r = { .fd = -1 };
            pd_library_totals totals;
            const pd_question window = { .n = 3, .order = PD_ORDER_NAME };
            CHECK(kind < 3 || pd_library_prepare_model(library, NULL) == PD_OK); /* its vocabulary is another test's */
            (void)pd_mem_fail_at(tries);
            pd_status status = PD_OK;
            switch (kind) {
            case 0: status = ask(library, BROWSE, window, &hits); break;
            case 1: status = pd_library_rendition(library, 1, tries % 2 ? 0 : 320, NULL, &r, NULL); break;
            case 2: status = pd_library_totals_get(library, &totals, NULL); break;
            default: status = ask(library, SEARCH, window, &hits); break;
            }
            done = pd_mem_fail_at(0) < tries;
            CHECK(status == PD_OK || !done);
            CHECK(status == PD_OK || (hits.n == 0 && !hits.items && r.fd == -1));
            pd_hits_done(&hits);
            if (r.fd >= 0)
                close(r.fd);
            CHECK(ask(library, BROWSE, window, &hits) == PD_OK);
            pd_hits_done(&hits);
            pd_library_close(&library);
            CHECK(pd_mem_live() == live);
        }
        printf("# kind %u: %zu allocations\n", kind, tries);
        CHECK(tries > 3 && tries < 5000);
    }
}

int main(void)
{
    find_program();
    RUN(pages_put_together_are_the_long_list);
    RUN(browsing_is_by_time_with_ties_by_id);
    RUN(an_open_picture_is_an_example_like_a_path);
    RUN(a_thumbnail_comes_from_the_cache_and_is_made_again);
    RUN(a_view_is_made_once_and_kept);
    RUN(a_link_out_of_the_root_is_refused);
    RUN(the_cache_of_views_is_bounded);
    RUN(counts_are_cheap_and_right);
    RUN(the_log_outlives_the_job);
    RUN(an_old_catalogue_is_brought_up_to_date_when_nobody_learns);
    RUN(many_ask_beside_a_job);
    RUN(everything_survives_a_lack_of_memory);
    scene_end();
    return TEST_RESULT();
}
