/* identity.h: what a model directory computes, as one digest. Private to the room. */
#ifndef PD_MODEL_IDENTITY_H
#define PD_MODEL_IDENTITY_H

#include <stdatomic.h>

#include "base/error.h"
#include "base/sha256.h"
#include "weights/weights.h"

#define PD_PREPARED_NAME_BYTES 16 /* of the digest in hex: what the names of prepared files begin with */

typedef struct pd_identity {
    uint8_t all[PD_SHA256_BYTES];
    uint8_t weights[PD_SHA256_BYTES]; /* pd_weights_hash: of a single file its SHA-256 */
} pd_identity;

typedef struct pd_identity_source {
    const char *dir; /* of the model */
    const pd_weights *weights;
    const char *weights_sha256, *cache_dir; /* as in pd_model_options; NULL: none */
    const atomic_bool *cancelled;           /* the same */
} pd_identity_source;

/* SHA-256 over config.json, preprocessor_config.json, vocab.json, merges.txt, tokenizer_config.json,
 * special_tokens_map.json, vocab.txt and generation_config.json, and tokenizer.json where the tokenizer is read from it
 * (those that exist; each as name, NUL, length as 8 bytes little-endian, content), and then the digest of the weights.
 *
 * Reading all that takes longer than opening the model, so both digests are noted in cache_dir (NULL: it is not) beside
 * size, times and inode of the files, and are taken from there while they are the same. A note that cannot be written
 * is no failure.
 *
 * weights_sha256 (hex; NULL: hash them) is believed in place of the weights' digest: the bytes of a file that is still
 * arriving are not read. Then nothing is noted and no note is read: what the file is now says nothing about later. */
PD_MUST_USE pd_status pd_identity_find(const pd_identity_source *source, pd_identity *ret_identity, pd_error *err);

#endif
