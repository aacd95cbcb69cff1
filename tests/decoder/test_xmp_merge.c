/* Sidecars: our words are in them afterwards, and every byte of the others is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decoder/claims.h"
#include "decoder/xmp.h"
#include "decoder/xmp_merge.h"
#include "media/media.h"
#include "test.h"

#define RDF_OPEN                                                                                   \
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-" \
    "syntax-ns#\">"
#define RDF_CLOSE "</rdf:RDF></x:xmpmeta>"
#define DC "xmlns:dc=\"http://purl.org/dc/elements/1.1/\""
#define XMP "xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\""

enum { TEXT_BYTES = 1 << 16 };

typedef struct wish {
    const char *description;
    const char *keywords[4];
    int32_t rating;
} wish;

static pd_status merge_bytes(const char *data, size_t len, const wish *wanted, pd_buf *buf, pd_error *err)
{
    pd_buf texts;
    pd_buf_init(&texts, PD_TEXTS_BYTES_MAX);
    pd_status status = PD_OK;
    if (wanted->description)
        status = pd_texts_append(&texts, PD_TEXT_DESCRIPTION, wanted->description, strlen(wanted->description));
    for (int i = 0; i < 4 && status == PD_OK && wanted->keywords[i]; i++)
        status = pd_texts_append(&texts, PD_TEXT_KEYWORD, wanted->keywords[i], strlen(wanted->keywords[i]));
    const pd_xmp_wishes wishes = { .texts = { texts.data, texts.len }, .rating = wanted->rating };
    if (status == PD_OK)
        status = pd_xmp_merge((const uint8_t *)data, len, &wishes, buf, err);
    pd_buf_done(&texts);
    return status;
}

/* The merged document; "" after a failure. Lives until the next call. */
static const char *merge(const char *document, const wish *wanted)
{
    static char text[TEXT_BYTES];
    pd_buf buf;
    pd_buf_init(&buf, TEXT_BYTES - 1);
    const bool ok = merge_bytes(document, strlen(document), wanted, &buf, NULL) == PD_OK;
    (void)snprintf(text, sizeof text, "%s", ok ? buf.data : "");
    pd_buf_done(&buf);
    return text;
}

typedef struct reading {
    char keywords[512], description[512];
    int32_t rating;
} reading;

static reading read_back(const char *document)
{
    reading found = { .keywords = "" };
    pd_claims claims;
    pd_claims_init(&claims);
    CHECK(pd_xmp_read((const uint8_t *)document, strlen(document), &claims));
    for (size_t i = 0; i < claims.texts.len; i += strlen(claims.texts.data + i) + 1) {
        const char *text = claims.texts.data + i + 1;
        if (claims.texts.data[i] == PD_TEXT_KEYWORD) {
            const size_t used = strlen(found.keywords);
            (void)snprintf(found.keywords + used, sizeof found.keywords - used, "%s;", text);
        } else if (claims.texts.data[i] == PD_TEXT_DESCRIPTION) {
            (void)snprintf(found.description, sizeof found.description, "%s", text);
        }
    }
    found.rating = claims.facts.rating;
    pd_claims_done(&claims);
    return found;
}

static const char empty[] = RDF_OPEN "\n " RDF_CLOSE;

static void an_empty_sidecar_takes_everything(void)
{
    const wish wanted = { "tea & <cake> \"here\"", { "beach", "Zürich & co" }, 4 };
    const reading found = read_back(merge(empty, &wanted));
    CHECK(strcmp(found.keywords, "beach;Zürich & co;") == 0);
    CHECK(strcmp(found.description, "tea & <cake> \"here\"") == 0);
    CHECK(found.rating == 4);
}

static void what_we_wrote_is_replaced_and_taken_back(void)
{
    char first[TEXT_BYTES];
    const wish wanted = { "one", { "a", "b" }, 3 }, other = { "two", { "b", "c" }, PD_MEDIA_ABSENT };
    const wish nothing = { .rating = PD_MEDIA_ABSENT };
    (void)snprintf(first, sizeof first, "%s", merge(empty, &wanted));
    CHECK(strcmp(merge(first, &wanted), first) == 0);
    const reading second = read_back(merge(first, &other));
    CHECK(strcmp(second.keywords, "b;c;") == 0 && strcmp(second.description, "two") == 0);
    CHECK(second.rating == PD_MEDIA_ABSENT);
    CHECK(strcmp(merge(first, &nothing), empty) == 0);
    CHECK(strcmp(merge(empty, &nothing), empty) == 0);
}

static void what_others_wrote_stays_byte_for_byte(void)
{
    static const char before[] = RDF_OPEN "<rdf:Description rdf:about=\"uuid:1\" " DC " " XMP
                                          " xmp:Rating=\"2\" xmlns:q=\"urn:q\" q:secret='kept &amp; safe'>"
                                          "<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">theirs</rdf:li>"
                                          "</rdf:Alt></dc:description><dc:subject><rdf:Bag><rdf:li>Beach</rdf:li>";
    static const char after[] = "</rdf:Bag></dc:subject></rdf:Description>";
    char whole[TEXT_BYTES];
    (void)snprintf(whole, sizeof whole, "%s%s" RDF_CLOSE, before, after);
    const wish wanted = { "ours", { "beach", "boat" }, 5 };
    const char *merged = merge(whole, &wanted);
    CHECK(strncmp(merged, before, sizeof before - 1) == 0);
    CHECK(strstr(merged, after) != NULL);
    const reading found = read_back(merged);
    CHECK(strcmp(found.keywords, "Beach;boat;") == 0);
    CHECK(strcmp(found.description, "theirs") == 0);
    CHECK(found.rating == 2);
}

