#include "decoder/boxes.h"

#include <string.h>

#include "base/attr.h"
#include "base/buf.h"

enum {
    BOXES_MAX = 4096, /* of one parent that are looked at */
    ITEMS_MAX = 8192, /* of a HEIF file; a grid of 512 px tiles at 500 megapixels has 1,900 */
    EXTENTS_MAX = 32, /* pieces of one item */
    UUID_BYTES = 16,
};

#define ITEM_BYTES_MAX ((size_t)8 << 20) /* an item in several pieces is put together, up to this */

/* A run of bytes that is read from its start; reading beyond the end gives zeros and sets `is_over`. */
typedef struct cursor {
    const uint8_t *at;
    size_t left;
    bool is_over;
} cursor;

typedef struct box {
    char type[4];
    const uint8_t *data;
    size_t len;
} box;

typedef struct item {
    uint32_t id;
    bool is_exif, is_xmp;
    bool is_read; /* the first location counts: a file could send us to the same megabytes again and again */
} item;

typedef struct boxes {
    const uint8_t *file;
    size_t file_bytes;
    const pd_boxes_visitor *visitor;
    void *user;
    item wanted[2]; /* [0] Exif, [1] XMP: the first of each */
    const uint8_t *idat;
    size_t idat_bytes;
    bool has_failed;
} boxes;

