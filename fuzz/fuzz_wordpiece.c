/* Input: tokenizer_config.json, a NUL, vocab.txt, a NUL, a text. The text is taken apart and read again by what was
 * accepted; every id is one of the vocabulary, and the words fit where they are put. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "token/wordpiece.h"

enum { IDS = 64, TEXT = 50 };

static pd_str take_part(const uint8_t **data, size_t *size)
{
    const uint8_t *end = memchr(*data, 0, *size);
    const size_t len = end ? (size_t)(end - *data) : *size, used = end ? len + 1 : len;
    const pd_str part = { (const char *)*data, len };
    *data += used;
    *size -= used;
    return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const pd_str config = take_part(&data, &size), words = take_part(&data, &size), text = take_part(&data, &size);
    pd_wordpiece wordpiece = { 0 };
    pd_error err;
    int32_t ids[IDS];
    size_t n = 0;
    if (pd_wordpiece_parse(&wordpiece, config, words, &err) != PD_OK)
        return 0;
    if (pd_wordpiece_encode(&wordpiece, text, IDS, ids, &n, &err) == PD_OK) {
        char read[TEXT];
        for (size_t i = 0; i < n; i++)
            if (ids[i] < 0 || (size_t)ids[i] >= pd_wordpiece_vocabulary(&wordpiece))
                abort();
        memset(read, 'x', sizeof read);
        pd_wordpiece_decode(&wordpiece, ids, n, read, sizeof read);
        if (!memchr(read, 0, sizeof read))
            abort();
    }
    pd_wordpiece_done(&wordpiece);
    return 0;
}