/* Another prefix for RDF, a list that is ordered, and a subject that is not ours to name. */
static void prefixes_of_others_are_used(void)
{
    static const char whole[] = "<R:RDF xmlns:R=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" " DC
                                "><R:Description R:about=\"a&quot;b\"><dc:subject><R:Seq><R:li>x</R:li></R:Seq>"
                                "</dc:subject></R:Description></R:RDF>";
    const wish wanted = { "ours", { "y" }, PD_MEDIA_ABSENT };
    const char *merged = merge(whole, &wanted);
    CHECK(strstr(merged, "<R:li>y</R:li>") != NULL);
    CHECK(strstr(merged, "rdf:about=\"a&quot;b\"") != NULL);
    const reading found = read_back(merged);
    CHECK(strcmp(found.keywords, "x;y;") == 0 && strcmp(found.description, "ours") == 0);
}

static void keywords_move_to_others_list_once_there_is_one(void)
{
    char text[TEXT_BYTES], theirs[TEXT_BYTES];
    const wish wanted = { NULL, { "a", "b" }, PD_MEDIA_ABSENT };
    (void)snprintf(text, sizeof text, "%s", merge(empty, &wanted));
    const char *end = strstr(text, RDF_CLOSE);
    CHECK(end != NULL);
    if (!end)
        return;
    (void)snprintf(theirs, sizeof theirs,
                   "%.*s<rdf:Description " DC "><dc:subject><rdf:Bag><rdf:li>b</rdf:li></rdf:Bag></dc:subject>"
                   "</rdf:Description>%s",
                   (int)(end - text), text, end);
    const reading found = read_back(merge(theirs, &wanted));
    CHECK(strcmp(found.keywords, "b;a;") == 0);
}

static void what_cannot_be_added_to_is_refused(void)
{
    static const struct {
        const char *document;
        pd_status want;
    } cases[] = {
        { "", PD_ERR_FORMAT },
        { "no xml", PD_ERR_FORMAT },
        { "<a/>", PD_ERR_FORMAT },
        { RDF_OPEN, PD_ERR_FORMAT },
        { RDF_OPEN RDF_CLOSE "<", PD_ERR_FORMAT },
        { "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" RDF_OPEN RDF_CLOSE, PD_ERR_UNSUPPORTED },
        { "<!DOCTYPE a [<!ENTITY b \"c\">]>" RDF_OPEN RDF_CLOSE, PD_ERR_UNSUPPORTED },
        { "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"/>", PD_ERR_UNSUPPORTED },
        { RDF_OPEN "<rdf:Description " DC " dc:subject=\"x\"/>" RDF_CLOSE, PD_ERR_UNSUPPORTED },
        { RDF_OPEN "<rdf:Description " DC "><dc:subject>x</dc:subject></rdf:Description>" RDF_CLOSE,
          PD_ERR_UNSUPPORTED },
        { RDF_OPEN "<rdf:Description " DC "><dc:subject><rdf:Bag/></dc:subject></rdf:Description>" RDF_CLOSE,
          PD_ERR_UNSUPPORTED },
    };
    const wish wanted = { "d", { "k" }, 1 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pd_error error = { 0 };
        pd_buf buf;
        pd_buf_init(&buf, TEXT_BYTES);
        CHECK(merge_bytes(cases[i].document, strlen(cases[i].document), &wanted, &buf, &error) == cases[i].want);
        CHECK(error.message[0] != '\0');
        CHECK(buf.len == 0);
        pd_buf_done(&buf);
    }
}

static void memory_may_end_anywhere(void)
{
    static const char whole[] = RDF_OPEN "<rdf:Description rdf:about=\"x\" " DC "><dc:subject><rdf:Bag><rdf:li>b"
                                         "</rdf:li></rdf:Bag></dc:subject></rdf:Description>" RDF_CLOSE;
    const wish wanted = { "d", { "a", "b" }, 2 };
    pd_status status = PD_ERR_NOMEM;
    int n;
    /* expat takes some of its failures for mistakes of the document */
    for (n = 1; (status == PD_ERR_NOMEM || status == PD_ERR_FORMAT) && n < 1000; n++) {
        pd_buf buf;
        pd_buf_init(&buf, TEXT_BYTES);
        (void)pd_mem_fail_at((size_t)n);
        status = merge_bytes(whole, sizeof whole - 1, &wanted, &buf, NULL);
        (void)pd_mem_fail_at(0);
        pd_buf_done(&buf);
    }
    CHECK(status == PD_OK);
    CHECK(n > 5);
}

int main(void)
{
    RUN(an_empty_sidecar_takes_everything);
    RUN(what_we_wrote_is_replaced_and_taken_back);
    RUN(what_others_wrote_stays_byte_for_byte);
    RUN(prefixes_of_others_are_used);
    RUN(keywords_move_to_others_list_once_there_is_one);
    RUN(what_cannot_be_added_to_is_refused);
    RUN(memory_may_end_anywhere);
    return TEST_RESULT();
}
