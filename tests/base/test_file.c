#include "test.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"

static char scratch[] = "/tmp/pd-file-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", scratch, name);
    return path;
}

static bool holds(const char *path, const char *text)
{
    pd_buf buf;
    pd_buf_init(&buf, 0);
    const bool same = pd_file_read(path, 1000, &buf, NULL) == PD_OK && strcmp(buf.data, text) == 0;
    pd_buf_done(&buf);
    return same;
}

static void a_file_is_replaced_as_a_whole(void)
{
    const char *path = path_of("file");
    pd_error err;
    for (int durable = 0; durable < 2; durable++) {
        CHECK(pd_file_replace(path, "one", 3, durable, &err) == PD_OK && holds(path, "one"));
        CHECK(pd_file_replace(path, "", 0, durable, &err) == PD_OK && holds(path, ""));
        CHECK(pd_file_replace(path, "twenty", 6, durable, &err) == PD_OK && holds(path, "twenty"));
    }
    struct stat st;
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
}

static _Atomic bool stop;

static void a_file_is_replaced_from_parts_with_holes_between(void)
{
    const char *path = path_of("parts");
    const pd_file_part parts[] = { { "abc", 3, 0 }, { "z", 1, 5 } };
    pd_buf buf;
    pd_buf_init(&buf, 100);
    CHECK(pd_file_replace_parts(path, parts, 2, 8, NULL) == PD_OK && pd_file_read(path, 100, &buf, NULL) == PD_OK);
    CHECK(buf.len == 8 && memcmp(buf.data, "abc\0\0z\0\0", 8) == 0);
    CHECK(pd_file_replace_parts(path_of("nowhere/parts"), parts, 2, 8, NULL) == PD_ERR_NOT_FOUND);
    pd_buf_done(&buf);
    (void)unlink(path_of("parts"));
}

static void *replace_again_and_again(void *arg)
{
    char copy[5000];
    for (int i = 0; !stop; i++) {
        memset(copy, i % 2 ? 'a' : 'b', sizeof copy);
        if (pd_file_replace(arg, copy, i % 2 ? 5000 : 3000, false, NULL) != PD_OK)
            return arg;
    }
    return NULL;
}

static void readers_see_the_old_or_the_new_file(void)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/busy", scratch);
    pd_error err;
    pthread_t writers[2];
    REQUIRE(pd_file_replace(path, "", 0, false, &err) == PD_OK);
    for (int i = 0; i < 2; i++)
        REQUIRE(pd_thread_start(&writers[i], "writer", replace_again_and_again, path, &err) == PD_OK);
    size_t torn = 0;
    for (int i = 0; i < 2000; i++) {
        pd_file_map map;
        REQUIRE(pd_file_map_open(&map, path, &err) == PD_OK);
        const size_t len = map.len;
        torn += len != 0 && (len != (map.data[0] == 'a' ? 5000u : 3000u) || map.data[0] != map.data[len - 1]);
        pd_file_map_close(&map);
    }
    stop = true;
    for (int i = 0; i < 2; i++) {
        void *failed = NULL;
        pthread_join(writers[i], &failed);
        CHECK(failed == NULL);
    }
    CHECK(torn == 0);
}

static bool is_left_over(void)
{
    char command[PATH_MAX];
    snprintf(command, sizeof command, "ls '%s' | grep -q tmp", scratch);
    return system(command) == 0;
}

static void a_failed_replace_leaves_nothing_behind(void)
{
    pd_error err;
    REQUIRE(mkdir(path_of("folder"), 0700) == 0);
    CHECK(pd_file_replace(path_of("folder"), "x", 1, false, &err) == PD_ERR_IO); /* a file over a folder */
    CHECK(strstr(err.message, "/folder'") != NULL && err.sys_errno != 0);
    CHECK(pd_file_replace(path_of("nowhere/file"), "x", 1, false, &err) == PD_ERR_NOT_FOUND);
    CHECK(pd_file_replace("/dev/full/x", "x", 1, false, &err) == PD_ERR_NOT_FOUND);
    char endless[PATH_MAX + 10];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    CHECK(pd_file_replace(endless, "x", 1, false, &err) == PD_ERR_LIMIT);
    CHECK(!is_left_over());
}

static void a_full_device_is_told_from_other_failures(void)
{
    FILE *full = fopen("/dev/full", "w");
    REQUIRE(full != NULL);
    CHECK(pd_fd_write_all(fileno(full), "x", 1) == PD_ERR_FULL);
    CHECK(pd_fd_write_all(-1, "x", 1) == PD_ERR_IO);
    CHECK(pd_fd_write_all(-1, "x", 0) == PD_OK);
    fclose(full);
}