static uint64_t take(cursor *c, size_t n)
{
    uint64_t value = 0;
    if (n > c->left) {
        c->is_over = true;
        c->left = 0;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        value = value << 8 | c->at[i];
    c->at += n;
    c->left -= n;
    return value;
}

/* The next box of its parent; false at the end, or where none can be. */
static bool next_box(cursor *c, box *ret_box)
{
    if (c->left < 8)
        return false;
    const uint8_t *start = c->at;
    const size_t whole = c->left;
    uint64_t bytes = take(c, 4);
    memcpy(ret_box->type, c->at, 4);
    (void)take(c, 4);
    if (bytes == 1)
        bytes = take(c, 8);
    else if (bytes == 0)
        bytes = whole;
    const size_t header = (size_t)(c->at - start);
    if (c->is_over || bytes < header)
        return false;
    /* cut off at the end of its parent: what is there counts */
    const size_t inside = bytes > whole ? whole - header : (size_t)bytes - header;
    ret_box->data = c->at;
    ret_box->len = inside;
    c->at += inside;
    c->left -= inside;
    return true;
}

static bool is_type(const box *b, const char *type) { return memcmp(b->type, type, 4) == 0; }

static void for_each(boxes *b, const uint8_t *data, size_t len, void (*visit)(boxes *b, const box *child))
{
    cursor c = { data, len, false };
    box child;
    for (int n = 0; n < BOXES_MAX && next_box(&c, &child); n++)
        visit(b, &child);
}

/* Exif in HEIF and JPEG XL: how far behind these four bytes the TIFF header begins. */
static void give_exif(boxes *b, const uint8_t *data, size_t len)
{
    cursor c = { data, len, false };
    const uint64_t skip = take(&c, 4);
    if (!c.is_over && skip < c.left)
        b->visitor->exif(b->user, c.at + skip, c.left - (size_t)skip);
}

static const struct {
    uint8_t uuid[UUID_BYTES];
    char what; /* e: Exif, x: XMP, i: IPTC, c: Canon's boxes */
} uuids[] = {
    { { 'J', 'p', 'g', 'T', 'i', 'f', 'f', 'E', 'x', 'i', 'f', '-', '>', 'J', 'P', '2' }, 'e' },
    { { 0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac }, 'x' },
    { { 0x33, 0xc7, 0xa4, 0xd2, 0xb8, 0x1d, 0x47, 0x23, 0xa0, 0xba, 0xf1, 0xa3, 0xe0, 0x97, 0xad, 0x38 }, 'i' },
    { { 0x85, 0xc0, 0xb6, 0x87, 0x82, 0x0f, 0x11, 0xe0, 0x81, 0x11, 0xf4, 0xce, 0x46, 0x2b, 0x6a, 0x48 }, 'c' },
};

static void visit_canon(boxes *b, const box *child)
{
    if (memcmp(child->type, "CMT", 3) == 0 && child->type[3] >= '1' && child->type[3] <= '4')
        b->visitor->canon(b->user, (unsigned)(child->type[3] - '0'), child->data, child->len);
}

static void give_uuid(boxes *b, const box *child)
{
    if (child->len < UUID_BYTES)
        return;
    const uint8_t *data = child->data + UUID_BYTES;
    const size_t len = child->len - UUID_BYTES;
    for (size_t i = 0; i < PD_COUNT_OF(uuids); i++) {
        if (memcmp(uuids[i].uuid, child->data, UUID_BYTES) != 0)
            continue;
        switch (uuids[i].what) {
        case 'e': b->visitor->exif(b->user, data, len); break;
        case 'x': b->visitor->xmp(b->user, data, len); break;
        case 'i': b->visitor->iptc(b->user, data, len); break;
        default: for_each(b, data, len, visit_canon); break;
        }
    }
}

/* Item information entry, version 2 or 3. */
static void visit_item(boxes *b, const box *child)
{
    if (!is_type(child, "infe"))
        return;
    cursor c = { child->data, child->len, false };
    const uint64_t version = take(&c, 1);
    (void)take(&c, 3);
    const uint32_t id = (uint32_t)take(&c, version >= 3 ? 4 : 2);
    (void)take(&c, 2);
    const uint32_t type = (uint32_t)take(&c, 4);
    if (version < 2 || c.is_over || id == 0)
        return;
    if (type == 0x45786966 && !b->wanted[0].id) /* "Exif" */
        b->wanted[0] = (item){ .id = id, .is_exif = true };
    if (type != 0x6d696d65 || b->wanted[1].id) /* "mime": a name, then the type of the content */
        return;
    const size_t name = strnlen((const char *)c.at, c.left);
    static const char rdf[] = "application/rdf+xml";
    if (name + sizeof rdf <= c.left && memcmp(c.at + name + 1, rdf, sizeof rdf - 1) == 0)
        b->wanted[1] = (item){ .id = id, .is_xmp = true };
}

static void give_item(boxes *b, const item *wanted, const uint8_t *data, size_t len)
{
    if (wanted->is_exif)
        give_exif(b, data, len);
    else
        b->visitor->xmp(b->user, data, len);
}

typedef struct extent {
    uint64_t offset, bytes;
} extent;

/* Puts an item's pieces together (most have one). Whatever lies outside of the file or `idat` makes it no item. */
static void read_item(boxes *b, const item *wanted, bool is_in_idat, const extent *extents, size_t n)
{
    const uint8_t *base = is_in_idat ? b->idat : b->file;
    const size_t size = is_in_idat ? b->idat_bytes : b->file_bytes;
    pd_buf whole;
    pd_buf_init(&whole, ITEM_BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!base || extents[i].offset > size || extents[i].bytes > size - extents[i].offset) {
            pd_buf_done(&whole);
            return;
        }
        const uint8_t *piece = base + extents[i].offset;
        if (n == 1)
            give_item(b, wanted, piece, (size_t)extents[i].bytes);
        else
            (void)pd_buf_append(&whole, piece, (size_t)extents[i].bytes);
    }
    b->has_failed |= whole.status == PD_ERR_NOMEM;
    if (n > 1 && whole.status == PD_OK && whole.len > 0)
        give_item(b, wanted, (const uint8_t *)whole.data, whole.len);
    pd_buf_done(&whole);
}

static extent place_extent(uint64_t base, uint64_t offset, uint64_t bytes)
{
    const bool is_nowhere = __builtin_add_overflow(base, offset, &offset);
    return is_nowhere ? (extent){ UINT64_MAX, 1 } : (extent){ offset, bytes };
}

/* How many bytes the numbers of an iloc box take. */
typedef struct location_widths {
    size_t offset, length, base, index, id;
} location_widths;

static bool read_widths(cursor *c, uint64_t version, location_widths *ret_widths)
{
    const uint64_t sizes = take(c, 2);
    *ret_widths = (location_widths){ .offset = sizes >> 12 & 15,
                                     .length = sizes >> 8 & 15,
                                     .base = sizes >> 4 & 15,
                                     .index = version > 0 ? sizes & 15 : 0,
                                     .id = version < 2 ? 2 : 4 };
    return version <= 2 && ret_widths->offset <= 8 && ret_widths->length <= 8 && ret_widths->base <= 8 &&
           ret_widths->index <= 8;
}

