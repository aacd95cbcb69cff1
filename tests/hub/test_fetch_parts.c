/* The parts of pixel-detective-fetch that ask nobody: spans, heads of answers, lists, records. */
#include <string.h>

#include "base/mem.h"
#include "fetch/listing.h"
#include "fetch/record.h"
#include "fetch/fetch_request.h"
#include "fetch/http_head.h"
#include "fetch/tower.h"
#include "test.h"

static void spans_say_what_is_here(void)
{
    pd_spans spans = { 0 };
    pd_span gap;
    bool here[64] = { false };
    unsigned seed = 7;
    for (int i = 0; i < 400; i++) {
        seed = seed * 1103515245 + 12345;
        const int begin = (int)(seed >> 16) % 60, end = begin + (int)(seed >> 24) % 5;
        CHECK(pd_spans_add(&spans, (pd_span){ begin, end }, NULL) == PD_OK);
        for (int k = begin; k < end; k++)
            here[k] = true;
        int64_t bytes = 0;
        for (int k = 0; k < 64; k++)
            bytes += here[k];
        CHECK(pd_spans_bytes(&spans) == bytes);
        int first = 3;
        while (first < 50 && here[first])
            first++;
        const bool has_gap = pd_spans_gap(&spans, (pd_span){ 3, 50 }, &gap);
        CHECK(has_gap == (first < 50) && (!has_gap || (gap.begin == first && gap.end <= 50 && !here[gap.end - 1])));
        for (size_t k = 1; k < spans.n; k++)
            CHECK(spans.items[k - 1].end < spans.items[k].begin);
        if (i % 40 == 39) {
            pd_spans_done(&spans);
            memset(here, 0, sizeof here);
        }
    }
    pd_spans_done(&spans);
}

static void take(pd_response *response, const char *const *lines, size_t n)
{
    pd_response_init(response);
    for (size_t i = 0; i < n; i++)
        pd_response_take(response, lines[i], strlen(lines[i]));
}

static void heads_of_answers_are_read(void)
{
    static const char *const first[] = { "HTTP/1.1 302 Found\r\n", "X-Linked-Size: 1234\r\n",
                                         "x-linked-etag: \"abc\"\r\n", "Location:  /x?y=1 \r\n",
                                         "ETag: W/\"weak\"\r\n" };
    pd_response response;
    take(&response, first, PD_COUNT_OF(first));
    CHECK(response.code == 302 && response.linked_size == 1234 && strcmp(response.linked_etag, "abc") == 0);
    CHECK(strcmp(response.location, "/x?y=1") == 0 && response.etag[0] == '\0' && response.length == -1);
    static const char *const second[] = { "HTTP/2 206\r\n", "content-range: bytes 10-19/1234\r\n",
                                          "Content-Length: 10\r\n", "ETag: \"strong\"\r\n", "\r\n" };
    for (size_t i = 0; i < PD_COUNT_OF(second); i++)
        pd_response_take(&response, second[i], strlen(second[i]));
    CHECK(response.code == 206 && response.range_begin == 10 && response.range_total == 1234 && response.length == 10);
    CHECK(strcmp(response.etag, "\"strong\"") == 0 && response.linked_size == 1234 && response.location[0] == '\0');
    static const char *const nonsense[] = { "HTTP/1.1 99999\r\n",
                                            "Content-Length: -5\r\n",
                                            "Content-Range: bytes */x\r\n",
                                            "Content-Length: 99999999999999999999\r\n",
                                            ":\r\n",
                                            "\r\n",
                                            "x" };
    take(&response, nonsense, PD_COUNT_OF(nonsense));
    CHECK(response.length == -1 && response.range_total == -1 && response.range_begin == -1);
}

#define COMMIT "0123456789012345678901234567890123456789"
#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
static const char list[] =
    "{\"sha\":\"" COMMIT "\",\"siblings\":[{\"rfilename\":\"model.safetensors\",\"size\":10,\"lfs\":{\"sha256\":\"" SHA
    "\",\"size\":5000}},{\"rfilename\":\"config.json\",\"size\":7},{\"rfilename\":\"sub/vocab.json\",\"size\":7},"
    "{\"rfilename\":\"../merges.txt\"},{\"rfilename\":3},{\"rfilename\":\"vocab.json\"}]}";

static void a_list_gives_what_a_model_needs(void)
{
    pd_listing listing;
    CHECK(pd_listing_parse(&listing, list, sizeof list - 1, NULL) == PD_OK);
    REQUIRE(listing.n == 3 && strcmp(listing.commit, COMMIT) == 0);
    CHECK(strcmp(listing.files[0].name, "config.json") == 0 && listing.files[0].size == 7);
    CHECK(strcmp(listing.files[1].name, "vocab.json") == 0 && listing.files[1].size == -1);
    CHECK(listing.files[2].is_weights && listing.files[2].size == 5000 && strcmp(listing.files[2].sha256, SHA) == 0);
    pd_listing_done(&listing);
}

