#include "columns/match.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "columns/folded.h"
#include "columns/pass.h"
#include "store/store.h"

/* Texts that are compared: a path at most, folded. */
#define FOLDED_BYTES_MAX ((size_t)65536)
#define EARTH_KM 6371.0
#define RADIANS (3.14159265358979323846 / 180)

/* ---- numbers */

/* What is between the ends, as whole numbers from `least` to `most`; false: nothing is. A column's `most` also stands
 * for all that is larger. */
static bool find_span(const pd_query_value *value, uint32_t least, uint32_t most, uint32_t *ret_from, uint32_t *ret_to)
{
    const double low = value->low_open ? floor(value->low) + 1 : ceil(value->low);
    const double high = value->high_open ? ceil(value->high) - 1 : floor(value->high);
    if (!(low <= high) || high < least)
        return false;
    *ret_from = low < least ? least : low > most ? most : (uint32_t)low;
    *ret_to = high > most ? most : (uint32_t)high;
    return true;
}

static void match_span_32(const pd_match *match, const uint32_t *column, uint32_t least, const pd_query_value *value)
{
    uint32_t from, to;
    if (find_span(value, least, UINT32_MAX, &from, &to))
        PD_PASS(match->words, match->columns->n, (column[i] >= from) & (column[i] <= to));
}

static void match_16(const pd_match *match, const uint16_t *column, uint16_t from, uint16_t to)
{
    PD_PASS(match->words, match->columns->n, (column[i] >= from) & (column[i] <= to));
}

static void match_side(const pd_match *match, const uint16_t *column, const pd_query_value *value)
{
    uint32_t from, to;
    if (find_span(value, 1, UINT16_MAX, &from, &to))
        match_16(match, column, (uint16_t)from, (uint16_t)to);
}

/* Within PD_COLUMNS_TOLERANCE two numbers are one: closed ends take that much more in, open ones leave it out. */
static void match_real(const pd_match *match, const uint16_t *column, const pd_query_value *value)
{
    const double wider = 1 + PD_COLUMNS_TOLERANCE;
    const uint16_t low = pd_log_of(value->low_open ? value->low * wider : value->low / wider);
    match_16(match, column, low ? low : 1, pd_log_of(value->high_open ? value->high / wider : value->high * wider));
}

/* The first whole second at `x` or after it. */
static int64_t clamp_second(double x)
{
    return x <= -9e15 ? -INT64_C(9000000000000000) : x >= 9e15 ? INT64_C(9000000000000000) : (int64_t)ceil(x);
}

static void match_time(const pd_match *match, const pd_query_value *value)
{
    const int64_t *time = match->columns->f.time;
    const int64_t from = clamp_second(value->low), before = clamp_second(value->high);
    PD_PASS(match->words, match->columns->n, (time[i] >= from) & (time[i] < before));
}

static bool is_within(const pd_query_value *value, double number)
{
    return (value->low_open ? number > value->low : number >= value->low) &&
           (value->high_open ? number < value->high : number <= value->high);
}

static void match_month(const pd_match *match, const pd_query_value *value)
{
    const uint16_t *month = match->columns->f.month;
    uint16_t wanted = 0;
    for (int m = 0; m < 12; m++)
        wanted |= (uint16_t)(is_within(value, m + 1) << m);
    PD_PASS(match->words, match->columns->n, (month[i] != PD_MONTH_ABSENT) & (wanted >> month[i] % 12));
}

/* ---- facts */

static void match_facts(const pd_match *match, unsigned mask, unsigned wanted)
{
    const uint16_t *facts = match->columns->f.facts;
    const uint16_t mask_16 = (uint16_t)mask, wanted_16 = (uint16_t)wanted;
    PD_PASS(match->words, match->columns->n, (facts[i] & mask_16) == wanted_16);
}

static void match_rating(const pd_match *match, const pd_query_value *value)
{
    for (unsigned rating = 0; rating <= 5; rating++)
        if (is_within(value, rating))
            match_facts(match, PD_FACT_RATING, rating << PD_FACT_RATING_SHIFT);
}

