/* heif_groups.h: HEIF and AVIF files with groups of items that Debian's libheif (1.15.1) stumbles over. Private to the
 * decoder.
 *
 * Groups ("grpl") only say that items are alternatives or levels of one another; the picture is where it always is. For
 * a group of a kind that it does not know that libheif loses the whole file ("no 'meta' box"), so it is shown a copy in
 * which the box is free space. */
#ifndef PD_DECODER_HEIF_GROUPS_H
#define PD_DECODER_HEIF_GROUPS_H

#include <stddef.h>
#include <stdint.h>

/* A copy of `data` without groups, to be freed with pd_mem_free; NULL when it has none, or without memory. */
uint8_t *pd_heif_hide_groups(const uint8_t *data, size_t len);

#endif
