/* tagger_open.c: a tagger with a borrowed text tower. */
#include "annotate/tagger.h"

pd_status pd_tagger_open(pd_tagger **ret_tagger, pd_residency *residency, const char *model_dir, const char *cache_dir,
                         const atomic_bool *cancelled, pd_error *err)
{
    pd_lease lease = { 0 };
    PD_TRY(pd_residency_borrow(residency, model_dir, PD_PART_TEXT, cancelled, &lease, err));
    const pd_tagger_options options = { pd_vocabulary_get(), cache_dir, cancelled };
    const pd_status status = pd_tagger_make(ret_tagger, lease.model, lease.session, &options, err);
    pd_residency_return(residency, &lease);
    return status;
}