static void match_gray(const pd_match *match, bool gray)
{
    const uint16_t *named = match->columns->f.named;
    const uint16_t mask = PD_NAMED_KNOWN | PD_NAMED_COLOURED, wanted = gray ? PD_NAMED_KNOWN : mask;
    PD_PASS(match->words, match->columns->n, (named[i] & mask) == wanted);
}

/* ---- dictionaries */

/* A whole entry, as it stands in a list of known values, means that one alone: "NIKON D70" and not "NIKON D70s". One
 * word is no whole entry: it may be a maker's that wrote nothing else. */
static pd_status find_whole_entry(const pd_dict *dict, const char *words, pd_buf *folded, uint32_t *ret_code)
{
    *ret_code = 0;
    for (uint32_t code = 1; code < dict->n && strchr(words, ' ') && !*ret_code; code++) {
        PD_TRY(pd_folded_set(folded, pd_dict_shown(dict, code)));
        if (strcmp(folded->data, words) == 0)
            *ret_code = code;
    }
    return PD_OK;
}

static pd_status mark_words(const pd_dict *dict, const char *words, pd_buf *folded, uint8_t *ret_yes)
{
    uint32_t whole;
    PD_TRY(find_whole_entry(dict, words, folded, &whole));
    if (whole)
        ret_yes[whole] = 1;
    for (uint32_t code = 1; code < dict->n && !whole; code++) {
        PD_TRY(pd_folded_set(folded, pd_dict_shown(dict, code)));
        if (!pd_folded_has_words(folded->data, words))
            PD_TRY(pd_folded_set(folded, pd_dict_sought(dict, code)));
        ret_yes[code] = pd_folded_has_words(folded->data, words);
    }
    return PD_OK;
}

/* Parents are older than their children, so what is in a folder is in by the time that one comes. */
static pd_status mark_folders(const pd_dict *dict, const char *words, pd_buf *folded, uint8_t *ret_yes)
{
    for (uint32_t code = 1; code < dict->n; code++) {
        ret_yes[code] = ret_yes[dict->parent[code]];
        if (ret_yes[code])
            continue;
        PD_TRY(pd_folded_set(folded, pd_dict_shown(dict, code)));
        ret_yes[code] = pd_folded_has_folder(folded->data, words);
    }
    return PD_OK;
}

static pd_status mark_types(const pd_dict *dict, const char *words, pd_buf *folded, uint8_t *ret_yes)
{
    for (uint32_t code = 1; code < dict->n; code++) {
        PD_TRY(pd_folded_set(folded, pd_dict_shown(dict, code)));
        ret_yes[code] = strcmp(folded->data, words) == 0;
    }
    return PD_OK;
}

static pd_status match_entries(const pd_dict *dict, pd_field field, const char *words, uint8_t *ret_yes)
{
    pd_buf wanted, folded;
    pd_buf_init(&wanted, FOLDED_BYTES_MAX);
    pd_buf_init(&folded, FOLDED_BYTES_MAX);
    pd_status status = pd_folded_set(&wanted, words);
    if (status == PD_OK && field == PD_FIELD_IN)
        status = mark_folders(dict, wanted.data, &folded, ret_yes);
    else if (status == PD_OK && field == PD_FIELD_TYPE)
        status = mark_types(dict, wanted.data, &folded, ret_yes);
    else if (status == PD_OK)
        status = mark_words(dict, wanted.data, &folded, ret_yes);
    pd_buf_done(&wanted);
    pd_buf_done(&folded);
    return status == PD_ERR_LIMIT ? PD_OK : status;
}

static pd_status match_codes(const pd_match *match, const uint32_t *column, const pd_dict *dict, pd_field field,
                             const char *words)
{
    const size_t n = dict->n;
    uint8_t *yes = pd_mem_alloc(n, 1);
    pd_status status = yes ? match_entries(dict, field, words, yes) : PD_ERR_NOMEM;
    if (status == PD_OK)
        PD_PASS(match->words, match->columns->n, column[i] < n ? yes[column[i]] : 0);
    pd_mem_free(yes);
    return status == PD_ERR_NOMEM ? pd_error_set_nomem(match->err) : status;
}

/* ---- names */

/* A pattern of names, and the room that folding takes. */
typedef struct name_pattern {
    pd_buf wanted, folded;
    char name[PD_COLUMNS_NAMES_PAD];
    const char *text; /* without the stars at the ends */
    size_t len;
    enum { AS_PART, AS_BEGINNING, AS_END, AS_GLOB } kind;
} name_pattern;

