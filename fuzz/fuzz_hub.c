/* What strangers and the other program say about models. The first byte chooses: the hub's list, the head of an answer,
 * a report, a request, pull.json, the header of weights, a name. What is accepted keeps its promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fetch/fetch_request.h"
#include "fetch/http_head.h"
#include "fetch/listing.h"
#include "fetch/record.h"
#include "fetch/tower.h"
#include "hub/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_spans(const pd_spans *spans, int64_t size)
{
    for (size_t i = 0; i < spans->n; i++)
        check(spans->items[i].begin >= 0 && spans->items[i].begin < spans->items[i].end &&
              spans->items[i].end <= size && (i == 0 || spans->items[i - 1].end < spans->items[i].begin));
}

static void read_list(const char *text, size_t len)
{
    pd_listing listing;
    if (pd_listing_parse(&listing, text, len, NULL) != PD_OK)
        return;
    check(listing.n >= 2 && strlen(listing.commit) >= 40);
    for (size_t i = 0; i < listing.n; i++) {
        const pd_listed *file = &listing.files[i];
        check(pd_fetch_is_name(file->name, strlen(file->name)) && file->size >= -1);
        check(!file->sha256[0] || pd_is_sha256_text(file->sha256));
    }
    pd_listing_done(&listing);
}

static void read_head(const char *text, size_t len)
{
    pd_response response;
    pd_response_init(&response);
    while (len) {
        const char *end = memchr(text, '\n', len);
        const size_t line = end ? (size_t)(end - text) + 1 : len;
        pd_response_take(&response, text, line);
        text += line;
        len -= line;
    }
    check(response.length >= -1 && response.range_begin >= -1 && response.range_total >= -1);
    check(strlen(response.etag) < sizeof response.etag && strlen(response.location) < sizeof response.location);
    check(response.code == 0 || (response.code >= 100 && response.code <= 599));
}

static void read_report(const char *text, size_t len)
{
    pd_fetch_report report;
    if (pd_fetch_report_parse(&report, text, len, NULL) == PD_OK)
        check(report.done >= 0 && (!report.total || report.done <= report.total) &&
              (unsigned)report.phase < PD_PULL_PHASE_COUNT && strlen(report.message) < sizeof report.message);
}

static void read_request(const char *text, size_t len)
{
    pd_fetch_request request;
    if (pd_fetch_request_parse(&request, text, len, NULL) == PD_OK)
        check(request.models_dir[0] == '/' && !strchr(request.key, '/') && strcmp(request.key, "..") != 0 &&
              !strpbrk(request.token, "\r\n") && request.stall_ms > 0 && request.connect_ms > 0 &&
              request.retry_ms > 0);
}

static void read_record(const char *text, size_t len)
{
    pd_record record;
    if (pd_record_parse(&record, text, len, NULL) != PD_OK)
        return;
    for (size_t i = 0; i < record.n; i++) {
        check(pd_fetch_is_name(record.pieces[i].file.name, strlen(record.pieces[i].file.name)));
        check_spans(&record.pieces[i].here, record.pieces[i].file.size);
    }
    pd_record_done(&record);
}

static void read_tower(const uint8_t *data, size_t len)
{
    pd_spans spans = { 0 };
    int64_t end;
    if (len < PD_TOWER_LENGTH_BYTES || pd_tower_header_end(data, (int64_t)len, &end, NULL) != PD_OK)
        return;
    if (pd_tower_find((const char *)data + PD_TOWER_LENGTH_BYTES, end, (int64_t)len, &spans, NULL) == PD_OK)
        check_spans(&spans, (int64_t)len);
    pd_spans_done(&spans);
}

static void read_name(const char *data, size_t len)
{
    pd_hub_reference reference;
    char *text = pd_mem_dup_text(data, len);
    if (text && pd_hub_reference_parse(text, &reference, NULL) == PD_OK)
        check(reference.key[0] && reference.key[0] != '.' && !strchr(reference.key, '/'));
    pd_mem_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    const size_t len = size - 1;
    switch (data[0]) {
    case 'l': read_list(text, len); break;
    case 'h': read_head(text, len); break;
    case 'r': read_report(text, len); break;
    case 'q': read_request(text, len); break;
    case 'p': read_record(text, len); break;
    case 't': read_tower(data + 1, len); break;
    case 'n': read_name(text, len); break;
    default: break;
    }
    return 0;
}
