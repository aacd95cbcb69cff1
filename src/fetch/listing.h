/* listing.h: what a repository of the hub holds, of which only what a model needs is taken: configuration, tokenizer,
 * and weights. Pure: text in, list out. */
#ifndef PD_FETCH_LISTING_H
#define PD_FETCH_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sha256.h"

#define PD_LISTING_BYTES_MAX ((size_t)16 << 20) /* of the hub's answer */
#define PD_LISTING_NAME_BYTES 128
#define PD_LISTING_SMALL_BYTES_MAX (INT64_C(64) << 20)  /* of one file that is no weights */
#define PD_LISTING_TOTAL_BYTES_MAX (INT64_C(256) << 30) /* of all files together */

typedef struct pd_listed {
    char name[PD_LISTING_NAME_BYTES];  /* in the repository and on disk: no folders */
    int64_t size;                      /* -1: not said */
    char sha256[PD_SHA256_TEXT_BYTES]; /* "" when the hub does not say (small files) */
    bool is_weights;
} pd_listed;

typedef struct pd_listing {
    char commit[PD_SHA256_TEXT_BYTES]; /* 40 hex digits today */
    pd_listed *files;                  /* [n] in the order they are fetched: small ones first */
    size_t n;
} pd_listing;

/* The hub's answer to GET /api/models/<repository>/revision/<revision>?blobs=true. FORMAT: it is no such answer;
 * UNSUPPORTED: there is no model in it that could be used, with a sentence; LIMIT. */
PD_MUST_USE pd_status pd_listing_parse(pd_listing *ret_listing, const char *json, size_t len, pd_error *err);
void pd_listing_done(pd_listing *listing);

bool pd_is_sha256_text(const char *text); /* 64 hex digits, lower case */

#endif
