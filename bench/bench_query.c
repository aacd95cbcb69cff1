/* bench_query.c LIBRARY MODEL [ROUNDS]: questions to a library of bench/make_library, from the text to the first page
 * as JSON: parsing, embedding (of words that were never asked before), filters, scan, fusion, 100 photos described.
 * Warm: a few questions are asked first. Prints CSV (bench.h): wall clock of one question at a time on all CPUs. */
#include <string.h>
#include <sys/resource.h>

#include "answer/answer.h"
#include "base/cpu.h"
#include "bench.h"
#include "library/library.h"

#define PAGE 100
#define ROUNDS_MAX 1000

static const char *const subjects[] = { "dog",  "a red car", "the sea at night", "children", "old bridge", "food",
                                        "snow", "a market",  "two people",       "flowers",  "a train",    "birthday" };
static const char *const places[] = { "in the rain", "by the water", "at home",   "in the city", "outdoors", "far away",
                                      "close up",    "at sunset",    "in winter", "with light",  "on a hill" };

/* %s: words of meaning, if any. */
static const struct {
    const char *name, *form;
} kinds[] = {
    { "words", "%s" },
    { "words and camera", "%s camera:canon" },
    { "words and year and type", "%s year:2015..2018 type:jpeg" },
    { "words sorted by date", "%s sort:-date" },
    { "camera", "camera:canon" },
    { "year and iso and place", "year:2012 iso:>=800 has:gps" },
    { "keyword", "tag:beach" },
    { "name", "name:*99.jpg" },
    { "exact words", "\"birthday\"" },
    { "everything newest first", "" },
};

static void must(pd_status status, const pd_error *err)
{
    if (status == PD_OK)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static double ask(pd_library *library, const char *text, pd_hits *ret_hits)
{
    pd_error err = { 0 };
    const int64_t start = pd_clock_ns();
    must(pd_library_find(library, &(pd_question){ .text = text, .n = PAGE }, ret_hits, &err), &err);
    const pd_hits_answer answer = { .query = text, .hits = ret_hits };
    pd_json *json = pd_answer_hits(&answer);
    pd_buf buf;
    pd_buf_init(&buf, 1 << 24);
    must(pd_json_write(json, false, &buf), &err);
    const double ms = bench_ms_since(start);
    pd_buf_done(&buf);
    pd_json_free(&json);
    return ms;
}

/* `turn` makes every question a new one; a filter gets a part that changes nothing. */
static void make_text(char *text, size_t len, size_t kind, size_t turn)
{
    char words[96];
    (void)snprintf(words, sizeof words, "%s %s %zu", subjects[turn % 12], places[turn / 12 % 11], turn);
    if (strstr(kinds[kind].form, "%s"))
        (void)snprintf(text, len, strcmp(kinds[kind].form, "%s") ? "%s %s" : "%s", words, kinds[kind].form + 2);
    else
        (void)snprintf(text, len, "%s width:>%zu", kinds[kind].form, turn % 900);
}

static void time_kind(pd_library *library, size_t kind, size_t rounds, int64_t n_photos)
{
    static double ms[ROUNDS_MAX], deep[ROUNDS_MAX];
    char text[256], name[160];
    int64_t total = 0;
    for (size_t i = 0; i < rounds + 3; i++) {
        pd_hits hits = { 0 }, page = { 0 };
        pd_error err = { 0 };
        make_text(text, sizeof text, kind, i);
        const double took = ask(library, text, &hits);
        total = hits.total;
        const int64_t start = pd_clock_ns();
        must(pd_library_find(library, &(pd_question){ .result = hits.result, .offset = (size_t)total / 2, .n = PAGE },
                             &page, &err),
             &err);
        if (i >= 3) {
            ms[i - 3] = took;
            deep[i - 3] = bench_ms_since(start);
        }
        pd_hits_done(&hits);
        pd_hits_done(&page);
    }
    (void)snprintf(name, sizeof name, "query,%lld photos: %s (%lld pass),first page,ms", (long long)n_photos,
                   kinds[kind].name, (long long)total);
    bench_print(name, &(bench_values){ ms, rounds });
    (void)snprintf(name, sizeof name, "query,%lld photos: %s,page in the middle after it,ms", (long long)n_photos,
                   kinds[kind].name);
    bench_print(name, &(bench_values){ deep, rounds });
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: bench_query LIBRARY MODEL [ROUNDS]\n", stderr);
        return 2;
    }
    size_t rounds = argc > 3 ? strtoull(argv[3], NULL, 10) : 60;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    pd_error err = { 0 };
    pd_library *library = NULL;
    pd_library_options options;
    pd_library_options_init(&options);
    options.dir = argv[1];
    options.model = argv[2];
    must(pd_library_open(&library, &options, &err), &err);
    puts(BENCH_COLUMNS);
    pd_hits hits = { 0 };
    char name[160];
    double first = ask(library, "", &hits);
    const int64_t n_photos = hits.total;
    pd_hits_done(&hits);
    (void)snprintf(name, sizeof name, "query,%lld photos: the first question of a process,filters,ms",
                   (long long)n_photos);
    bench_print(name, &(bench_values){ &first, 1 });
    first = ask(library, "a first question", &hits);
    pd_hits_done(&hits);
    (void)snprintf(name, sizeof name, "query,%lld photos: the first question of a process,words,ms",
                   (long long)n_photos);
    bench_print(name, &(bench_values){ &first, 1 });
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        time_kind(library, kind, rounds, n_photos);
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    double mib = (double)usage.ru_maxrss / 1024;
    (void)snprintf(name, sizeof name, "query,%lld photos,largest memory of the process,MiB", (long long)n_photos);
    bench_print(name, &(bench_values){ &mib, 1 });
    pd_library_close(&library);
    return 0;
}
