/* word_space.c: the embeddings of words, and of pictures of nothing. */
#include <math.h>
#include <string.h>

#include "annotate/tagger.h"
#include "base/mem.h"

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

static pd_status embed_words(const pd_vocabulary *vocabulary, const pd_tagger_eyes *eyes, const atomic_bool *cancelled,
                             float *ret_rows, pd_error *err)
{
    float *scratch = pd_mem_alloc(eyes->dim, sizeof *scratch);
    pd_status status = scratch ? PD_OK : pd_error_set_nomem(err);
    for (size_t w = 0; w < vocabulary->n && status == PD_OK; w++) {
        if (is_cancelled(cancelled))
            status = pd_error_set(err, PD_ERR_CANCELLED, "preparing the words for tags was stopped");
        else
            status = embed_word(eyes->text, &vocabulary->words[w], eyes->dim, scratch, ret_rows + w * eyes->dim, err);
    }
    pd_mem_free(scratch);
    return status;
}

size_t pd_word_space_rows(const pd_vocabulary *vocabulary) { return vocabulary->n + PD_BLANKS; }

pd_status pd_word_space_make(pd_word_space *ret_space, const pd_vocabulary *vocabulary, const pd_tagger_eyes *eyes,
                             const atomic_bool *cancelled, pd_error *err)
{
    const size_t n = pd_word_space_rows(vocabulary), dim = eyes->dim, packed_bytes = pd_pack_f32_bytes(n, dim);
    float *rows = pd_mem_alloc(n * dim, sizeof *rows);
    pd_word_space space = { .dim = dim, .owned = pd_mem_alloc_aligned(64, packed_bytes) };
    pd_status status = rows && space.owned ? PD_OK : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = embed_words(vocabulary, eyes, cancelled, rows, err);
    if (status == PD_OK)
        status = pd_blanks_embed(eyes->vision, dim, rows + vocabulary->n * dim, err);
    if (status == PD_OK) {
        pd_pack_f32(rows, n, dim, space.owned);
        space.packed = space.owned;
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
