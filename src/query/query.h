/* query.h: the small grammar around free text, as docs/search.md explains it to people.
 *
 * Parsing cannot fail but for memory and length: what is not a filter is meaning, and what looks like a filter but says
 * nothing that can be understood ("iso:fast") is meaning too, with a note that says why. A query is immutable; any
 * number of threads may read it. Texts are UTF-8; bytes that are not are kept as they are and never match a field.
 *
 * A query is a list of parts in the order they were written, each with the bytes of the text that made it. Parts of one
 * query must all hold (and); the values of one filter are alternatives (or). Words without a mark that stand together
 * are one part; one with a note stays by itself, and its words are all that was written, a minus included. */
#ifndef PD_QUERY_QUERY_H
#define PD_QUERY_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define PD_QUERY_BYTES_MAX 4096 /* of a text; a longer one is PD_ERR_LIMIT */
#define PD_QUERY_PARTS_MAX 256  /* what comes after is one part of meaning */
#define PD_QUERY_WEIGHT_MAX 100.0

/* Every field, in the order of the table in docs/search.md. The comment says what `values` of a filter hold. */
typedef enum pd_field {
    PD_FIELD_CAMERA,      /* words: in make and model */
    PD_FIELD_LENS,        /* words; "50mm" is words too */
    PD_FIELD_ISO,         /* range */
    PD_FIELD_APERTURE,    /* range, f-number; written f: */
    PD_FIELD_FOCAL,       /* range, mm (the lens's own) */
    PD_FIELD_EXPOSURE,    /* range, seconds; "1/60" */
    PD_FIELD_FLASH,       /* yes or no */
    PD_FIELD_DATE,        /* range: half-open [low, high) in wall-clock seconds since 1970-01-01T00:00:00 */
    PD_FIELD_YEAR,        /* the same */
    PD_FIELD_MONTH,       /* range of whole numbers 1..12; names are understood */
    PD_FIELD_IN,          /* words: a folder: its last parts, or the whole path */
    PD_FIELD_NAME,        /* words: a glob (* and ?) over the file's name, or a part of the name when it has none */
    PD_FIELD_TYPE,        /* words: one of the types; raw: all of them */
    PD_FIELD_SIZE,        /* range, bytes: 5mb is 5,000,000 */
    PD_FIELD_WIDTH,       /* range, px, upright */
    PD_FIELD_HEIGHT,      /* the same */
    PD_FIELD_ORIENTATION, /* code: pd_query_shape */
    PD_FIELD_TAG,         /* words: a whole tag, or a glob: the user's, the file's keywords, the machine's */
    PD_FIELD_PERSON,      /* words: in a name that another program wrote */
    PD_FIELD_CAPTION,     /* words: all of them in caption, title or description */
    PD_FIELD_RATING,      /* range, 0..5; no rating is 0 */
    PD_FIELD_FAVORITE,    /* yes or no */
    PD_FIELD_ALBUM,       /* words: a whole name, or a glob */
    PD_FIELD_HAS,         /* code: pd_query_has */
    PD_FIELD_NEAR,        /* place */
    PD_FIELD_COLOR,       /* colour */
    PD_FIELD_GRAY,        /* yes or no */
    PD_FIELD_COUNT
} pd_field;

typedef enum pd_query_shape { PD_SHAPE_LANDSCAPE, PD_SHAPE_PORTRAIT, PD_SHAPE_SQUARE } pd_query_shape;
typedef enum pd_query_has {
    PD_HAS_GPS,
    PD_HAS_DATE,
    PD_HAS_TAG,
    PD_HAS_CAPTION,
    PD_HAS_RATING,
    PD_HAS_ALBUM,
    PD_HAS_COUNT
} pd_query_has;

typedef enum pd_value_kind {
    PD_VALUE_WORDS,
    PD_VALUE_RANGE,
    PD_VALUE_YES, /* number: 1 yes, 0 no */
    PD_VALUE_CODE,
    PD_VALUE_PLACE,
    PD_VALUE_COLOUR,
} pd_value_kind;

typedef struct pd_query_value {
    const char *words;        /* WORDS: unquoted, spaces as written; never empty. TYPE: the catalogue's name, "jpeg".
                                 Other kinds: as written, in small letters without blanks: ">=800". Never NULL */
    double low, high;         /* RANGE: low <= high; -INFINITY, INFINITY where it has no end. One number is low == high:
                                 who compares with what a camera wrote (1/60 may be 0.0167) leaves a margin */
    bool low_open, high_open; /* RANGE: that end itself is out */
    int code;                 /* CODE; YES: 1 or 0 */
    double lat, lon, km;      /* PLACE: within km of it */
    uint8_t red, green, blue; /* COLOUR, sRGB */
} pd_query_value;

