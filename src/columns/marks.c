/* marks.c: what the user thinks of a photo, for who shows it. */
#include "columns/columns_private.h"

int pd_columns_rating(const pd_columns *columns, uint32_t slot)
{
    return (columns->f.facts[slot] & PD_FACT_RATING) >> PD_FACT_RATING_SHIFT;
}

bool pd_columns_favorite(const pd_columns *columns, uint32_t slot)
{
    return (columns->f.facts[slot] & PD_FACT_FAVORITE) != 0;
}
