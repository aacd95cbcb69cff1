#include "decoder/ifd.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "decoder/exif_text.h"
#include "decoder/makernote.h"
#include "decoder/tiff.h"

typedef enum directory { DIR_FIRST, DIR_EXIF, DIR_GPS, DIR_COUNT } directory;

enum { ISO_STANDARD, ISO_SPEED, ISO_INDEX, ISO_OUTPUT, ISO_PANASONIC, ISO_COUNT };

typedef struct block {
    const uint8_t *data;
    size_t len;
} block;

typedef struct gathered_time {
    char text[32], offset[16], subsec[16];
} gathered_time;

typedef struct gathered_place {
    double lat, lon, alt;
    char lat_ref, lon_ref;
    int64_t is_below_sea;
} gathered_place;

/* What is gathered before the fields can be decided. Whole numbers: PD_MEDIA_ABSENT when not said. */
typedef struct gathered {
    uint64_t offsets[DIR_COUNT]; /* of the directories; 0: none */
    gathered_time times[PD_WHEN_COUNT];
    char make[64], model[64], lens[96];
    double exposure_s, fnumber, focal_mm, focal35_mm;
    double shutter_apex, aperture_apex;
    gathered_place place;
    double lens_range[4];
    int64_t orientation, flash, white_balance, rating;
    int64_t iso[ISO_COUNT];
    block comment, maker, xmp, iptc, photoshop;
} gathered;

/* How the values of a tag become a field of `gathered`, or a text of the claims. */
typedef enum how {
    HOW_POINTER,
    HOW_CHARS,
    HOW_LETTER,
    HOW_WHOLE,
    HOW_REAL,
    HOW_DEGREES,
    HOW_RANGE,
    HOW_BLOCK,
    HOW_TEXT,
    HOW_UTF16,
} how;

typedef struct tag_rule {
    uint16_t tag;
    how how;
    uint16_t at;    /* in `gathered`; HOW_TEXT, HOW_UTF16: the kind of text */
    uint16_t bytes; /* HOW_CHARS */
} tag_rule;

#define AT(field) (uint16_t) offsetof(gathered, field)
#define CHARS(field) HOW_CHARS, AT(field), (uint16_t)sizeof(((gathered *)0)->field)

static const tag_rule first_rules[] = {
    { 0x0017, HOW_WHOLE, AT(iso[ISO_PANASONIC]), 0 }, /* RW2 */
    { 0x010e, HOW_TEXT, PD_TEXT_DESCRIPTION, 0 },
    { 0x010f, CHARS(make) },
    { 0x0110, CHARS(model) },
    { 0x0112, HOW_WHOLE, AT(orientation), 0 },
    { 0x0131, HOW_TEXT, PD_TEXT_SOFTWARE, 0 },
    { 0x0132, CHARS(times[PD_WHEN_CHANGED].text) },
    { 0x013b, HOW_TEXT, PD_TEXT_ARTIST, 0 },
    { 0x02bc, HOW_BLOCK, AT(xmp), 0 },
    { 0x4746, HOW_WHOLE, AT(rating), 0 },
    { 0x8298, HOW_TEXT, PD_TEXT_COPYRIGHT, 0 },
    { 0x83bb, HOW_BLOCK, AT(iptc), 0 },
    { 0x8649, HOW_BLOCK, AT(photoshop), 0 },
    { 0x8769, HOW_POINTER, AT(offsets[DIR_EXIF]), 0 },
    { 0x8825, HOW_POINTER, AT(offsets[DIR_GPS]), 0 },
    { 0x9c9b, HOW_UTF16, PD_TEXT_TITLE, 0 }, /* Windows */
    { 0x9c9c, HOW_UTF16, PD_TEXT_DESCRIPTION, 0 },
    { 0x9c9d, HOW_UTF16, PD_TEXT_ARTIST, 0 },
    { 0x9c9e, HOW_UTF16, PD_TEXT_KEYWORD, 0 },
    { 0xa432, HOW_RANGE, AT(lens_range), 0 }, /* out of place, but written there */
    { 0xc630, HOW_RANGE, AT(lens_range), 0 }, /* DNG */
};

