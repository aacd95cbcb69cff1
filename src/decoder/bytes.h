/* bytes.h: numbers of files, most significant byte first. */
#ifndef PD_DECODER_BYTES_H
#define PD_DECODER_BYTES_H

#include <stdint.h>

static inline uint32_t pd_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

#endif
