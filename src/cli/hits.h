/* hits.h: the results of a search in every form. */
#ifndef PD_CLI_HITS_H
#define PD_CLI_HITS_H

#include "cli/output.h"
#include "search/search.h"

typedef struct pd_hits_answer {
    const char *query, *model; /* model NULL: not known */
    double took_ms;
    const pd_hits *hits;
} pd_hits_answer;

typedef enum pd_hits_form { PD_HITS_TEXT, PD_HITS_JSON, PD_HITS_JSONL, PD_HITS_CSV, PD_HITS_NUL } pd_hits_form;

void pd_hits_write(pd_out *out, const pd_hits_answer *answer, pd_hits_form form);

/* "score", "date", "-date" or "name"; others leave the order as it is. Ties keep the better score first. */
void pd_hits_sort(pd_hits *hits, const char *order);

#endif
