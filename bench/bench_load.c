/* bench_load.c DIR CACHE [ROUNDS]: what opening a model costs: the first time, which prepares it into CACHE (made new),
 * and from then on; how much memory of the process that takes. One tower at a time, then both.
 *
 * "shared" pages are those that another process which has the model open maps too: Shared_* of /proc/self/smaps, read
 * while a child has the same model open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/model.h"

enum { ROUNDS_MAX = 1000 };

static double ms_since(int64_t begin) { return (double)(pd_clock_ns() - begin) * 1e-6; }

/* A field of /proc/self/status in MB. */
static double read_status(const char *field)
{
    char line[256];
    double kb = 0.0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            kb = strtod(line + strlen(field), NULL);
    if (file)
        fclose(file);
    return kb / 1024.0;
}

/* MB of a field over all mappings of prepared files. */
static double sum_maps(const char *field)
{
    char line[4096];
    double kb = 0.0;
    bool ours = false;
    FILE *file = fopen("/proc/self/smaps", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (line[0] < 'A' || line[0] > 'Z') /* "7f0c...-7f0d... r--p ... path" heads the fields of a mapping */
            ours = strstr(line, ".prepared") != NULL;
        if (ours && strncmp(line, field, strlen(field)) == 0)
            kb += strtod(line + strlen(field), NULL);
    }
    if (file)
        fclose(file);
    return kb / 1024.0;
}

static pd_model *open_model(const char *dir, const char *cache, unsigned towers)
{
    pd_model_options options;
    pd_error err = { 0 };
    pd_model *model = NULL;
    pd_model_options_init(&options);
    options.cache_dir = cache;
    options.towers = towers;
    if (pd_model_open(&model, dir, &options, &err) != PD_OK) {
        fprintf(stderr, "bench_load: %s\n", err.message);
        exit(1);
    }
    return model;
}

/* One query, so that the pages of the text tower are touched. */
static void ask(const pd_model *model)
{
    float embedding[PD_MODEL_DIM_MAX];
    pd_session *session = NULL;
    if (pd_session_create(&session, model, &(pd_session_options){ .towers = PD_MODEL_TEXT }, NULL) != PD_OK ||
        pd_session_embed_text(session, "a dog", 5, embedding, NULL) != PD_OK)
        exit(1);
    pd_session_free(&session);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* In a process of its own, so that high-water marks do not mix. */
static void in_child(void (*run)(const char *dir, const char *cache, size_t rounds), const char *dir, const char *cache,
                     size_t rounds)
{
    (void)fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        run(dir, cache, rounds);
        (void)fflush(stdout);
        _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0)
        exit(1);
}

static void prepare(const char *dir, const char *cache, size_t rounds)
{
    (void)rounds;
    const int64_t begin = pd_clock_ns();
    pd_model *model = open_model(dir, cache, PD_MODEL_TEXT | PD_MODEL_VISION);
    printf("first open, which prepares: %.0f ms, VmHWM %.0f MB\n", ms_since(begin), read_status("VmHWM:"));
    pd_model_close(&model);
}

static void load(const char *dir, const char *cache, size_t rounds)
{
    static const struct {
        const char *name;
        unsigned towers;
    } kinds[] = { { "text tower", PD_MODEL_TEXT },
                  { "image tower", PD_MODEL_VISION },
                  { "both towers", PD_MODEL_TEXT | PD_MODEL_VISION } };
    static double ms[ROUNDS_MAX];
    for (size_t i = 0; i < PD_COUNT_OF(kinds); i++) {
        size_t made = 0;
        for (size_t round = 0; round < rounds; round++) {
            const int64_t begin = pd_clock_ns();
            pd_model *model = open_model(dir, cache, kinds[i].towers);
            ms[round] = ms_since(begin);
            made = pd_mem_live();
            pd_model_close(&model);
        }
        qsort(ms, rounds, sizeof *ms, compare);
        printf("open, %s: median %.2f ms, least %.2f ms of %zu rounds (%zu blocks on the heap)\n", kinds[i].name,
               ms[rounds / 2], ms[0], rounds, made);
    }
    printf("VmHWM %.0f MB, of it on the heap and other private memory (RssAnon) %.1f MB\n", read_status("VmHWM:"),
           read_status("RssAnon:"));
}

static void share(const char *dir, const char *cache, size_t rounds)
{
    (void)rounds;
    int ready[2], done[2];
    char byte = 0;
    if (pipe(ready) != 0 || pipe(done) != 0)
        exit(1);
    const pid_t child = fork();
    if (child == 0) {
        pd_model *other = open_model(dir, cache, PD_MODEL_TEXT);
        ask(other);
        if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1)
            _exit(1);
        _exit(0);
    }
    pd_model *model = open_model(dir, cache, PD_MODEL_TEXT);
    ask(model);
    if (read(ready[0], &byte, 1) != 1)
        exit(1);
    printf("prepared weights of two processes: resident %.1f MB, shared %.1f MB, private clean %.1f MB, private dirty "
           "%.1f MB\n",
           sum_maps("Rss:"), sum_maps("Shared_Clean:") + sum_maps("Shared_Dirty:"), sum_maps("Private_Clean:"),
           sum_maps("Private_Dirty:"));
    if (write(done[1], &byte, 1) != 1)
        exit(1);
    (void)waitpid(child, NULL, 0);
    pd_model_close(&model);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bench_load DIR CACHE [ROUNDS]\n");
        return 2;
    }
    const unsigned long asked = argc > 3 ? strtoul(argv[3], NULL, 10) : 31;
    const size_t rounds = asked < 1 ? 1 : asked > ROUNDS_MAX ? ROUNDS_MAX : asked;
    in_child(prepare, argv[1], argv[2], rounds);
    in_child(load, argv[1], argv[2], rounds);
    in_child(share, argv[1], argv[2], rounds);
    return 0;
}
