/* answer.h: the product's answers as JSON: one shape for the command line and for HTTP.
 *
 * Every function returns a document that the caller owns (pd_json_free, or a _take function), NULL when out of memory.
 * Pure: nothing is looked up. Stable: fields are only added. */
#ifndef PD_ANSWER_ANSWER_H
#define PD_ANSWER_ANSWER_H

#include "base/json.h"
#include "library/library.h"

typedef struct pd_hits_answer {
    const char *query, *model; /* model NULL: not known */
    double took_ms;
    const pd_hits *hits;
} pd_hits_answer;

PD_MUST_USE pd_json *pd_answer_hit(const pd_hit *hit); /* one element of "hits": a line of --jsonl */
PD_MUST_USE pd_json *pd_answer_hits(const pd_hits_answer *answer);
PD_MUST_USE pd_json *pd_answer_photo(const pd_photo *photo);
PD_MUST_USE pd_json *pd_answer_progress(const pd_progress *progress); /* a line of `index --progress json` */
PD_MUST_USE pd_json *pd_answer_file_error(const char *path, pd_status why, const char *sentence);
PD_MUST_USE pd_json *pd_answer_root(const pd_root *root);
PD_MUST_USE pd_json *pd_answer_status_take(const char *dir, const pd_library_status *status, pd_json *roots);

#endif
