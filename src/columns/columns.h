/* columns.h: the facts of every photo that filters, orders and counts look at, as columns in memory: a million photos
 * are filtered in milliseconds, where asking the catalogue row by row takes a second.
 *
 * A cache of the catalogue: made from it in one pass (pd_store_rows), brought up to date by its changes, written beside
 * the library's other caches so that the next process only maps it (private, copy on write). It can be deleted at any
 * time; a damaged or foreign file is made anew.
 *
 * A *slot* is a photo's place in the columns: 0 .. pd_columns_n - 1; places of photos that are gone are empty and in no
 * set. Slots stay the same while the pd_columns is open. Reading: any number of threads; pd_columns_refresh needs
 * external locking against them. */
#ifndef PD_COLUMNS_COLUMNS_H
#define PD_COLUMNS_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "query/query.h"
#include "store/store.h"

#define PD_COLUMNS_PHOTOS_MAX 1000000000 /* more, or 4 GiB of file names, is PD_ERR_LIMIT */

/* How filters read. Texts are compared folded (base/fold.h).
 *
 *     camera, lens   the words occur in make and model, or in the lens's name, and do not begin or end inside a
 *                    number: lens:50mm is "EF50mm f/1.8" and not "18-150mm". Several words that are a whole name, as
 *                    pd_columns_count_values gives it, mean that one alone: "NIKON D70" and not "NIKON D70s"
 *     f, focal,      numbers within PD_COLUMNS_TOLERANCE of each other are one, whatever rational a camera wrote for
 *     exposure       it: f:2.8 finds 2.7999, and f:<2.8 does not
 *     date, year,    the camera's wall clock, or the file's time where there is none
 *     month
 *     in             the named folders stand in the photo's path, whole and next to each other: everything below
 *                    counts. Words that begin with a slash are the beginning of the path
 *     size, width,   files above 4 GiB count as 4 GiB, sides above 65,535 px as that
 *     height
 *     orientation    see PD_COLUMNS_SQUARE_RATIO
 *     flash:no       known not to have fired
 *     near           along the sphere
 *     color          of a colour that covers a tenth of the picture at least: a word is what people call so
 *                    (columns/shade.c), a number what looks like it
 *     gray           no colour is seen in it, however small
 *
 * A range never holds of what is not known; a negated filter holds of every photo of which the filter does not. */
#define PD_COLUMNS_TOLERANCE 0.005   /* of the number; the finest steps of cameras (1/3 stop of 1/60: 1/62) are 3 % */
#define PD_COLUMNS_SQUARE_RATIO 1.03 /* of the longer to the shorter side: cut by hand, square to the eye */

typedef struct pd_columns pd_columns;

/* `path`: of the cache file; NULL: in memory only. */
PD_MUST_USE pd_status pd_columns_open(pd_columns **ret_columns, pd_store *store, const char *path, pd_error *err);
void pd_columns_close(pd_columns **columns);
/* Takes in what changed. *ret_changed: something did (orders and sets that were made before are of then). When much
 * did, the file is written anew; a file that cannot be written costs nothing but time (not an error). */
PD_MUST_USE pd_status pd_columns_refresh(pd_columns *columns, pd_store *store, bool *ret_changed, pd_error *err);
int64_t pd_columns_version(const pd_columns *columns); /* the catalogue's at the last refresh */

size_t pd_columns_n(const pd_columns *columns);                     /* slots, empty ones included */
int64_t pd_columns_count(const pd_columns *columns);                /* photos */
int64_t pd_columns_photo(const pd_columns *columns, uint32_t slot); /* 0: empty */
int64_t pd_columns_content(const pd_columns *columns, uint32_t slot);
/* UINT32_MAX: no such photo. */
uint32_t pd_columns_slot(const pd_columns *columns, int64_t photo);
/* [n] content of every slot, 0 where empty: for those who go through all. */
const int64_t *pd_columns_contents(const pd_columns *columns);

int pd_columns_rating(const pd_columns *columns, uint32_t slot); /* 0..5 */
bool pd_columns_favorite(const pd_columns *columns, uint32_t slot);

/* A set of slots: bit s % 64 of words[s / 64]. */
typedef struct pd_slots {
    uint64_t *words; /* [(n + 63) / 64], on the heap; bits behind n are 0 */
    size_t n;
    int64_t count;
} pd_slots;
void pd_slots_done(pd_slots *slots);
static inline bool pd_slots_has(const pd_slots *slots, uint32_t slot)
{
    return slots->words[slot / 64] >> (slot % 64) & 1;
}
PD_MUST_USE pd_status pd_slots_copy(const pd_slots *slots, pd_slots *ret_copy, pd_error *err);

/* The photos for which every filter and every exact text of the query holds (other parts are not looked at; a query
 * without any: all photos). `without`: a field whose filters are passed over, PD_FIELD_COUNT: none. */
PD_MUST_USE pd_status pd_columns_filter(const pd_columns *columns, pd_store *store, const pd_query *query,
                                        pd_field without, pd_slots *ret_slots, pd_error *err);

/* A window of a set in an order that is not by score: ret_slots [window->n]; ties by lower id. The whole order of a set
 * of a million is made once and kept by the caller: ask with offset 0 and n = count. A small window at the beginning
 * costs one pass. Photos without a date of their own are ordered by their file's; NONE and SCORE are as NEWEST. */
typedef struct pd_slot_window {
    pd_order order;
    size_t offset, n;
} pd_slot_window;
PD_MUST_USE pd_status pd_columns_order(const pd_columns *columns, const pd_slots *slots, const pd_slot_window *window,
                                       uint32_t *ret_slots, size_t *ret_n, pd_error *err);

/* How many photos of the set have which value of a field, most frequent first (years, months and ratings: ascending):
 * camera, lens, year, month, type, in (folders), orientation, rating, favorite, has, color (the named ones), flash,
 * gray. Those whose value, or a word in it, begins with `prefix` ("" or NULL: all); of folders also the path.
 * in: a folder's count has all below; a folder that holds nothing but one other is left out. Texts live until the next
 * refresh.
 * tag, person, album: one question to the catalogue when the set is all photos, else one more for each value of those
 * 1,024 that are most frequent in all; texts live during the visit. */
typedef struct pd_value_count {
    const char *value; /* as it stands behind "field:", unquoted */
    int64_t count;
} pd_value_count;
typedef struct pd_value_question {
    pd_field field;
    const char *prefix;
    size_t n_max;
    bool (*visit)(void *user, const pd_value_count *value); /* false: enough */
    void *user;
} pd_value_question;
PD_MUST_USE pd_status pd_columns_count_values(const pd_columns *columns, pd_store *store, const pd_slots *slots,
                                              const pd_value_question *question, pd_error *err);

#endif
