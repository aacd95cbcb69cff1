/* tower.h: where in a safetensors file the image tower lies. Pure: bytes in, spans out. */
#ifndef PD_FETCH_TOWER_H
#define PD_FETCH_TOWER_H

#include "fetch/spans.h"

#define PD_TOWER_LENGTH_BYTES 8                        /* the length of the header, at the file's beginning */
#define PD_TOWER_HEADER_BYTES_MAX (INT64_C(100) << 20) /* as src/weights */
#define PD_TOWER_GAP_BYTES (INT64_C(256) << 10)        /* less between two tensors is fetched along */

/* Where the header ends, from the first 8 bytes. FORMAT: that is no safetensors file of `size` bytes. */
PD_MUST_USE pd_status pd_tower_header_end(const uint8_t length[PD_TOWER_LENGTH_BYTES], int64_t size, int64_t *ret_end,
                                          pd_error *err);

/* The spans of the tensors of the image tower and its projection, header included, merged where they are near each
 * other. `header` is the JSON between the length and header_end. */
PD_MUST_USE pd_status pd_tower_find(const char *header, int64_t header_end, int64_t size, pd_spans *ret_spans,
                                    pd_error *err);

#endif
