#include "base/json.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"

#define REAL_DIGITS 10          /* significant digits written for numbers with a fraction */
#define INTEGER_REAL_MAX 0x1p53 /* up to here every integer is a double of its own */

/* What a parse has left when memory runs out. jansson (2.14) does not look whether the buffer of the word that it reads
 * could grow: it would decode a word whose end is missing, and read on behind it. So what fails for the first time, and
 * all that jansson still asks for until it finds the end of its input (which comes at once then), is given from here,
 * and the result is thrown away. Its allocator has no argument of ours: hence one for each thread. */
static _Thread_local struct {
    uint8_t *bytes; /* NULL: nobody parses */
    size_t size, used;
    bool failed;
} reserve;

#define RESERVE_BYTES ((size_t)64 << 10) /* for the objects of READ_AT_ONCE bytes of JSON */
#define READ_AT_ONCE 256

static void *json_malloc(size_t size)
{
    void *ptr = pd_mem_alloc(size, 1);
    if (ptr || !reserve.bytes)
        return ptr;
    reserve.failed = true;
    const size_t need = (size + 15) & ~(size_t)15;
    if (need < size || need > reserve.size - reserve.used)
        return NULL;
    ptr = reserve.bytes + reserve.used;
    reserve.used += need;
    return ptr;
}

static void json_free(void *ptr)
{
    const uint8_t *byte = ptr;
    if (!reserve.bytes || byte < reserve.bytes || byte >= reserve.bytes + reserve.size)
        pd_mem_free(ptr);
}

static void use_own_allocator(void) { json_set_alloc_funcs(json_malloc, json_free); }

static void prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, use_own_allocator);
}

static json_t *inner(pd_json *json) { return (json_t *)json; }
static const json_t *inner_const(const pd_json *json) { return (const json_t *)json; }
static pd_json *outer(json_t *json) { return (pd_json *)json; }

/* The most bytes without a quote between them that is no escape: no word or number is longer. */
static size_t longest_token(const char *text, size_t len)
{
    size_t longest = 0, from = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\')
            i++;
        else if (text[i] == '"') {
            longest = i - from > longest ? i - from : longest;
            from = i;
        }
    }
    return len - from > longest ? len - from : longest;
}

typedef struct source {
    const char *text;
    size_t len;
} source;

/* jansson's input: a piece of the text, or its end. */
static size_t take_piece(void *buffer, size_t size, void *data)
{
    source *from = data;
    size_t n = from->len < size ? from->len : size;
    if (reserve.failed)
        return 0;
    n = n < READ_AT_ONCE ? n : READ_AT_ONCE;
    memcpy(buffer, from->text, n);
    from->text += n;
    from->len -= n;
    return n;
}

static json_t *load(const char *text, size_t len, json_error_t *ret_where)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *json = json_load_callback(take_piece, &(source){ text, len }, flags, ret_where);
    if (!json && json_error_code(ret_where) == json_error_numeric_overflow)
        json = json_load_callback(take_piece, &(source){ text, len }, flags | JSON_DECODE_INT_AS_REAL, ret_where);
    return json;
}

pd_status pd_json_parse(pd_json **ret_json, const char *text, size_t len, pd_error *err)
{
    prepare();
    if (len > PD_JSON_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "JSON text is longer than %zu bytes", PD_JSON_BYTES_MAX);
    json_error_t where;
    reserve.used = 0;
    reserve.failed = false;
    reserve.size = RESERVE_BYTES + 6 * longest_token(text, len); /* a buffer that doubles, what it was, and its text */
    reserve.bytes = pd_mem_realloc(NULL, reserve.size, 1);
    if (!reserve.bytes)
        return pd_error_set_nomem(err);
    json_t *json = load(text, len, &where);
    if (reserve.failed) {
        json_decref(json);
        json = NULL;
    }
    pd_mem_free(reserve.bytes);
    reserve.bytes = NULL;
    if (reserve.failed)
        return pd_error_set_nomem(err);
    if (!json)
        return pd_error_set(err, PD_ERR_FORMAT, "not valid JSON: line %d, column %d: %s", where.line, where.column,
                            where.text);
    *ret_json = outer(json);
    return PD_OK;
}

void pd_json_free(pd_json **json)
{
    json_decref(inner(*json));
    *json = NULL;
}

const pd_json *pd_json_get(const pd_json *object, const char *key)
{
    return outer(json_object_get(inner_const(object), key));
}

const pd_json *pd_json_at(const pd_json *array, size_t index)
{
    return outer(json_array_get(inner_const(array), index));
}