/* Most globs are a piece of text with a star at one end or at both. */
static pd_status make_pattern(name_pattern *p, const char *words)
{
    pd_buf_init(&p->wanted, FOLDED_BYTES_MAX);
    pd_buf_init(&p->folded, FOLDED_BYTES_MAX);
    PD_TRY(pd_folded_set(&p->wanted, words));
    p->text = p->wanted.data;
    p->len = p->wanted.len;
    p->kind = AS_PART;
    if (!pd_folded_is_glob(p->text))
        return PD_OK;
    p->kind = AS_GLOB;
    const bool star_first = p->text[0] == '*', star_last = p->len > 1 && p->text[p->len - 1] == '*';
    const size_t inside = strcspn(p->text + star_first, "*?") + star_first + star_last;
    if (inside != p->len || (!star_first && !star_last))
        return PD_OK;
    p->kind = star_first && star_last ? AS_PART : star_first ? AS_END : AS_BEGINNING;
    p->text += star_first;
    p->len -= (size_t)star_first + star_last;
    return PD_OK;
}

/* Most names are ASCII and short: these are folded here, sixteen bytes at a time, all others by base. NULL: no memory.
 */
static const char *fold_name(name_pattern *p, const char *name, size_t *ret_len)
{
    const size_t len = strnlen(name, sizeof p->name);
    unsigned char high = 0;
    if (len < sizeof p->name) {
        for (size_t block = 0; block <= len; block += 16)
            for (size_t i = block; i < block + 16; i++)
                p->name[i] = (char)(name[i] + (((unsigned char)(name[i] - 'A') < 26) << 5));
        for (size_t i = 0; i < len; i++)
            high |= (unsigned char)name[i];
        if (high < 0x80) {
            *ret_len = len;
            return p->name;
        }
    }
    const pd_status status = pd_folded_set(&p->folded, name);
    *ret_len = status == PD_OK ? p->folded.len : 0;
    return status == PD_OK ? p->folded.data : status == PD_ERR_LIMIT ? "" : NULL;
}

static bool has_part(const char *name, size_t len, const char *part, size_t part_len)
{
    if (part_len == 0)
        return true;
    for (const char *end = name + len; (size_t)(end - name) >= part_len; name++) {
        name = memchr(name, part[0], (size_t)(end - name) - part_len + 1);
        if (!name)
            return false;
        if (memcmp(name, part, part_len) == 0)
            return true;
    }
    return false;
}

static bool is_named(const name_pattern *p, const char *name, size_t len)
{
    switch (p->kind) {
    case AS_PART: return has_part(name, len, p->text, p->len);
    case AS_BEGINNING: return len >= p->len && memcmp(name, p->text, p->len) == 0;
    case AS_END: return len >= p->len && memcmp(name + len - p->len, p->text, p->len) == 0;
    case AS_GLOB: break;
    }
    return pd_folded_glob(name, p->text);
}

static pd_status match_name(const pd_match *match, const char *words)
{
    const pd_columns *columns = match->columns;
    name_pattern pattern;
    pd_status status = make_pattern(&pattern, words);
    for (uint32_t slot = 0; slot < columns->n && status == PD_OK; slot++) {
        size_t len;
        const char *name = fold_name(&pattern, pd_columns_name(columns, slot), &len);
        if (!name)
            status = PD_ERR_NOMEM;
        else if (is_named(&pattern, name, len))
            match->words[slot / 64] |= UINT64_C(1) << (slot % 64);
    }
    pd_buf_done(&pattern.wanted);
    pd_buf_done(&pattern.folded);
    return status == PD_ERR_NOMEM ? pd_error_set_nomem(match->err) : PD_OK;
}

/* ---- places and colours */

static double find_km(double lat, double lon, const pd_query_value *from)
{
    const double up = sin((lat - from->lat) * RADIANS / 2), along = sin((lon - from->lon) * RADIANS / 2);
    const double h = up * up + cos(lat * RADIANS) * cos(from->lat * RADIANS) * along * along;
    return 2 * EARTH_KM * asin(fmin(1, sqrt(h)));
}

