#include "test.h"

#include "weights_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "weights/weights.h"

static const uint8_t key_a[PD_SHA256_BYTES] = { 'a' }, key_b[PD_SHA256_BYTES] = { 'b' };

enum { SMALL = 100, LARGE = 50000 }; /* bytes of the two blocks of most cases */

typedef struct built {
    pd_status status;
    bool filled; /* the blocks had to be filled */
    bool right;  /* they hold what was put into them */
} built;

static void fill(uint8_t *block, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        block[i] = (uint8_t)(i * 7 + seed);
}

static bool holds(const uint8_t *block, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        if (block[i] != (uint8_t)(i * 7 + seed))
            return false;
    return true;
}

/* What the one who builds a model does. `ret_prepared` may be NULL: closed again. */
static built build(const char *path, const uint8_t *key, pd_prepared **ret_prepared)
{
    pd_prepared *prepared = NULL;
    pd_error err;
    void *small = NULL, *large = NULL;
    bool fill_small = false, fill_large = false;
    built result = { .status = pd_prepared_open(&prepared, path, key, &err) };
    if (result.status == PD_OK)
        result.status = pd_prepared_block(prepared, SMALL, 1, &small, &fill_small, &err);
    if (result.status == PD_OK && fill_small)
        fill(small, SMALL, 1);
    if (result.status == PD_OK)
        result.status = pd_prepared_block(prepared, LARGE / 4, 4, &large, &fill_large, &err);
    if (result.status == PD_OK && fill_large)
        fill(large, LARGE, 2);
    if (result.status == PD_OK)
        result.status = pd_prepared_seal(prepared, &err);
    if (result.status == PD_OK) {
        result.filled = fill_small && fill_large;
        result.right = holds(small, SMALL, 1) && holds(large, LARGE, 2) && (uintptr_t)small % 64 == 0 &&
                       (uintptr_t)large % 64 == 0 && fill_small == fill_large;
    }
    if (result.status == PD_ERR_CORRUPT)
        pd_prepared_discard(&prepared);
    else if (result.status == PD_OK && ret_prepared)
        *ret_prepared = prepared;
    else
        pd_prepared_close(&prepared);
    return result;
}

static bool is(built result, bool filled) { return result.status == PD_OK && result.right && result.filled == filled; }

static void blocks_are_filled_once_and_mapped_from_then_on(void)
{
    const char *path = fixture_path("first/of/all.pdp"); /* the folders are made */
    CHECK(is(build(path, key_a, NULL), true));
    CHECK(is(build(path, key_a, NULL), false));
    CHECK(is(build(path, key_a, NULL), false));
}

static void without_a_path_nothing_is_written(void)
{
    CHECK(is(build(NULL, key_a, NULL), true));
    CHECK(is(build(NULL, key_a, NULL), true));
}

static void sealed_blocks_are_the_file(void)
{
    pd_prepared *prepared = NULL;
    const char *path = fixture_path("mapped.pdp");
    REQUIRE(is(build(path, key_a, &prepared), true));
    char line[512];
    unsigned found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    REQUIRE(maps != NULL);
    while (fgets(line, sizeof line, maps))
        found += strstr(line, "mapped.pdp") != NULL;
    fclose(maps);
    CHECK(found == 1);
    pd_prepared_close(&prepared);
}

static void another_key_replaces_the_file(void)
{
    const char *path = fixture_path("key.pdp");
    CHECK(is(build(path, key_a, NULL), true));
    CHECK(is(build(path, key_b, NULL), true));
    CHECK(is(build(path, key_b, NULL), false));
    CHECK(is(build(path, key_a, NULL), true));
}

static bool touch(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    return fd >= 0 && close(fd) == 0;
}

static bool is_there(const char *path) { return access(path, F_OK) == 0; }

static void what_a_killed_builder_left_goes(void)
{
    static const char left[] = "left/model.pdp.tmp-123-4", others[] = "left/other-model.pdp.tmp-123-4";
    CHECK(is(build(fixture_path("left/other.pdp"), key_a, NULL), true)); /* makes the folder */
    REQUIRE(touch(fixture_path(left)) && touch(fixture_path(others)));
    CHECK(is(build(fixture_path("left/model.pdp"), key_a, NULL), true));
    CHECK(is_there(fixture_path("left/model.pdp")) && is_there(fixture_path("left/other.pdp")));
    CHECK(!is_there(fixture_path(left)) && is_there(fixture_path(others)));
}

static size_t file_length(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

static void flip_byte(const char *path, size_t at)
{
    uint8_t byte = 0;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || pread(fd, &byte, 1, (off_t)at) != 1)
        abort();
    byte ^= 0x40;
    if (pwrite(fd, &byte, 1, (off_t)at) != 1 || close(fd) != 0)
        abort();
}

