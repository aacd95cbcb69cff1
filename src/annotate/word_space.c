/* word_space.c: the words' embeddings, and their lines. */
#include <math.h>
#include <string.h>

#include "annotate/tagger.h"
#include "base/cpu.h"
#include "base/mem.h"

#define LINE_DEVIATIONS 1.0 /* above the mean, over texts about other things */
/* A word knows itself with certainty; a photo is never that sure of one. */
#define COSINE_DEVIATIONS_MAX 3.5

static bool is_cancelled(const atomic_bool *cancelled)
{
    return cancelled && atomic_load_explicit(cancelled, memory_order_relaxed);
}

/* The mean direction of a word's texts. */
static pd_status embed_word(pd_session *session, const pd_word *word, size_t dim, float *scratch, float *ret_row,
                            pd_error *err)
{
    memset(ret_row, 0, dim * sizeof *ret_row);
    for (const char *text = word->texts; *text; text += strlen(text) + 1) {
        PD_TRY(pd_session_embed_text(session, text, strlen(text), scratch, err));
        for (size_t i = 0; i < dim; i++)
            ret_row[i] += scratch[i];
    }
    double square = 0;
    for (size_t i = 0; i < dim; i++)
        square += (double)ret_row[i] * (double)ret_row[i];
    if (!(square > 0))
        return pd_error_set(err, PD_ERR_FORMAT, "the model makes no usable vector of the word '%s'", word->word);
    const float scale = (float)(1 / sqrt(square));
    for (size_t i = 0; i < dim; i++)
        ret_row[i] *= scale;
    return PD_OK;
}

static pd_status embed_words(const pd_vocabulary *vocabulary, pd_session *session, size_t dim,
                             const atomic_bool *cancelled, float *ret_rows, pd_error *err)
{
    float *scratch = pd_mem_alloc(dim, sizeof *scratch);
    pd_status status = scratch ? PD_OK : pd_error_set_nomem(err);
    for (size_t w = 0; w < vocabulary->n && status == PD_OK; w++) {
        if (is_cancelled(cancelled))
            status = pd_error_set(err, PD_ERR_CANCELLED, "preparing the words for tags was stopped");
        else
            status = embed_word(session, &vocabulary->words[w], dim, scratch, ret_rows + w * dim, err);
    }
    pd_mem_free(scratch);
    return status;
}

static bool implies(const pd_vocabulary *vocabulary, size_t w, size_t general)
{
    const pd_word *word = &vocabulary->words[w];
    for (size_t i = 0; i < word->n_implied; i++)
        if (vocabulary->implied[word->implied_at + i] == general)
            return true;
    return w == general;
}

/* Sums over the texts that say nothing of a word. */
typedef struct pd_line_sum {
    double sum, square;
    size_t n;
} pd_line_sum;

static void clip(float *cosines, size_t n)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)cosines[i];
        square += (double)cosines[i] * (double)cosines[i];
    }
    const double mean = sum / (double)n;
    const float limit = (float)(mean + COSINE_DEVIATIONS_MAX * sqrt(fmax(0, square / (double)n - mean * mean)));
    for (size_t i = 0; i < n; i++)
        cosines[i] = fminf(cosines[i], limit);
}

/* Every word's row is asked as if it were a photo. */
static pd_status find_lines(const pd_vocabulary *vocabulary, const pd_word_space *space, const float *rows,
                            const atomic_bool *cancelled, float *ret_lines, pd_error *err)
{
    const size_t n = vocabulary->n;
    pd_kernels kernels;
    pd_kernels_init(&kernels, pd_cpu_detect());
    pd_line_sum *sums = pd_mem_alloc(n, sizeof *sums);
    float *scratch = pd_mem_alloc(2 * n, sizeof *scratch);
    pd_status status = sums && scratch ? PD_OK : pd_error_set_nomem(err);
    float *shares = scratch ? scratch + n : NULL;
    const pd_gemm gemm = { .m = 1, .n = n, .k = space->dim, .c = scratch, .ld_c = n };
    for (size_t q = 0; q < n && status == PD_OK; q++) {
        if (is_cancelled(cancelled))
            status = pd_error_set(err, PD_ERR_CANCELLED, "preparing the words for tags was stopped");
        kernels.gemm_f32(&gemm, rows + q * space->dim, space->dim, space->packed);
        clip(scratch, n);
        pd_shares_find(vocabulary, scratch, shares);
        for (size_t w = 0; w < n; w++) {
            if (implies(vocabulary, q, w) || implies(vocabulary, w, q))
                continue;
            const double odds = (double)pd_share_odds(shares[w]);
            sums[w].sum += odds;
            sums[w].square += odds * odds;
            sums[w].n++;
        }
    }
    for (size_t w = 0; w < n && status == PD_OK; w++) {
        const double count = sums[w].n ? (double)sums[w].n : 1, mean = sums[w].sum / count;
        const double deviation = sqrt(fmax(0, sums[w].square / count - mean * mean));
        ret_lines[w] = (float)(mean + LINE_DEVIATIONS * deviation);
    }
    pd_mem_free(scratch);
    pd_mem_free(sums);
    return status;
}

pd_status pd_word_space_make(pd_word_space *ret_space, const pd_vocabulary *vocabulary, pd_session *session, size_t dim,
                             const atomic_bool *cancelled, pd_error *err)
{
    const size_t n = vocabulary->n, packed_bytes = pd_pack_f32_bytes(n, dim);
    float *rows = pd_mem_alloc(n * dim, sizeof *rows);
    pd_word_space space = { .dim = dim, .owned = pd_mem_alloc_aligned(64, packed_bytes + n * sizeof(float)) };
    pd_status status = rows && space.owned ? PD_OK : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = embed_words(vocabulary, session, dim, cancelled, rows, err);
    if (status == PD_OK) {
        float *lines = space.owned + packed_bytes / sizeof(float);
        pd_pack_f32(rows, n, dim, space.owned);
        space.packed = space.owned;
        space.lines = lines;
        status = find_lines(vocabulary, &space, rows, cancelled, lines, err);
    }
    pd_mem_free(rows);
    if (status == PD_OK)
        *ret_space = space;
    else
        pd_word_space_done(&space);
    return status;
}

void pd_word_space_done(pd_word_space *space)
{
    pd_file_map_close(&space->map);
    pd_mem_free(space->owned);
    *space = (pd_word_space){ 0 };
}
