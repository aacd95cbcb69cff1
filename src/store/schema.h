/* schema.h: the catalogue's schema, one step of SQL a version. docs/formats.md explains tables and columns. */
#ifndef PD_STORE_SCHEMA_H
#define PD_STORE_SCHEMA_H

#include <stddef.h>

#define PD_SCHEMA_COLOUR_BYTES 4 /* content.colours: red, green, blue, per cent; the largest share first */

#define PD_SCHEMA_STEP_PARTS 2 /* a compiler need not take a string of more than 4,095 bytes; NULL: none */
extern const char *const pd_schema_steps[][PD_SCHEMA_STEP_PARTS]; /* [i] brings version i to i + 1 */
extern const size_t pd_schema_n_steps;

/* Reading works from this version on: later steps make things faster, or add what the statements for older catalogues
 * (stmt.c) do without. */
#define PD_SCHEMA_READABLE 1
#define PD_SCHEMA_TEXTS 3   /* content_text and what came with it */
#define PD_SCHEMA_WORK 4    /* the user's work, full text, changes */
#define PD_SCHEMA_MACHINE 5 /* settings, what machines write */

/* machine_text.kind. Pinned, as pd_text_where is: label.place. */
#define PD_SCHEMA_MACHINE_TAG 1
#define PD_SCHEMA_MACHINE_CAPTION 2

/* photo_change.marks */
#define PD_SCHEMA_RATED 1
#define PD_SCHEMA_FAVORITE 2
#define PD_SCHEMA_HAS_TAG 4
#define PD_SCHEMA_HAS_CAPTION 8
#define PD_SCHEMA_HAS_ALBUM 16

/* The name of a photo's file: what follows the last slash. Paths are bytes; rtrim and substr count a malformed one
 * alike. Queries must say it as the index does, so that it is used. */
#define PD_SCHEMA_NAME PD_SCHEMA_NAME_OF("path")
#define PD_SCHEMA_NAME_OF(path)                                                                                    \
    "substr(CAST(" path " AS TEXT), 1 + length(rtrim(CAST(" path " AS TEXT), replace(CAST(" path " AS TEXT), '/'," \
    " ' '))))"

#endif
