/* sha256_isa.h: private to base: the SHA-NI block function, compiled with its own flags. */
#ifndef PD_BASE_SHA256_ISA_H
#define PD_BASE_SHA256_ISA_H

#include <stddef.h>
#include <stdint.h>

void pd_sha256_blocks_shani(uint32_t state[8], const uint8_t *data, size_t n_blocks);

/* Round constants, FIPS 180-4 section 4.2.2. */
extern const uint32_t pd_sha256_k[64];

#endif
