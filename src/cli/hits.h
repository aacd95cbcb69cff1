/* hits.h: the results of a search in every form. */
#ifndef PD_CLI_HITS_H
#define PD_CLI_HITS_H

#include "answer/answer.h"
#include "cli/options.h"
#include "cli/output.h"

typedef enum pd_hits_form { PD_HITS_TEXT, PD_HITS_JSON, PD_HITS_JSONL, PD_HITS_CSV, PD_HITS_NUL } pd_hits_form;

pd_hits_form pd_hits_form_chosen(const pd_options *options);

/* `offset`: how many were left out before the first. */
void pd_hits_write(pd_out *out, const pd_hits_answer *answer, pd_hits_form form, size_t offset);

#endif