static const tag_rule exif_rules[] = {
    { 0x829a, HOW_REAL, AT(exposure_s), 0 },
    { 0x829d, HOW_REAL, AT(fnumber), 0 },
    { 0x8827, HOW_WHOLE, AT(iso[ISO_STANDARD]), 0 }, /* 16 bits: 65535 says "see the next ones" */
    { 0x8831, HOW_WHOLE, AT(iso[ISO_OUTPUT]), 0 },
    { 0x8832, HOW_WHOLE, AT(iso[ISO_INDEX]), 0 },
    { 0x8833, HOW_WHOLE, AT(iso[ISO_SPEED]), 0 },
    { 0x9003, CHARS(times[PD_WHEN_TAKEN].text) },
    { 0x9004, CHARS(times[PD_WHEN_MADE].text) },
    { 0x9010, CHARS(times[PD_WHEN_CHANGED].offset) },
    { 0x9011, CHARS(times[PD_WHEN_TAKEN].offset) },
    { 0x9012, CHARS(times[PD_WHEN_MADE].offset) },
    { 0x9201, HOW_REAL, AT(shutter_apex), 0 },
    { 0x9202, HOW_REAL, AT(aperture_apex), 0 },
    { 0x9209, HOW_WHOLE, AT(flash), 0 },
    { 0x920a, HOW_REAL, AT(focal_mm), 0 },
    { 0x927c, HOW_BLOCK, AT(maker), 0 },
    { 0x9286, HOW_BLOCK, AT(comment), 0 },
    { 0x9290, CHARS(times[PD_WHEN_CHANGED].subsec) },
    { 0x9291, CHARS(times[PD_WHEN_TAKEN].subsec) },
    { 0x9292, CHARS(times[PD_WHEN_MADE].subsec) },
    { 0xa403, HOW_WHOLE, AT(white_balance), 0 },
    { 0xa405, HOW_REAL, AT(focal35_mm), 0 },
    { 0xa432, HOW_RANGE, AT(lens_range), 0 },
    { 0xa434, CHARS(lens) },
};

static const tag_rule gps_rules[] = {
    { 1, HOW_LETTER, AT(place.lat_ref), 0 },     { 2, HOW_DEGREES, AT(place.lat), 0 },
    { 3, HOW_LETTER, AT(place.lon_ref), 0 },     { 4, HOW_DEGREES, AT(place.lon), 0 },
    { 5, HOW_WHOLE, AT(place.is_below_sea), 0 }, { 6, HOW_REAL, AT(place.alt), 0 },
};

static const struct {
    const tag_rule *rules;
    size_t n;
} rules_of[DIR_COUNT] = {
    [DIR_FIRST] = { first_rules, PD_COUNT_OF(first_rules) },
    [DIR_EXIF] = { exif_rules, PD_COUNT_OF(exif_rules) },
    [DIR_GPS] = { gps_rules, PD_COUNT_OF(gps_rules) },
};

typedef struct walk_state {
    gathered *g;
    pd_claims *claims;
    directory dir;
} walk_state;

static void take_whole(const pd_tiff *tiff, const pd_tiff_entry *entry, int64_t *ret_value)
{
    uint64_t value;
    if (pd_tiff_whole(tiff, entry, 0, &value) && value <= INT32_MAX)
        *ret_value = (int64_t)value;
}

/* Degrees, minutes, seconds; missing minutes or seconds count as 0. */
static double read_degrees(const pd_tiff *tiff, const pd_tiff_entry *entry)
{
    double degrees = 0;
    for (uint64_t i = 0; i < 3; i++) {
        static const double parts[] = { 1, 60, 3600 };
        const double value = pd_tiff_real(tiff, entry, i);
        if (!isnan(value) || i == 0)
            degrees += value / parts[i];
    }
    return degrees;
}

static void take_range(const pd_tiff *tiff, const pd_tiff_entry *entry, double ret_range[4])
{
    for (uint64_t i = 0; i < 4; i++)
        ret_range[i] = pd_tiff_real(tiff, entry, i);
}

