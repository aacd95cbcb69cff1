/* tagger_open.c: a tagger with borrowed towers. */
#include "annotate/tagger.h"

pd_status pd_tagger_open(pd_tagger **ret_tagger, pd_residency *residency, const char *model_dir, const char *cache_dir,
                         const atomic_bool *cancelled, pd_error *err)
{
    pd_lease text = { 0 }, vision = { 0 };
    PD_TRY(pd_residency_borrow(residency, model_dir, PD_PART_TEXT, cancelled, &text, err));
    pd_tagger_options options = { pd_vocabulary_get(), cache_dir, cancelled, text.session, NULL };
    pd_status status = pd_tagger_make(ret_tagger, text.model, &options, err);
    if (status == PD_ERR_NOT_FOUND) { /* the first time */
        status = pd_residency_borrow(residency, model_dir, PD_PART_VISION, cancelled, &vision, err);
        options.vision = vision.session;
        if (status == PD_OK)
            status = pd_tagger_make(ret_tagger, text.model, &options, err);
    }
    pd_residency_return(residency, &vision);
    pd_residency_return(residency, &text);
    return status;
}
