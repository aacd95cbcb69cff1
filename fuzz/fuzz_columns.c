/* A file of columns of any bytes, whatever its checksums say: it is refused, or filters, orders and changes stay
 * inside.
 */
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "columns/columns_private.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool look_at(void *user, const pd_value_count *value)
{
    *(size_t *)user += strlen(value->value);
    return true;
}

static void use_columns(pd_columns *columns)
{
    static const char text[] = "camera:canon in:b name:*a*b -near:10,20,3000km color:#336699 f:<4 date:..2030";
    pd_query *query = NULL;
    pd_slots slots = { 0 };
    uint32_t some[20];
    size_t n = 0, len = 0;
    PD_CHECK(pd_query_parse(&query, text, sizeof text - 1, NULL) == PD_OK);
    PD_CHECK(pd_columns_filter(columns, NULL, query, PD_FIELD_COUNT, &slots, NULL) == PD_OK);
    PD_CHECK(slots.count <= pd_columns_count(columns) && slots.n == pd_columns_n(columns));
    pd_query_free(&query);
    PD_CHECK(pd_columns_order(columns, &slots, &(pd_slot_window){ PD_ORDER_NAME, 0, 20 }, some, &n, NULL) == PD_OK);
    for (size_t i = 0; i < n; i++)
        PD_CHECK(some[i] < slots.n && pd_slots_has(&slots, some[i]));
    PD_CHECK(pd_columns_count_values(columns, NULL, &slots, &(pd_value_question){ PD_FIELD_IN, "a", 20, look_at, &len },
                                     NULL) == PD_OK);
    pd_slots_done(&slots);
    const pd_photo_row row = { .id = 3,
                               .content = 3,
                               .path = "/a/b/c.jpg",
                               .sort_time = "2020-01-02T03:04:05",
                               .type = "jpeg",
                               .make = "a",
                               .camera = "b",
                               .lens = "c" };
    if (pd_columns_put(columns, &row, NULL) == PD_OK)
        PD_CHECK(pd_columns_photo(columns, pd_columns_slot(columns, 3)) == 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *map = size ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;
    if (map == MAP_FAILED)
        return 0;
    memcpy(map, data, size);
    pd_columns columns = { 0 };
    if (pd_columns_adopt(&columns, map, size, false, NULL) == PD_OK)
        use_columns(&columns);
    pd_columns_clear(&columns);
    return 0;
}