static void reading_stops_at_the_limit(void)
{
    pd_error err;
    pd_buf buf;
    pd_buf_init(&buf, 0);
    const char *path = path_of("ten");
    REQUIRE(pd_file_replace(path, "0123456789", 10, false, &err) == PD_OK);
    CHECK(pd_file_read(path, 10, &buf, &err) == PD_OK && buf.len == 10);
    CHECK(pd_file_read(path, 9, &buf, &err) == PD_ERR_LIMIT && strstr(err.message, "9 bytes"));
    CHECK(pd_file_read(scratch, 9, &buf, &err) == PD_ERR_FORMAT && strstr(err.message, "not a regular file"));
    CHECK(pd_file_read("/dev/zero", 9, &buf, &err) == PD_ERR_FORMAT);
    CHECK(pd_file_read(path_of("nothing"), 9, &buf, &err) == PD_ERR_NOT_FOUND);
    CHECK(pd_file_read("/proc/self/status", 1 << 20, &buf, &err) == PD_OK && buf.len > 100); /* tells a size of 0 */
    CHECK(pd_file_read("/proc/self/status", 20, &buf, &err) == PD_ERR_LIMIT);
    (void)pd_mem_fail_at(1);
    pd_buf_done(&buf);
    pd_buf_init(&buf, 0);
    CHECK(pd_file_read(path, 10, &buf, &err) == PD_ERR_NOMEM);
    (void)pd_mem_fail_at(0);
    pd_buf_done(&buf);
}

static void an_empty_file_is_mapped_as_nothing(void)
{
    pd_file_map map;
    pd_error err;
    const char *path = path_of("empty");
    REQUIRE(pd_file_replace(path, "", 0, false, &err) == PD_OK);
    CHECK(pd_file_map_open(&map, path, &err) == PD_OK && map.data == NULL && map.len == 0);
    pd_file_map_close(&map);
    CHECK(pd_file_map_open(&map, scratch, &err) == PD_ERR_FORMAT);
    REQUIRE(mkfifo(path_of("pipe"), 0600) == 0);
    CHECK(pd_file_map_open(&map, path_of("pipe"), &err) == PD_ERR_FORMAT); /* and nobody waits for a writer */
}

static void folders_are_made_with_their_parents(void)
{
    pd_error err;
    struct stat st;
    CHECK(pd_dir_make(path_of("a/b/c"), &err) == PD_OK && pd_dir_exists(path_of("a/b/c")));
    CHECK(pd_dir_make(path_of("a/b/c/"), &err) == PD_OK);
    CHECK(stat(path_of("a/b"), &st) == 0 && (st.st_mode & 0777) == 0700);
    REQUIRE(pd_file_replace(path_of("a/file"), "", 0, false, &err) == PD_OK);
    CHECK(pd_dir_make(path_of("a/file"), &err) == PD_ERR_IO);
    CHECK(pd_dir_make(path_of("a/file/deeper"), &err) == PD_ERR_NOT_FOUND);
    CHECK(pd_file_exists(path_of("a/file")) && !pd_dir_exists(path_of("a/file")) && !pd_file_exists(path_of("b")));
    CHECK(pd_dir_make("/", &err) == PD_OK);
}

static bool joins(const char *a, const char *b, const char *expected)
{
    char *joined = pd_path_join(a, b);
    const bool same = joined && strcmp(joined, expected) == 0;
    pd_mem_free(joined);
    return same;
}

static void paths_are_joined_with_one_slash(void)
{
    CHECK(joins("a", "b", "a/b") && joins("a/", "b", "a/b") && joins("/", "b", "/b"));
    CHECK(joins("a", "/b", "/b") && joins("", "b", "b") && joins("a", "", "a/"));
    CHECK(strcmp(pd_path_name("/a/b.c"), "b.c") == 0 && strcmp(pd_path_name("b"), "b") == 0);
    CHECK(strcmp(pd_path_name("a/"), "") == 0);
    char *dir = pd_executable_dir();
    CHECK(dir && dir[0] == '/' && pd_dir_exists(dir));
    pd_mem_free(dir);
}

int main(void)
{
    if (!mkdtemp(scratch))
        return 1;
    RUN(a_file_is_replaced_as_a_whole);
    RUN(a_file_is_replaced_from_parts_with_holes_between);
    RUN(readers_see_the_old_or_the_new_file);
    RUN(a_failed_replace_leaves_nothing_behind);
    RUN(a_full_device_is_told_from_other_failures);
    RUN(reading_stops_at_the_limit);
    RUN(an_empty_file_is_mapped_as_nothing);
    RUN(folders_are_made_with_their_parents);
    RUN(paths_are_joined_with_one_slash);
    char command[PATH_MAX];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    return system(command) == 0 ? TEST_RESULT() : 1;
}
