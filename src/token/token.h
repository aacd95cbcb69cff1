/* token.h: text to token ids, and back.
 *
 * WordPiece of captioners (BertTokenizer) is at the end.
 *
 * CLIP's byte-level BPE: vocab.json and merges.txt of a Hugging Face directory (CLIPTokenizer); where one of them is
 * not there, its tokenizer.json (CLIPTokenizerFast: anything but CLIP's own settings in it is refused). Text is cleaned
 * as the reference does it (token/clean.h), lower-cased, white space folded, split by the reference's pattern, bytes
 * mapped to code points, merged by rank, "</w>" at word ends. Immutable after open; any number of threads. Source:
 * openai/CLIP simple_tokenizer.py; transformers tokenization_clip.py. */
#ifndef PD_TOKEN_TOKEN_H
#define PD_TOKEN_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define PD_TOKEN_TEXT_BYTES_MAX 4096 /* PRODUCT's limit for a query */
#define PD_TOKEN_VOCABULARY_MAX 1000000

typedef struct pd_tokenizer pd_tokenizer;

/* Reads vocab.json and merges.txt, or tokenizer.json (which then says whether capitals count), and from
 * tokenizer_config.json / special_tokens_map.json (where present) the bos, eos and pad tokens, do_lower_case and
 * model_max_length. Errors name the file and the entry. */
PD_MUST_USE pd_status pd_tokenizer_open_clip(pd_tokenizer **ret_tokenizer, const char *dir, pd_error *err);
/* Which of the two it is: whether there is a tokenizer.json, and one of the others is not there. */
#define PD_TOKENIZER_JSON "tokenizer.json"
PD_MUST_USE pd_status pd_tokenizer_reads_json(const char *dir, bool *ret_reads, pd_error *err);
void pd_tokenizer_close(pd_tokenizer **tokenizer);

/* The ids of `text` with bos in front and eos behind, cut so that eos is still there, then padded to n_max (CLIP's
 * `padding="max_length", truncation=True`; a smaller model_max_length cuts earlier). ret_ids has n_max elements
 * (n_max >= 2); *ret_n_used counts bos .. eos.
 * Malformed UTF-8 is replaced by U+FFFD first. PD_ERR_LIMIT beyond PD_TOKEN_TEXT_BYTES_MAX. */
PD_MUST_USE pd_status pd_tokenizer_encode(const pd_tokenizer *tokenizer, const char *text, size_t len, size_t n_max,
                                          int32_t *ret_ids, size_t *ret_n_used, pd_error *err);

size_t pd_tokenizer_vocabulary(const pd_tokenizer *tokenizer); /* highest id + 1 */
int32_t pd_tokenizer_eos(const pd_tokenizer *tokenizer);

/* WordPiece (BERT): vocab.txt of a Hugging Face directory, do_lower_case, strip_accents, tokenize_chinese_chars,
 * clean_up_tokenization_spaces and the special tokens of its tokenizer_config.json. A text is stripped of control
 * characters, lower-cased and freed of accents where the config says so, cut at white space, punctuation and around
 * Chinese characters, and every word is taken apart into the longest pieces that the vocabulary has. Immutable after
 * open; any number of threads. Source: google-research/bert tokenization.py; transformers tokenization_bert.py. */
typedef struct pd_wordpiece pd_wordpiece;

PD_MUST_USE pd_status pd_wordpiece_open(pd_wordpiece **ret_wordpiece, const char *dir, pd_error *err);
void pd_wordpiece_close(pd_wordpiece **wordpiece);
size_t pd_wordpiece_vocabulary(const pd_wordpiece *wordpiece); /* highest id + 1 */

/* The ids of the words alone, [CLS] and [SEP] not among them: at most n_max, which have to suffice (PD_ERR_LIMIT).
 * PD_ERR_LIMIT beyond PD_TOKEN_TEXT_BYTES_MAX. */
PD_MUST_USE pd_status pd_wordpiece_encode(const pd_wordpiece *wordpiece, pd_str text, size_t n_max, int32_t *ret_ids,
                                          size_t *ret_n, pd_error *err);

/* The words of ids, "##" pieces joined, special tokens and ids beyond the vocabulary left out, spaces before
 * punctuation and contractions taken away. NUL-terminated, cut at a character where `bytes` do not suffice. Allocates
 * nothing. */
void pd_wordpiece_decode(const pd_wordpiece *wordpiece, const int32_t *ids, size_t n, char *ret_text, size_t bytes);

#endif
