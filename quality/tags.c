/* tags.c: the tags of embeddings, for quality/tags.py.
 *
 *     tags MODEL CACHE_DIR < embeddings         floats as they lie in memory, dim a picture
 *     tags MODEL CACHE_DIR seconds N            how long embedding the words, and tagging N embeddings, takes
 *
 * A line comes back for each embedding: word=score, tabs between; a score that ends in '?' is doubtful. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/annotate.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"

enum { TIMED_ROWS = 1000 };

static void fail(const pd_error *err)
{
    fprintf(stderr, "tags: %s\n", err->message);
    exit(1);
}

static void tag_input(const pd_tagger *tagger, float *embedding, size_t dim)
{
    while (fread(embedding, sizeof *embedding, dim, stdin) == dim) {
        pd_tagged tags[PD_TAGS_MAX];
        const size_t n = pd_tagger_tag(tagger, embedding, tags);
        for (size_t i = 0; i < n; i++)
            printf("%s%s=%.4f%s", i ? "\t" : "", tags[i].word, (double)tags[i].score, tags[i].doubtful ? "?" : "");
        printf("\n");
    }
}

/* Directions that no photo has, but as many steps as any. */
static void time_rows(const pd_tagger *tagger, size_t dim, size_t n)
{
    float *rows = pd_mem_alloc(TIMED_ROWS * dim, sizeof *rows);
    pd_tagged *tags = pd_mem_alloc(TIMED_ROWS * PD_TAGS_MAX, sizeof *tags);
    size_t counts[TIMED_ROWS];
    pd_error err = { 0 };
    if (!rows || !tags)
        exit(1);
    for (size_t i = 0; i < TIMED_ROWS * dim; i++)
        rows[i] = (float)((i * 2654435761U) >> 8 & 0xffff) / 65536 - 0.5f;
    const int64_t start = pd_clock_ns();
    for (size_t done = 0; done < n; done += TIMED_ROWS)
        if (pd_tagger_tag_all(tagger, rows, TIMED_ROWS, tags, counts, &err) != PD_OK)
            fail(&err);
    printf("%zu embeddings in %.2f s\n", n, (double)(pd_clock_ns() - start) / 1e9);
    pd_mem_free(tags);
    pd_mem_free(rows);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    pd_error err = { 0 };
    pd_residency *residency = NULL;
    pd_tagger *tagger = NULL;
    pd_lease lease = { 0 };
    const pd_residency_options options = { .cpu_mask = pd_cpu_detect(), .cache_dir = argv[2], .idle_s = -1 };
    if (pd_residency_create(&residency, &options, &err) != PD_OK ||
        pd_residency_borrow(residency, argv[1], PD_PART_TEXT, NULL, &lease, &err) != PD_OK)
        fail(&err);
    const int64_t start = pd_clock_ns();
    if (pd_tagger_open(&tagger, residency, argv[1], argv[2], NULL, &err) != PD_OK)
        fail(&err);
    const size_t dim = pd_model_dim(lease.model);
    float *embedding = pd_mem_alloc(dim, sizeof *embedding);
    if (!embedding)
        return 1;
    if (argc > 4 && strcmp(argv[3], "seconds") == 0) {
        printf("words in %.2f s\n", (double)(pd_clock_ns() - start) / 1e9);
        time_rows(tagger, dim, strtoul(argv[4], NULL, 10));
    } else {
        tag_input(tagger, embedding, dim);
    }
    pd_mem_free(embedding);
    pd_tagger_close(&tagger);
    pd_residency_return(residency, &lease);
    pd_residency_free(&residency);
    return 0;
}