/* How many degrees of longitude the circle reaches to each side; 180 when a pole is in it. */
static double find_reach(const pd_query_value *place)
{
    const double angle = place->km / EARTH_KM;
    if (fabs(place->lat) * RADIANS + angle >= 90 * RADIANS)
        return 180;
    return asin(fmin(1, sin(angle) / cos(place->lat * RADIANS))) / RADIANS;
}

/* The box around the circle first, and then only what is in it. The columns are floats: a meter and a half. */
static pd_status match_near(const pd_match *match, const pd_query_value *place)
{
    const pd_columns *columns = match->columns;
    const float *lats = columns->f.lat, *lons = columns->f.lon;
    const size_t n_words = (columns->n + 63) / 64;
    const float lat = (float)place->lat, lon = (float)place->lon;
    const float up = (float)(place->km / EARTH_KM / RADIANS + 1e-4), along = (float)(find_reach(place) + 1e-4);
    uint64_t *box = pd_mem_alloc(n_words, sizeof *box);
    if (!box)
        return pd_error_set_nomem(match->err);
    PD_PASS(box, columns->n,
            (fabsf(lats[i] - lat) <= up) & ((fabsf(lons[i] - lon) <= along) | (fabsf(lons[i] - lon) >= 360 - along)));
    for (size_t w = 0; w < n_words; w++)
        for (uint64_t left = box[w]; left; left &= left - 1) {
            const size_t slot = 64 * w + (size_t)__builtin_ctzll(left);
            if (find_km((double)lats[slot], (double)lons[slot], place) <= place->km + 0.002)
                match->words[w] |= left & -left;
        }
    pd_mem_free(box);
    return PD_OK;
}

static bool has_shade(const pd_shades *shades, pd_shade wanted)
{
    bool near = false;
    for (unsigned i = 0; i < PD_LOOK_COLOURS_MAX; i++) /* all, since guessing wrong costs more than looking */
        near |= pd_shade_is_near(shades->at[i], wanted);
    return near;
}

/* Whether the grammar says just this colour for the word. */
static pd_status is_word_for(pd_shade_name name, const pd_query_value *value, bool *ret_is, pd_error *err)
{
    char text[32];
    size_t n;
    pd_query *query = NULL;
    const int len = snprintf(text, sizeof text, "color:%s", pd_shade_word(name));
    PD_TRY(pd_query_parse(&query, text, (size_t)len, err));
    const pd_query_part *part = pd_query_parts(query, &n);
    *ret_is = n == 1 && part->kind == PD_PART_FILTER && part->values[0].red == value->red &&
              part->values[0].green == value->green && part->values[0].blue == value->blue;
    pd_query_free(&query);
    return PD_OK;
}

/* PD_SHADE_COUNT: none. */
static pd_status find_word(const pd_query_value *value, pd_shade_name *ret_name, pd_error *err)
{
    bool found = false;
    pd_shade_name name = 0;
    while (name < PD_SHADE_COUNT) {
        PD_TRY(is_word_for(name, value, &found, err));
        if (found)
            break;
        name++;
    }
    *ret_name = name;
    return PD_OK;
}

/* "red" is what people call red, however dark or dull; #c81e32 is that and what looks like it. */
static pd_status match_colour(const pd_match *match, const pd_query_value *value)
{
    const pd_columns *columns = match->columns;
    pd_shade_name name;
    PD_TRY(find_word(value, &name, match->err));
    if (name < PD_SHADE_COUNT) {
        const uint16_t *named = columns->f.named, bit = (uint16_t)(1 << name);
        PD_PASS(match->words, columns->n, (named[i] & bit) != 0);
        return PD_OK;
    }
    const pd_shade wanted = pd_shade_of(&columns->shade_table, value->red, value->green, value->blue);
    PD_PASS(match->words, columns->n, has_shade(&columns->f.shades[i], wanted));
    return PD_OK;
}

/* ---- what the catalogue knows */

static bool set_bit(void *user, int64_t photo)
{
    const pd_match *match = user;
    const uint32_t slot = pd_columns_find(match->columns, photo);
    if (slot != UINT32_MAX)
        match->words[slot / 64] |= UINT64_C(1) << (slot % 64);
    return true;
}

static bool set_scored_bit(void *user, int64_t photo, double score)
{
    (void)score;
    return set_bit(user, photo);
}

