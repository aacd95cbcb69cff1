/* library_meaning.c: from words and pictures to the vector that is sought, and its scan. */
#include <math.h>
#include <string.h>

#include "annotate/annotate.h"
#include "base/mem.h"
#include "base/str.h"
#include "library/library_find.h"

#define CANCELLED_OUT 1e-6F /* a sum of unit vectors that is shorter has no direction */

pd_status pd_asked_borrow(pd_asked *asked, pd_model_part part, pd_error *err)
{
    pd_library *library = asked->library;
    pd_lease *lease = part == PD_PART_TEXT ? &asked->text : &asked->vision;
    if (lease->entry)
        return PD_OK;
    pthread_mutex_unlock(&library->searcher.lock);
    const pd_status status = pd_library_borrow(library, &asked->choice, part, asked->question->cancelled, lease, err);
    pthread_mutex_lock(&library->searcher.lock);
    return status;
}

/* The place of a text among those that are kept: its own, else an empty one or the one that was used longest ago. */
static pd_library_text *find_text(pd_library_searcher *searcher, const char *text)
{
    pd_library_text *oldest = &searcher->texts[0];
    for (size_t i = 0; i < PD_LIBRARY_TEXTS_MAX; i++) {
        pd_library_text *at = &searcher->texts[i];
        if (at->text && strcmp(at->text, text) == 0)
            return at;
        if (at->used < oldest->used) /* 0: empty */
            oldest = at;
    }
    return oldest;
}

/* The embedding, which lives until the next text is asked for. */
static pd_status embed_text(pd_asked *asked, const char *text, const float **ret_embedding, pd_error *err)
{
    pd_library_searcher *searcher = &asked->library->searcher;
    pd_library_turn_to(asked->library, asked->choice.id);
    pd_library_text *at = find_text(searcher, text);
    if (!at->text || strcmp(at->text, text) != 0) {
        PD_TRY(pd_asked_borrow(asked, PD_PART_TEXT, err));
        pd_library_turn_to(asked->library, asked->choice.id);
        at = find_text(searcher, text);
    }
    if (!at->text || strcmp(at->text, text) != 0) {
        char *copy = pd_mem_dup_string(text);
        float *embedding = pd_mem_alloc(asked->dim, sizeof *embedding);
        const pd_status status = copy && embedding
                                     ? pd_session_embed_text(asked->text.session, text, strlen(text), embedding, err)
                                     : pd_error_set_nomem(err);
        if (status != PD_OK) {
            pd_mem_free(copy);
            pd_mem_free(embedding);
            return status;
        }
        pd_mem_free(at->text);
        pd_mem_free(at->embedding);
        *at = (pd_library_text){ .text = copy, .embedding = embedding };
    }
    at->used = ++searcher->n_asked;
    *ret_embedding = at->embedding;
    return PD_OK;
}

static void add(pd_asked *asked, const float *embedding, double weight)
{
    for (size_t i = 0; i < asked->dim; i++)
        asked->vector[i] += (float)weight * embedding[i];
}

static pd_status add_part(pd_asked *asked, const pd_query_part *part, pd_error *err)
{
    const double weight = part->negated ? -part->weight : part->weight;
    if (part->kind == PD_PART_MEANING) {
        const float *embedding;
        PD_TRY(embed_text(asked, part->words, &embedding, err));
        add(asked, embedding, weight);
        asked->text_square += weight * weight;
    } else if (part->kind == PD_PART_LIKE) {
        PD_TRY(pd_asked_example(asked, &(pd_example){ .text = part->words }, err));
        add(asked, asked->one, weight);
        asked->picture_square += weight * weight;
    }
    return PD_OK;
}

/* Opens what every comparison needs: of a model that was open before, nothing but the catalogue. */
static pd_status open_model(pd_asked *asked, pd_error *err)
{
    pd_library *library = asked->library;
    PD_TRY(pd_library_need_store(library, err));
    if (!asked->choice.is_known) /* learning has prepared the image tower, so opening that is only a map */
        PD_TRY(pd_asked_borrow(asked, asked->has_words ? PD_PART_TEXT : PD_PART_VISION, err));
    PD_TRY(pd_library_need_store(library, err)); /* the lock was given up */
    asked->dim = asked->choice.dim;
    asked->vector = pd_mem_alloc(asked->dim, sizeof *asked->vector);
    asked->one = pd_mem_alloc(asked->dim, sizeof *asked->one);
    asked->half = pd_mem_alloc(asked->dim, sizeof *asked->half);
    if (!asked->vector || !asked->one || !asked->half)
        return pd_error_set_nomem(err);
    int64_t last_seq;
    const pd_status status = pd_store_model_find(library->searcher.store, asked->choice.id, &asked->model, err);
    if (status == PD_OK)
        PD_TRY(pd_store_embedding_extent(library->searcher.store, asked->model, &asked->n_learned, &last_seq, err));
    else if (status != PD_ERR_NO_MATCH)
        return status;
    if (asked->n_learned == 0)
        return pd_error_set(err, PD_ERR_NO_MATCH, "no photo has been learned with the model '%s' yet",
                            pd_library_short_name(asked->choice.name));
    return PD_OK;
}

