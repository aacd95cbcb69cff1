#include <string.h>

#include "query/fields.h"
#include "query/values.h"

#define KM_DEFAULT 10.0

static bool read_degrees(const char **text, double limit, double *ret_degrees)
{
    const bool is_negative = **text == '-';
    *text += **text == '-' || **text == '+';
    double degrees;
    if (!pd_number_read(text, &degrees) || degrees > limit)
        return false;
    *ret_degrees = is_negative && degrees > 0 ? -degrees : degrees;
    return true;
}

static bool read_distance(const char *text, double *ret_km)
{
    static const pd_number_unit units[] = { { "", 1 }, { "km", 1 }, { "m", 0.001 }, { "mi", 1.609344 } };
    double number;
    if (!pd_number_read(&text, &number) || number == 0)
        return false;
    for (size_t i = 0; i < PD_COUNT_OF(units); i++)
        if (strcmp(units[i].name, text) == 0) {
            *ret_km = number * units[i].scale;
            return true;
        }
    return false;
}

bool pd_value_read_place(const pd_field_row *row, const char *text, pd_query_value *ret_value)
{
    (void)row;
    pd_query_value value = { .km = KM_DEFAULT };
    if (!read_degrees(&text, 90, &value.lat) || *text++ != ',' || !read_degrees(&text, 180, &value.lon))
        return false;
    if (*text && (*text != ',' || !read_distance(text + 1, &value.km)))
        return false;
    *ret_value = value;
    return true;
}
