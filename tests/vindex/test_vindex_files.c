/* The vector file against kills, a full disk and missing memory. */
#include "vindex_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define DIM 64

static fixture f;

static pd_status open_index(pd_vindex_mode mode, pd_vindex **ret_index, pd_error *err)
{
    *ret_index = NULL;
    return pd_vindex_open(ret_index, f.path, mode, MODEL, DIM, &f.kernels, err);
}

static void write_until_killed(void)
{
    pd_vindex *index;
    if (open_index(PD_VINDEX_APPEND, &index, NULL) != PD_OK)
        _exit(1);
    for (uint64_t i = pd_vindex_count(index);; i += 10)
        if (append_vectors(index, i, 10, DIM) != PD_OK || pd_vindex_commit(index, NULL) != PD_OK)
            _exit(1);
}

static bool finds(const pd_vindex *index, uint64_t n)
{
    pd_vindex_hit hit;
    size_t n_hits = 0;
    float query[DIM];
    make_vector(n, DIM, query);
    return pd_vindex_search(index, query, 1, 1, &hit, &n_hits, NULL) == PD_OK && n_hits == 1 &&
           hit.content == (int64_t)n + 1;
}

/* Readers look on all the time; none may see a file that is half something. */
static void a_killed_writer_tears_nothing(void)
{
    f = fixture_make();
    pd_vindex *index, *reader = NULL;
    REQUIRE(open_index(PD_VINDEX_APPEND, &index, NULL) == PD_OK);
    pd_vindex_close(&index);
    REQUIRE(open_index(PD_VINDEX_READ, &reader, NULL) == PD_OK);
    uint64_t last = 0;
    int grown = 0;
    for (int round = 0; round < 20; round++) {
        const pid_t child = fork();
        if (child == 0)
            write_until_killed();
        for (int i = 0; i < 20 || (i < 20000 && pd_vindex_count(reader) == last); i++) { /* a busy machine is slow */
            usleep(500 + (useconds_t)round * 60);
            CHECK(pd_vindex_refresh(reader, NULL) == PD_OK && pd_vindex_count(reader) % 10 == 0);
        }
        kill(child, SIGKILL);
        int state;
        CHECK(waitpid(child, &state, 0) == child && WIFSIGNALED(state));
        REQUIRE(open_index(PD_VINDEX_APPEND, &index, NULL) == PD_OK);
        const uint64_t count = pd_vindex_count(index);
        CHECK(count >= last && count % 10 == 0 && pd_vindex_last_seq(index) == (count ? (int64_t)(10 * count - 9) : 0));
        if (count > 0)
            CHECK(finds(index, count - 1) && finds(index, count / 2));
        grown += count > last;
        last = count;
        pd_vindex_close(&index);
    }
    CHECK(grown > 10);
    pd_vindex_close(&reader);
    fixture_remove(&f);
}

static void a_full_disk_is_said_and_what_was_committed_stays(void)
{
    f = fixture_make();
    if (mount("tmpfs", f.dir, "tmpfs", 0, "size=1m") != 0) {
        printf("# not allowed to mount a small disk: %s\n", strerror(errno));
        CHECK(true);
        fixture_remove(&f);
        return;
    }
    pd_vindex *index;
    pd_error err = { 0 };
    CHECK(open_index(PD_VINDEX_APPEND, &index, NULL) == PD_OK);
    CHECK(append_vectors(index, 0, 1500, DIM) == PD_OK && pd_vindex_commit(index, NULL) == PD_OK);
    pd_status status = append_vectors(index, 1500, 20000, DIM);
    if (status == PD_OK)
        status = pd_vindex_commit(index, &err);
    CHECK(status == PD_ERR_FULL);
    CHECK(pd_vindex_commit(index, &err) == PD_ERR_FULL && strstr(err.message, f.path));
    CHECK(pd_vindex_count(index) == 1500 && finds(index, 1499));
    pd_vindex_close(&index);
    CHECK(open_index(PD_VINDEX_READ, &index, NULL) == PD_OK && pd_vindex_count(index) == 1500 && finds(index, 77));
    pd_vindex_close(&index);
    CHECK(umount(f.dir) == 0);
    fixture_remove(&f);
}

static pd_status use_index(const char *path)
{
    pd_vindex *index = NULL;
    pd_vindex_hit hits[20];
    size_t n = 0;
    float query[DIM];
    make_vector(3, DIM, query);
    pd_status status = pd_vindex_open(&index, path, PD_VINDEX_APPEND, MODEL, DIM, &f.kernels, NULL);
    CHECK((status == PD_OK) == (index != NULL));
    if (status == PD_OK)
        status = append_vectors(index, pd_vindex_count(index), 20, DIM);
    if (status == PD_OK)
        status = pd_vindex_commit(index, NULL);
    if (status == PD_OK)
        status = pd_vindex_search(index, query, 20, 1, hits, &n, NULL);
    CHECK((status == PD_OK) == (n == 20));
    pd_vindex_close(&index);
    return status;
}

static void running_out_of_memory_leaks_nothing(void)
{
    f = fixture_make();
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        size_t tries = 0;
        for (pd_status status = PD_ERR_NOMEM; status == PD_ERR_NOMEM && tries < 50; tries++) {
            (void)pd_mem_fail_at(tries + 1);
            status = use_index(on_disk ? f.path : NULL);
            (void)pd_mem_fail_at(0);
            CHECK(status == PD_OK || status == PD_ERR_NOMEM);
            CHECK(pd_mem_live() == 0);
        }
        CHECK(tries > 5 && tries < 50);
    }
    fixture_remove(&f);
}

/* Threads take their own memory. */
static void running_out_of_memory_among_threads_leaks_nothing(void)
{
    f = fixture_make();
    pd_vindex *index = NULL;
    REQUIRE(pd_vindex_open(&index, NULL, PD_VINDEX_APPEND, MODEL, 8, &f.kernels, NULL) == PD_OK);
    REQUIRE(append_vectors(index, 0, 80000, 8) == PD_OK && pd_vindex_commit(index, NULL) == PD_OK);
    const size_t live = pd_mem_live();
    float query[8];
    make_vector(3, 8, query);
    size_t tries = 0;
    for (pd_status status = PD_ERR_NOMEM; status == PD_ERR_NOMEM && tries < 50; tries++) {
        pd_vindex_hit hits[5];
        size_t n = 99;
        (void)pd_mem_fail_at(tries + 1);
        status = pd_vindex_search(index, query, 5, 3, hits, &n, NULL);
        (void)pd_mem_fail_at(0);
        CHECK(status == PD_OK ? n == 5 : status == PD_ERR_NOMEM && n == 99);
        CHECK(pd_mem_live() == live);
    }
    CHECK(tries == 5); /* query twice, two threads, and the run that had enough */
    pd_vindex_close(&index);
    fixture_remove(&f);
}

int main(void)
{
    RUN(a_killed_writer_tears_nothing);
    RUN(a_full_disk_is_said_and_what_was_committed_stays);
    RUN(running_out_of_memory_leaks_nothing);
    RUN(running_out_of_memory_among_threads_leaks_nothing);
    return TEST_RESULT();
}
