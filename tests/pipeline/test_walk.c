#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/beneath.h"
#include "base/file.h"
#include "base/mem.h"
#include "media/media.h"
#include "pipeline/pipeline.h"
#include "pipeline/walk.h"
#include "scene.h"

typedef struct seen {
    char names[64][256];
    size_t n_files, n_skipped, n_unreadable, n_folders;
    int sys_errno;
    size_t stop_after; /* files; 0: never */
} seen;

static bool on_folder(void *user, const char *path, size_t *root)
{
    seen *s = user;
    s->n_folders++;
    if (strcmp(path, scene_path("p/inner")) == 0)
        *root = 7;
    return true;
}

static bool on_file(void *user, const pd_walk_file *file)
{
    seen *s = user;
    if (s->n_files < 64)
        snprintf(s->names[s->n_files], sizeof s->names[0], "%zu:%.200s", file->root,
                 file->path + strlen(scene_path("p")) + 1);
    CHECK(file->bytes > 0 && file->mtime_ns > 0);
    return ++s->n_files != s->stop_after;
}

static bool on_skipped(void *user)
{
    ((seen *)user)->n_skipped++;
    return true;
}

static bool on_unreadable(void *user, const char *path, size_t root, int sys_errno)
{
    seen *s = user;
    (void)path, (void)root;
    s->n_unreadable++;
    s->sys_errno = sys_errno;
    return true;
}

static const pd_walk_visitor visitor = { on_folder, on_file, on_skipped, on_unreadable, NULL };

static bool has(const seen *s, const char *name)
{
    for (size_t i = 0; i < s->n_files && i < 64; i++)
        if (strcmp(s->names[i], name) == 0)
            return true;
    return false;
}

static void pictures_are_found_and_everything_odd_is_left_aside(void)
{
    static seen s;
    s = (seen){ 0 };
    REQUIRE(scene_begin());
    REQUIRE(scene_write("p/a.jpg", "x", 1) && scene_write("p/sub/B.PNG", "x", 1) &&
            scene_write("p/inner/c.bmp", "x", 1));
    REQUIRE(scene_write("p/line\nbreak/d.jpg", "x", 1) && scene_write("p/bytes\xFF\xFE/e.jpg", "x", 1));
    REQUIRE(scene_write("p/notes.txt", "x", 1) && scene_write("p/film.mp4", "x", 1) &&
            scene_write("p/doc.pdf", "x", 1));
    REQUIRE(scene_write("p/.hidden.jpg", "x", 1) && scene_write("p/._a.jpg", "x", 1));
    REQUIRE(scene_write("p/.cache/f.jpg", "x", 1) && scene_write("p/@eaDir/g.jpg", "x", 1));
    REQUIRE(scene_write("p/left/h.jpg", "x", 1) && scene_write("p/left/deeper/i.jpg", "x", 1));
    REQUIRE(scene_write("p/left/.pixeldetectiveignore", "", 0));
    REQUIRE(symlink(scene_path("p/a.jpg"), scene_path("p/link.jpg")) == 0);
    REQUIRE(symlink(scene_path("p"), scene_path("p/sub/loop")) == 0);
    REQUIRE(link(scene_path("p/a.jpg"), scene_path("p/sub/hard.jpg")) == 0);
    REQUIRE(mkfifo(scene_path("p/pipe.jpg"), 0600) == 0);
    REQUIRE(scene_folder("p/folder.jpg"));
    const size_t live = pd_mem_live();
    CHECK(pd_walk(scene_path("p"), 3, &visitor, &s, NULL) == PD_OK);
    CHECK(s.n_files == 6);
    CHECK(has(&s, "3:a.jpg") && has(&s, "3:sub/B.PNG") && has(&s, "7:inner/c.bmp") && has(&s, "3:sub/hard.jpg"));
    CHECK(has(&s, "3:line\nbreak/d.jpg") && has(&s, "3:bytes\xFF\xFE/e.jpg"));
    CHECK(s.n_skipped == 4); /* film, document, link, pipe */
    CHECK(s.n_unreadable == 0);
    CHECK(pd_mem_live() == live);
    scene_end();
}