static void read_wanted(boxes *b, uint64_t id, bool is_in_idat, const extent *extents, size_t n)
{
    for (size_t w = 0; w < PD_COUNT_OF(b->wanted); w++) {
        item *wanted = &b->wanted[w];
        if (id == 0 || id != wanted->id || wanted->is_read)
            continue;
        wanted->is_read = true;
        read_item(b, wanted, is_in_idat, extents, n);
    }
}

/* Item locations: for every item where its pieces are. */
static void read_locations(boxes *b, const box *child)
{
    cursor c = { child->data, child->len, false };
    const uint64_t version = take(&c, 1);
    (void)take(&c, 3);
    location_widths widths;
    if (!read_widths(&c, version, &widths))
        return;
    const uint64_t n_items = take(&c, widths.id);
    for (uint64_t i = 0; i < n_items && i < ITEMS_MAX && !c.is_over; i++) {
        const uint64_t id = take(&c, widths.id), method = version > 0 ? take(&c, 2) & 15 : 0;
        (void)take(&c, 2); /* data reference: 0, this file */
        const uint64_t base = take(&c, widths.base), n_extents = take(&c, 2);
        if (n_extents > 1 && widths.index + widths.offset + widths.length == 0) /* pieces that take no room to say */
            return;
        extent extents[EXTENTS_MAX];
        for (uint64_t e = 0; e < n_extents && !c.is_over; e++) {
            (void)take(&c, widths.index);
            const uint64_t offset = take(&c, widths.offset), bytes = take(&c, widths.length);
            if (e < EXTENTS_MAX)
                extents[e] = place_extent(base, offset, bytes);
        }
        if (!c.is_over && n_extents <= EXTENTS_MAX && method <= 1)
            read_wanted(b, id, method == 1, extents, (size_t)n_extents);
    }
}

static void visit_items(boxes *b, const box *child)
{
    if (!is_type(child, "iinf") || child->len < 6)
        return;
    const size_t header = child->data[0] == 0 ? 6 : 8;
    if (child->len > header)
        for_each(b, child->data + header, child->len - header, visit_item);
}

static void visit_idat(boxes *b, const box *child)
{
    if (!is_type(child, "idat"))
        return;
    b->idat = child->data;
    b->idat_bytes = child->len;
}

static void visit_locations(boxes *b, const box *child)
{
    if (is_type(child, "iloc"))
        read_locations(b, child);
}

static void visit_movie(boxes *b, const box *child)
{
    if (is_type(child, "uuid"))
        give_uuid(b, child);
}

static void visit_top(boxes *b, const box *child)
{
    if (is_type(child, "meta") && child->len > 4) {
        for_each(b, child->data + 4, child->len - 4, visit_items);
        for_each(b, child->data + 4, child->len - 4, visit_idat);
        for_each(b, child->data + 4, child->len - 4, visit_locations);
    } else if (is_type(child, "moov")) {
        for_each(b, child->data, child->len, visit_movie);
    } else if (is_type(child, "uuid")) {
        give_uuid(b, child);
    } else if (is_type(child, "Exif")) {
        give_exif(b, child->data, child->len);
    } else if (is_type(child, "xml ")) {
        b->visitor->xmp(b->user, child->data, child->len);
    }
}

bool pd_boxes_are_here(const uint8_t *data, size_t len)
{
    static const char *const first[] = { "ftyp", "JXL ", "jP  " };
    for (size_t i = 0; i < PD_COUNT_OF(first); i++)
        if (len >= 12 && memcmp(data + 4, first[i], 4) == 0)
            return true;
    return false;
}

bool pd_boxes_read(const uint8_t *data, size_t len, const pd_boxes_visitor *visitor, void *user)
{
    boxes b = { .file = data, .file_bytes = len, .visitor = visitor, .user = user };
    for_each(&b, data, len, visit_top);
    return !b.has_failed;
}
