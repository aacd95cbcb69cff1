/* library_values.c: what a filter panel offers. */
#include <string.h>

#include "library/library_find.h"

pd_status pd_library_values(pd_library *library, const char *query, const pd_value_question *question, pd_error *err)
{
    pd_library_finder *finder = &library->finder;
    const char *text = query ? query : "";
    pd_query *parsed = NULL;
    pd_slots slots = { 0 };
    PD_TRY(pd_query_parse(&parsed, text, strlen(text), err));
    pd_library_touch(library);
    pthread_mutex_lock(&finder->lock);
    pd_status status = pd_library_need_columns(library, err);
    if (status == PD_OK)
        status = pd_columns_filter(finder->columns, finder->store, parsed, question->field, &slots, err);
    if (status == PD_OK)
        status = pd_columns_count_values(finder->columns, finder->store, &slots, question, err);
    pd_slots_done(&slots);
    pthread_mutex_unlock(&finder->lock);
    pd_query_free(&parsed);
    return status;
}
