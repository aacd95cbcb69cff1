/* sha256.h: SHA-256 (FIPS 180-4): identity of pictures and models. One thread at a time per state. */
#ifndef PD_BASE_SHA256_H
#define PD_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define PD_SHA256_BYTES 32
#define PD_SHA256_TEXT_BYTES 65 /* hex and NUL */

typedef struct pd_sha256 {
    uint32_t state[8];
    uint64_t len;
    uint8_t block[64];
} pd_sha256;

void pd_sha256_init(pd_sha256 *sha);
void pd_sha256_update(pd_sha256 *sha, const void *data, size_t len);
void pd_sha256_finish(pd_sha256 *sha, uint8_t ret_digest[PD_SHA256_BYTES]);

void pd_sha256_format(const uint8_t digest[PD_SHA256_BYTES], char ret_text[PD_SHA256_TEXT_BYTES]);

/* The scalar form, always: the specification that the SHA-NI form is tested against. */
void pd_sha256_blocks_scalar(uint32_t state[8], const uint8_t *data, size_t n_blocks);

#endif
