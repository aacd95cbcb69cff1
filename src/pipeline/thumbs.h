/* thumbs.h: thumbnails in the cache, by content: <dir>/ab/<sha256>.webp. Private to the room. Thread-safe. */
#ifndef PD_PIPELINE_THUMBS_H
#define PD_PIPELINE_THUMBS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sha256.h"

/* Written whole or not at all; not made durable, since it can be made again. */
PD_MUST_USE pd_status pd_thumbs_write(const char *dir, const uint8_t sha256[PD_SHA256_BYTES], const void *data,
                                      size_t len, pd_error *err);

#endif