typedef enum pd_part_kind {
    PD_PART_MEANING, /* words for the text tower */
    PD_PART_LIKE,    /* a picture: `words` is a path or the id of a photo */
    PD_PART_EXACT,   /* words that must occur, next to each other, in some text of the photo */
    PD_PART_FILTER,
    PD_PART_SORT,
} pd_part_kind;

typedef enum pd_order {
    PD_ORDER_NONE, /* the query does not say */
    PD_ORDER_SCORE,
    PD_ORDER_OLDEST, /* "date" */
    PD_ORDER_NEWEST, /* "-date" */
    PD_ORDER_NAME,
    PD_ORDER_NAME_BACKWARDS,
    PD_ORDER_SMALLEST, /* "size": bytes */
    PD_ORDER_LARGEST,  /* "-size" */
} pd_order;

const char *pd_order_name(pd_order order); /* as it stands behind "sort:"; NONE: "" */
bool pd_order_find(const char *name, pd_order *ret_order);

typedef struct pd_query_part {
    pd_part_kind kind;
    bool negated;
    double weight;     /* MEANING and LIKE: magnitude, > 0, 1 when not written; negated says which way */
    const char *words; /* MEANING, LIKE, EXACT: without what marks them; else NULL */
    pd_field field;    /* FILTER */
    pd_value_kind value_kind;
    const pd_query_value *values; /* FILTER: at least one */
    size_t n_values;
    pd_order order;    /* SORT */
    const char *note;  /* NULL, or a sentence: why this, which looks like a filter, is meaning */
    size_t begin, end; /* the bytes of the text */
} pd_query_part;

typedef struct pd_query pd_query;

/* Text need not end in a NUL. PD_ERR_LIMIT when too long; else only PD_ERR_NOMEM. */
PD_MUST_USE pd_status pd_query_parse(pd_query **ret_query, const char *text, size_t len, pd_error *err);
void pd_query_free(pd_query **query);
const pd_query_part *pd_query_parts(const pd_query *query, size_t *ret_n);
pd_order pd_query_order(const pd_query *query); /* of the last sort: part */

/* Writes the query in its shortest usual form: parsing that gives an equal query. Appends. */
void pd_query_print(const pd_query *query, pd_buf *buf);
bool pd_query_equal(const pd_query *a, const pd_query *b);
/* Appends the text of the query as written, without part number `part`, blanks tidied: removing a chip. Other parts
 * stay what they are, but for words that come together, and for a parenthesis without a partner, which may find one. */
void pd_query_without(const pd_query *query, const char *text, size_t part, pd_buf *buf);

/* Appends one part in words for people: "camera: Canon", "after 2019", "looks like: sunset", "away from: people". */
void pd_query_explain(const pd_query_part *part, pd_buf *buf);

/* Appends `value` as it stands behind "field:", quoted where it must be; a quotation mark in it is written twice. */
void pd_query_quote(const char *value, pd_buf *buf);

/* What can be typed. */
typedef struct pd_field_info {
    const char *name;   /* "camera" */
    const char *alias;  /* "", or another spelling that is understood: "colour" */
    const char *sample; /* "camera:canon" */
    const char *help;   /* "camera or maker" */
    pd_value_kind kind;
    bool has_known_values; /* the library knows which values there are: camera, lens, in, tag, album ... */
} pd_field_info;
const pd_field_info *pd_field_info_of(pd_field field);
bool pd_field_find(const char *name, size_t len, pd_field *ret_field);

/* The colours that have names, for those who count or offer them: gray is there, grey is understood too. */
typedef struct pd_query_colour {
    const char *name;
    uint8_t red, green, blue; /* sRGB */
} pd_query_colour;
const pd_query_colour *pd_query_colours(size_t *ret_n);

/* What is being typed where the cursor stands (a byte of the text): the bytes [begin, end) that a choice replaces, and
 * either the beginning of a field's name (or of a word: the same) or a field and the beginning of its value. */
typedef struct pd_query_typing {
    size_t begin, end;
    bool is_value;
    pd_field field;   /* is_value */
    char prefix[256]; /* what is there already, unquoted; "" when more than fits */
} pd_query_typing;
void pd_query_typing_at(const char *text, size_t len, size_t cursor, pd_query_typing *ret_typing);

#endif