static void take(const pd_tiff *tiff, const pd_tiff_entry *entry, const tag_rule *rule, const walk_state *state)
{
    char *field = (char *)state->g + rule->at;
    const pd_text_kind kind = (pd_text_kind)rule->at;
    const bool is_text = pd_tiff_is_text(entry);
    switch (rule->how) {
    case HOW_POINTER: (void)pd_tiff_whole(tiff, entry, 0, (uint64_t *)(void *)field); break;
    case HOW_CHARS:
        if (is_text)
            pd_text_clean(entry->values, entry->bytes, field, rule->bytes);
        break;
    case HOW_LETTER:
        if (entry->bytes)
            *field = (char)entry->values[0];
        break;
    case HOW_WHOLE: take_whole(tiff, entry, (int64_t *)(void *)field); break;
    case HOW_REAL: *(double *)(void *)field = pd_tiff_real(tiff, entry, 0); break;
    case HOW_DEGREES: *(double *)(void *)field = read_degrees(tiff, entry); break;
    case HOW_RANGE: take_range(tiff, entry, (double *)(void *)field); break;
    case HOW_BLOCK: *(block *)(void *)field = (block){ entry->values, entry->bytes }; break;
    case HOW_TEXT:
        if (is_text)
            pd_claims_add(state->claims, kind, entry->values, entry->bytes);
        break;
    case HOW_UTF16: pd_claims_add_utf16(state->claims, kind, entry->values, entry->bytes, false); break;
    }
}

static void visit(void *user, const pd_tiff *tiff, const pd_tiff_entry *entry)
{
    const walk_state *state = user;
    for (size_t i = 0; i < rules_of[state->dir].n; i++)
        if (rules_of[state->dir].rules[i].tag == entry->tag)
            take(tiff, entry, &rules_of[state->dir].rules[i], state);
}

static double keep_positive(double value, double max) { return value > 0 && value <= max ? value : NAN; }

static void keep_first(double *field, double value)
{
    if (isnan(*field))
        *field = value;
}

static void keep_first_text(char *field, const char *text, size_t size)
{
    if (!field[0])
        memcpy(field, text, size);
}

static void keep_first_whole(int32_t *field, int64_t value, int64_t max)
{
    if (*field == PD_MEDIA_ABSENT && value >= 0 && value <= max)
        *field = (int32_t)value;
}

static void decide_exposure(const gathered *g, pd_photo_meta *facts)
{
    keep_first(&facts->exposure_s, keep_positive(g->exposure_s, 1e6));
    if (g->shutter_apex > -20 && g->shutter_apex < 40)
        keep_first(&facts->exposure_s, exp2(-g->shutter_apex));
    keep_first(&facts->fnumber, keep_positive(g->fnumber, 1e3));
    if (g->aperture_apex > 0 && g->aperture_apex < 20)
        keep_first(&facts->fnumber, exp2(g->aperture_apex / 2));
    keep_first(&facts->focal_mm, keep_positive(g->focal_mm, 1e6));
    keep_first(&facts->focal35_mm, keep_positive(g->focal35_mm, 1e6));
    for (int i = 0; i < ISO_COUNT && !facts->iso; i++)
        if (g->iso[i] > 0 && g->iso[i] <= 100000000 && (g->iso[i] != 65535 || i != ISO_STANDARD))
            facts->iso = (uint32_t)g->iso[i];
    keep_first_whole(&facts->flash, g->flash, 0xffff);
    keep_first_whole(&facts->white_balance, g->white_balance, 1);
    keep_first_whole(&facts->rating, g->rating, 5);
    if (!facts->orientation && g->orientation >= 1 && g->orientation <= 8)
        facts->orientation = (uint32_t)g->orientation;
}

static void decide_place(const gathered *g, pd_claims *claims)
{
    const bool is_south = g->place.lat_ref == 'S' || g->place.lat_ref == 's',
               is_west = g->place.lon_ref == 'W' || g->place.lon_ref == 'w';
    if (isnan(claims->facts.gps_lat) && g->place.lat >= 0 && g->place.lon >= 0)
        pd_claims_set_place(claims, is_south ? -g->place.lat : g->place.lat, is_west ? -g->place.lon : g->place.lon);
    if (fabs(g->place.alt) < 1e6)
        keep_first(&claims->facts.gps_alt, g->place.is_below_sea == 1 ? -g->place.alt : g->place.alt);
}

