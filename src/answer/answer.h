/* answer.h: the product's answers as JSON: one shape for the command line and for HTTP.
 *
 * Every function returns a document that the caller owns (pd_json_free, or a _take function), NULL when out of memory.
 * Pure: nothing is looked up. Stable: fields are only added. */
#ifndef PD_ANSWER_ANSWER_H
#define PD_ANSWER_ANSWER_H

#include "base/json.h"
#include "library/library.h"

typedef struct pd_hits_answer {
    const char *query;
    double took_ms;
    const pd_hits *hits;
} pd_hits_answer;

PD_MUST_USE pd_json *pd_answer_hit(const pd_hit *hit); /* one element of "hits": a line of --jsonl */
PD_MUST_USE pd_json *pd_answer_hits(const pd_hits_answer *answer);
/* Append one line of a table of RFC 4180: the names of the columns, a photo. A path goes out byte for byte. */
void pd_answer_csv_head(pd_buf *buf);
void pd_answer_csv_hit(pd_buf *buf, const pd_hit *hit);

/* How a query is read: "parts" alone, and all of `query` (docs/http.md). `text` is what was parsed. Places in it are
 * told in UTF-16 code units, as JavaScript counts. */
PD_MUST_USE pd_json *pd_answer_parts(const pd_query *query, const char *text);
PD_MUST_USE pd_json *pd_answer_reading(const pd_query *query, const char *text);
/* Appends the parts that leave photos out (filters, exact words) without part number `but` (SIZE_MAX: all of them):
 * asking for those alone finds as many, and needs no model. */
void pd_filters_of(const pd_query *query, const char *text, size_t but, pd_buf *buf);
bool pd_part_filters(const pd_query_part *part);
size_t pd_utf16_units(const char *text, size_t bytes);             /* that the first `bytes` of `text` make */
size_t pd_utf16_bytes(const char *text, size_t len, size_t units); /* of the first `units`; at most len */

const char *pd_answer_said_by(pd_said_by by); /* "user", "file", "machine"; NULL: nobody */
PD_MUST_USE pd_json *pd_answer_photo(const pd_photo *photo, const pd_work *work);
PD_MUST_USE pd_json *pd_answer_edited(const pd_step *step); /* of photos */
PD_MUST_USE pd_json *pd_answer_would(size_t n_photos);      /* of a dry run */
PD_MUST_USE pd_json *pd_answer_step(const pd_step *step);
PD_MUST_USE pd_json *pd_answer_album(const pd_album *album);
PD_MUST_USE pd_json *pd_answer_saved(const pd_saved *saved); /* a saved search, or a line of the history */
PD_MUST_USE pd_json *pd_answer_copies(const pd_copies *copies, size_t n_photos);
PD_MUST_USE pd_json *pd_answer_sidecars(const pd_sidecars *sidecars, size_t n_photos);
PD_MUST_USE pd_json *pd_answer_work_counts(const pd_work_counts *counts);

/* What machines wrote about a picture; `error` (or NULL): why nothing. */
PD_MUST_USE pd_json *pd_answer_written(const char *picture, const pd_written *written, const char *error);
PD_MUST_USE pd_json *pd_answer_annotation(const pd_annotation_state *state); /* "annotation" of a snapshot */

const char *pd_answer_kind(pd_hub_kind kind);                        /* "search", "captions" */
PD_MUST_USE pd_json *pd_answer_model(const pd_library_model *model); /* one element of "models" */
PD_MUST_USE pd_json *pd_answer_removal(const char *name, const pd_remove_options *options, const pd_removal *removal);
PD_MUST_USE pd_json *pd_answer_pull(const pd_pull_state *pull); /* "pull" of a snapshot */

PD_MUST_USE pd_json *pd_answer_progress(const pd_progress *progress); /* a line of `index --progress json` */
PD_MUST_USE pd_json *pd_answer_file_error(const char *path, pd_status why, const char *sentence);
PD_MUST_USE pd_json *pd_answer_root(const pd_root *root);
PD_MUST_USE pd_json *pd_answer_status_take(const char *dir, const pd_library_status *status, pd_json *roots);

#endif
