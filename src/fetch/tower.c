#include "fetch/tower.h"

#include <string.h>

#include "base/json.h"

static pd_status refuse(pd_error *err)
{
    return pd_error_set(err, PD_ERR_FORMAT, "model.safetensors on the hub is no safetensors file");
}

pd_status pd_tower_header_end(const uint8_t length[PD_TOWER_LENGTH_BYTES], int64_t size, int64_t *ret_end,
                              pd_error *err)
{
    uint64_t n = 0;
    for (int i = PD_TOWER_LENGTH_BYTES - 1; i >= 0; i--)
        n = n << 8 | length[i];
    if (n < 2 || n > (uint64_t)PD_TOWER_HEADER_BYTES_MAX || (int64_t)n > size - PD_TOWER_LENGTH_BYTES)
        return refuse(err);
    *ret_end = PD_TOWER_LENGTH_BYTES + (int64_t)n;
    return PD_OK;
}

static bool is_of_tower(pd_str name)
{
    static const char *const prefixes[] = { "vision_model.", "visual_projection." };
    for (size_t i = 0; i < PD_COUNT_OF(prefixes); i++) {
        const size_t len = strlen(prefixes[i]);
        if (name.len > len && memcmp(name.ptr, prefixes[i], len) == 0)
            return true;
    }
    return false;
}

static bool read_place(const pd_json *tensor, int64_t header_end, int64_t size, pd_span *ret_span)
{
    const pd_json *offsets = pd_json_get(tensor, "data_offsets");
    int64_t begin, end;
    if (pd_json_count(offsets) != 2 || !pd_json_read_int(pd_json_at(offsets, 0), &begin) ||
        !pd_json_read_int(pd_json_at(offsets, 1), &end) || begin < 0 || end < begin || end > size - header_end)
        return false;
    *ret_span = (pd_span){ header_end + begin, header_end + end };
    return true;
}

static pd_status collect(const pd_json *header, int64_t header_end, int64_t size, pd_spans *spans, pd_error *err)
{
    if (!pd_json_is_object(header))
        return refuse(err);
    void *iterator = NULL;
    pd_str name;
    const pd_json *tensor;
    while (pd_json_next(header, &iterator, &name, &tensor)) {
        pd_span span;
        if (!is_of_tower(name))
            continue;
        if (!read_place(tensor, header_end, size, &span))
            return refuse(err);
        PD_TRY(pd_spans_add(spans, span, err));
    }
    return pd_spans_add(spans, (pd_span){ 0, header_end }, err);
}

static void merge_near(pd_spans *spans)
{
    size_t n = 0;
    for (size_t i = 0; i < spans->n; i++)
        if (n && spans->items[i].begin - spans->items[n - 1].end <= PD_TOWER_GAP_BYTES)
            spans->items[n - 1].end = spans->items[i].end;
        else
            spans->items[n++] = spans->items[i];
    spans->n = n;
}

pd_status pd_tower_find(const char *header, int64_t header_end, int64_t size, pd_spans *ret_spans, pd_error *err)
{
    pd_json *json = NULL;
    pd_spans spans = { 0 };
    pd_status status = pd_json_parse(&json, header, (size_t)(header_end - PD_TOWER_LENGTH_BYTES), NULL);
    if (status == PD_ERR_NOMEM)
        status = pd_error_set_nomem(err);
    else if (status != PD_OK)
        status = refuse(err);
    if (status == PD_OK)
        status = collect(json, header_end, size, &spans, err);
    pd_json_free(&json);
    if (status != PD_OK) {
        pd_spans_done(&spans);
        return status;
    }
    merge_near(&spans);
    *ret_spans = spans;
    return PD_OK;
}
