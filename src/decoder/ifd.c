#include "decoder/ifd.h"

#include <math.h>
#include <string.h>

enum {
    ENTRIES_MAX = 4096,   /* a directory; cameras write fewer than 100 */
    TEXT_BYTES_MAX = 512, /* longer texts are cut before they are cleaned */
};

typedef enum directory { DIR_FIRST, DIR_EXIF, DIR_GPS, DIR_COUNT } directory;

typedef struct reader {
    const uint8_t *data;
    size_t len;
    bool is_big_endian;
    bool is_bigtiff;
} reader;

/* One entry, its values inside the data. */
typedef struct entry {
    uint16_t tag, type;
    uint64_t count;
    const uint8_t *values; /* count * type_bytes */
} entry;

/* What is gathered before the fields can be decided. */
typedef struct gathered {
    uint64_t offsets[DIR_COUNT]; /* of the directories; 0: none */
    char times[3][32];           /* original, digitized, changed */
    char time_offsets[3][16];
    double shutter_apex, aperture_apex;
    double lat, lon, alt;
    char lat_ref, lon_ref;
    bool is_below_sea;
    uint32_t iso[3];
} gathered;

static uint64_t read_number(const reader *r, const uint8_t *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | bytes[r->is_big_endian ? i : n - 1 - i];
    return value;
}

/* False when [offset, offset + n) is not inside the data. */
static bool is_inside(const reader *r, uint64_t offset, uint64_t n) { return n <= r->len && offset <= r->len - n; }

static size_t count_type_bytes(uint16_t type)
{
    static const uint8_t bytes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8 };
    return type < sizeof bytes ? bytes[type] : 0;
}

static bool read_entry(const reader *r, uint64_t offset, entry *ret_entry)
{
    const size_t word = r->is_bigtiff ? 8 : 4;
    const uint8_t *at = r->data + offset;
    entry e = { .tag = (uint16_t)read_number(r, at, 2),
                .type = (uint16_t)read_number(r, at + 2, 2),
                .count = read_number(r, at + 4, word),
                .values = at + 4 + word };
    uint64_t bytes;
    if (!count_type_bytes(e.type) || __builtin_mul_overflow(e.count, count_type_bytes(e.type), &bytes))
        return false;
    if (bytes > word) {
        const uint64_t values = read_number(r, e.values, word);
        if (!is_inside(r, values, bytes))
            return false;
        e.values = r->data + values;
    }
    *ret_entry = e;
    return true;
}

/* Value i as an unsigned whole number; false for other types. */
static bool read_unsigned(const reader *r, const entry *e, uint64_t i, uint64_t *ret_value)
{
    const bool is_whole =
        e->type == 1 || e->type == 3 || e->type == 4 || e->type == 13 || e->type == 16 || e->type == 18;
    if (i >= e->count || !is_whole)
        return false;
    const size_t n = count_type_bytes(e->type);
    *ret_value = read_number(r, e->values + i * n, n);
    return true;
}

/* Value i of a rational, signed or not, or a whole number; NAN when there is none or its denominator is 0. */
static double read_real(const reader *r, const entry *e, uint64_t i)
{
    uint64_t whole;
    if (read_unsigned(r, e, i, &whole))
        return (double)whole;
    if (i >= e->count || (e->type != 5 && e->type != 10))
        return NAN;
    const uint32_t above = (uint32_t)read_number(r, e->values + 8 * i, 4);
    const uint32_t below = (uint32_t)read_number(r, e->values + 8 * i + 4, 4);
    if (!below)
        return NAN;
    return e->type == 5 ? (double)above / below : (double)(int32_t)above / (int32_t)below;
}

static void read_text(const entry *e, char *ret_text, size_t size)
{
    if (e->type != 2 && e->type != 7 && e->type != 1)
        return;
    pd_text_clean(e->values, e->count < TEXT_BYTES_MAX ? (size_t)e->count : TEXT_BYTES_MAX, ret_text, size);
}