static void sockets_are_never_opened(void)
{
    static seen s;
    s = (seen){ 0 };
    REQUIRE(scene_begin() && scene_folder("p"));
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", scene_path("p/s.jpg"));
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(pd_walk(scene_path("p"), 0, &visitor, &s, NULL) == PD_OK);
    CHECK(s.n_files == 0 && s.n_skipped == 1);
    close(fd);
    scene_end();
}

static void missing_folder_is_told_with_its_errno(void)
{
    static seen s;
    s = (seen){ 0 };
    REQUIRE(scene_begin());
    CHECK(pd_walk(scene_path("p"), 0, &visitor, &s, NULL) == PD_OK);
    CHECK(s.n_unreadable == 1 && s.sys_errno == ENOENT);
    scene_end();
}

/* `mode` of the folder that cannot be read. */
static void check_unreadable(mode_t mode)
{
    REQUIRE(scene_begin());
    REQUIRE(scene_write("p/a.jpg", "x", 1) && scene_write("p/closed/b.jpg", "x", 1));
    REQUIRE(scene_write("p/closed/c.jpg", "x", 1));
    REQUIRE(chmod(scene_path("p/closed"), mode) == 0 && chmod(scene_path(""), 0755) == 0);
    REQUIRE(chmod(scene_path("p"), 0755) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        static seen s;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        const pd_status status = pd_walk(scene_path("p"), 0, &visitor, &s, NULL);
        _exit(status == PD_OK && s.n_files == 1 && s.n_unreadable == 1 && s.sys_errno == EACCES ? 0 : 1);
    }
    int result = -1;
    waitpid(child, &result, 0);
    CHECK(WIFEXITED(result) && WEXITSTATUS(result) == 0);
    (void)chmod(scene_path("p/closed"), 0700);
    scene_end();
}

static void unreadable_folder_is_told_and_the_rest_is_found(void) { check_unreadable(0); }

static void folder_that_can_only_be_listed_is_unreadable(void) { check_unreadable(0444); }

static void deep_tree_is_walked_until_paths_grow_too_long(void)
{
    static seen s;
    s = (seen){ 0 };
    REQUIRE(scene_begin() && scene_folder("p"));
    char name[201];
    memset(name, 'd', 200);
    name[200] = '\0';
    REQUIRE(chdir(scene_path("p")) == 0);
    for (int i = 0; i < 25; i++) /* 25 * 201 bytes are more than a path may have */
        REQUIRE(mkdir(name, 0700) == 0 && chdir(name) == 0);
    REQUIRE(chdir("/") == 0);
    CHECK(pd_walk(scene_path("p"), 0, &visitor, &s, NULL) == PD_OK);
    CHECK(s.n_folders == 21 && s.n_skipped == 1); /* the scene, and 20 times 201 bytes below it */
    if (chdir(scene_path("p")) == 0) {
        for (int i = 0; i < 25; i++)
            (void)!chdir(name);
        for (int i = 0; i < 25; i++)
            (void)!(chdir("..") == 0 && rmdir(name) == 0);
        (void)!chdir("/");
    }
    scene_end();
}

static bool on_file_with_sidecar(void *user, const pd_walk_file *file)
{
    seen *s = user;
    if (s->n_files < 64)
        snprintf(s->names[s->n_files], sizeof s->names[0], "%.99s<%.99s", pd_path_name(file->path),
                 file->sidecar ? pd_path_name(file->sidecar) : "");
    CHECK((file->sidecar_ns != 0) == (file->sidecar != NULL));
    s->n_files++;
    return true;
}

static void sidecars_are_found_beside_their_pictures(void)
{
    static const pd_walk_visitor with_sidecars = { on_folder, on_file_with_sidecar, on_skipped, on_unreadable, NULL };
    static const char *const made[] = { "both.jpg",    "both.jpg.xmp",   "both.xmp",   "stem.jpg",
                                        "stem.xmp",    "CASE.JPG",       "case.XMP",   "alone.jpg",
                                        "other.xmp",   "deep/alone.xmp", "folder.jpg", "a.b.png",
                                        "a.b.png.xmp", "a.b.xmp",        "huge.jpg",   "link.jpg" };
    static const char *const wanted[] = {
        "both.jpg<both.jpg.xmp", "stem.jpg<stem.xmp", "CASE.JPG<case.XMP", "alone.jpg<",
        "a.b.png<a.b.png.xmp",   "folder.jpg<",       "huge.jpg<",         "link.jpg<"
    };
    REQUIRE(scene_begin());
    for (size_t i = 0; i < PD_COUNT_OF(made); i++) {
        char name[64];
        snprintf(name, sizeof name, "p/%s", made[i]);
        REQUIRE(scene_write(name, "x", 1));
    }
    REQUIRE(scene_folder("p/folder.xmp") && scene_write("p/huge.xmp", "x", 1));
    REQUIRE(truncate(scene_path("p/huge.xmp"), (off_t)PD_MEDIA_SIDECAR_BYTES_MAX + 1) == 0);
    REQUIRE(symlink("other.xmp", scene_path("p/link.xmp")) == 0);
    seen s = { 0 };
    CHECK(pd_walk(scene_path("p"), 0, &with_sidecars, &s, NULL) == PD_OK);
    CHECK(s.n_files == PD_COUNT_OF(wanted));
    for (size_t i = 0; i < PD_COUNT_OF(wanted); i++)
        CHECK(has(&s, wanted[i]));
}

