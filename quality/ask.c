/* ask.c: many questions to one library from one process, for quality/ablation.py.
 *
 *     ask LIBRARY MODEL [fp32] < questions     one question a line, as a user types it
 *
 * A line comes back for each: how many are strong, then every photo in order as id:score:match, blanks between. For the
 * question of one tab: every photo as id:path, tabs between. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library/library.h"

static void fail(const pd_error *err)
{
    fprintf(stderr, "ask: %s\n", err->message);
    exit(1);
}

static void answer(pd_library *library, const char *text, bool with_paths)
{
    pd_error err = { 0 };
    pd_hits hits = { 0 };
    if (pd_library_find(library, &(pd_question){ .text = text, .n = PD_LIBRARY_WINDOW_MAX }, &hits, &err) != PD_OK)
        fail(&err);
    printf("%lld", (long long)hits.strong);
    for (size_t i = 0; i < hits.n; i++) {
        if (with_paths)
            printf("\t%lld:%s", (long long)hits.items[i].id, hits.items[i].path);
        else
            printf(" %lld:%.5f:%d", (long long)hits.items[i].id, (double)hits.items[i].score, hits.items[i].match);
    }
    printf("\n");
    pd_hits_done(&hits);
}

int main(int argc, char **argv)
{
    static char line[8192];
    pd_error err = { 0 };
    pd_library *library = NULL;
    pd_library_options options;
    pd_library_options_init(&options);
    if (argc < 3)
        return 2;
    options.dir = argv[1];
    options.model = argv[2];
    options.cache_home = getenv("XDG_CACHE_HOME");
    if (argc > 3 && strcmp(argv[3], "fp32") == 0)
        options.precision = PD_PRECISION_FP32;
    if (pd_library_open(&library, &options, &err) != PD_OK)
        fail(&err);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        answer(library, line[0] == '\t' ? "" : line, line[0] == '\t');
    }
    pd_library_close(&library);
    return 0;
}
