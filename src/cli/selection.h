/* selection.h: asking for photos, and naming them. */
#ifndef PD_CLI_SELECTION_H
#define PD_CLI_SELECTION_H

#include "cli/cli.h"

/* Asks, and writes the answer in the form that the options choose; `query` is what JSON calls it. Fills in the window
 * and the order. PD_ERR_NO_MATCH with advice when nothing is found. */
PD_MUST_USE pd_status pd_photos_answer(pd_cli *cli, pd_library *library, const char *query, pd_question *question,
                                       pd_error *err);

/* Ids of photos: of the ones named (paths or ids), or of all that --query finds. */
typedef struct pd_photos {
    int64_t *ids; /* heap */
    size_t n;
} pd_photos;
/* PD_ERR_USAGE: neither, or both. PD_ERR_NO_MATCH: nothing is found, or a name is not known. */
PD_MUST_USE pd_status pd_photos_choose(const pd_cli *cli, pd_library *library, const char *const *names, size_t n,
                                       pd_photos *ret_photos, pd_error *err);
void pd_photos_done(pd_photos *photos);

#endif
