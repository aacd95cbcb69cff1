#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "media/media.h"
#include "test.h"

/* What is answered has all the time it needs here: a busy machine is slow. */
enum { PATIENT_MS = 600000, HANG_MS = 300 };

static const char *fake_path; /* the fake decoder */

/* A "picture" that tells the fake decoder what to do. */
static int open_word(const char *word)
{
    const int fd = memfd_create("word", MFD_CLOEXEC);
    if (fd < 0 || write(fd, word, strlen(word)) != (ssize_t)strlen(word))
        abort();
    return fd;
}

static pd_media_pool *create_pool(const char *path, unsigned n_processes, unsigned n_slots)
{
    pd_media_pool *pool = NULL;
    pd_error error;
    const pd_media_options options = { .decoder_path = path, .n_processes = n_processes, .n_slots = n_slots };
    if (pd_media_pool_create(&pool, &options, &error) != PD_OK) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    return pool;
}

static pd_status decode_word(pd_media_pool *pool, const char *word, pd_picture *ret_picture, pd_error *err)
{
    const int fd = open_word(word);
    const uint32_t timeout_ms = strcmp(word, "hang") == 0 ? HANG_MS : PATIENT_MS;
    const pd_media_request request = { .short_side_min = 100, .thumb = true, .timeout_ms = timeout_ms };
    const pd_status status = pd_media_decode(pool, fd, &request, ret_picture, err);
    (void)close(fd);
    return status;
}

/* The pool still works after whatever happened. */
static bool works(pd_media_pool *pool)
{
    pd_picture picture = { 0 };
    if (decode_word(pool, "good", &picture, NULL) != PD_OK)
        return false;
    const bool is_right = picture.has_pixels && picture.pixels[23] == 230 && picture.pixel_width == 4 &&
                          picture.pixel_height == 2 && picture.thumb == picture.pixels + 24 &&
                          picture.thumb_bytes == 100 && picture.phash == 42 && strcmp(picture.type, "jpeg") == 0 &&
                          strcmp(picture.meta.make, "Canon") == 0;
    pd_picture_release(&picture);
    return is_right && !picture.slot;
}

static void a_good_answer_arrives_whole(void)
{
    pd_media_pool *pool = create_pool(fake_path, 1, 1);
    CHECK(works(pool));
    CHECK(works(pool));
    pd_media_pool_free(&pool);
    CHECK(!pool);
}

static void a_rendition_takes_the_place_of_pixels(void)
{
    pd_media_pool *pool = create_pool(fake_path, 1, 1);
    pd_picture picture = { 0 };
    pd_error error = { 0 };
    const int fd = open_word("good");
    pd_media_request request = { .thumb = true, .timeout_ms = PATIENT_MS, .rendition_side = 2048 };
    REQUIRE(pd_media_decode(pool, fd, &request, &picture, &error) == PD_OK);
    CHECK(picture.rendition && picture.rendition[1] == 10 && picture.rendition_bytes == 24 && !picture.pixels);
    pd_picture_release(&picture);
    CHECK(!picture.rendition);
    request.rendition_side = PD_MEDIA_RENDITION_SIDE_MAX + 1;
    CHECK(pd_media_decode(pool, fd, &request, &picture, &error) == PD_ERR_LIMIT && strstr(error.message, "16385 px"));
    CHECK(works(pool));
    (void)close(fd);
    pd_media_pool_free(&pool);
}

