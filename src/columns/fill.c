/* fill.c: from a row of the catalogue to one place in every column. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "columns/columns_private.h"
#include "store/store.h"

enum { GROUP = 64 }; /* slots of one word of a set: columns grow by whole ones */

#define N_OF(member) [offsetof(pd_fields, member) / sizeof(void *)] = sizeof *((pd_fields *)0)->member

const uint8_t pd_field_sizes[PD_FIELDS_N] = {
    N_OF(photo), N_OF(content), N_OF(time),  N_OF(bytes),  N_OF(name),  N_OF(folder),   N_OF(camera),
    N_OF(lens),  N_OF(type),    N_OF(width), N_OF(height), N_OF(iso),   N_OF(exposure), N_OF(aperture),
    N_OF(focal), N_OF(lat),     N_OF(lon),   N_OF(facts),  N_OF(month), N_OF(named),    N_OF(shades),
};

void pd_columns_free_block(const pd_columns *columns, void *block)
{
    const uint8_t *at = block;
    if (!columns->map || at < columns->map || at >= columns->map + columns->map_len)
        pd_mem_free(block);
}

/* `*block` with room for `capacity` elements; what came with the file is copied to the heap. */
static pd_status grow_block(const pd_columns *columns, void **block, size_t n, size_t capacity, size_t size)
{
    const uint8_t *at = *block;
    const bool is_mapped = columns->map && at >= columns->map && at < columns->map + columns->map_len;
    void *grown = pd_mem_realloc(is_mapped ? NULL : *block, capacity, size);
    if (!grown)
        return PD_ERR_NOMEM;
    if (is_mapped)
        memcpy(grown, at, n * size);
    *block = grown;
    return PD_OK;
}

static pd_status grow_names(pd_columns *columns, size_t len)
{
    if (len > UINT32_MAX - columns->names_len)
        return PD_ERR_LIMIT;
    if (columns->names_len + len + PD_COLUMNS_NAMES_PAD <= columns->names_capacity)
        return PD_OK;
    const size_t capacity = columns->names_capacity + columns->names_capacity / 8 + len + 4096;
    void *names = columns->names;
    PD_TRY(grow_block(columns, &names, columns->names_len, capacity, 1));
    columns->names = names;
    columns->names_capacity = capacity;
    return PD_OK;
}

static size_t place_of(const pd_columns *columns, int64_t photo)
{
    const uint64_t hash = (uint64_t)photo * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)((__uint128_t)hash * columns->n_places >> 64);
}

/* The slot of a photo, gone or not; UINT32_MAX. Bounded, whatever the file said. */
static uint32_t find_slot(const pd_columns *columns, int64_t photo)
{
    size_t i = columns->n_places ? place_of(columns, photo) : 0;
    for (size_t tries = 0; tries < columns->n_places && columns->places[i]; tries++) {
        const uint32_t slot = columns->places[i] - 1;
        if (slot < columns->n && columns->f.photo[slot] == photo)
            return slot;
        i = i + 1 < columns->n_places ? i + 1 : 0;
    }
    return UINT32_MAX;
}

uint32_t pd_columns_find(const pd_columns *columns, int64_t photo)
{
    const uint32_t slot = find_slot(columns, photo);
    return slot != UINT32_MAX && columns->f.facts[slot] & PD_FACT_LIVE ? slot : UINT32_MAX;
}

static void insert_place(pd_columns *columns, uint32_t slot)
{
    size_t i = place_of(columns, columns->f.photo[slot]);
    for (size_t tries = 0; tries < columns->n_places && columns->places[i]; tries++)
        i = i + 1 < columns->n_places ? i + 1 : 0;
    columns->places[i] = slot + 1; /* only in a damaged file it is not free */
}

/* Four places for three slots. */
static pd_status grow_places(pd_columns *columns, size_t capacity)
{
    const size_t n_places = capacity + capacity / 3 + 1;
    uint32_t *places = pd_mem_alloc(n_places, sizeof *places);
    if (!places)
        return PD_ERR_NOMEM;
    pd_columns_free_block(columns, columns->places);
    columns->places = places;
    columns->n_places = n_places;
    for (uint32_t slot = 0; slot < columns->n; slot++)
        insert_place(columns, slot);
    return PD_OK;
}

