/* json.h: JSON documents, read with limits and written. The only room that knows jansson is this file's .c.
 *
 * A pd_json is reference-counted below; here it is simply owned: what a function named _take or a constructor's result
 * gives to a container belongs to the container. Constructors return NULL when out of memory, and the setters accept
 * NULL (value or container) and return PD_ERR_NOMEM then, so that a builder may be written without a check per line.
 * One thread at a time. */
#ifndef PD_BASE_JSON_H
#define PD_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef struct pd_json pd_json; /* any value */

#define PD_JSON_BYTES_MAX ((size_t)256 << 20) /* longest text accepted by pd_json_parse */

/* Parses a whole document (any value at the top); duplicate keys, trailing bytes and nesting beyond jansson's 2,048
 * levels are refused with PD_ERR_FORMAT and the place. Free with pd_json_free. Integers beyond 64 bits are numbers as
 * any other (Hugging Face files have 1e30 written out as "no limit"). */
PD_MUST_USE pd_status pd_json_parse(pd_json **ret_json, const char *text, size_t len, pd_error *err);
void pd_json_free(pd_json **json); /* NULL-safe; nulls */

/* Readers. All accept NULL and values of another kind, and then say so. Borrowed from `json`. */
const pd_json *pd_json_get(const pd_json *object, const char *key); /* NULL when absent */
const pd_json *pd_json_at(const pd_json *array, size_t index);
bool pd_json_is_object(const pd_json *json);
bool pd_json_is_array(const pd_json *json);
bool pd_json_is_null(const pd_json *json); /* true for JSON null and for a NULL pointer */
size_t pd_json_count(const pd_json *json); /* elements of an array or object; 0 for others */
bool pd_json_read_string(const pd_json *json, pd_str *ret_str);
bool pd_json_read_int(const pd_json *json, int64_t *ret_value);   /* 2.0 too, up to 2^53 */
bool pd_json_read_number(const pd_json *json, double *ret_value); /* integers too */
bool pd_json_read_bool(const pd_json *json, bool *ret_value);

/* Members of an object in file order: start with *iterator NULL; false at the end. */
bool pd_json_next(const pd_json *object, void **iterator, pd_str *ret_key, const pd_json **ret_value);

/* Constructors. Strings may hold any bytes: malformed UTF-8 becomes U+FFFD. */
PD_MUST_USE pd_json *pd_json_object(void);
PD_MUST_USE pd_json *pd_json_array(void);
PD_MUST_USE pd_json *pd_json_string(const char *text, size_t len);
PD_MUST_USE pd_json *pd_json_int(int64_t value);
PD_MUST_USE pd_json *pd_json_number(double value); /* not finite: null */
PD_MUST_USE pd_json *pd_json_bool(bool value);
PD_MUST_USE pd_json *pd_json_null(void);

/* Puts `value`, taking it in every case, also on failure. */
pd_status pd_json_set_take(pd_json *object, const char *key, pd_json *value);
pd_status pd_json_append_take(pd_json *array, pd_json *value);

/* Short forms for what answers are made of. text NULL gives null. */
pd_status pd_json_set_text(pd_json *object, const char *key, const char *text);
pd_status pd_json_set_int(pd_json *object, const char *key, int64_t value);
pd_status pd_json_set_number(pd_json *object, const char *key, double value);
pd_status pd_json_set_bool(pd_json *object, const char *key, bool value);

/* Appends the text of `json`; indented by 2 when `pretty`, else one line. Keys stay in the order they were set. */
PD_MUST_USE pd_status pd_json_write(const pd_json *json, bool pretty, pd_buf *buf);

#endif