static void every_misbehaviour_costs_one_call(void)
{
    static const struct {
        const char *word;
        pd_status status;
        const char *says;
    } cases[] = {
        { "crash", PD_ERR_CRASHED, "signal 11" },
        { "exit", PD_ERR_CRASHED, "exit status 3" },
        { "disk", PD_ERR_IO, "could not be read" },
        { "hang", PD_ERR_TIMEOUT, "0.3 s" },
        { "silent", PD_ERR_CRASHED, "" },
        { "short", PD_ERR_FORMAT, "5 bytes" },
        { "long", PD_ERR_FORMAT, "bytes instead of" },
        { "lie", PD_ERR_FORMAT, "cannot be true" },
        { "fail", PD_ERR_UNSUPPORTED, "a kind nobody reads" },
    };
    pd_media_pool *pool = create_pool(fake_path, 1, 1);
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        pd_picture picture = { 0 };
        pd_error error = { 0 };
        CHECK(decode_word(pool, cases[i].word, &picture, &error) == cases[i].status);
        CHECK(error.status == cases[i].status && strstr(error.message, cases[i].says));
        CHECK(!picture.slot);
        CHECK(works(pool));
    }
    pd_media_pool_free(&pool);
}

static void a_decoder_cannot_shrink_the_slot(void)
{
    pd_media_pool *pool = create_pool(fake_path, 1, 1);
    pd_picture picture = { 0 };
    CHECK(decode_word(pool, "shrink", &picture, NULL) == PD_OK);
    CHECK(picture.pixels && picture.pixels[1] == 10);
    pd_picture_release(&picture);
    pd_media_pool_free(&pool);
}

/* Waits until a child has died, and leaves it to its parent's wait. */
static bool wait_for_a_death(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0;
}

static void a_decoder_that_died_while_idle_is_replaced_silently(void)
{
    pd_media_pool *pool = create_pool(fake_path, 1, 1);
    pd_picture picture = { 0 };
    REQUIRE(decode_word(pool, "last", &picture, NULL) == PD_OK);
    pd_picture_release(&picture);
    CHECK(wait_for_a_death());
    CHECK(works(pool));
    pd_media_pool_free(&pool);
}

static void what_cannot_be_started_is_explained(void)
{
    static const char *const paths[] = { "/nonexistent/pixel-detective-decoder", "/", "/bin/true", "/etc/passwd" };
    for (size_t i = 0; i < PD_COUNT_OF(paths); i++) {
        pd_media_pool *pool = create_pool(paths[i], 1, 1);
        pd_picture picture = { 0 };
        pd_error error = { 0 };
        CHECK(decode_word(pool, "good", &picture, &error) == PD_ERR_NOT_FOUND);
        CHECK(strstr(error.message, paths[i]));
        pd_media_pool_free(&pool);
    }
}

static void impossible_options_and_files_are_refused(void)
{
    pd_media_pool *pool = NULL;
    pd_error error;
    CHECK(pd_media_pool_create(&pool, &(pd_media_options){ .n_processes = 0, .n_slots = 1 }, &error) == PD_ERR_USAGE);
    CHECK(pd_media_pool_create(&pool, &(pd_media_options){ .n_processes = 65, .n_slots = 99 }, &error) == PD_ERR_USAGE);
    CHECK(pd_media_pool_create(&pool, &(pd_media_options){ .n_processes = 2, .n_slots = 1 }, &error) == PD_ERR_USAGE);
    CHECK(!pool);
    pd_media_options options;
    pd_media_options_init(&options);
    CHECK(options.n_processes >= 1 && options.n_slots >= options.n_processes && !options.decoder_path);
    pool = create_pool(fake_path, 1, 1);
    pd_picture picture = { 0 };
    CHECK(decode_word(pool, "", &picture, &error) == PD_ERR_FORMAT && strstr(error.message, "empty"));
    const pd_media_request request = { 0 };
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(pd_media_decode(pool, null, &request, &picture, &error) == PD_ERR_UNSUPPORTED);
    (void)close(null);
    const int large = memfd_create("large", MFD_CLOEXEC);
    CHECK(ftruncate(large, (off_t)PD_MEDIA_FILE_BYTES_MAX + 1) == 0);
    CHECK(pd_media_decode(pool, large, &request, &picture, &error) == PD_ERR_LIMIT);
    (void)close(large);
    CHECK(pd_media_decode(pool, -1, &request, &picture, &error) == PD_ERR_IO);
    pd_media_pool_free(&pool);
}

