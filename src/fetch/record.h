/* record.h: pull.json: what a model consists of, and which bytes of it are here. docs/formats.md has the form. */
#ifndef PD_FETCH_RECORD_H
#define PD_FETCH_RECORD_H

#include "fetch/listing.h"
#include "fetch/http_head.h"
#include "fetch/spans.h"
#include "hub/pipe.h"

typedef struct pd_piece {
    pd_listed file;
    char etag[PD_RESPONSE_ETAG_BYTES]; /* of the server that sent what is here; "" */
    pd_spans here;
    bool is_checked; /* all of it is here, and it is what the hub promised */
} pd_piece;

typedef struct pd_record {
    char repository[PD_HUB_KEY_BYTES], asked[PD_HUB_KEY_BYTES]; /* asked: the revision that the user named */
    char commit[PD_SHA256_TEXT_BYTES];                          /* "" before the hub was asked */
    pd_piece *pieces;                                           /* [n] */
    size_t n;
} pd_record;

void pd_record_done(pd_record *record);

/* Pure reader of the file's text, for the fuzzer too. What is damaged is FORMAT. */
PD_MUST_USE pd_status pd_record_parse(pd_record *ret_record, const char *json, size_t len, pd_error *err);

/* The record in `dir`; one that is not there, cannot be read, or is of another repository gives an empty one. Pieces
 * whose file on disk is not as long as it should be count as not here. */
PD_MUST_USE pd_status pd_record_open(pd_record *ret_record, const char *dir, const char *repository, const char *asked,
                                     pd_error *err);

/* There is a file of that name, as long as it should be. */
bool pd_record_has_file(const pd_piece *piece, const char *dir);

/* Replaces the file as a whole; `complete`: durable, and without what only an unfinished one needs. */
PD_MUST_USE pd_status pd_record_write(const pd_record *record, const char *dir, bool complete, pd_error *err);

/* The files of the listing become the pieces. What is here of a file that is still the same one stays. */
PD_MUST_USE pd_status pd_record_adopt(pd_record *record, const pd_listing *listing, pd_error *err);

/* Bytes that are here, and of all pieces (-1: the size of one is not known). */
int64_t pd_record_here(const pd_record *record);
int64_t pd_record_total(const pd_record *record);

#endif