pd_status pd_columns_reserve(pd_columns *columns, size_t capacity, size_t names_len)
{
    if (capacity > columns->capacity) {
        if (capacity > PD_COLUMNS_PHOTOS_MAX)
            return PD_ERR_LIMIT;
        capacity = (capacity + GROUP - 1) / GROUP * GROUP;
        for (size_t i = 0; i < PD_FIELDS_N; i++)
            PD_TRY(grow_block(columns, &columns->at[i], columns->n, capacity, pd_field_sizes[i]));
        uint64_t *live = pd_mem_realloc(columns->live, capacity / GROUP, sizeof *live);
        if (!live)
            return PD_ERR_NOMEM;
        columns->live = live;
        PD_TRY(grow_places(columns, capacity));
        columns->capacity = capacity;
    }
    return names_len > columns->names_len ? grow_names(columns, names_len - columns->names_len) : PD_OK;
}

/* By an eighth: large blocks grow in place, and what is not touched costs nothing. */
static pd_status grow_slots(pd_columns *columns)
{
    if (columns->n < columns->capacity)
        return PD_OK;
    return pd_columns_reserve(columns, columns->n + columns->n / 8 + 1024, 0);
}

/* Passes go over whole groups, so that the rest of the last one must be something. */
static uint32_t add_slot(pd_columns *columns, int64_t photo)
{
    const size_t slot = columns->n++;
    if (slot % GROUP == 0) {
        for (size_t i = 0; i < PD_FIELDS_N; i++)
            memset((char *)columns->at[i] + slot * pd_field_sizes[i], 0, (size_t)GROUP * pd_field_sizes[i]);
        columns->live[slot / GROUP] = 0;
    }
    columns->f.photo[slot] = photo;
    insert_place(columns, (uint32_t)slot);
    return (uint32_t)slot;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. https://howardhinnant.github.io/date_algorithms.html */
static int64_t count_days(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400;
    const int64_t year_of_era = y - era * 400, day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/* `n` digits at `text`, or -1. */
static int read_digits(const char *text, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + text[i] - '0';
    }
    return value;
}

/* "HH:MM:SS": seconds, or -1. */
static int64_t read_clock(const char *text)
{
    const int hour = read_digits(text, 2), minute = read_digits(text + 3, 2), second = read_digits(text + 6, 2);
    if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return -1;
    return hour * 3600 + minute * 60 + second;
}

/* "YYYY-MM-DDTHH:MM:SS", or nothing. */
static int64_t read_time(const char *text, uint16_t *ret_month)
{
    *ret_month = PD_MONTH_ABSENT;
    if (strlen(text) != 19 || text[4] != '-' || text[7] != '-')
        return PD_TIME_ABSENT;
    const int year = read_digits(text, 4), month = read_digits(text + 5, 2), day = read_digits(text + 8, 2);
    if (year < 0 || year > 5000 || month < 1 || month > 12 || day < 1 || day > 31)
        return PD_TIME_ABSENT;
    const int64_t of_day = read_clock(text + 11);
    if (of_day < 0)
        return PD_TIME_ABSENT;
    *ret_month = (uint16_t)(12 * year + month - 1);
    return count_days(year, month, day) * 86400 + of_day;
}

static uint16_t find_shape(uint32_t width, uint32_t height)
{
    if (!width || !height)
        return 0;
    const double ratio = (double)width / height;
    const pd_query_shape shape = ratio > PD_COLUMNS_SQUARE_RATIO       ? PD_SHAPE_LANDSCAPE
                                 : ratio < 1 / PD_COLUMNS_SQUARE_RATIO ? PD_SHAPE_PORTRAIT
                                                                       : PD_SHAPE_SQUARE;
    return (uint16_t)((1 + shape) << PD_FACT_SHAPE_SHIFT);
}

static bool is_place(double lat, double lon) { return fabs(lat) <= 90 && fabs(lon) <= 180; }

static uint16_t find_facts(const pd_photo_row *row)
{
    const bool has[PD_HAS_COUNT] = {
        [PD_HAS_GPS] = is_place(row->lat, row->lon), [PD_HAS_DATE] = row->is_dated,
        [PD_HAS_TAG] = row->marks.has_tag,           [PD_HAS_CAPTION] = row->marks.has_caption,
        [PD_HAS_RATING] = row->marks.is_rated,       [PD_HAS_ALBUM] = row->marks.has_album,
    };
    unsigned facts = PD_FACT_LIVE | find_shape(row->width, row->height);
    for (unsigned i = 0; i < PD_HAS_COUNT; i++)
        facts |= (unsigned)has[i] << (PD_FACT_HAS_SHIFT + i);
    if (row->flash >= 0)
        facts |= row->flash ? PD_FACT_FLASH : PD_FACT_NO_FLASH;
    if (row->marks.favorite)
        facts |= PD_FACT_FAVORITE;
    if (row->rating > 0)
        facts |= (unsigned)(row->rating < 5 ? row->rating : 5) << PD_FACT_RATING_SHIFT;
    return (uint16_t)facts;
}

/* With all folders above it, so that these can be counted and offered, too. */
static pd_status add_folder(pd_dict *dict, const char *path, size_t len, uint32_t *ret_code)
{
    uint32_t parent = pd_dict_again(dict, path, len, "");
    if (parent) {
        *ret_code = parent;
        return PD_OK;
    }
    if (len > 0 && path[0] == '/')
        PD_TRY(pd_dict_add(dict, "/", 1, "", 0, &parent));
    for (size_t end = 2; end <= len; end++)
        if ((end == len || path[end] == '/') && path[end - 1] != '/')
            PD_TRY(pd_dict_add(dict, path, end, "", parent, &parent));
    *ret_code = parent;
    return PD_OK;
}

/* What a camera is called: makers write their name into the model, or they do not. "Canon" and "Canon EOS 5D" are one
 * name, as are "NIKON CORPORATION" and "NIKON D70": shown once, found by both. */
static pd_status add_camera(pd_dict *dict, const char *make, const char *model, uint32_t *ret_code)
{
    char both[512];
    const size_t make_len = strnlen(make, 200), model_len = strnlen(model, 200);
    memcpy(both, make, make_len);
    both[make_len] = ' ';
    memcpy(both + make_len + 1, model, model_len);
    both[make_len + 1 + model_len] = '\0';
    if (!make_len)
        return pd_dict_add(dict, model, model_len, "", 0, ret_code);
    if (!model_len)
        return pd_dict_add(dict, make, make_len, "", 0, ret_code);
    const size_t word = strcspn(both, " ");
    if (strncasecmp(make, model, word) == 0 && (model[word] == ' ' || model[word] == '\0'))
        return pd_dict_add(dict, model, model_len, both, 0, ret_code);
    return pd_dict_add(dict, both, make_len + 1 + model_len, "", 0, ret_code);
}

typedef struct row_codes {
    uint32_t folder, camera, lens, type, name;
} row_codes;

static pd_status add_texts(pd_columns *columns, const pd_photo_row *row, const char *old_name, row_codes *ret_codes)
{
    const char *name = pd_path_name(row->path);
    const size_t folder_len = (size_t)(name - row->path);
    PD_TRY(add_folder(&columns->dicts[PD_DICT_FOLDER], row->path, folder_len > 1 ? folder_len - 1 : folder_len,
                      &ret_codes->folder));
    PD_TRY(add_camera(&columns->dicts[PD_DICT_CAMERA], row->make, row->camera, &ret_codes->camera));
    PD_TRY(pd_dict_add(&columns->dicts[PD_DICT_LENS], row->lens, strlen(row->lens), "", 0, &ret_codes->lens));
    PD_TRY(pd_dict_add(&columns->dicts[PD_DICT_TYPE], row->type, strlen(row->type), "", 0, &ret_codes->type));
    if (old_name && strcmp(old_name, name) == 0) {
        ret_codes->name = (uint32_t)(old_name - columns->names);
        return PD_OK;
    }
    const size_t len = strlen(name) + 1;
    PD_TRY(grow_names(columns, len));
    memcpy(columns->names + columns->names_len, name, len);
    ret_codes->name = (uint32_t)columns->names_len;
    columns->names_len += len;
    return PD_OK;
}

uint16_t pd_log_of(double number)
{
    enum { STEPS = 2047, MIDDLE = 16 }; /* of a power of two; its power that is the middle of the scale */
    if (!(number > 0))
        return 0;
    const float steps = (log2f((float)number) + MIDDLE) * STEPS;
    return steps < 0 ? 1 : steps > UINT16_MAX - 1 ? UINT16_MAX : (uint16_t)(1 + lrintf(steps));
}

static uint16_t clamp_16(uint32_t number) { return number < UINT16_MAX ? (uint16_t)number : UINT16_MAX; }

static void write_slot(pd_columns *columns, uint32_t slot, const pd_photo_row *row, const row_codes *codes)
{
    const pd_fields *f = &columns->f;
    const bool has_place = is_place(row->lat, row->lon);
    f->content[slot] = row->content;
    f->time[slot] = read_time(row->sort_time, &f->month[slot]);
    f->bytes[slot] = row->bytes < 0 ? 0 : row->bytes < UINT32_MAX ? (uint32_t)row->bytes : UINT32_MAX;
    f->name[slot] = codes->name;
    f->folder[slot] = codes->folder;
    f->camera[slot] = codes->camera;
    f->lens[slot] = codes->lens;
    f->type[slot] = codes->type;
    f->width[slot] = clamp_16(row->width);
    f->height[slot] = clamp_16(row->height);
    f->iso[slot] = row->iso;
    f->exposure[slot] = pd_log_of(row->exposure_s);
    f->aperture[slot] = pd_log_of(row->fnumber);
    f->focal[slot] = pd_log_of(row->focal_mm);
    f->lat[slot] = has_place ? (float)row->lat : NAN;
    f->lon[slot] = has_place ? (float)row->lon : NAN;
    f->shades[slot] = pd_shades_of(&columns->shade_table, &row->look, &f->named[slot]);
    f->facts[slot] = find_facts(row);
}

static void set_live(pd_columns *columns, uint32_t slot, bool live)
{
    const uint64_t bit = UINT64_C(1) << (slot % GROUP);
    const bool was = columns->live[slot / GROUP] & bit;
    columns->count += live - was;
    columns->live[slot / GROUP] = live ? columns->live[slot / GROUP] | bit : columns->live[slot / GROUP] & ~bit;
}

static void take_out(pd_columns *columns, uint32_t slot)
{
    columns->f.facts[slot] = 0;
    columns->f.content[slot] = 0;
    set_live(columns, slot, false);
}

void pd_columns_empty(pd_columns *columns)
{
    for (uint32_t slot = 0; slot < columns->n; slot++)
        take_out(columns, slot);
}

static pd_status put_row(pd_columns *columns, const pd_photo_row *row)
{
    uint32_t slot = find_slot(columns, row->id);
    row_codes codes = { 0 };
    const char *old_name = slot != UINT32_MAX ? pd_columns_name(columns, slot) : NULL;
    if (old_name && (old_name < columns->names || old_name >= columns->names + columns->names_len))
        old_name = NULL; /* a damaged file's */
    PD_TRY(add_texts(columns, row, old_name, &codes));
    if (slot == UINT32_MAX) {
        PD_TRY(grow_slots(columns));
        slot = add_slot(columns, row->id);
    }
    write_slot(columns, slot, row, &codes);
    set_live(columns, slot, true);
    return PD_OK;
}

pd_status pd_columns_put(pd_columns *columns, const pd_photo_row *row, pd_error *err)
{
    columns->n_changed++;
    if (row->gone) {
        const uint32_t slot = find_slot(columns, row->id);
        if (slot != UINT32_MAX)
            take_out(columns, slot);
        return PD_OK;
    }
    const pd_status status = put_row(columns, row);
    if (status == PD_ERR_LIMIT)
        return pd_error_set(err, status, "more than %d photos, or more than 4 GiB of their names, cannot be filtered",
                            PD_COLUMNS_PHOTOS_MAX);
    return status == PD_ERR_NOMEM ? pd_error_set_nomem(err) : status;
}