static void visitor_can_end_the_walk(void)
{
    static seen s;
    s = (seen){ .stop_after = 2 };
    REQUIRE(scene_begin());
    REQUIRE(scene_write("p/a.jpg", "x", 1) && scene_write("p/b/b.jpg", "x", 1) && scene_write("p/c/c.jpg", "x", 1));
    const size_t live = pd_mem_live();
    CHECK(pd_walk(scene_path("p"), 0, &visitor, &s, NULL) == PD_ERR_CANCELLED);
    CHECK(s.n_files == 2 && pd_mem_live() == live);
    scene_end();
}

static void out_of_memory_is_told_and_leaks_nothing(void)
{
    static seen s;
    REQUIRE(scene_begin());
    REQUIRE(scene_write("p/b/b.jpg", "x", 1) && scene_write("p/c/c.jpg", "x", 1));
    pd_status status = PD_ERR_NOMEM;
    for (size_t nth = 1; status != PD_OK && nth < 100; nth++) {
        s = (seen){ 0 };
        const size_t live = pd_mem_live();
        pd_mem_fail_at(nth);
        status = pd_walk(scene_path("p"), 0, &visitor, &s, NULL);
        pd_mem_fail_at(0);
        CHECK(status == PD_OK || status == PD_ERR_NOMEM);
        CHECK(pd_mem_live() == live);
    }
    CHECK(status == PD_OK && s.n_files == 2);
    scene_end();
}

static void reaching_means_that_nothing_between_is_left_out(void)
{
    REQUIRE(scene_begin());
    REQUIRE(scene_folder("p/q/r") && scene_write("p/ign/.pixeldetectiveignore", "", 0) && scene_folder("p/ign/x"));
    CHECK(pd_walk_reaches(scene_path("p"), scene_path("p")));
    CHECK(pd_walk_reaches(scene_path("p"), scene_path("p/q/r")));
    CHECK(pd_walk_reaches(scene_path("p"), scene_path("p/not/there")));
    CHECK(pd_walk_reaches("/", scene_path("p/q")));
    CHECK(!pd_walk_reaches(scene_path("p"), scene_path("p/q/.hidden/r")));
    CHECK(!pd_walk_reaches(scene_path("p"), scene_path("p/@eaDir")));
    CHECK(!pd_walk_reaches(scene_path("p"), scene_path("p/ign/x")));
    CHECK(!pd_walk_reaches(scene_path("p"), scene_path("pp")));
    CHECK(!pd_walk_reaches(scene_path("p/q"), scene_path("p")));
    CHECK(pd_path_is_within("/a", "/") && pd_path_is_within("/a/b", "/a") && !pd_path_is_within("/ab", "/a"));
    scene_end();
}

int main(void)
{
    RUN(pictures_are_found_and_everything_odd_is_left_aside);
    RUN(sockets_are_never_opened);
    RUN(missing_folder_is_told_with_its_errno);
    RUN(unreadable_folder_is_told_and_the_rest_is_found);
    RUN(folder_that_can_only_be_listed_is_unreadable);
    RUN(deep_tree_is_walked_until_paths_grow_too_long);
    RUN(sidecars_are_found_beside_their_pictures);
    RUN(visitor_can_end_the_walk);
    RUN(out_of_memory_is_told_and_leaks_nothing);
    RUN(reaching_means_that_nothing_between_is_left_out);
    return TEST_RESULT();
}