pd_status pd_asked_embed(pd_asked *asked, pd_error *err)
{
    PD_TRY(open_model(asked, err));
    size_t n_parts;
    const pd_query_part *parts = pd_query_parts(asked->query, &n_parts);
    for (size_t i = 0; i < n_parts; i++) {
        PD_TRY(pd_asked_check_cancelled(asked, err));
        PD_TRY(add_part(asked, &parts[i], err));
    }
    for (size_t i = 0; i < asked->question->n_examples; i++) {
        PD_TRY(pd_asked_example(asked, &asked->question->examples[i], err));
        add(asked, asked->one, 1);
        asked->picture_square += 1;
    }
    const float length = sqrtf(asked->library->kernels.dot_f32(asked->vector, asked->vector, asked->dim));
    if (!(length > CANCELLED_OUT))
        return pd_error_set(err, PD_ERR_USAGE, "the parts of this question cancel each other out");
    for (size_t i = 0; i < asked->dim; i++)
        asked->vector[i] /= length;
    return PD_OK;
}

static bool needs_bank(const pd_asked *asked) { return asked->text_square > 0; }

/* Borrows what the bank is made with, before the index is open: waiting gives up the lock. */
static pd_status borrow_for_bank(pd_asked *asked, pd_error *err)
{
    const pd_library_searcher *searcher = &asked->library->searcher;
    pd_library_turn_to(asked->library, asked->choice.id);
    return searcher->bank || !needs_bank(asked) ? PD_OK : pd_asked_borrow(asked, PD_PART_TEXT, err);
}

static pd_status need_bank(pd_asked *asked, pd_error *err)
{
    pd_library_searcher *searcher = &asked->library->searcher;
    if (searcher->bank)
        return PD_OK;
    float *bank = pd_mem_alloc(PD_EVERYDAY * asked->dim, sizeof *bank);
    if (!bank)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < PD_EVERYDAY; i++) {
        const pd_status status = pd_session_embed_text(asked->text.session, pd_everyday[i], strlen(pd_everyday[i]),
                                                       bank + i * asked->dim, err);
        if (status != PD_OK) {
            pd_mem_free(bank);
            return status;
        }
    }
    searcher->bank = bank;
    searcher->n_bank = PD_EVERYDAY;
    return PD_OK;
}

static pd_status measure_null(pd_asked *asked, pd_error *err)
{
    const pd_library_searcher *searcher = &asked->library->searcher;
    if (pd_vindex_count(searcher->index) > PD_NULL_NEEDED_BELOW)
        return PD_OK;
    if (needs_bank(asked))
        PD_TRY(need_bank(asked, err));
    const pd_null_mix mix = { .bank = searcher->bank,
                              .n_bank = searcher->n_bank,
                              .dim = asked->dim,
                              .text_weight = sqrt(asked->text_square),
                              .picture_weight = sqrt(asked->picture_square) };
    return pd_null_measure(searcher->index, &asked->library->kernels, &mix, &asked->null, err);
}

pd_status pd_asked_scan(pd_asked *asked, pd_error *err)
{
    pd_library *library = asked->library;
    PD_TRY(borrow_for_bank(asked, err));
    PD_TRY(pd_library_need_store(library, err)); /* the lock may have been given up */
    PD_TRY(pd_library_need_index(library, &asked->choice, asked->model, err));
    PD_TRY(measure_null(asked, err));
    PD_TRY(pd_asked_check_cancelled(asked, err));
    const size_t count = pd_vindex_count(library->searcher.index);
    asked->scores = pd_mem_alloc(count, sizeof *asked->scores);
    asked->bounds = pd_mem_alloc(count, sizeof *asked->bounds);
    if (!asked->scores || !asked->bounds)
        return pd_error_set_nomem(err);
    return pd_vindex_estimate(library->searcher.index, asked->vector, library->n_threads, asked->scores, asked->bounds,
                              err);
}
