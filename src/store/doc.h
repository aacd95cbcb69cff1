/* doc.h: keeps what words, filters and the change feed look at in step with everything else. Whoever changes a photo,
 * its content or its work calls this within the same transaction. */
#ifndef PD_STORE_DOC_H
#define PD_STORE_DOC_H

#include "store/store.h"

/* A photo without content, or none at all, is gone from there. */
PD_MUST_USE pd_status pd_doc_refresh(pd_store *store, int64_t photo, pd_error *err);
PD_MUST_USE pd_status pd_doc_refresh_content(pd_store *store, int64_t content, pd_error *err);
/* The photo that has this work, if any. */
PD_MUST_USE pd_status pd_doc_refresh_work(pd_store *store, int64_t work, pd_error *err);
PD_MUST_USE pd_status pd_doc_refresh_all(pd_store *store, pd_error *err);

#endif