static void decide_times(const gathered *g, pd_claims *claims)
{
    for (int i = 0; i < PD_WHEN_COUNT; i++) {
        pd_claimed_time *time = &claims->times[i];
        if (!time->text[0] && pd_exif_time_format(g->times[i].text, g->times[i].offset, time->text))
            pd_subsec_format(g->times[i].subsec, time->subsec);
    }
}

/* The camera's own name of the lens comes before a range that EXIF gives. */
static void decide_lens(const gathered *g, const pd_makernote *note, pd_photo_meta *facts)
{
    char range[96] = "";
    pd_lens_format(g->lens_range, range, sizeof range);
    keep_first_text(facts->lens, g->lens, sizeof facts->lens);
    keep_first_text(facts->lens, note->lens, sizeof facts->lens);
    keep_first_text(facts->lens, range, sizeof facts->lens);
    if (!facts->iso)
        facts->iso = (uint32_t)note->iso;
}

/* Eight bytes name the encoding. Where they are zeros, cameras leave rubbish behind. */
static void decide_comment(const gathered *g, bool is_big_endian, pd_claims *claims)
{
    const block *comment = &g->comment;
    if (comment->len <= 8)
        return;
    const uint8_t *text = comment->data + 8;
    if (memcmp(comment->data, "ASCII\0\0\0", 8) == 0)
        pd_claims_add(claims, PD_TEXT_DESCRIPTION, text, comment->len - 8);
    else if (memcmp(comment->data, "UNICODE\0", 8) == 0)
        pd_claims_add_utf16(claims, PD_TEXT_DESCRIPTION, text, comment->len - 8, is_big_endian);
}

static void init_gathered(gathered *g)
{
    *g = (gathered){ .exposure_s = NAN, .fnumber = NAN, .focal_mm = NAN, .focal35_mm = NAN };
    g->shutter_apex = g->aperture_apex = g->place.lat = g->place.lon = g->place.alt = NAN;
    g->orientation = g->flash = g->white_balance = g->rating = g->place.is_below_sea = PD_MEDIA_ABSENT;
    for (int i = 0; i < ISO_COUNT; i++)
        g->iso[i] = PD_MEDIA_ABSENT;
}

bool pd_ifd_read(const uint8_t *data, size_t len, pd_ifd_kind kind, pd_claims *claims, pd_ifd_blocks *ret_blocks)
{
    if (len >= 6 && memcmp(data, "Exif\0\0", 6) == 0) {
        data += 6;
        len -= 6;
    }
    pd_tiff tiff;
    uint64_t first;
    gathered g;
    pd_makernote note = { 0 };
    if (!pd_tiff_open(data, len, &tiff, &first))
        return false;
    init_gathered(&g);
    if (kind == PD_IFD_CANON)
        pd_makernote_read_canon(&tiff, first, &note);
    else
        g.offsets[kind == PD_IFD_EXIF ? DIR_EXIF : kind == PD_IFD_GPS ? DIR_GPS : DIR_FIRST] = first;
    walk_state state = { .g = &g, .claims = claims };
    for (state.dir = DIR_FIRST; state.dir < DIR_COUNT; state.dir++)
        if (g.offsets[state.dir])
            pd_tiff_walk(&tiff, g.offsets[state.dir], visit, &state);
    if (g.maker.data)
        pd_makernote_read(&tiff, g.maker.data, g.maker.len, g.make, &note);
    keep_first_text(claims->facts.make, g.make, sizeof g.make);
    keep_first_text(claims->facts.model, g.model, sizeof g.model);
    decide_exposure(&g, &claims->facts);
    decide_lens(&g, &note, &claims->facts);
    decide_place(&g, claims);
    decide_times(&g, claims);
    decide_comment(&g, tiff.is_big_endian, claims);
    if (ret_blocks)
        *ret_blocks =
            (pd_ifd_blocks){ g.xmp.data, g.iptc.data, g.photoshop.data, g.xmp.len, g.iptc.len, g.photoshop.len };
    return true;
}