static void creating_fails_cleanly_when_memory_runs_out(void)
{
    const size_t live = pd_mem_live();
    const pd_media_options options = { .n_processes = 2, .n_slots = 3 };
    pd_status status = PD_ERR_NOMEM;
    for (size_t nth = 1; nth < 100 && status == PD_ERR_NOMEM; nth++) {
        pd_media_pool *pool = NULL;
        (void)pd_mem_fail_at(nth);
        status = pd_media_pool_create(&pool, &options, NULL);
        (void)pd_mem_fail_at(0);
        CHECK((status == PD_OK) == (pool != NULL));
        pd_media_pool_free(&pool);
        CHECK(pd_mem_live() == live);
    }
    CHECK(status == PD_OK);
}

/* One of several threads that share a pool with fewer processes and slots than threads. */
static void *decode_many(void *arg)
{
    pd_media_pool *pool = arg;
    uintptr_t n_good = 0;
    for (int i = 0; i < 30; i++) {
        pd_picture picture = { 0 };
        if (i % 10 == 7)
            (void)decode_word(pool, "crash", &picture, NULL);
        n_good += works(pool);
    }
    return (void *)n_good;
}

static void threads_share_a_pool(void)
{
    pd_media_pool *pool = create_pool(fake_path, 2, 3);
    pthread_t threads[4];
    for (size_t i = 0; i < PD_COUNT_OF(threads); i++)
        REQUIRE(pthread_create(&threads[i], NULL, decode_many, pool) == 0);
    for (size_t i = 0; i < PD_COUNT_OF(threads); i++) {
        void *n_good = NULL;
        (void)pthread_join(threads[i], &n_good);
        CHECK((uintptr_t)n_good == 30);
    }
    pd_media_pool_free(&pool);
}

static void *decode_hanging(void *arg)
{
    pd_picture picture = { 0 };
    const int fd = open_word("hang");
    const pd_media_request request = { .timeout_ms = PATIENT_MS };
    const pd_status status = pd_media_decode(arg, fd, &request, &picture, NULL);
    (void)close(fd);
    return (void *)(uintptr_t)status;
}

static void cancel_wakes_the_busy_and_the_waiting(void)
{
    pd_media_pool *pool = create_pool(fake_path, 2, 2);
    pthread_t threads[4]; /* two hang, two wait for a worker */
    CHECK(works(pool));
    for (size_t i = 0; i < PD_COUNT_OF(threads); i++)
        REQUIRE(pthread_create(&threads[i], NULL, decode_hanging, pool) == 0);
    (void)usleep(100000);
    pd_media_pool_cancel(pool);
    for (size_t i = 0; i < PD_COUNT_OF(threads); i++) {
        void *status = NULL;
        (void)pthread_join(threads[i], &status);
        CHECK((uintptr_t)status == PD_ERR_CANCELLED); /* not that their time was over */
    }
    pd_picture picture = { 0 };
    CHECK(decode_word(pool, "good", &picture, NULL) == PD_ERR_CANCELLED);
    pd_media_pool_free(&pool);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* none is left, not even as a zombie */
}

int main(void)
{
    fake_path = getenv("PD_FAKE_DECODER");
    if (!fake_path)
        SKIP_ALL("PD_FAKE_DECODER is not set");
    RUN(a_good_answer_arrives_whole);
    RUN(a_rendition_takes_the_place_of_pixels);
    RUN(every_misbehaviour_costs_one_call);
    RUN(a_decoder_cannot_shrink_the_slot);
    RUN(a_decoder_that_died_while_idle_is_replaced_silently);
    RUN(what_cannot_be_started_is_explained);
    RUN(impossible_options_and_files_are_refused);
    RUN(creating_fails_cleanly_when_memory_runs_out);
    RUN(threads_share_a_pool);
    RUN(cancel_wakes_the_busy_and_the_waiting);
    return TEST_RESULT();
}
