/* filter.c: all filters of a query, one after another. */
#include "base/mem.h"
#include "columns/match.h"

static bool is_filter(const pd_query_part *part, pd_field without)
{
    return part->kind == PD_PART_EXACT || (part->kind == PD_PART_FILTER && part->field != without);
}

static pd_status match_part(const pd_match *match, const pd_query_part *part)
{
    if (part->kind == PD_PART_EXACT)
        return pd_match_add_exact(match, part->words);
    for (size_t i = 0; i < part->n_values; i++)
        PD_TRY(pd_match_add(match, part->field, &part->values[i]));
    return PD_OK;
}

/* words [n_words]: of the result so far; match->words: room. */
static pd_status apply_parts(const pd_match *match, const pd_query *query, pd_field without, uint64_t *words)
{
    size_t n_parts;
    const size_t n_words = (match->columns->n + 63) / 64;
    const pd_query_part *parts = pd_query_parts(query, &n_parts);
    for (size_t i = 0; i < n_parts; i++) {
        if (!is_filter(&parts[i], without))
            continue;
        for (size_t w = 0; w < n_words; w++)
            match->words[w] = 0;
        PD_TRY(match_part(match, &parts[i]));
        const uint64_t flip = parts[i].negated ? UINT64_MAX : 0;
        for (size_t w = 0; w < n_words; w++)
            words[w] &= match->words[w] ^ flip;
    }
    return PD_OK;
}

pd_status pd_columns_filter(const pd_columns *columns, pd_store *store, const pd_query *query, pd_field without,
                            pd_slots *ret_slots, pd_error *err)
{
    const size_t n_words = (columns->n + 63) / 64;
    uint64_t *words = pd_mem_alloc(n_words, sizeof *words), *room = pd_mem_alloc(n_words, sizeof *room);
    pd_status status = words && room ? PD_OK : pd_error_set_nomem(err);
    if (status == PD_OK) {
        const pd_match match = { columns, store, room, err };
        for (size_t w = 0; w < n_words; w++)
            words[w] = columns->live[w];
        status = apply_parts(&match, query, without, words);
    }
    pd_mem_free(room);
    if (status != PD_OK) {
        pd_mem_free(words);
        return status;
    }
    int64_t count = 0;
    for (size_t w = 0; w < n_words; w++)
        count += __builtin_popcountll(words[w]);
    *ret_slots = (pd_slots){ words, columns->n, count };
    return PD_OK;
}
