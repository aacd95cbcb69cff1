/* Merges of an accepted tokenizer.json are lines of two symbols, and its vocabulary is an object inside of it. */
#include <stdlib.h>
#include <string.h>

#include "token/bpe.h"
#include "token/tokenizer_json.h"
#include "token/vocabulary.h"

static void check_lines(const pd_buf *merges)
{
    for (size_t at = 0; at < merges->len;) {
        const char *line = merges->data + at, *end = memchr(line, '\n', merges->len - at);
        const char *space = end ? memchr(line, ' ', (size_t)(end - line)) : NULL;
        if (!space || memchr(space + 1, ' ', (size_t)(end - space - 1)))
            abort();
        at += (size_t)(end - line) + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pd_tokenizer_json json = { 0 };
    pd_vocabulary vocabulary = { 0 };
    pd_bpe bpe = { 0 };
    pd_error err;
    int32_t id = 0;
    if (pd_tokenizer_json_read(&json, (const char *)data, size, &err) != PD_OK)
        return 0;
    const char *text = (const char *)data;
    if (json.vocabulary.ptr < text || json.vocabulary.len > size ||
        json.vocabulary.ptr + json.vocabulary.len > text + size || json.vocabulary.ptr[0] != '{')
        abort();
    check_lines(&json.merges);
    if (pd_tokenizer_json_added(&json, (pd_str){ "<|endoftext|>", 13 }, &id) && id < 0)
        abort();
    if (pd_vocabulary_parse(&vocabulary, json.vocabulary.ptr, json.vocabulary.len, &err) == PD_OK)
        (void)!pd_bpe_init(&bpe, &vocabulary, (pd_str){ json.merges.data, json.merges.len }, 0, &err);
    pd_bpe_done(&bpe);
    pd_vocabulary_done(&vocabulary);
    pd_tokenizer_json_done(&json);
    return 0;
}
