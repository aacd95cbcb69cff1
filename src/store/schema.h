/* schema.h: the catalogue's schema, one step of SQL a version. docs/formats.md explains tables and columns. */
#ifndef PD_STORE_SCHEMA_H
#define PD_STORE_SCHEMA_H

#include <stddef.h>

extern const char *const pd_schema_steps[]; /* [i] brings version i to i + 1 */
extern const size_t pd_schema_n_steps;

#endif
