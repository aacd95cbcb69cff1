/* machine.h: what machines write about a content: tags and captions; and the settings of a library. Part of store.h's
 * contract: include that.
 *
 * Machine texts hang on the content, so copies share them. Each carries its source (who wrote it, in which version);
 * a newer source's texts of a kind take the place of an older one's. The user's word (work.h) stands above them: a tag
 * that the user took away, or a caption that the user wrote or emptied, stays as the user said, whatever is written
 * later. */
#ifndef PD_STORE_MACHINE_H
#define PD_STORE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pd_store pd_store;

typedef enum pd_machine_kind { PD_MACHINE_TAG, PD_MACHINE_CAPTION } pd_machine_kind;
#define PD_MACHINE_SOURCE_BYTES_MAX 200
#define PD_MACHINE_TEXTS_MAX 64 /* of one content and kind */

typedef struct pd_machine_text {
    const char *text;
    float score; /* 0..1; NAN: not known */
    bool doubtful;
} pd_machine_text;
/* Replaces everything of this kind that machines said about the content (n may be 0: nothing fits), and remembers the
 * source. Its photos' documents, labels and changes follow. Within a batch of the caller, or alone. Texts are UTF-8
 * without control characters, as in work.h, the surest first; of captions the first one is told. PD_ERR_NO_MATCH (no
 * sentence): no such content. */
typedef struct pd_machine_about {
    int64_t content;
    pd_machine_kind kind;
    const char *source; /* 1 to PD_MACHINE_SOURCE_BYTES_MAX bytes of UTF-8 */
} pd_machine_about;
PD_MUST_USE pd_status pd_store_machine_put(pd_store *store, const pd_machine_about *about, const pd_machine_text *texts,
                                           size_t n, pd_error *err);
/* Contents with a photo on a root that is there, whose texts of a kind are not of `source`: newest photo first. What
 * is done costs nothing: todo takes what its answer takes, count what is to do (docs/limits.md says where not). None:
 * there is nothing to do. n_max: at most PD_MACHINE_TODO_MAX. */
#define PD_MACHINE_TODO_MAX 4096
typedef struct pd_machine_query {
    pd_machine_kind kind;
    const char *source;
    int64_t model; /* of TAG: only contents with an embedding of that model; 0: all */
} pd_machine_query;
PD_MUST_USE pd_status pd_store_machine_todo(pd_store *store, const pd_machine_query *query, size_t n_max,
                                            int64_t *ret_contents, size_t *ret_n, pd_error *err);
PD_MUST_USE pd_status pd_store_machine_count(pd_store *store, const pd_machine_query *query, int64_t *ret_todo,
                                             pd_error *err);
/* Whether one content is to do, wherever its photos are. */
PD_MUST_USE pd_status pd_store_machine_lacks(pd_store *store, int64_t content, const pd_machine_query *query,
                                             bool *ret_lacks, pd_error *err);
/* A content that cannot be written about (its file is gone, or its pixels are): not asked for again by this source.
 * What an older source wrote stays. NO_MATCH as put. */
PD_MUST_USE pd_status pd_store_machine_fail(pd_store *store, const pd_machine_about *about, pd_error *err);

/* Settings: short texts by name. "model", "answering", "captioner", "captions", "tags", "threads". Absent: *ret_value
 * NULL; else the caller's, on the heap. An older catalogue has none. put: value NULL takes it away. */
#define PD_STORE_SETTING_BYTES_MAX 4096
PD_MUST_USE pd_status pd_store_setting_get(pd_store *store, const char *name, char **ret_value, pd_error *err);
PD_MUST_USE pd_status pd_store_setting_put(pd_store *store, const char *name, const char *value, pd_error *err);

#endif
