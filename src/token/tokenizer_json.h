/* tokenizer_json.h: CLIP's byte-level BPE out of a tokenizer.json (Hugging Face tokenizers); private to this room.
 *
 * The file describes any tokenizer by its parts. These may be only what CLIPTokenizerFast is made of: BPE with "</w>"
 * at word ends; normalisers NFC, Replace of white space and Lowercase; pre-tokenisers Split by CLIP's pattern and
 * ByteLevel. Everything else would give other ids, and is refused with its name. What the post-processor does is done
 * by pd_tokenizer_encode anyway. Source: convert_slow_tokenizer.py of transformers. */
#ifndef PD_TOKEN_TOKENIZER_JSON_H
#define PD_TOKEN_TOKENIZER_JSON_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

#define PD_TOKENIZER_JSON_BYTES_MAX ((size_t)64 << 20)

typedef struct pd_tokenizer_json {
    pd_str vocabulary; /* {"word": id, ...}; a view into the file's text */
    pd_buf merges;     /* one a line, as in a merges.txt */
    pd_json *rest;     /* the file without these two */
    bool lower_case;
} pd_tokenizer_json;

/* `text` must outlive the result. */
PD_MUST_USE pd_status pd_tokenizer_json_read(pd_tokenizer_json *ret_json, const char *text, size_t len, pd_error *err);
void pd_tokenizer_json_done(pd_tokenizer_json *json);

/* The id of a token that is listed beside the vocabulary. */
bool pd_tokenizer_json_added(const pd_tokenizer_json *json, pd_str content, int32_t *ret_id);

#endif