/* Builds, damages, and builds again, discarding on the way if that is asked for. True: all was right at the end. */
static bool heals(const char *path)
{
    built again = build(path, key_a, NULL);
    if (again.status == PD_ERR_CORRUPT)
        again = build(path, key_a, NULL);
    return is(again, true) && is(build(path, key_a, NULL), false);
}

static void every_cut_is_detected(void)
{
    const char *path = fixture_path("cut.pdp");
    REQUIRE(is(build(path, key_a, NULL), true));
    const size_t len = file_length(path);
    const size_t cuts[] = { 0, 1, 79, 80, 127, 128, 300, 4096, len / 2, len - 24, len - 1 };
    for (size_t i = 0; i < PD_COUNT_OF(cuts); i++) {
        REQUIRE(truncate(path, (off_t)cuts[i]) == 0);
        CHECK(heals(path));
    }
    REQUIRE(truncate(path, (off_t)len + 1) == 0);
    CHECK(heals(path));
}

static void damage_to_header_table_and_edges_is_detected(void)
{
    const char *path = fixture_path("flip.pdp");
    REQUIRE(is(build(path, key_a, NULL), true));
    const size_t len = file_length(path);
    CHECK(len == 256 + 50048 + 2 * 24); /* the blocks lie at 128 and 256, the table behind: docs/formats.md */
    for (size_t at = 0; at < 80; at++) {
        flip_byte(path, at);
        CHECK(heals(path));
    }
    for (size_t at = len - 48; at < len; at += 5) {
        flip_byte(path, at);
        CHECK(heals(path));
    }
    const size_t edges[] = { 128, 128 + SMALL - 1, 256, 256 + 4095, 256 + LARGE - 4096, 256 + LARGE - 1 };
    for (size_t i = 0; i < PD_COUNT_OF(edges); i++) {
        flip_byte(path, edges[i]);
        CHECK(heals(path));
    }
}

static void another_layout_asks_to_start_again(void)
{
    const char *path = fixture_path("layout.pdp");
    REQUIRE(is(build(path, key_a, NULL), true));
    pd_prepared *prepared = NULL;
    pd_error err;
    void *block;
    bool fresh;
    REQUIRE(pd_prepared_open(&prepared, path, key_a, &err) == PD_OK);
    CHECK(pd_prepared_block(prepared, SMALL, 1, &block, &fresh, &err) == PD_OK && !fresh);
    CHECK(pd_prepared_seal(prepared, &err) == PD_ERR_CORRUPT); /* one block is left over */
    CHECK(pd_prepared_block(prepared, LARGE + 1, 1, &block, &fresh, &err) == PD_ERR_CORRUPT);
    CHECK(strstr(err.message, "50001 were expected") != NULL);
    CHECK(pd_prepared_block(prepared, LARGE, 1, &block, &fresh, &err) == PD_OK && !fresh);
    CHECK(pd_prepared_block(prepared, 1, 1, &block, &fresh, &err) == PD_ERR_CORRUPT);
    pd_prepared_discard(&prepared);
    CHECK(prepared == NULL && access(path, F_OK) != 0);
    CHECK(is(build(path, key_a, NULL), true));
}