bool pd_json_is_object(const pd_json *json) { return json_is_object(inner_const(json)); }
bool pd_json_is_array(const pd_json *json) { return json_is_array(inner_const(json)); }
bool pd_json_is_null(const pd_json *json) { return !json || json_is_null(inner_const(json)); }

size_t pd_json_count(const pd_json *json)
{
    return pd_json_is_array(json) ? json_array_size(inner_const(json)) : json_object_size(inner_const(json));
}

bool pd_json_read_string(const pd_json *json, pd_str *ret_str)
{
    if (!json_is_string(inner_const(json)))
        return false;
    *ret_str = (pd_str){ json_string_value(inner_const(json)), json_string_length(inner_const(json)) };
    return true;
}

bool pd_json_read_int(const pd_json *json, int64_t *ret_value)
{
    const double real = json_real_value(inner_const(json));
    if (json_is_integer(inner_const(json)))
        *ret_value = json_integer_value(inner_const(json));
    else if (json_is_real(inner_const(json)) && fabs(real) <= INTEGER_REAL_MAX && real == trunc(real))
        *ret_value = (int64_t)real;
    else
        return false;
    return true;
}

bool pd_json_read_number(const pd_json *json, double *ret_value)
{
    if (!json_is_number(inner_const(json)))
        return false;
    *ret_value = json_number_value(inner_const(json));
    return true;
}

bool pd_json_read_bool(const pd_json *json, bool *ret_value)
{
    if (!json_is_boolean(inner_const(json)))
        return false;
    *ret_value = json_is_true(inner_const(json));
    return true;
}

bool pd_json_next(const pd_json *object, void **iterator, pd_str *ret_key, const pd_json **ret_value)
{
    /* jansson's iterator wants a mutable object but does not change it */
    json_t *json = (json_t *)(uintptr_t)object;
    *iterator = *iterator ? json_object_iter_next(json, *iterator) : json_object_iter(json);
    if (!*iterator)
        return false;
    *ret_key = pd_str_of(json_object_iter_key(*iterator));
    *ret_value = outer(json_object_iter_value(*iterator));
    return true;
}

pd_json *pd_json_object(void)
{
    prepare();
    return outer(json_object());
}

pd_json *pd_json_array(void)
{
    prepare();
    return outer(json_array());
}

pd_json *pd_json_string(const char *text, size_t len)
{
    prepare();
    if (pd_utf8_valid(text, len))
        return outer(json_stringn_nocheck(text, len));
    pd_buf clean;
    pd_buf_init(&clean, PD_JSON_BYTES_MAX);
    pd_json *json = NULL;
    if (pd_utf8_append_clean(&clean, text, len) == PD_OK)
        json = outer(json_stringn_nocheck(clean.data, clean.len));
    pd_buf_done(&clean);
    return json;
}

pd_json *pd_json_int(int64_t value)
{
    prepare();
    return outer(json_integer(value));
}

pd_json *pd_json_number(double value)
{
    prepare();
    return outer(isfinite(value) ? json_real(value) : json_null());
}

pd_json *pd_json_bool(bool value) { return outer(json_boolean(value)); }
pd_json *pd_json_null(void) { return outer(json_null()); }

pd_status pd_json_set_take(pd_json *object, const char *key, pd_json *value)
{
    return value && json_object_set_new_nocheck(inner(object), key, inner(value)) == 0 ? PD_OK : PD_ERR_NOMEM;
}

pd_status pd_json_append_take(pd_json *array, pd_json *value)
{
    return value && json_array_append_new(inner(array), inner(value)) == 0 ? PD_OK : PD_ERR_NOMEM;
}

pd_status pd_json_set_text(pd_json *object, const char *key, const char *text)
{
    return pd_json_set_take(object, key, text ? pd_json_string(text, pd_str_of(text).len) : pd_json_null());
}

pd_status pd_json_set_int(pd_json *object, const char *key, int64_t value)
{
    return pd_json_set_take(object, key, pd_json_int(value));
}

pd_status pd_json_set_number(pd_json *object, const char *key, double value)
{
    return pd_json_set_take(object, key, pd_json_number(value));
}

pd_status pd_json_set_bool(pd_json *object, const char *key, bool value)
{
    return pd_json_set_take(object, key, pd_json_bool(value));
}

static int append_to_buf(const char *text, size_t len, void *user)
{
    return pd_buf_append(user, text, len) == PD_OK ? 0 : -1;
}

pd_status pd_json_write(const pd_json *json, bool pretty, pd_buf *buf)
{
    const size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS) | (pretty ? JSON_INDENT(2) : JSON_COMPACT);
    if (json_dump_callback(inner_const(json), append_to_buf, buf, flags) == 0)
        return PD_OK;
    return buf->status != PD_OK ? buf->status : PD_ERR_NOMEM;
}
