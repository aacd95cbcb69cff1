/* hit_list.h: what the files of this room share: making a list of hits. Private to the room. */
#ifndef PD_SEARCH_HIT_LIST_H
#define PD_SEARCH_HIT_LIST_H

#include "search/search.h"

PD_MUST_USE pd_status pd_hits_check_window(size_t offset, size_t n, pd_error *err);

/* Room for n hits in an empty list. */
PD_MUST_USE pd_status pd_hits_reserve(pd_hits *hits, size_t n, pd_error *err);

/* Adds the photo. One that another process removed in the meantime is left out. */
PD_MUST_USE pd_status pd_hits_describe(pd_hits *hits, pd_store *store, int64_t photo, float score, pd_error *err);

#endif
