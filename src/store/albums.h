/* albums.h: albums by what they are known by: their folded name. */
#ifndef PD_STORE_ALBUMS_H
#define PD_STORE_ALBUMS_H

#include "store/journal.h"
#include "store/work_text.h"

/* *ret_album 0: there is none. *ret_last: the last place in it that is taken. */
PD_MUST_USE pd_status pd_album_find(pd_store *store, const char *folded, int64_t *ret_album, int64_t *ret_last,
                                    pd_error *err);
PD_MUST_USE pd_status pd_album_create(pd_store *store, pd_step *step, const pd_work_text *name, int64_t *ret_album,
                                      pd_error *err);

#endif