static void towers_are_found(void)
{
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},\"text_model.a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,"
        "1000000]},\"vision_model.a\":{\"data_offsets\":[1000000,1500000]},\"x\":{\"data_offsets\":[1500000,1600000]},"
        "\"vision_model.b\":{\"data_offsets\":[1600000,1700000]},\"visual_projection.weight\":{\"data_offsets\":["
        "5000000,5000100]}}";
    const int64_t header_end = 8 + (int64_t)sizeof header - 1, size = header_end + 6000000;
    pd_spans spans = { 0 };
    CHECK(pd_tower_find(header, header_end, size, &spans, NULL) == PD_OK);
    REQUIRE(spans.n == 3); /* the header; both tensors and the little between them; the projection */
    CHECK(spans.items[0].begin == 0 && spans.items[0].end == header_end);
    CHECK(spans.items[1].begin == header_end + 1000000 && spans.items[1].end == header_end + 1700000);
    CHECK(spans.items[2].begin == header_end + 5000000);
    pd_spans_done(&spans);
    CHECK(pd_tower_find(header, header_end, header_end + 5000000, &spans, NULL) == PD_ERR_FORMAT);
    int64_t end;
    CHECK(pd_tower_header_end((const uint8_t[8]){ 10 }, 18, &end, NULL) == PD_OK && end == 18);
    CHECK(pd_tower_header_end((const uint8_t[8]){ 11 }, 18, &end, NULL) == PD_ERR_FORMAT);
    CHECK(pd_tower_header_end((const uint8_t[8]){ 0, 0, 0, 0, 0, 0, 0, 0x80 }, 18, &end, NULL) == PD_ERR_FORMAT);
}

static void what_is_still_the_same_is_kept(void)
{
    static const char record_text[] =
        "{\"version\":1,\"repository\":\"o/n\",\"revision\":\"" COMMIT "\",\"files\":["
        "{\"name\":\"config.json\",\"size\":7,\"sha256\":\"\",\"etag\":\"\",\"weights\":false,\"here\":[[0,7]]},"
        "{\"name\":\"model.safetensors\",\"size\":5000,\"sha256\":\"" SHA
        "\",\"etag\":\"\\\"e\\\"\",\"weights\":true,\"here\":[[0,100],[200,300]]}]}";
    pd_record record;
    pd_listing listing;
    REQUIRE(pd_listing_parse(&listing, list, sizeof list - 1, NULL) == PD_OK);
    REQUIRE(pd_record_parse(&record, record_text, sizeof record_text - 1, NULL) == PD_OK);
    CHECK(pd_record_here(&record) == 207 && pd_record_total(&record) == 5007);
    CHECK(pd_record_adopt(&record, &listing, NULL) == PD_OK);
    CHECK(record.n == 3 && pd_record_here(&record) == 207 && pd_record_total(&record) == -1);
    listing.files[2].sha256[0] = 'f'; /* other weights, and another commit: nothing is the same */
    listing.commit[0] = 'f';
    CHECK(pd_record_adopt(&record, &listing, NULL) == PD_OK && pd_record_here(&record) == 0);
    pd_record_done(&record);
    pd_listing_done(&listing);
}

static void out_of_memory_is_survived(void)
{
    static const char request_text[] = "{\"version\":1,\"endpoint\":\"x\",\"repository\":\"o/n\",\"revision\":\"main\","
                                       "\"key\":\"o--n\",\"models_dir\":\"/m\",\"retry_ms\":3}";
    pd_status status = PD_ERR_NOMEM;
    size_t nth = 1;
    for (; status != PD_OK && nth < 2000; nth++) {
        const size_t live = pd_mem_live();
        pd_fetch_request request;
        pd_listing listing = { 0 };
        pd_record record = { 0 };
        pd_spans spans = { 0 };
        pd_mem_fail_at(nth);
        status = pd_fetch_request_parse(&request, request_text, sizeof request_text - 1, NULL);
        if (status == PD_OK)
            status = pd_listing_parse(&listing, list, sizeof list - 1, NULL);
        if (status == PD_OK)
            status = pd_record_adopt(&record, &listing, NULL);
        for (int64_t i = 0; status == PD_OK && i < 20; i++)
            status = pd_spans_add(&spans, (pd_span){ 3 * i, 3 * i + 1 }, NULL);
        pd_mem_fail_at(0);
        pd_listing_done(&listing);
        pd_record_done(&record);
        pd_spans_done(&spans);
        CHECK(status == PD_OK || status == PD_ERR_NOMEM);
        CHECK(pd_mem_live() == live);
    }
    CHECK(status == PD_OK && nth > 20);
}

int main(void)
{
    RUN(spans_say_what_is_here);
    RUN(heads_of_answers_are_read);
    RUN(a_list_gives_what_a_model_needs);
    RUN(towers_are_found);
    RUN(what_is_still_the_same_is_kept);
    RUN(out_of_memory_is_survived);
    return TEST_RESULT();
}
