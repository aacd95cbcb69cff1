/* tiff.h: directories of TIFF, classic and BigTIFF, in both byte orders: entries whose values lie inside the data.
 *
 * Also the headers of raw files that are TIFF but for two bytes (Olympus "IIRO", Panasonic "IIU\0"). Nothing here
 * follows a pointer by itself, so nothing can go in circles: who walks decides where. */
#ifndef PD_DECODER_TIFF_H
#define PD_DECODER_TIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pd_tiff {
    const uint8_t *data; /* offsets count from here */
    size_t len;
    bool is_big_endian, is_bigtiff;
    int64_t shift; /* how far the values have moved since their offsets were written; 0 but for moved maker notes */
} pd_tiff;

typedef struct pd_tiff_entry {
    uint16_t tag, type;
    uint64_t count;
    const uint8_t *values;
    size_t bytes; /* of the values */
} pd_tiff_entry;

/* False when `data` does not begin like a TIFF file. *ret_first: offset of the first directory, perhaps outside. */
bool pd_tiff_open(const uint8_t *data, size_t len, pd_tiff *ret_tiff, uint64_t *ret_first);

/* Visits the entries of the directory at `offset`: those that can be read, at most 4096. */
void pd_tiff_walk(const pd_tiff *tiff, uint64_t offset,
                  void (*visit)(void *user, const pd_tiff *tiff, const pd_tiff_entry *entry), void *user);

/* Where the first value lies that is behind the directory, by its own entries; 0 when there is none. */
uint64_t pd_tiff_first_value(const pd_tiff *tiff, uint64_t offset);
/* Where values begin when they follow their directory at once, as most writers put them. */
uint64_t pd_tiff_end_of_directory(const pd_tiff *tiff, uint64_t offset);

/* Value i as a whole number that is not negative; false for other types. */
bool pd_tiff_whole(const pd_tiff *tiff, const pd_tiff_entry *entry, uint64_t i, uint64_t *ret_value);

/* Value i of any numeric type; NAN when there is none, or its denominator is 0. */
double pd_tiff_real(const pd_tiff *tiff, const pd_tiff_entry *entry, uint64_t i);

/* Whether the values are characters (or bytes that may be). */
bool pd_tiff_is_text(const pd_tiff_entry *entry);

#endif
