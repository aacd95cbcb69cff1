#include "token/bpe.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "token/token.h"

#define WORD_END "</w>"

enum {
    MERGE_BYTES_MAX = 1024, /* longest line of merges.txt */
    PROBES_MAX = 1024       /* as in vocabulary.c */
};

#define RANK_NONE UINT32_MAX /* never joined, or nothing follows */

/* The code point that stands for a byte: itself when it prints, else the next of U+0100 on (openai/CLIP,
 * bytes_to_unicode). */
static uint32_t code_of_byte(unsigned byte)
{
    static const struct {
        unsigned first, last;
    } printing[] = { { 33, 126 }, { 161, 172 }, { 174, 255 } };
    unsigned n_printing = 0;
    for (size_t i = 0; i < PD_COUNT_OF(printing); i++) {
        if (byte >= printing[i].first && byte <= printing[i].last)
            return byte;
        if (byte > printing[i].last)
            n_printing += printing[i].last - printing[i].first + 1;
    }
    return 256 + byte - n_printing;
}

static void find_byte_ids(pd_bpe *bpe, const pd_vocabulary *vocabulary, int32_t unknown)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[4 + sizeof WORD_END];
        const size_t len = pd_utf8_put(code_of_byte(byte), text);
        memcpy(text + len, WORD_END, sizeof WORD_END);
        bpe->inner_ids[byte] = bpe->end_ids[byte] = unknown;
        (void)pd_vocabulary_find(vocabulary, (pd_str){ text, len }, &bpe->inner_ids[byte]);
        (void)pd_vocabulary_find(vocabulary, (pd_str){ text, len + sizeof WORD_END - 1 }, &bpe->end_ids[byte]);
    }
}

/* The slot where `pair` is or would be; NULL when too many others lie in its way. */
static pd_bpe_merge *find_slot(const pd_bpe *bpe, uint64_t pair)
{
    const size_t mask = bpe->n_slots - 1;
    const uint64_t mixed = pair * 0x9E3779B97F4A7C15;
    size_t at = (size_t)(mixed ^ mixed >> 32) & mask;
    for (size_t probes = 0; probes < PROBES_MAX; probes++, at = (at + 1) & mask)
        if (bpe->slots[at].id < 0 || bpe->slots[at].pair == pair)
            return &bpe->slots[at];
    return NULL;
}

static uint64_t pair_of(int32_t left, int32_t right) { return (uint64_t)(uint32_t)left << 32 | (uint32_t)right; }

static pd_status add_merge(pd_bpe *bpe, const pd_vocabulary *vocabulary, pd_str line, uint32_t rank, pd_error *err)
{
    char joined[MERGE_BYTES_MAX];
    const char *space = memchr(line.ptr, ' ', line.len);
    if (line.len > MERGE_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "longer than %d bytes", MERGE_BYTES_MAX);
    if (!space)
        return pd_error_set(err, PD_ERR_FORMAT, "two symbols with a space between were expected");
    const pd_str left = { line.ptr, (size_t)(space - line.ptr) };
    const pd_str right = { space + 1, line.len - left.len - 1 };
    memcpy(joined, left.ptr, left.len);
    memcpy(joined + left.len, right.ptr, right.len);
    int32_t left_id, right_id, id;
    if (!pd_vocabulary_find(vocabulary, left, &left_id) || !pd_vocabulary_find(vocabulary, right, &right_id) ||
        !pd_vocabulary_find(vocabulary, (pd_str){ joined, left.len + right.len }, &id))
        return pd_error_set(err, PD_ERR_FORMAT, "'%.*s' joins symbols that the vocabulary does not have", (int)line.len,
                            line.ptr);
    pd_bpe_merge *slot = find_slot(bpe, pair_of(left_id, right_id));
    if (!slot)
        return pd_error_set(err, PD_ERR_LIMIT, "too many pairs with the same hash");
    *slot = (pd_bpe_merge){ .pair = pair_of(left_id, right_id), .rank = rank, .id = id };
    return PD_OK;
}

