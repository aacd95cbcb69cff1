/* tagger.c: from a photo's embedding to words. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "annotate/tagger.h"
#include "base/cpu.h"
#include "base/mem.h"

/* How sure a share makes us: a logistic curve over its log-odds, fitted on one half of ../shared/quality and judged on
 * the other (quality/tags.py). A general word reaches the same share more easily, for it gathers those of its kinds. */
#define SURENESS_OF_SHARE 0.78f
#define SURENESS_OF_WORD 2.12f
#define SURENESS_OF_GENERAL 1.02f

#define SURE 0.6f /* from here on a tag is not doubtful */
#define KEPT 0.4f /* below it is none */

/* A word with a smaller share is never kept. */
#define SHARE_MIN 0.02f
#define SHARE_MAX (1 - 1e-6f)

enum {
    RULES = 3, /* grows when the numbers above, or how they are used, change */
    BLOCK_ROWS = 32
};

struct pd_tagger {
    const pd_vocabulary *vocabulary;
    pd_kernels kernels;
    pd_word_space space;
    char source[PD_SHA256_TEXT_BYTES + 32];
};

static char *make_path(const char *cache_dir, const char *model_id)
{
    char name[48];
    snprintf(name, sizeof name, "tags-%.16s.words", model_id);
    return pd_path_join(cache_dir, name);
}

/* A cache that cannot be written is no failure. */
static pd_status make_space(pd_tagger *tagger, const char *path, const pd_model *model,
                            const pd_tagger_options *options, pd_error *err)
{
    const pd_tagger_eyes eyes = { options->text, options->vision, pd_model_dim(model) };
    if (!options->vision)
        return PD_ERR_NOT_FOUND;
    PD_TRY(pd_word_space_make(&tagger->space, tagger->vocabulary, &eyes, options->cancelled, err));
    if (path && pd_dir_make(options->cache_dir, NULL) == PD_OK)
        (void)!pd_word_space_write(&tagger->space, path, tagger->vocabulary, pd_model_id(model), NULL);
    return PD_OK;
}

/* From the cache, or made and put there. */
static pd_status find_space(pd_tagger *tagger, const pd_model *model, const pd_tagger_options *options, pd_error *err)
{
    char *path = options->cache_dir ? make_path(options->cache_dir, pd_model_id(model)) : NULL;
    if (options->cache_dir && !path)
        return pd_error_set_nomem(err);
    pd_status status = PD_ERR_NOT_FOUND;
    if (path)
        status = pd_word_space_read(&tagger->space, path, tagger->vocabulary, pd_model_id(model), NULL);
    if (status == PD_OK && tagger->space.dim != pd_model_dim(model)) {
        pd_word_space_done(&tagger->space);
        status = PD_ERR_CORRUPT;
    }
    if (status == PD_ERR_NOMEM)
        status = pd_error_set_nomem(err);
    else if (status != PD_OK)
        status = make_space(tagger, path, model, options, err);
    pd_mem_free(path);
    return status;
}

pd_status pd_tagger_make(pd_tagger **ret_tagger, const pd_model *model, const pd_tagger_options *options, pd_error *err)
{
    pd_tagger *tagger = pd_mem_alloc(1, sizeof *tagger);
    if (!tagger)
        return pd_error_set_nomem(err);
    tagger->vocabulary = options->vocabulary;
    pd_kernels_init(&tagger->kernels, pd_cpu_detect());
    snprintf(tagger->source, sizeof tagger->source, "%s tags %s.%d", pd_model_id(model), tagger->vocabulary->version,
             RULES);
    const pd_status status = find_space(tagger, model, options, err);
    if (status == PD_OK)
        *ret_tagger = tagger;
    else
        pd_tagger_close(&tagger);
    return status;
}

void pd_tagger_close(pd_tagger **tagger)
{
    if (!*tagger)
        return;
    pd_word_space_done(&(*tagger)->space);
    pd_mem_free(*tagger);
    *tagger = NULL;
}

const char *pd_tagger_source(const pd_tagger *tagger) { return tagger->source; }

/* Inserts where it belongs, surest first; the last falls out when there are too many. */
static size_t insert(pd_tagged *tags, size_t n, pd_tagged tag)
{
    size_t at = n;
    while (at > 0 && tags[at - 1].score < tag.score)
        at--;
    if (at == PD_TAGS_MAX)
        return n;
    const size_t kept = n < PD_TAGS_MAX ? n : PD_TAGS_MAX - 1;
    memmove(tags + at + 1, tags + at, (kept - at) * sizeof *tags);
    tags[at] = tag;
    return kept + 1;
}

static float find_score(const pd_word *word, float share)
{
    const float odds = logf(share / (1 - share));
    return 1 / (1 + expf(-((word->general ? SURENESS_OF_GENERAL : SURENESS_OF_WORD) + SURENESS_OF_SHARE * odds)));
}

static size_t choose(const pd_tagger *tagger, const float *shares, pd_tagged *ret_tags)
{
    size_t n = 0;
    for (size_t w = 0; w < tagger->vocabulary->n; w++) {
        if (!(shares[w] >= SHARE_MIN))
            continue;
        const pd_word *word = &tagger->vocabulary->words[w];
        const float score = find_score(word, fminf(shares[w], SHARE_MAX));
        if (score >= KEPT)
            n = insert(ret_tags, n, (pd_tagged){ word->word, score, score < SURE });
    }
    return n;
}

/* scratch: [(m + 1) * rows of the space] */
static void tag_rows(const pd_tagger *tagger, const float *embeddings, size_t m, float *scratch, pd_tagged *ret_tags,
                     size_t *ret_counts)
{
    const size_t n = pd_word_space_rows(tagger->vocabulary), dim = tagger->space.dim;
    float *shares = scratch + m * n;
    const pd_gemm gemm = { .m = m, .n = n, .k = dim, .c = scratch, .ld_c = n };
    tagger->kernels.gemm_f32(&gemm, embeddings, dim, tagger->space.packed);
    for (size_t i = 0; i < m; i++) {
        float *cosines = scratch + i * n;
        ret_counts[i] = 0;
        if (pd_is_blank(cosines + tagger->vocabulary->n))
            continue;
        pd_shares_find(tagger->vocabulary, cosines, shares);
        ret_counts[i] = choose(tagger, shares, ret_tags + i * PD_TAGS_MAX);
    }
}

size_t pd_tagger_tag(const pd_tagger *tagger, const float *embedding, pd_tagged *ret_tags)
{
    float scratch[2 * (PD_WORDS_MAX + PD_BLANKS)];
    size_t n = 0;
    tag_rows(tagger, embedding, 1, scratch, ret_tags, &n);
    return n;
}

pd_status pd_tagger_tag_all(const pd_tagger *tagger, const float *embeddings, size_t n, pd_tagged *ret_tags,
                            size_t *ret_counts, pd_error *err)
{
    float *scratch = pd_mem_alloc((BLOCK_ROWS + 1) * pd_word_space_rows(tagger->vocabulary), sizeof *scratch);
    if (!scratch)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < n; i += BLOCK_ROWS)
        tag_rows(tagger, embeddings + i * tagger->space.dim, n - i < BLOCK_ROWS ? n - i : BLOCK_ROWS, scratch,
                 ret_tags + i * PD_TAGS_MAX, ret_counts + i);
    pd_mem_free(scratch);
    return PD_OK;
}
