/* columns_private.h: what the files of this room share: the columns themselves, and how one photo gets into them. */
#ifndef PD_COLUMNS_COLUMNS_PRIVATE_H
#define PD_COLUMNS_COLUMNS_PRIVATE_H

#include "columns/columns.h"
#include "columns/dict.h"
#include "columns/shade.h"

/* Everything that is one number a photo. At a million photos every byte here is a megabyte. */
typedef struct pd_fields {
    int64_t *photo; /* id; stays when the photo goes, so that it finds its slot when it comes back */
    int64_t *content;
    int64_t *time;    /* wall-clock seconds since 1970; PD_TIME_ABSENT */
    uint32_t *bytes;  /* larger ones are UINT32_MAX */
    uint32_t *name;   /* where it begins in `names` */
    uint32_t *folder; /* codes of the dictionaries */
    uint32_t *camera;
    uint32_t *lens;
    uint32_t *type;
    uint32_t *iso;   /* 0: not known, as all that are no signed numbers */
    uint16_t *width; /* larger ones are UINT16_MAX */
    uint16_t *height;
    uint16_t *exposure; /* pd_log_of */
    uint16_t *aperture;
    uint16_t *focal;
    float *lat; /* NAN: not known */
    float *lon;
    uint16_t *facts; /* PD_FACT_... */
    uint16_t *month; /* 12 * year + month - 1; PD_MONTH_ABSENT */
    uint16_t *named; /* the colours that have a name (bit pd_shade_name), and PD_NAMED_... */
    pd_shades *shades;
} pd_fields;

#define PD_FIELDS_N (sizeof(pd_fields) / sizeof(void *))
/* Bytes that can be read behind the last name. */
#define PD_COLUMNS_NAMES_PAD 64
#define PD_TIME_ABSENT INT64_MIN
#define PD_MONTH_ABSENT UINT16_MAX

enum {
    PD_FACT_LIVE = 1 << 0, /* not set: the photo is gone */
    PD_FACT_FLASH = 1 << 1,
    PD_FACT_NO_FLASH = 1 << 2,
    PD_FACT_FAVORITE = 1 << 3,
    PD_FACT_RATING_SHIFT = 4, /* three bits */
    PD_FACT_RATING = 7 << PD_FACT_RATING_SHIFT,
    PD_FACT_SHAPE_SHIFT = 7, /* two bits: 1 + pd_query_shape; 0: not known */
    PD_FACT_SHAPE = 3 << PD_FACT_SHAPE_SHIFT,
    PD_FACT_HAS_SHIFT = 9, /* PD_HAS_COUNT bits in the order of pd_query_has */
};

typedef enum pd_columns_dict {
    PD_DICT_FOLDER,
    PD_DICT_CAMERA,
    PD_DICT_LENS,
    PD_DICT_TYPE,
    PD_DICT_COUNT,
} pd_columns_dict;

struct pd_columns {
    union {
        pd_fields f;
        void *at[PD_FIELDS_N];
    };
    size_t n, capacity; /* slots; the capacity is a multiple of 64 */
    int64_t count;      /* photos */
    int64_t version;
    uint8_t identity[PD_STORE_IDENTITY_BYTES]; /* of the catalogue */
    uint64_t *live;                            /* [capacity / 64] */
    char *names;                               /* each ends in a NUL, as does the whole */
    size_t names_len, names_capacity;
    pd_dict dicts[PD_DICT_COUNT];
    uint32_t *places; /* open addressing by photo id: slot + 1, 0 is free */
    size_t n_places;
    pd_shade_table shade_table;
    char *path;
    uint8_t *map; /* NULL, or the file (private): what points into it is not on the heap */
    size_t map_len;
    int64_t n_changed; /* rows since the file was written or read */
};

/* A positive number in two bytes that compare as it does, true to 0.017 %; 0: none. From 1/65536 to 65536. */
uint16_t pd_log_of(double number);

extern const uint8_t pd_field_sizes[PD_FIELDS_N];

/* fill.c */
PD_MUST_USE pd_status pd_columns_put(pd_columns *columns, const pd_photo_row *row, pd_error *err);
/* UINT32_MAX: none; also when it is gone. */
uint32_t pd_columns_find(const pd_columns *columns, int64_t photo);
void pd_columns_empty(pd_columns *columns); /* every photo is gone; their slots stay */
/* Gives everything back; the shape of a pd_columns of no photos. */
void pd_columns_clear(pd_columns *columns);
void pd_columns_free_block(const pd_columns *columns, void *block); /* where it is not part of the map */

/* Texts that a damaged file cannot lead astray. */
static inline const char *pd_columns_name(const pd_columns *columns, uint32_t slot)
{
    const uint32_t at = columns->f.name[slot];
    static const char none[PD_COLUMNS_NAMES_PAD] = "";
    return at < columns->names_len ? columns->names + at : none;
}

/* Room for so many slots in all, and for names of `names_len` bytes. NOMEM, LIMIT, without a sentence. */
PD_MUST_USE pd_status pd_columns_reserve(pd_columns *columns, size_t capacity, size_t names_len);

/* cache.c. load, adopt: into empty columns, which must be cleared after a failure. PD_ERR_CORRUPT: the file is damaged,
 * or another version's. */
PD_MUST_USE pd_status pd_columns_load(pd_columns *columns, const char *path, pd_error *err);
PD_MUST_USE pd_status pd_columns_save(const pd_columns *columns, const char *path, pd_error *err);
/* The bytes of a file in memory from mmap, which becomes the columns'. `checked`: against its checksums; tests and
 * fuzzing want to get behind them. */
PD_MUST_USE pd_status pd_columns_adopt(pd_columns *columns, uint8_t *map, size_t len, bool checked, pd_error *err);

#endif