static pd_status match_text(const pd_match *match, pd_text_where where, const char *words)
{
    pd_match copy = *match;
    return pd_store_text_photos(match->store, where, words, set_bit, &copy, match->err);
}

pd_status pd_match_add_exact(const pd_match *match, const char *words)
{
    pd_match copy = *match;
    return pd_store_words_exact(match->store, words, set_scored_bit, &copy, match->err);
}

/* ---- by field */

static pd_status add_words(const pd_match *match, pd_field field, const char *words)
{
    const pd_columns *columns = match->columns;
    const pd_fields *f = &columns->f;
    const pd_dict *dicts = columns->dicts;
    switch ((int)field) {
    case PD_FIELD_CAMERA: return match_codes(match, f->camera, &dicts[PD_DICT_CAMERA], field, words);
    case PD_FIELD_LENS: return match_codes(match, f->lens, &dicts[PD_DICT_LENS], field, words);
    case PD_FIELD_IN: return match_codes(match, f->folder, &dicts[PD_DICT_FOLDER], field, words);
    case PD_FIELD_TYPE: return match_codes(match, f->type, &dicts[PD_DICT_TYPE], field, words);
    case PD_FIELD_NAME: return match_name(match, words);
    case PD_FIELD_TAG: return match_text(match, PD_WHERE_TAG, words);
    case PD_FIELD_PERSON: return match_text(match, PD_WHERE_PERSON, words);
    case PD_FIELD_ALBUM: return match_text(match, PD_WHERE_ALBUM, words);
    case PD_FIELD_CAPTION: return match_text(match, PD_WHERE_CAPTION, words);
    default: return PD_OK;
    }
}

static void add_range(const pd_match *match, pd_field field, const pd_query_value *value)
{
    const pd_fields *f = &match->columns->f;
    switch ((int)field) {
    case PD_FIELD_ISO: match_span_32(match, f->iso, 1, value); break;
    case PD_FIELD_WIDTH: match_side(match, f->width, value); break;
    case PD_FIELD_HEIGHT: match_side(match, f->height, value); break;
    case PD_FIELD_APERTURE: match_real(match, f->aperture, value); break;
    case PD_FIELD_FOCAL: match_real(match, f->focal, value); break;
    case PD_FIELD_EXPOSURE: match_real(match, f->exposure, value); break;
    case PD_FIELD_DATE:
    case PD_FIELD_YEAR: match_time(match, value); break;
    case PD_FIELD_MONTH: match_month(match, value); break;
    case PD_FIELD_SIZE: match_span_32(match, f->bytes, 0, value); break;
    case PD_FIELD_RATING: match_rating(match, value); break;
    default: break;
    }
}

static void add_code(const pd_match *match, pd_field field, int code)
{
    switch ((int)field) {
    case PD_FIELD_FLASH:
        match_facts(match, PD_FACT_FLASH | PD_FACT_NO_FLASH, code ? PD_FACT_FLASH : PD_FACT_NO_FLASH);
        break;
    case PD_FIELD_FAVORITE: match_facts(match, PD_FACT_FAVORITE, code ? PD_FACT_FAVORITE : 0); break;
    case PD_FIELD_GRAY: match_gray(match, code != 0); break;
    case PD_FIELD_ORIENTATION: match_facts(match, PD_FACT_SHAPE, (unsigned)(1 + code) << PD_FACT_SHAPE_SHIFT); break;
    case PD_FIELD_HAS: match_facts(match, 1U << (PD_FACT_HAS_SHIFT + code), 1U << (PD_FACT_HAS_SHIFT + code)); break;
    default: break;
    }
}

pd_status pd_match_add(const pd_match *match, pd_field field, const pd_query_value *value)
{
    switch (pd_field_info_of(field)->kind) {
    case PD_VALUE_WORDS: return add_words(match, field, value->words);
    case PD_VALUE_RANGE: add_range(match, field, value); return PD_OK;
    case PD_VALUE_YES:
    case PD_VALUE_CODE: add_code(match, field, value->code); return PD_OK;
    case PD_VALUE_PLACE: return match_near(match, value);
    case PD_VALUE_COLOUR: return match_colour(match, value);
    }
    return PD_OK;
}
