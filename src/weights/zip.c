#include "weights/zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Records: their signature, the bytes that every one has, and places in them. */
enum {
    END_SIGNATURE = 0x06054b50,
    END_BYTES = 22,
    COMMENT_MAX = 65535, /* behind the end record */
    LOCATOR_SIGNATURE = 0x07064b50,
    LOCATOR_BYTES = 20,
    END64_SIGNATURE = 0x06064b50,
    END64_BYTES = 56,
    CENTRAL_SIGNATURE = 0x02014b50,
    CENTRAL_BYTES = 46,
    LOCAL_SIGNATURE = 0x04034b50,
    LOCAL_BYTES = 30,
    EXTRA_ZIP64 = 1,
    FLAG_ENCRYPTED = 1,
    METHOD_STORED = 0,
};

/* The archive, and where its directory is. */
typedef struct archive {
    const uint8_t *data;
    size_t len;
    uint64_t n_entries, directory_at, directory_len;
    pd_error *err;
} archive;

/* An entry, and what it takes of the archive: its local header and its bytes. */
typedef struct placed_entry {
    pd_zip_entry entry;
    uint64_t begin, end;
} placed_entry;

static uint64_t read_le(const uint8_t *at, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static uint16_t read_le16(const uint8_t *at) { return (uint16_t)read_le(at, 2); }
static uint32_t read_le32(const uint8_t *at) { return (uint32_t)read_le(at, 4); }

/* Whether [at, at + len) lies before `end`. */
static bool fits(uint64_t at, uint64_t len, uint64_t end) { return at <= end && len <= end - at; }

/* The end record is the last that reaches exactly to the end of the archive with its comment; NULL: cut short. */
static const uint8_t *find_end(const archive *a)
{
    const size_t farthest = a->len < END_BYTES + COMMENT_MAX ? a->len : END_BYTES + COMMENT_MAX;
    for (size_t back = END_BYTES; back <= farthest; back++) {
        const uint8_t *at = a->data + a->len - back;
        if (read_le32(at) == END_SIGNATURE && read_le16(at + 20) == back - END_BYTES)
            return at;
    }
    return NULL;
}

/* The end record of zip64 in place of the other, where there is one. *end_at: where the directory has to end. */
static pd_status read_end64(archive *a, uint64_t *end_at)
{
    if (*end_at < LOCATOR_BYTES || read_le32(a->data + *end_at - LOCATOR_BYTES) != LOCATOR_SIGNATURE)
        return PD_OK;
    const uint64_t at = read_le(a->data + *end_at - LOCATOR_BYTES + 8, 8);
    if (!fits(at, END64_BYTES, *end_at - LOCATOR_BYTES) || read_le32(a->data + at) != END64_SIGNATURE)
        return pd_error_set(a->err, PD_ERR_FORMAT, "the zip archive's end record of zip64 is not where it should be");
    a->n_entries = read_le(a->data + at + 32, 8);
    a->directory_len = read_le(a->data + at + 40, 8);
    a->directory_at = read_le(a->data + at + 48, 8);
    *end_at = at;
    return PD_OK;
}

static pd_status find_directory(archive *a)
{
    const uint8_t *end = find_end(a);
    if (!end)
        return pd_error_set(a->err, PD_ERR_FORMAT,
                            "cut short: the directory that ends a zip archive is missing; fetch the file again");
    uint64_t end_at = (uint64_t)(end - a->data);
    a->n_entries = read_le16(end + 10);
    a->directory_len = read_le32(end + 12);
    a->directory_at = read_le32(end + 16);
    PD_TRY(read_end64(a, &end_at));
    if (!fits(a->directory_at, a->directory_len, end_at))
        return pd_error_set(a->err, PD_ERR_FORMAT, "the zip archive's directory lies outside of it");
    if (a->n_entries > PD_ZIP_ENTRIES_MAX)
        return pd_error_set(a->err, PD_ERR_LIMIT, "%llu files in the zip archive; at most %d are allowed",
                            (unsigned long long)a->n_entries, PD_ZIP_ENTRIES_MAX);
    return PD_OK;
}

/* The fields of the zip64 extra, in the order in which the plain ones are full (all bits set). */
static bool read_extra64(const uint8_t *extra, size_t extra_len, uint64_t *const fields[], size_t n_fields)
{
    while (extra_len >= 4) {
        const size_t len = read_le16(extra + 2);
        if (len > extra_len - 4)
            return false;
        if (read_le16(extra) == EXTRA_ZIP64) {
            size_t at = 0;
            for (size_t i = 0; i < n_fields; i++)
                if (*fields[i] == UINT32_MAX) {
                    if (len - at < 8)
                        return false;
                    *fields[i] = read_le(extra + 4 + at, 8);
                    at += 8;
                }
            return true;
        }
        extra += 4 + len;
        extra_len -= 4 + len;
    }
    return true;
}

static int shown(pd_str name) { return (int)(name.len < 80 ? name.len : 80); }

/* Follows an entry of the directory to its bytes. */
static pd_status place_entry(const archive *a, const uint8_t *central, placed_entry *placed)
{
    const size_t name_len = read_le16(central + 28), extra_len = read_le16(central + 30);
    const pd_str name = { (const char *)central + CENTRAL_BYTES, name_len };
    uint64_t packed = read_le32(central + 20), len = read_le32(central + 24), at = read_le32(central + 42);
    uint64_t *const fields[] = { &len, &packed, &at };
    if (!read_extra64(central + CENTRAL_BYTES + name_len, extra_len, fields, PD_COUNT_OF(fields)))
        return pd_error_set(a->err, PD_ERR_FORMAT, "'%.*s' in the zip archive: its extra fields are cut short",
                            shown(name), name.ptr);
    if (read_le16(central + 10) != METHOD_STORED || packed != len || read_le16(central + 8) & FLAG_ENCRYPTED)
        return pd_error_set(a->err, PD_ERR_UNSUPPORTED,
                            "'%.*s' in the zip archive is compressed or encrypted; PyTorch stores files as they are, "
                            "and only that is read",
                            shown(name), name.ptr);
    if (!fits(at, LOCAL_BYTES, a->directory_at) || read_le32(a->data + at) != LOCAL_SIGNATURE)
        return pd_error_set(a->err, PD_ERR_FORMAT, "'%.*s' in the zip archive is not where its directory says",
                            shown(name), name.ptr);
    const uint8_t *local = a->data + at;
    const size_t local_name_len = read_le16(local + 26), local_extra_len = read_le16(local + 28);
    const uint64_t data_at = at + LOCAL_BYTES + local_name_len + local_extra_len;
    if (!fits(data_at, len, a->directory_at) || local_name_len != name_len ||
        memcmp(local + LOCAL_BYTES, name.ptr, name_len) != 0)
        return pd_error_set(a->err, PD_ERR_FORMAT, "'%.*s' in the zip archive is not what its directory says",
                            shown(name), name.ptr);
    *placed = (placed_entry){ { name, a->data + data_at, (size_t)len }, at, data_at + len };
    return PD_OK;
}

static pd_status read_directory(const archive *a, placed_entry *entries)
{
    uint64_t at = a->directory_at;
    const uint64_t end = a->directory_at + a->directory_len;
    for (uint64_t i = 0; i < a->n_entries; i++) {
        if (!fits(at, CENTRAL_BYTES, end) || read_le32(a->data + at) != CENTRAL_SIGNATURE)
            return pd_error_set(a->err, PD_ERR_FORMAT, "the zip archive's directory ends after %llu of %llu files",
                                (unsigned long long)i, (unsigned long long)a->n_entries);
        const uint8_t *central = a->data + at;
        const uint64_t len =
            (uint64_t)CENTRAL_BYTES + read_le16(central + 28) + read_le16(central + 30) + read_le16(central + 32);
        if (!fits(at, len, end))
            return pd_error_set(a->err, PD_ERR_FORMAT, "the zip archive's directory is cut short");
        PD_TRY(place_entry(a, central, &entries[i]));
        at += len;
    }
    return PD_OK;
}

static int compare_place(const void *a, const void *b)
{
    const placed_entry *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static int compare_text(pd_str a, pd_str b)
{
    const int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_name(const void *a, const void *b)
{
    const pd_zip_entry *x = a, *y = b;
    return compare_text(x->name, y->name);
}

/* Two entries over the same bytes make a small archive look large, or one tensor look like another. */
static pd_status check_apart(const archive *a, placed_entry *entries)
{
    qsort(entries, a->n_entries, sizeof *entries, compare_place);
    for (uint64_t i = 1; i < a->n_entries; i++)
        if (entries[i].begin < entries[i - 1].end)
            return pd_error_set(a->err, PD_ERR_FORMAT, "'%.*s' in the zip archive overlaps '%.*s'",
                                shown(entries[i].entry.name), entries[i].entry.name.ptr,
                                shown(entries[i - 1].entry.name), entries[i - 1].entry.name.ptr);
    return PD_OK;
}

static pd_status sort_entries(pd_zip *zip, pd_error *err)
{
    qsort(zip->entries, zip->n_entries, sizeof *zip->entries, compare_name);
    for (size_t i = 1; i < zip->n_entries; i++)
        if (pd_str_equal(zip->entries[i - 1].name, zip->entries[i].name))
            return pd_error_set(err, PD_ERR_FORMAT, "'%.*s' is in the zip archive twice", shown(zip->entries[i].name),
                                zip->entries[i].name.ptr);
    return PD_OK;
}

pd_status pd_zip_open(pd_zip *ret_zip, const uint8_t *data, size_t len, pd_error *err)
{
    archive a = { .data = data, .len = len, .err = err };
    PD_TRY(find_directory(&a));
    const size_t n = (size_t)a.n_entries;
    pd_zip zip = { .entries = pd_mem_alloc(n, sizeof *zip.entries), .n_entries = n };
    placed_entry *placed = pd_mem_alloc(n, sizeof *placed);
    pd_status status = zip.entries && placed ? read_directory(&a, placed) : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = check_apart(&a, placed);
    for (size_t i = 0; status == PD_OK && i < n; i++)
        zip.entries[i] = placed[i].entry;
    if (status == PD_OK)
        status = sort_entries(&zip, err);
    pd_mem_free(placed);
    if (status == PD_OK)
        *ret_zip = zip;
    else
        pd_zip_done(&zip);
    return status;
}

void pd_zip_done(pd_zip *zip)
{
    pd_mem_free(zip->entries);
    *zip = (pd_zip){ 0 };
}

static int compare_wanted(const void *name, const void *entry)
{
    const pd_zip_entry *e = entry;
    return compare_text(*(const pd_str *)name, e->name);
}

const pd_zip_entry *pd_zip_find(const pd_zip *zip, pd_str name)
{
    return bsearch(&name, zip->entries, zip->n_entries, sizeof *zip->entries, compare_wanted);
}
