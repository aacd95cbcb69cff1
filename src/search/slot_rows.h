/* slot_rows.h: the inside of a pd_rows. Private to the room. */
#ifndef PD_SEARCH_SLOT_ROWS_H
#define PD_SEARCH_SLOT_ROWS_H

#include "search/search.h"

#define PD_ROWS_NONE UINT32_MAX

struct pd_rows {
    uint32_t *of_slot; /* [n] */
    size_t n, n_rows;
    int64_t last_seq, version; /* of the index and the columns that it was made from */
};

#endif
