/* library_values.c: what a filter panel offers. */
#include <string.h>

#include "library/library_find.h"

typedef struct value_visit {
    bool (*visit)(void *user, const char *value, int64_t count);
    void *user;
} value_visit;

static bool visit_value(void *user, const pd_value_count *value)
{
    const value_visit *v = user;
    return v->visit(v->user, value->value, value->count);
}

pd_status pd_library_values(pd_library *library, const char *query, pd_field field, const char *prefix, size_t n_max,
                            bool (*visit)(void *user, const char *value, int64_t count), void *user, pd_error *err)
{
    pd_library_finder *finder = &library->finder;
    value_visit v = { visit, user };
    pd_query *parsed = NULL;
    pd_slots slots = { 0 };
    PD_TRY(pd_query_parse(&parsed, query ? query : "", query ? strlen(query) : 0, err));
    pthread_mutex_lock(&finder->lock);
    pd_status status = pd_library_need_columns(library, err);
    if (status == PD_OK)
        status = pd_columns_filter(finder->columns, finder->store, parsed, field, &slots, err);
    if (status == PD_OK) {
        const pd_value_question question = { field, prefix ? prefix : "", n_max, visit_value, &v };
        status = pd_columns_count_values(finder->columns, finder->store, &slots, &question, err);
        pd_slots_done(&slots);
    }
    pthread_mutex_unlock(&finder->lock);
    pd_query_free(&parsed);
    return status;
}
