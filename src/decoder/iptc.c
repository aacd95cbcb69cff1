#include "decoder/iptc.h"

#include <string.h>

#include "base/attr.h"

enum {
    MARK = 0x1c,
    HEADER_BYTES = 5, /* mark, record, dataset, 16 bits of length */
    RECORDS_MAX = 8192,
    RESOURCE_IPTC = 0x0404,
};

static size_t read_be(const uint8_t *bytes, size_t n)
{
    size_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | bytes[i];
    return value;
}

static const struct {
    uint8_t dataset;
    pd_text_kind kind;
} fields[] = { { 5, PD_TEXT_TITLE },   { 25, PD_TEXT_KEYWORD },    { 65, PD_TEXT_SOFTWARE },
               { 80, PD_TEXT_ARTIST }, { 116, PD_TEXT_COPYRIGHT }, { 120, PD_TEXT_DESCRIPTION } };

void pd_iptc_read(const uint8_t *data, size_t len, pd_claims *claims)
{
    for (int n = 0; n < RECORDS_MAX && len >= HEADER_BYTES && data[0] == MARK; n++) {
        const size_t bytes =
            read_be(data + 3, 2); /* with the high bit: lengths of more than 32 KiB, which no text has */
        if (bytes > len - HEADER_BYTES || bytes & 0x8000)
            return;
        for (size_t i = 0; i < PD_COUNT_OF(fields); i++)
            if (data[1] == 2 && data[2] == fields[i].dataset)
                pd_claims_add(claims, fields[i].kind, data + HEADER_BYTES, bytes);
        data += HEADER_BYTES + bytes;
        len -= HEADER_BYTES + bytes;
    }
}

/* "8BIM", number, name (length, characters, padded to even), 32 bits of length, data padded to even. */
void pd_iptc_read_photoshop(const uint8_t *data, size_t len, pd_claims *claims)
{
    for (int n = 0; n < RECORDS_MAX && len >= 12 && memcmp(data, "8BIM", 4) == 0; n++) {
        const size_t name_bytes = ((size_t)data[6] + 2) & ~(size_t)1;
        const size_t header = 6 + name_bytes + 4;
        if (header > len)
            return;
        const size_t bytes = read_be(data + header - 4, 4);
        if (bytes > len - header)
            return;
        if (read_be(data + 4, 2) == RESOURCE_IPTC)
            pd_iptc_read(data + header, bytes, claims);
        const size_t padded = header + bytes + (bytes & 1);
        if (padded > len)
            return;
        data += padded;
        len -= padded;
    }
}
