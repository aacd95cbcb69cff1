/* Input: vocab.json, a NUL, merges.txt, a NUL, a text. The text is cleaned and its words encoded by what was accepted;
 * every id is one of the vocabulary. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "token/bpe.h"
#include "token/clean.h"
#include "token/token.h"
#include "token/vocabulary.h"

static pd_str take_part(const uint8_t **data, size_t *size)
{
    const uint8_t *end = memchr(*data, 0, *size);
    const size_t len = end ? (size_t)(end - *data) : *size, used = end ? len + 1 : len;
    const pd_str part = { (const char *)*data, len };
    *data += used;
    *size -= used;
    return part;
}

static void encode_bytes(const pd_bpe *bpe, int32_t n_ids, pd_str word)
{
    pd_bpe_symbol *symbols = pd_mem_alloc(word.len, sizeof *symbols);
    if (!symbols)
        return;
    const size_t n = pd_bpe_encode(bpe, (const uint8_t *)word.ptr, word.len, symbols);
    for (size_t i = 0; i < n; i++)
        if (symbols[i].id < 0 || symbols[i].id >= n_ids)
            abort();
    if (n == 0 || n > word.len)
        abort();
    pd_mem_free(symbols);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const pd_str words = take_part(&data, &size), merges = take_part(&data, &size), text = take_part(&data, &size);
    pd_vocabulary vocabulary = { 0 };
    pd_bpe bpe = { 0 };
    pd_codes clean = { 0 };
    pd_error err;
    if (text.len <= PD_TOKEN_TEXT_BYTES_MAX)
        (void)pd_clean_text(text.ptr, text.len, true, &clean);
    if (pd_vocabulary_parse(&vocabulary, words.ptr, words.len, &err) == PD_OK &&
        pd_bpe_init(&bpe, &vocabulary, merges, 0, &err) == PD_OK && text.len > 0 &&
        text.len <= PD_TOKEN_TEXT_BYTES_MAX && vocabulary.n_ids > 0)
        encode_bytes(&bpe, vocabulary.n_ids, text);
    pd_bpe_done(&bpe);
    pd_vocabulary_done(&vocabulary);
    pd_codes_done(&clean);
    return 0;
}
