/* bench_decode.c: a picture of 12 and one of 24 megapixels in every format, through the pool and its decoder process,
 * and as libvips alone thumbnails it in a process of the same kind; interleaved, so that the ratio holds on a busy
 * machine.
 *
 *   bench_decode PHOTO [ROUNDS [FORMAT]]   (PD_DECODER: path of the decoder; else the one beside this program)
 *
 * PHOTO is enlarged to 4,000 x 3,000 and 6,000 x 4,000 px and saved in a folder that is removed at the end. "ours" is
 * what learning asks for: pixels with a short side of 448 px, thumbnail, hash, metadata, into shared memory. "vips" is
 * vips_thumbnail_buffer to a short side of 448 px, in memory; "+webp" adds what we do with it: a thumbnail of 320 px as
 * WebP. Prints CSV: milliseconds (median and least), processor time in milliseconds (mean), peak resident memory in MiB
 * of the process (a new one for every file). */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vips/vips.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "media/media.h"

enum {
    SHORT_SIDE = 448,
    THUMB_SIDE = 320,
    ROUNDS = 11,
    ROUNDS_MAX = 101,
    FILE_BYTES_MAX = 1 << 30,
    TIMEOUT_MS = 60000,
};

typedef struct sample_format {
    const char *name, *suffix; /* options of libvips' saver */
} sample_format;

static const sample_format formats[] = {
    { "jpeg", ".jpg[Q=92]" },
    { "jpeg-progressive", ".jpg[Q=92,interlace]" },
    { "webp", ".webp[Q=85]" },
    { "png", ".png[compression=6]" },
    { "tiff-lzw", ".tif[compression=lzw]" },
    { "heif", ".heic[Q=60,compression=hevc]" },
    { "avif", ".avif[Q=60,effort=1]" },
    { "jxl", ".jxl[Q=85,effort=3]" },
    { "jp2", ".jp2[Q=50]" },
    { "gif", ".gif[effort=1]" },
};
static const struct {
    int width, height;
} sizes[] = { { 4000, 3000 }, { 6000, 4000 } };

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, vips_error_buffer());
    exit(EXIT_FAILURE);
}

static double milliseconds(int64_t start_ns) { return (double)(pd_clock_ns() - start_ns) / PD_NS_PER_MS; }

/* VmHWM of a process in MiB. */
static double read_peak(pid_t pid)
{
    char path[64], text[8192];
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *line = strstr(text, "VmHWM:");
    return line ? strtod(line + 6, NULL) / 1024 : 0;
}

/* Processor time that a process has used, in ms, its ended threads included. */
static double read_cpu(pid_t pid)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    char *field = strrchr(text, ')'); /* the 2nd; user and system time are the 14th and 15th, in ticks */
    for (int i = 2; field && i < 14; i++)
        field = strchr(field + 1, ' ');
    if (!field)
        return 0;
    const double user = strtod(field, &field);
    return (user + strtod(field, NULL)) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

/* The one child that this process has. */
static pid_t find_child(void)
{
    char path[64], text[64] = "";
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!read(fd, text, sizeof text - 1);
        (void)close(fd);
    }
    return (pid_t)strtol(text, NULL, 10);
}

/* In a process of its own: the samples of one size. */
static void make_samples(const char *photo, const char *folder, const char *only, size_t size)
{
    VipsImage *image = NULL, *large = NULL;
    if (vips_thumbnail(photo, &image, sizes[size].width, "height", sizes[size].height, "size", VIPS_SIZE_FORCE, NULL) ||
        !(large = vips_image_copy_memory(image)))
        fail(photo);
    for (size_t i = 0; i < PD_COUNT_OF(formats); i++) {
        char path[4096];
        if (only && strcmp(only, formats[i].name) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s-%zu%s", folder, formats[i].name, size, formats[i].suffix);
        if (vips_image_write_to_file(large, path, NULL))
            fail(path);
    }
}

/* The other process: for each path on its standard input, milliseconds and peak memory on its standard output. */
static int thumbnail_paths(bool has_webp)
{
    char line[4096];
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        pd_file_map map;
        const int64_t start_ns = pd_clock_ns();
        if (pd_file_map_open(&map, line, NULL) != PD_OK)
            return EXIT_FAILURE;
        VipsImage *thumb = NULL, *small = NULL;
        size_t bytes = 0;
        void *webp = NULL;
        /* a box that the short side fills: every sample is wider than high */
        if (vips_thumbnail_buffer((void *)(uintptr_t)map.data, map.len, &thumb, 100000, "height", SHORT_SIDE, NULL))
            fail(line);
        VipsImage *pixels = vips_image_copy_memory(thumb);
        if (!pixels)
            fail(line);
        if (has_webp && (vips_thumbnail_image(pixels, &small, THUMB_SIDE, NULL) ||
                         vips_webpsave_buffer(small, &webp, &bytes, "Q", 75, "effort", 1, "strip", TRUE, NULL)))
            fail(line);
        g_free(webp);
        g_clear_object(&small);
        g_object_unref(pixels);
        g_object_unref(thumb);
        pd_file_map_close(&map);
        printf("%.3f %.1f\n", milliseconds(start_ns), read_peak(getpid()));
        (void)fflush(stdout);
    }
    return EXIT_SUCCESS;
}

/* A process of thumbnail_paths. */
typedef struct bare_vips {
    pid_t pid;
    FILE *questions, *answers;
} bare_vips;

static bare_vips start_bare(const char *self, const char *mode)
{
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    bare_vips bare = { 0 };
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO) != 0)
        exit(EXIT_FAILURE);
    char *const arguments[] = { strdupa(self), strdupa(mode), NULL };
    if (posix_spawn(&bare.pid, self, &actions, NULL, arguments, environ) != 0)
        exit(EXIT_FAILURE);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(in[0]);
    (void)close(out[1]);
    bare.questions = fdopen(in[1], "w");
    bare.answers = fdopen(out[0], "r");
    return bare;
}