/* Degrees, minutes, seconds; missing minutes or seconds count as 0. */
static double read_degrees(const reader *r, const entry *e)
{
    const double degrees = read_real(r, e, 0), minutes = read_real(r, e, 1), seconds = read_real(r, e, 2);
    return degrees + (isnan(minutes) ? 0 : minutes) / 60 + (isnan(seconds) ? 0 : seconds) / 3600;
}

static void take_pointer(const reader *r, const entry *e, uint64_t *ret_offset)
{
    (void)read_unsigned(r, e, 0, ret_offset);
}

static void take_iso(const reader *r, const entry *e, uint32_t *ret_iso)
{
    uint64_t value;
    if (read_unsigned(r, e, 0, &value) && value <= 100000000)
        *ret_iso = (uint32_t)value;
}

static void take_first(const reader *r, const entry *e, gathered *g, pd_photo_meta *meta)
{
    uint64_t value;
    switch (e->tag) {
    case 0x010f: read_text(e, meta->make, sizeof meta->make); break;
    case 0x0110: read_text(e, meta->model, sizeof meta->model); break;
    case 0x0112:
        if (read_unsigned(r, e, 0, &value) && value >= 1 && value <= 8)
            meta->orientation = (uint32_t)value;
        break;
    case 0x0132: read_text(e, g->times[2], sizeof g->times[2]); break;
    case 0x8769: take_pointer(r, e, &g->offsets[DIR_EXIF]); break;
    case 0x8825: take_pointer(r, e, &g->offsets[DIR_GPS]); break;
    default: break;
    }
}

static void take_exif(const reader *r, const entry *e, gathered *g, pd_photo_meta *meta)
{
    switch (e->tag) {
    case 0x829a: meta->exposure_s = read_real(r, e, 0); break;
    case 0x829d: meta->fnumber = read_real(r, e, 0); break;
    case 0x8827: take_iso(r, e, &g->iso[0]); break; /* 16 bits: 65535 says "see below" */
    case 0x8832: take_iso(r, e, &g->iso[2]); break; /* recommended exposure index */
    case 0x8833: take_iso(r, e, &g->iso[1]); break; /* ISO speed */
    case 0x9003: read_text(e, g->times[0], sizeof g->times[0]); break;
    case 0x9004: read_text(e, g->times[1], sizeof g->times[1]); break;
    case 0x9010: read_text(e, g->time_offsets[2], sizeof g->time_offsets[2]); break;
    case 0x9011: read_text(e, g->time_offsets[0], sizeof g->time_offsets[0]); break;
    case 0x9012: read_text(e, g->time_offsets[1], sizeof g->time_offsets[1]); break;
    case 0x9201: g->shutter_apex = read_real(r, e, 0); break;
    case 0x9202: g->aperture_apex = read_real(r, e, 0); break;
    case 0x920a: meta->focal_mm = read_real(r, e, 0); break;
    case 0xa434: read_text(e, meta->lens, sizeof meta->lens); break;
    default: break;
    }
}

static void take_gps(const reader *r, const entry *e, gathered *g)
{
    switch (e->tag) {
    case 1: g->lat_ref = e->count ? (char)e->values[0] : '\0'; break;
    case 2: g->lat = read_degrees(r, e); break;
    case 3: g->lon_ref = e->count ? (char)e->values[0] : '\0'; break;
    case 4: g->lon = read_degrees(r, e); break;
    case 5: g->is_below_sea = e->count && e->values[0] == 1; break;
    case 6: g->alt = read_real(r, e, 0); break;
    default: break;
    }
}

static void walk_directory(const reader *r, directory dir, gathered *g, pd_photo_meta *meta)
{
    const uint64_t at = g->offsets[dir];
    const size_t count_bytes = r->is_bigtiff ? 8 : 2, entry_bytes = r->is_bigtiff ? 20 : 12;
    if (!at || !is_inside(r, at, count_bytes))
        return;
    uint64_t n = read_number(r, r->data + at, count_bytes);
    n = n > ENTRIES_MAX ? ENTRIES_MAX : n;
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t offset = at + count_bytes + i * entry_bytes;
        entry e;
        if (!is_inside(r, offset, entry_bytes))
            return;
        if (!read_entry(r, offset, &e))
            continue;
        switch (dir) {
        case DIR_FIRST: take_first(r, &e, g, meta); break;
        case DIR_EXIF: take_exif(r, &e, g, meta); break;
        case DIR_GPS: take_gps(r, &e, g); break;
        case DIR_COUNT: break;
        }
    }
}