/* Takes the next line, without its end, off the front of `text`. */
static pd_str take_line(pd_str *text)
{
    const char *newline = memchr(text->ptr, '\n', text->len);
    pd_str line = { text->ptr, newline ? (size_t)(newline - text->ptr) : text->len };
    const size_t used = newline ? line.len + 1 : line.len;
    *text = (pd_str){ text->ptr + used, text->len - used };
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool is_version_line(pd_str line) { return line.len >= 8 && memcmp(line.ptr, "#version", 8) == 0; }

static size_t count_lines(pd_str text)
{
    size_t n = 0;
    while (text.len > 0) {
        (void)take_line(&text);
        n++;
    }
    return n;
}

static pd_status read_merges(pd_bpe *bpe, const pd_vocabulary *vocabulary, pd_str merges, pd_error *err)
{
    uint32_t rank = 0;
    for (size_t number = 1; merges.len > 0; number++) {
        const pd_str line = take_line(&merges);
        if (line.len == 0 || (number == 1 && is_version_line(line)))
            continue;
        const pd_status status = add_merge(bpe, vocabulary, line, rank++, err);
        if (status != PD_OK) {
            pd_error_prefix(err, "line %zu", number);
            return status;
        }
    }
    return PD_OK;
}

pd_status pd_bpe_init(pd_bpe *ret_bpe, const pd_vocabulary *vocabulary, pd_str merges, int32_t unknown, pd_error *err)
{
    const size_t n_lines = count_lines(merges);
    if (n_lines > PD_TOKEN_VOCABULARY_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "more than %d lines", PD_TOKEN_VOCABULARY_MAX);
    pd_bpe bpe = { .n_slots = 1024 };
    while (bpe.n_slots < 2 * n_lines)
        bpe.n_slots *= 2;
    bpe.slots = pd_mem_realloc(NULL, bpe.n_slots, sizeof *bpe.slots);
    if (!bpe.slots)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < bpe.n_slots; i++)
        bpe.slots[i] = (pd_bpe_merge){ .id = -1 };
    find_byte_ids(&bpe, vocabulary, unknown);
    const pd_status status = read_merges(&bpe, vocabulary, merges, err);
    if (status == PD_OK)
        *ret_bpe = bpe;
    else
        pd_bpe_done(&bpe);
    return status;
}

void pd_bpe_done(pd_bpe *bpe)
{
    pd_mem_free(bpe->slots);
    *bpe = (pd_bpe){ 0 };
}

static const pd_bpe_merge *find_merge(const pd_bpe *bpe, int32_t left, int32_t right)
{
    const pd_bpe_merge *slot = find_slot(bpe, pair_of(left, right));
    return slot && slot->id >= 0 ? slot : NULL;
}

/* Sets the rank of the symbol at `at` with its neighbour, for those whose neighbours changed. */
static void rank_symbol(const pd_bpe *bpe, pd_bpe_symbol *symbols, size_t n, size_t at)
{
    const pd_bpe_merge *merge = at + 1 < n ? find_merge(bpe, symbols[at].id, symbols[at + 1].id) : NULL;
    symbols[at].rank = merge ? merge->rank : RANK_NONE;
}

static uint32_t lowest_rank(const pd_bpe_symbol *symbols, size_t n)
{
    uint32_t lowest = RANK_NONE;
    for (size_t i = 0; i < n; i++)
        if (symbols[i].rank < lowest)
            lowest = symbols[i].rank;
    return lowest;
}

/* Joins every pair of that rank, left to right, as the reference does. Returns the new number of symbols. */
static size_t join_pairs(const pd_bpe *bpe, pd_bpe_symbol *symbols, size_t n, uint32_t rank)
{
    size_t n_kept = 0, first_changed = n;
    for (size_t i = 0; i < n; i++) {
        pd_bpe_symbol symbol = symbols[i];
        if (symbol.rank == rank) { /* the rank of the last symbol is RANK_NONE: there is a next one */
            symbol.id = find_merge(bpe, symbol.id, symbols[i + 1].id)->id;
            if (first_changed == n)
                first_changed = n_kept;
            i++;
        }
        symbols[n_kept++] = symbol;
    }
    for (size_t i = first_changed > 0 ? first_changed - 1 : 0; i < n_kept; i++)
        rank_symbol(bpe, symbols, n_kept, i);
    return n_kept;
}

size_t pd_bpe_encode(const pd_bpe *bpe, const uint8_t *word, size_t len, pd_bpe_symbol *ret_symbols)
{
    size_t n = len;
    for (size_t i = 0; i < n; i++)
        ret_symbols[i].id = i + 1 < n ? bpe->inner_ids[word[i]] : bpe->end_ids[word[i]];
    for (size_t i = 0; i < n; i++)
        rank_symbol(bpe, ret_symbols, n, i);
    for (uint32_t rank; (rank = lowest_rank(ret_symbols, n)) != RANK_NONE;)
        n = join_pairs(bpe, ret_symbols, n, rank);
    return n;
}