static double ask_bare(const bare_vips *bare, const char *path, double *ret_peak)
{
    char line[256] = "", *rest;
    fprintf(bare->questions, "%s\n", path);
    (void)fflush(bare->questions);
    if (!fgets(line, sizeof line, bare->answers))
        exit(EXIT_FAILURE);
    const double ms = strtod(line, &rest);
    *ret_peak = strtod(rest, NULL);
    return ms;
}

static void end_bare(const bare_vips *bare)
{
    (void)fclose(bare->questions);
    (void)fclose(bare->answers);
    (void)waitpid(bare->pid, NULL, 0);
}

static double decode_once(pd_media_pool *pool, const char *path)
{
    const pd_media_request request = { .short_side_min = SHORT_SIDE, .thumb = true, .timeout_ms = TIMEOUT_MS };
    pd_picture picture = { 0 };
    pd_error error;
    const int64_t start_ns = pd_clock_ns();
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (pd_media_decode(pool, fd, &request, &picture, &error) != PD_OK || !picture.has_pixels) {
        fprintf(stderr, "%s: %s\n", path, picture.pixels_error[0] ? picture.pixels_error : error.message);
        exit(EXIT_FAILURE);
    }
    const double ms = milliseconds(start_ns);
    pd_picture_release(&picture);
    (void)close(fd);
    return ms;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One row of the table; the first round, which loads code and warms the file, does not count. */
static void measure(const char *self, const char *name, size_t size, const char *path, int n_rounds)
{
    enum { OURS, VIPS, VIPS_WEBP, WAYS };
    static double ms[WAYS][ROUNDS_MAX];
    double peak[WAYS] = { 0 }, cpu[WAYS] = { 0 };
    pd_media_pool *pool = NULL;
    pd_error error;
    const pd_media_options options = { .decoder_path = getenv("PD_DECODER"), .n_processes = 1, .n_slots = 1 };
    if (pd_media_pool_create(&pool, &options, &error) != PD_OK)
        exit(EXIT_FAILURE);
    (void)decode_once(pool, path);
    const pid_t decoder = find_child();
    peak[OURS] = read_peak(decoder);
    const bare_vips bare = start_bare(self, "--bare"), webp = start_bare(self, "--webp");
    const pid_t pids[WAYS] = { decoder, bare.pid, webp.pid };
    for (int round = -1; round < n_rounds; round++) {
        const int at = round < 0 ? 0 : round;
        for (int way = 0; way < WAYS && round == 0; way++)
            cpu[way] = read_cpu(pids[way]);
        ms[OURS][at] = decode_once(pool, path);
        ms[VIPS][at] = ask_bare(&bare, path, &peak[VIPS]);
        ms[VIPS_WEBP][at] = ask_bare(&webp, path, &peak[VIPS_WEBP]);
    }
    for (int way = 0; way < WAYS; way++)
        cpu[way] = (read_cpu(pids[way]) - cpu[way]) / n_rounds;
    end_bare(&bare);
    end_bare(&webp);
    pd_media_pool_free(&pool);
    struct stat info;
    (void)stat(path, &info);
    for (int way = 0; way < WAYS; way++)
        qsort(ms[way], (size_t)n_rounds, sizeof **ms, compare);
    printf("%s,%d,%.1f", name, size ? 24 : 12, (double)info.st_size / 1e6);
    for (int way = 0; way < WAYS; way++)
        printf(",%.1f,%.1f,%.1f,%.0f", ms[way][n_rounds / 2], ms[way][0], cpu[way], peak[way]);
    printf("\n");
    (void)fflush(stdout);
}

static void run_in_child(const char *photo, const char *folder, const char *only, size_t size)
{
    const pid_t pid = fork(); /* libvips' threads and memory stay out of this process */
    int status = 0;
    if (pid == 0) {
        if (VIPS_INIT("bench_decode"))
            _exit(EXIT_FAILURE);
        make_samples(photo, folder, only, size);
        _exit(EXIT_SUCCESS);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    if (argc == 2 && argv[1][0] == '-') {
        if (VIPS_INIT(argv[0]))
            return EXIT_FAILURE;
        return thumbnail_paths(strcmp(argv[1], "--webp") == 0);
    }
    if (argc < 2) {
        fprintf(stderr, "usage: bench_decode PHOTO [ROUNDS [FORMAT]]\n");
        return EXIT_FAILURE;
    }
    const int n_rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : ROUNDS;
    const char *only = argc > 3 ? argv[3] : NULL;
    char folder[] = "/tmp/bench_decode-XXXXXX";
    if (n_rounds < 1 || n_rounds > ROUNDS_MAX || !mkdtemp(folder))
        return EXIT_FAILURE;
    printf("format,megapixels,file MB,ours ms,least,CPU,MiB,vips ms,least,CPU,MiB,vips+webp ms,least,CPU,MiB\n");
    for (size_t size = 0; size < PD_COUNT_OF(sizes); size++) {
        run_in_child(argv[1], folder, only, size);
        for (size_t i = 0; i < PD_COUNT_OF(formats); i++) {
            char path[4096];
            if (only && strcmp(only, formats[i].name) != 0)
                continue;
            (void)snprintf(path, sizeof path, "%s/%s-%zu%.*s", folder, formats[i].name, size,
                           (int)strcspn(formats[i].suffix, "["), formats[i].suffix);
            measure(argv[0], formats[i].name, size, path, n_rounds);
            (void)unlink(path);
        }
    }
    (void)rmdir(folder);
    return EXIT_SUCCESS;
}
