#include "decoder/tiff.h"

#include <math.h>
#include <string.h>

enum { ENTRIES_MAX = 4096 }; /* a directory; cameras write fewer than 100 */

enum {
    TYPE_BYTE = 1,
    TYPE_ASCII = 2,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    TYPE_RATIONAL = 5,
    TYPE_UNDEFINED = 7,
    TYPE_SSHORT = 8,
    TYPE_SLONG = 9,
    TYPE_SRATIONAL = 10,
    TYPE_FLOAT = 11,
    TYPE_DOUBLE = 12,
    TYPE_IFD = 13,
    TYPE_LONG8 = 16,
    TYPE_IFD8 = 18,
};

static uint64_t read_number(const pd_tiff *tiff, const uint8_t *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | bytes[tiff->is_big_endian ? i : n - 1 - i];
    return value;
}

/* False when [offset, offset + n) is not inside the data. */
static bool is_inside(const pd_tiff *tiff, uint64_t offset, uint64_t n)
{
    return n <= tiff->len && offset <= tiff->len - n;
}

static size_t count_type_bytes(uint16_t type)
{
    static const uint8_t bytes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8 };
    return type < sizeof bytes ? bytes[type] : 0;
}

static bool read_entry(const pd_tiff *tiff, uint64_t offset, pd_tiff_entry *ret_entry)
{
    const size_t word = tiff->is_bigtiff ? 8 : 4;
    const uint8_t *at = tiff->data + offset;
    pd_tiff_entry e = { .tag = (uint16_t)read_number(tiff, at, 2),
                        .type = (uint16_t)read_number(tiff, at + 2, 2),
                        .count = read_number(tiff, at + 4, word),
                        .values = at + 4 + word };
    uint64_t bytes;
    if (!count_type_bytes(e.type) || __builtin_mul_overflow(e.count, count_type_bytes(e.type), &bytes))
        return false;
    if (bytes > word) {
        const uint64_t values = read_number(tiff, e.values, word) + (uint64_t)tiff->shift; /* may wrap: checked next */
        if (!is_inside(tiff, values, bytes))
            return false;
        e.values = tiff->data + values;
    }
    e.bytes = (size_t)bytes;
    *ret_entry = e;
    return true;
}

bool pd_tiff_open(const uint8_t *data, size_t len, pd_tiff *ret_tiff, uint64_t *ret_first)
{
    if (len < 8 || !(memcmp(data, "II", 2) == 0 || memcmp(data, "MM", 2) == 0))
        return false;
    pd_tiff tiff = { .data = data, .len = len, .is_big_endian = data[0] == 'M' };
    const uint64_t version = read_number(&tiff, data + 2, 2);
    tiff.is_bigtiff = version == 43;
    if (tiff.is_bigtiff && (len < 16 || read_number(&tiff, data + 4, 2) != 8))
        return false;
    *ret_first = tiff.is_bigtiff ? read_number(&tiff, data + 8, 8) : read_number(&tiff, data + 4, 4);
    *ret_tiff = tiff;
    return true;
}

void pd_tiff_walk(const pd_tiff *tiff, uint64_t offset,
                  void (*visit)(void *user, const pd_tiff *tiff, const pd_tiff_entry *entry), void *user)
{
    const size_t count_bytes = tiff->is_bigtiff ? 8 : 2, entry_bytes = tiff->is_bigtiff ? 20 : 12;
    if (!is_inside(tiff, offset, count_bytes))
        return;
    uint64_t n = read_number(tiff, tiff->data + offset, count_bytes);
    n = n > ENTRIES_MAX ? ENTRIES_MAX : n;
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t at = offset + count_bytes + i * entry_bytes;
        pd_tiff_entry entry;
        if (!is_inside(tiff, at, entry_bytes))
            return;
        if (read_entry(tiff, at, &entry))
            visit(user, tiff, &entry);
    }
}

uint64_t pd_tiff_end_of_directory(const pd_tiff *tiff, uint64_t offset)
{
    if (tiff->is_bigtiff || !is_inside(tiff, offset, 2))
        return 0;
    return offset + 2 + 12 * read_number(tiff, tiff->data + offset, 2) + 4; /* and the place of a next directory */
}

uint64_t pd_tiff_first_value(const pd_tiff *tiff, uint64_t offset)
{
    const uint64_t end = pd_tiff_end_of_directory(tiff, offset);
    uint64_t first = 0;
    for (uint64_t at = offset + 2; end && at + 12 <= end && is_inside(tiff, at, 12); at += 12) {
        const uint8_t *entry = tiff->data + at;
        const uint64_t count = read_number(tiff, entry + 4, 4), values = read_number(tiff, entry + 8, 4);
        if (count * count_type_bytes((uint16_t)read_number(tiff, entry + 2, 2)) > 4 && (!first || values < first))
            first = values;
    }
    return first;
}

bool pd_tiff_whole(const pd_tiff *tiff, const pd_tiff_entry *entry, uint64_t i, uint64_t *ret_value)
{
    if (i >= entry->count)
        return false;
    const size_t n = count_type_bytes(entry->type);
    const uint64_t value = read_number(tiff, entry->values + i * n, n);
    switch (entry->type) {
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_LONG:
    case TYPE_IFD:
    case TYPE_LONG8:
    case TYPE_IFD8: *ret_value = value; return true;
    case TYPE_SSHORT:
    case TYPE_SLONG: *ret_value = value; return value >> (8 * n - 1) == 0;
    default: return false;
    }
}

static double divide(const pd_tiff *tiff, const uint8_t *bytes, bool is_signed)
{
    const uint32_t above = (uint32_t)read_number(tiff, bytes, 4), below = (uint32_t)read_number(tiff, bytes + 4, 4);
    if (!below)
        return NAN;
    return is_signed ? (double)(int32_t)above / (int32_t)below : (double)above / below;
}

double pd_tiff_real(const pd_tiff *tiff, const pd_tiff_entry *entry, uint64_t i)
{
    uint64_t whole;
    if (pd_tiff_whole(tiff, entry, i, &whole))
        return (double)whole;
    if (i >= entry->count)
        return NAN;
    if (entry->type == TYPE_RATIONAL || entry->type == TYPE_SRATIONAL)
        return divide(tiff, entry->values + 8 * i, entry->type == TYPE_SRATIONAL);
    if (entry->type == TYPE_FLOAT) {
        const uint32_t bits = (uint32_t)read_number(tiff, entry->values + 4 * i, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    if (entry->type == TYPE_DOUBLE) {
        const uint64_t bits = read_number(tiff, entry->values + 8 * i, 8);
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    return NAN;
}

bool pd_tiff_is_text(const pd_tiff_entry *entry)
{
    return entry->type == TYPE_ASCII || entry->type == TYPE_UNDEFINED || entry->type == TYPE_BYTE;
}