static void a_file_that_cannot_be_written_stays_in_memory(void)
{
    REQUIRE(mkdir(fixture_path("locked"), 0555) == 0);
    REQUIRE(chmod(fixture_dir, 0755) == 0);
    const pid_t child = fork();
    if (child == 0) { /* root may write anywhere: not as nobody */
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(3);
        const bool first = is(build(fixture_path("locked/w.pdp"), key_a, NULL), true);
        const bool second = is(build(fixture_path("locked/deeper/w.pdp"), key_a, NULL), true);
        _exit(first && second && access(fixture_path("locked/w.pdp"), F_OK) != 0 ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(is(build(fixture_path("locked"), key_a, NULL), true)); /* a folder where the file should be */
}

/* A file may not grow beyond `file_bytes_max`, as on a disk that is full: the blocks move into memory on the way. */
static bool builds_within(const char *path, rlim_t file_bytes_max)
{
    enum { BLOCKS = 5, BLOCK = 1 << 20 };
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = { file_bytes_max, file_bytes_max };
        pd_prepared *prepared = NULL;
        uint8_t *blocks[BLOCKS];
        bool fresh = false, right = signal(SIGXFSZ, SIG_IGN) != SIG_ERR && setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                                    pd_prepared_open(&prepared, path, key_a, NULL) == PD_OK;
        for (unsigned i = 0; right && i < BLOCKS; i++) {
            void *block = NULL;
            right = pd_prepared_block(prepared, BLOCK, 1, &block, &fresh, NULL) == PD_OK && fresh;
            blocks[i] = block;
            if (right)
                fill(block, BLOCK, i);
        }
        right = right && pd_prepared_seal(prepared, NULL) == PD_OK;
        for (unsigned i = 0; right && i < BLOCKS; i++)
            right = holds(blocks[i], BLOCK, i);
        pd_prepared_close(&prepared);
        _exit(right ? 0 : 1);
    }
    int status = -1;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void a_disk_that_fills_up_loses_no_block(void)
{
    const char *path = fixture_path("full.pdp");
    for (rlim_t mb = 0; mb <= 5; mb++) {
        CHECK(builds_within(path, mb << 20));
        CHECK(access(path, F_OK) != 0); /* what does not fit is not there in part either */
    }
    CHECK(builds_within(path, 16 << 20));
    CHECK(access(path, F_OK) == 0);
}

static void many_may_build_at_once(void)
{
    const char *path = fixture_path("race.pdp");
    enum { N = 8 };
    pid_t children[N];
    for (int i = 0; i < N; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            bool ok = true;
            for (int round = 0; round < 20; round++) {
                const built result = build(path, round % 2 == i % 2 ? key_a : key_b, NULL);
                ok = ok && result.status == PD_OK && result.right;
            }
            _exit(ok ? 0 : 1);
        }
    }
    for (int i = 0; i < N; i++) {
        int status = -1;
        CHECK(waitpid(children[i], &status, 0) == children[i]);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    char command[PATH_MAX + 64];
    snprintf(command, sizeof command, "ls '%s' | grep -q tmp", fixture_dir);
    CHECK(system(command) != 0); /* nobody left a temporary file */
}

static void sizes_that_overflow_are_refused(void)
{
    pd_prepared *prepared = NULL;
    pd_error err;
    void *block;
    bool fresh;
    REQUIRE(pd_prepared_open(&prepared, NULL, key_a, &err) == PD_OK);
    CHECK(pd_prepared_block(prepared, SIZE_MAX, 2, &block, &fresh, &err) == PD_ERR_LIMIT);
    CHECK(pd_prepared_block(prepared, (size_t)1 << 40, 1, &block, &fresh, &err) == PD_ERR_LIMIT);
    CHECK(pd_prepared_block(prepared, (size_t)16 << 30, 1, &block, &fresh, &err) == PD_ERR_LIMIT);
    CHECK(pd_prepared_block(prepared, 0, 8, &block, &fresh, &err) == PD_OK && fresh);
    CHECK(pd_prepared_block(prepared, 3 << 20, 1, &block, &fresh, &err) == PD_OK && fresh);
    CHECK(holds(block, 0, 0) && ((uint8_t *)block)[(3 << 20) - 1] == 0);
    CHECK(pd_prepared_seal(prepared, &err) == PD_OK);
    pd_prepared_close(&prepared);
}

static void running_out_of_memory_leaks_nothing(void)
{
    const char *path = fixture_path("torture.pdp");
    for (int mapped = 0; mapped < 2; mapped++) {
        size_t nth = 1;
        for (pd_status status = PD_ERR_NOMEM; status != PD_OK; nth++) {
            const size_t live = pd_mem_live();
            (void)pd_mem_fail_at(nth);
            const built result = build(path, key_a, NULL);
            (void)pd_mem_fail_at(0);
            status = result.status;
            CHECK(status == PD_ERR_NOMEM || result.right);
            CHECK(pd_mem_live() == live);
            REQUIRE(nth < 100);
        }
        CHECK(nth > 2);
        (void)build(path, key_a, NULL); /* when the write was what failed */
    }
}

int main(void)
{
    fixture_start();
    RUN(blocks_are_filled_once_and_mapped_from_then_on);
    RUN(without_a_path_nothing_is_written);
    RUN(sealed_blocks_are_the_file);
    RUN(another_key_replaces_the_file);
    RUN(what_a_killed_builder_left_goes);
    RUN(every_cut_is_detected);
    RUN(damage_to_header_table_and_edges_is_detected);
    RUN(another_layout_asks_to_start_again);
    RUN(a_file_that_cannot_be_written_stays_in_memory);
    RUN(a_disk_that_fills_up_loses_no_block);
    RUN(many_may_build_at_once);
    RUN(sizes_that_overflow_are_refused);
    RUN(running_out_of_memory_leaks_nothing);
    fixture_end();
    return TEST_RESULT();
}