static double keep_positive(double value, double max) { return value > 0 && value <= max ? value : NAN; }

static void decide_exposure(const gathered *g, pd_photo_meta *meta)
{
    meta->exposure_s = keep_positive(meta->exposure_s, 1e6);
    if (isnan(meta->exposure_s) && g->shutter_apex > -20 && g->shutter_apex < 40)
        meta->exposure_s = exp2(-g->shutter_apex);
    meta->fnumber = keep_positive(meta->fnumber, 1e3);
    if (isnan(meta->fnumber) && g->aperture_apex > 0 && g->aperture_apex < 20)
        meta->fnumber = exp2(g->aperture_apex / 2);
    meta->focal_mm = keep_positive(meta->focal_mm, 1e6);
    for (int i = 0; i < 3 && !meta->iso; i++)
        if (g->iso[i] != 65535 || i > 0)
            meta->iso = g->iso[i];
}

static void decide_place(const gathered *g, pd_photo_meta *meta)
{
    if (g->lat >= 0 && g->lat <= 90 && g->lon >= 0 && g->lon <= 180) {
        meta->gps_lat = g->lat_ref == 'S' || g->lat_ref == 's' ? -g->lat : g->lat;
        meta->gps_lon = g->lon_ref == 'W' || g->lon_ref == 'w' ? -g->lon : g->lon;
    }
    if (fabs(g->alt) < 1e6)
        meta->gps_alt = g->is_below_sea ? -g->alt : g->alt;
}

static void decide_time(const gathered *g, pd_photo_meta *meta)
{
    for (int i = 0; i < 3 && !meta->taken[0]; i++)
        if (pd_exif_time_format(g->times[i], g->time_offsets[i], meta->taken))
            memcpy(meta->taken_source, "exif", sizeof "exif");
}

static bool read_header(const uint8_t *data, size_t len, reader *ret_reader, uint64_t *ret_first)
{
    if (len < 8 || !(memcmp(data, "II", 2) == 0 || memcmp(data, "MM", 2) == 0))
        return false;
    reader r = { .data = data, .len = len, .is_big_endian = data[0] == 'M' };
    const uint64_t version = read_number(&r, data + 2, 2);
    r.is_bigtiff = version == 43;
    if (r.is_bigtiff && (len < 16 || read_number(&r, data + 4, 2) != 8))
        return false;
    *ret_first = r.is_bigtiff ? read_number(&r, data + 8, 8) : read_number(&r, data + 4, 4);
    *ret_reader = r;
    return true;
}

void pd_meta_init(pd_photo_meta *ret_meta)
{
    *ret_meta = (pd_photo_meta){ .orientation = 1,
                                 .exposure_s = NAN,
                                 .fnumber = NAN,
                                 .focal_mm = NAN,
                                 .gps_lat = NAN,
                                 .gps_lon = NAN,
                                 .gps_alt = NAN };
}

bool pd_ifd_read(const uint8_t *data, size_t len, pd_photo_meta *meta)
{
    if (len >= 6 && memcmp(data, "Exif\0\0", 6) == 0) {
        data += 6;
        len -= 6;
    }
    reader r;
    gathered g = { .shutter_apex = NAN, .aperture_apex = NAN, .lat = NAN, .lon = NAN, .alt = NAN };
    if (!read_header(data, len, &r, &g.offsets[DIR_FIRST]))
        return false;
    for (directory dir = DIR_FIRST; dir < DIR_COUNT; dir++)
        walk_directory(&r, dir, &g, meta);
    decide_exposure(&g, meta);
    decide_place(&g, meta);
    decide_time(&g, meta);
    return true;
}
