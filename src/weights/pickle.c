/* pickle.c: the machine. Every opcode takes at least a byte of the pickle and makes at most one value, so work and
 * memory are bounded by its length; PD_PICKLE_VALUES_MAX bounds them once more. */
#include "weights/pickle.h"

#include <string.h>

#include "base/mem.h"

enum {
    PROTOCOL = 2,
    MARK = -1,          /* on the stack, between values */
    GLOBAL_BYTES = 200, /* of a module or a name */
    NAME_BYTES = 500,   /* of a tensor */
};

typedef enum value_kind {
    VALUE_PLAIN, /* None, a truth value, a float, a list: nothing that a tensor needs to know */
    VALUE_INT,
    VALUE_TEXT,
    VALUE_TUPLE,
    VALUE_DICT,
    VALUE_GLOBAL,
    VALUE_STORAGE,
    VALUE_TENSOR,
} value_kind;

typedef enum global_kind { GLOBAL_ORDERED_DICT, GLOBAL_TENSOR, GLOBAL_PARAMETER, GLOBAL_STORAGE } global_kind;

/* The names that a state_dict may use, and what they stand for. */
typedef struct global {
    const char *module, *name;
    global_kind kind;
    pd_dtype dtype; /* of a storage */
} global;

static const global globals[] = {
    { "collections", "OrderedDict", GLOBAL_ORDERED_DICT, 0 },
    { "torch._utils", "_rebuild_tensor_v2", GLOBAL_TENSOR, 0 },
    { "torch._utils", "_rebuild_parameter", GLOBAL_PARAMETER, 0 },
    { "torch", "FloatStorage", GLOBAL_STORAGE, PD_DTYPE_F32 },
    { "torch", "HalfStorage", GLOBAL_STORAGE, PD_DTYPE_F16 },
    { "torch", "BFloat16Storage", GLOBAL_STORAGE, PD_DTYPE_BF16 },
    { "torch", "DoubleStorage", GLOBAL_STORAGE, PD_DTYPE_F64 },
    { "torch", "LongStorage", GLOBAL_STORAGE, PD_DTYPE_I64 },
    { "torch", "IntStorage", GLOBAL_STORAGE, PD_DTYPE_I32 },
    { "torch", "ShortStorage", GLOBAL_STORAGE, PD_DTYPE_I16 },
    { "torch", "CharStorage", GLOBAL_STORAGE, PD_DTYPE_I8 },
    { "torch", "ByteStorage", GLOBAL_STORAGE, PD_DTYPE_U8 },
    { "torch", "BoolStorage", GLOBAL_STORAGE, PD_DTYPE_BOOL },
};

/* One value; which fields mean something is a matter of its kind. */
typedef struct value {
    value_kind kind;
    int32_t first;  /* tuple: its first item; dict: its last pair, or NONE; storage, tensor: its place in the tensors */
    uint32_t n;     /* tuple: items; text: bytes */
    int64_t number; /* int; global: its place in the table; text: its place in the pickle */
} value;

/* A pair of a dict; they hang together last to first. */
typedef struct pair {
    int32_t key, value; /* values */
    int32_t before;     /* of the same dict; NONE at its end */
} pair;

enum { NONE = -1 };

/* A table that grows up to a limit. */
typedef struct table {
    void *rows;
    size_t n, capacity, n_max, row_bytes;
} table;

typedef struct machine {
    const uint8_t *bytes;
    size_t len, at;
    size_t opcode_at; /* of the opcode that runs */
    table values;     /* value */
    table stack;      /* int32_t: values and MARKs */
    table memo;       /* int32_t: values; NONE where nothing was put */
    table items;      /* int32_t: of tuples */
    table pairs;      /* pair */
    table tensors;    /* pd_pickled_tensor: tensors, and the storages that they are made from */
    bool stopped;
    pd_error *err;
} machine;

static pd_status refuse(const machine *m, const char *what)
{
    return pd_error_set(m->err, PD_ERR_FORMAT, "byte %zu of its pickle: %s", m->opcode_at, what);
}

/* Adds n rows at the end of a table; what is in them is not said. */
static pd_status extend(machine *m, table *t, size_t n)
{
    if (n > t->n_max - t->n)
        return pd_error_set(m->err, PD_ERR_LIMIT, "byte %zu of its pickle: more than %zu values", m->opcode_at,
                            t->n_max);
    if (t->n + n > t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 256;
        while (capacity < t->n + n)
            capacity *= 2;
        void *rows = pd_mem_realloc(t->rows, capacity, t->row_bytes);
        if (!rows)
            return pd_error_set_nomem(m->err);
        t->rows = rows;
        t->capacity = capacity;
    }
    t->n += n;
    return PD_OK;
}

static value *value_at(const machine *m, int32_t index) { return (value *)m->values.rows + index; }
static pd_pickled_tensor *tensor_at(const machine *m, int32_t index)
{
    return (pd_pickled_tensor *)m->tensors.rows + index;
}

static pd_status push(machine *m, int32_t index)
{
    PD_TRY(extend(m, &m->stack, 1));
    ((int32_t *)m->stack.rows)[m->stack.n - 1] = index;
    return PD_OK;
}

static pd_status push_value(machine *m, value made)
{
    PD_TRY(extend(m, &m->values, 1));
    const int32_t index = (int32_t)(m->values.n - 1);
    *value_at(m, index) = made;
    return push(m, index);
}

static pd_status pop(machine *m, int32_t *ret_index)
{
    const int32_t *stack = m->stack.rows;
    if (m->stack.n == 0 || stack[m->stack.n - 1] == MARK)
        return refuse(m, "the stack is empty");
    *ret_index = stack[--m->stack.n];
    return PD_OK;
}

static pd_status pop_kind(machine *m, value_kind kind, const char *what, int32_t *ret_index)
{
    PD_TRY(pop(m, ret_index));
    return value_at(m, *ret_index)->kind == kind ? PD_OK : refuse(m, what);
}

/* Takes everything above the last mark, and the mark, off the stack. *ret_items: good until the next push. */
static pd_status pop_to_mark(machine *m, const int32_t **ret_items, size_t *ret_n)
{
    const int32_t *stack = m->stack.rows;
    size_t first = m->stack.n;
    while (first > 0 && stack[first - 1] != MARK)
        first--;
    if (first == 0)
        return refuse(m, "there is no mark on the stack");
    *ret_items = stack + first;
    *ret_n = m->stack.n - first;
    m->stack.n = first - 1;
    return PD_OK;
}

static pd_status take_bytes(machine *m, size_t n, const uint8_t **ret_bytes)
{
    if (n > m->len - m->at)
        return refuse(m, "it is cut short");
    *ret_bytes = m->bytes + m->at;
    m->at += n;
    return PD_OK;
}

static pd_status take_number(machine *m, size_t n, uint64_t *ret_number)
{
    const uint8_t *bytes;
    PD_TRY(take_bytes(m, n, &bytes));
    uint64_t number = 0;
    for (size_t i = 0; i < n; i++)
        number |= (uint64_t)bytes[i] << 8 * i;
    *ret_number = number;
    return PD_OK;
}

static pd_status run_protocol(machine *m)
{
    uint64_t protocol;
    PD_TRY(take_number(m, 1, &protocol));
    if (protocol == PROTOCOL)
        return PD_OK;
    return pd_error_set(m->err, PD_ERR_UNSUPPORTED,
                        "its pickle is of protocol %u; PyTorch's own %d is read: save it again without pickle_protocol",
                        (unsigned)protocol, PROTOCOL);
}

static pd_status run_stop(machine *m)
{
    m->stopped = true;
    return PD_OK;
}

static pd_status run_mark(machine *m) { return push(m, MARK); }
static pd_status run_plain(machine *m) { return push_value(m, (value){ .kind = VALUE_PLAIN }); }
static pd_status run_dict(machine *m) { return push_value(m, (value){ .kind = VALUE_DICT, .first = NONE }); }
static pd_status run_empty_tuple(machine *m) { return push_value(m, (value){ .kind = VALUE_TUPLE }); }

static pd_status run_float(machine *m)
{
    const uint8_t *ignored;
    PD_TRY(take_bytes(m, 8, &ignored));
    return run_plain(m);
}

/* A whole number of n bytes, of two's complement when is_signed. */
static pd_status push_number(machine *m, size_t n, bool is_signed)
{
    uint64_t number;
    PD_TRY(take_number(m, n, &number));
    if (is_signed && n > 0 && n < 8 && number >> (8 * n - 1))
        number |= UINT64_MAX << 8 * n;
    return push_value(m, (value){ .kind = VALUE_INT, .number = (int64_t)number });
}

static pd_status run_int4(machine *m) { return push_number(m, 4, true); }
static pd_status run_int1(machine *m) { return push_number(m, 1, false); }
static pd_status run_int2(machine *m) { return push_number(m, 2, false); }

static pd_status run_long(machine *m)
{
    uint64_t n;
    PD_TRY(take_number(m, 1, &n));
    return n > 8 ? refuse(m, "a number of more than 64 bits") : push_number(m, (size_t)n, true);
}

static pd_status run_text(machine *m)
{
    const uint8_t *bytes;
    uint64_t n;
    PD_TRY(take_number(m, 4, &n));
    PD_TRY(take_bytes(m, (size_t)n, &bytes));
    return push_value(m, (value){ .kind = VALUE_TEXT, .n = (uint32_t)n, .number = bytes - m->bytes });
}

static pd_str text_of(const machine *m, int32_t index)
{
    const value *text = value_at(m, index);
    return (pd_str){ (const char *)m->bytes + text->number, text->n };
}

static pd_status push_tuple(machine *m, const int32_t *from, size_t n)
{
    const size_t first = m->items.n;
    PD_TRY(extend(m, &m->items, n));
    if (n > 0)
        memcpy((int32_t *)m->items.rows + first, from, n * sizeof *from);
    return push_value(m, (value){ .kind = VALUE_TUPLE, .first = (int32_t)first, .n = (uint32_t)n });
}

static pd_status run_tuple(machine *m)
{
    const int32_t *items;
    size_t n;
    PD_TRY(pop_to_mark(m, &items, &n));
    return push_tuple(m, items, n);
}

static pd_status push_short_tuple(machine *m, size_t n)
{
    int32_t items[3];
    for (size_t i = n; i-- > 0;)
        PD_TRY(pop(m, &items[i]));
    return push_tuple(m, items, n);
}

static pd_status run_tuple1(machine *m) { return push_short_tuple(m, 1); }
static pd_status run_tuple2(machine *m) { return push_short_tuple(m, 2); }
static pd_status run_tuple3(machine *m) { return push_short_tuple(m, 3); }

/* Lists are looked at by nobody: their items are let go. */
static pd_status run_append(machine *m)
{
    int32_t item, list;
    PD_TRY(pop(m, &item));
    PD_TRY(pop_kind(m, VALUE_PLAIN, "something is appended to what is no list", &list));
    return push(m, list);
}

static pd_status run_appends(machine *m)
{
    const int32_t *items;
    size_t n;
    int32_t list;
    PD_TRY(pop_to_mark(m, &items, &n));
    PD_TRY(pop_kind(m, VALUE_PLAIN, "something is appended to what is no list", &list));
    return push(m, list);
}

static pd_status add_pair(machine *m, int32_t dict, int32_t key, int32_t of_key)
{
    const int32_t index = (int32_t)m->pairs.n;
    PD_TRY(extend(m, &m->pairs, 1));
    ((pair *)m->pairs.rows)[index] = (pair){ .key = key, .value = of_key, .before = value_at(m, dict)->first };
    value_at(m, dict)->first = index;
    return PD_OK;
}

static const char no_dict[] = "a key is set in what is no dict";

static pd_status run_set_item(machine *m)
{
    int32_t key, of_key, dict;
    PD_TRY(pop(m, &of_key));
    PD_TRY(pop(m, &key));
    PD_TRY(pop_kind(m, VALUE_DICT, no_dict, &dict));
    PD_TRY(add_pair(m, dict, key, of_key));
    return push(m, dict);
}

static pd_status run_set_items(machine *m)
{
    const int32_t *items;
    size_t n;
    int32_t dict;
    PD_TRY(pop_to_mark(m, &items, &n));
    PD_TRY(pop_kind(m, VALUE_DICT, no_dict, &dict));
    if (n % 2)
        return refuse(m, "a key without a value");
    for (size_t i = 0; i < n; i += 2)
        PD_TRY(add_pair(m, dict, items[i], items[i + 1]));
    return push(m, dict);
}

static pd_status put(machine *m, uint64_t index)
{
    const int32_t *stack = m->stack.rows;
    const size_t had = m->memo.n;
    if (m->stack.n == 0 || stack[m->stack.n - 1] == MARK)
        return refuse(m, "the stack is empty");
    if (index >= had) { /* nothing lies between the end of the table and `index` */
        PD_TRY(extend(m, &m->memo, (size_t)(index - had) + 1));
        for (size_t i = had; i <= index; i++)
            ((int32_t *)m->memo.rows)[i] = NONE;
    }
    ((int32_t *)m->memo.rows)[index] = stack[m->stack.n - 1];
    return PD_OK;
}

static pd_status get(machine *m, uint64_t index)
{
    const int32_t *rows = m->memo.rows;
    if (index >= m->memo.n || rows[index] == NONE)
        return refuse(m, "a value is recalled that was never remembered");
    return push(m, rows[index]);
}

static pd_status run_put(machine *m)
{
    uint64_t index;
    PD_TRY(take_number(m, 1, &index));
    return put(m, index);
}

static pd_status run_long_put(machine *m)
{
    uint64_t index;
    PD_TRY(take_number(m, 4, &index));
    return put(m, index);
}

static pd_status run_get(machine *m)
{
    uint64_t index;
    PD_TRY(take_number(m, 1, &index));
    return get(m, index);
}

static pd_status run_long_get(machine *m)
{
    uint64_t index;
    PD_TRY(take_number(m, 4, &index));
    return get(m, index);
}

static pd_status take_line(machine *m, pd_str *ret_line)
{
    const size_t left = m->len - m->at;
    const char *start = (const char *)m->bytes + m->at, *end = memchr(start, '\n', left);
    if (!end)
        return refuse(m, "a name does not end");
    if (end - start > GLOBAL_BYTES)
        return refuse(m, "a name is too long");
    for (const char *c = start; c < end; c++)
        if (*c <= ' ' || *c > '~')
            return refuse(m, "a name is no plain text");
    *ret_line = (pd_str){ start, (size_t)(end - start) };
    m->at += ret_line->len + 1;
    return PD_OK;
}

/* Here is where a hostile file would name what it wants to have run. */
static pd_status run_global(machine *m)
{
    pd_str module, name;
    PD_TRY(take_line(m, &module));
    PD_TRY(take_line(m, &name));
    for (size_t i = 0; i < PD_COUNT_OF(globals); i++)
        if (pd_str_equal(module, pd_str_of(globals[i].module)) && pd_str_equal(name, pd_str_of(globals[i].name)))
            return push_value(m, (value){ .kind = VALUE_GLOBAL, .number = (int64_t)i });
    return pd_error_set(m->err, PD_ERR_UNSUPPORTED,
                        "its pickle names '%.*s.%.*s', which is no part of a table of tensors; nothing of it was run, "
                        "and nothing ever is: take the model's safetensors",
                        (int)module.len, module.ptr, (int)name.len, name.ptr);
}

static const global *global_of(const machine *m, int32_t index)
{
    const value *named = value_at(m, index);
    return named->kind == VALUE_GLOBAL ? &globals[named->number] : NULL;
}

static int32_t item_of(const machine *m, const value *tuple, size_t i)
{
    return ((const int32_t *)m->items.rows)[(size_t)tuple->first + i];
}

static pd_status push_tensor(machine *m, value_kind kind, const pd_pickled_tensor *tensor)
{
    const int32_t index = (int32_t)m->tensors.n;
    PD_TRY(extend(m, &m->tensors, 1));
    *tensor_at(m, index) = *tensor;
    return push_value(m, (value){ .kind = kind, .first = index });
}

/* ("storage", type, name of the file, device, elements) */
static pd_status run_persistent_id(machine *m)
{
    static const char wrong[] = "a storage is not described as PyTorch does it";
    int32_t index;
    PD_TRY(pop_kind(m, VALUE_TUPLE, wrong, &index));
    const value tuple = *value_at(m, index);
    if (tuple.n != 5)
        return refuse(m, wrong);
    const int32_t word = item_of(m, &tuple, 0), file = item_of(m, &tuple, 2);
    const global *type = global_of(m, item_of(m, &tuple, 1));
    const value *count = value_at(m, item_of(m, &tuple, 4));
    if (value_at(m, word)->kind != VALUE_TEXT || !pd_str_equal(text_of(m, word), pd_str_of("storage")) || !type ||
        type->kind != GLOBAL_STORAGE || value_at(m, file)->kind != VALUE_TEXT || count->kind != VALUE_INT ||
        count->number < 0)
        return refuse(m, wrong);
    return push_tensor(m, VALUE_STORAGE,
                       &(pd_pickled_tensor){ .storage = text_of(m, file),
                                             .dtype = type->dtype,
                                             .storage_count = (uint64_t)count->number });
}

/* A tuple of sizes or strides. */
static bool read_extents(const machine *m, int32_t index, uint64_t ret_extents[PD_TENSOR_RANK_MAX], size_t *ret_rank)
{
    const value *tuple = value_at(m, index);
    if (tuple->kind != VALUE_TUPLE || tuple->n > PD_TENSOR_RANK_MAX)
        return false;
    for (size_t i = 0; i < tuple->n; i++) {
        const value *extent = value_at(m, item_of(m, tuple, i));
        if (extent->kind != VALUE_INT || extent->number < 0)
            return false;
        ret_extents[i] = (uint64_t)extent->number;
    }
    *ret_rank = tuple->n;
    return true;
}

/* (storage, first element, size, stride, requires_grad, hooks), and perhaps metadata */
static pd_status rebuild_tensor(machine *m, const value *args)
{
    static const char wrong[] = "a tensor is not described as PyTorch does it";
    if (args->n < 6 || args->n > 7)
        return refuse(m, wrong);
    const value *storage = value_at(m, item_of(m, args, 0)), *first = value_at(m, item_of(m, args, 1));
    if (storage->kind != VALUE_STORAGE || first->kind != VALUE_INT || first->number < 0)
        return refuse(m, wrong);
    pd_pickled_tensor tensor = *tensor_at(m, storage->first);
    size_t n_strides = 0;
    tensor.first = (uint64_t)first->number;
    if (!read_extents(m, item_of(m, args, 2), tensor.shape, &tensor.rank) ||
        !read_extents(m, item_of(m, args, 3), tensor.stride, &n_strides) || n_strides != tensor.rank)
        return refuse(m, wrong);
    return push_tensor(m, VALUE_TENSOR, &tensor);
}

/* (tensor, requires_grad, hooks): a parameter is its tensor. */
static pd_status rebuild_parameter(machine *m, const value *args)
{
    if (args->n != 3 || value_at(m, item_of(m, args, 0))->kind != VALUE_TENSOR)
        return refuse(m, "a parameter is not described as PyTorch does it");
    return push(m, item_of(m, args, 0));
}

static pd_status run_reduce(machine *m)
{
    int32_t args_at, called_at;
    PD_TRY(pop_kind(m, VALUE_TUPLE, "a call without a tuple of arguments", &args_at));
    PD_TRY(pop_kind(m, VALUE_GLOBAL, "what is called is no name", &called_at));
    const value args = *value_at(m, args_at);
    const global *called = global_of(m, called_at);
    switch (called->kind) {
    case GLOBAL_TENSOR: return rebuild_tensor(m, &args);
    case GLOBAL_PARAMETER: return rebuild_parameter(m, &args);
    case GLOBAL_ORDERED_DICT:
        if (args.n == 0)
            return run_dict(m);
        return refuse(m, "an OrderedDict is made from something");
    case GLOBAL_STORAGE: break;
    }
    return refuse(m, "a type of storages is called");
}

/* Attributes of an OrderedDict: PyTorch keeps versions of modules there. */
static pd_status run_build(machine *m)
{
    int32_t ignored, dict;
    PD_TRY(pop(m, &ignored));
    PD_TRY(pop_kind(m, VALUE_DICT, "attributes are set of what is no dict", &dict));
    return push(m, dict);
}

/* What may be in a pickle. An opcode without a row is refused; some of these have names that help. */
static const struct {
    pd_status (*run)(machine *m); /* NULL: refused */
    const char *name;
} opcodes[256] = {
    ['('] = { run_mark, "MARK" },
    [')'] = { run_empty_tuple, "EMPTY_TUPLE" },
    ['.'] = { run_stop, "STOP" },
    ['G'] = { run_float, "BINFLOAT" },
    ['J'] = { run_int4, "BININT" },
    ['K'] = { run_int1, "BININT1" },
    ['M'] = { run_int2, "BININT2" },
    ['N'] = { run_plain, "NONE" },
    ['Q'] = { run_persistent_id, "BINPERSID" },
    ['R'] = { run_reduce, "REDUCE" },
    ['X'] = { run_text, "BINUNICODE" },
    [']'] = { run_plain, "EMPTY_LIST" },
    ['a'] = { run_append, "APPEND" },
    ['b'] = { run_build, "BUILD" },
    ['c'] = { run_global, "GLOBAL" },
    ['e'] = { run_appends, "APPENDS" },
    ['h'] = { run_get, "BINGET" },
    ['j'] = { run_long_get, "LONG_BINGET" },
    ['q'] = { run_put, "BINPUT" },
    ['r'] = { run_long_put, "LONG_BINPUT" },
    ['s'] = { run_set_item, "SETITEM" },
    ['t'] = { run_tuple, "TUPLE" },
    ['u'] = { run_set_items, "SETITEMS" },
    ['}'] = { run_dict, "EMPTY_DICT" },
    [0x80] = { run_protocol, "PROTO" },
    [0x85] = { run_tuple1, "TUPLE1" },
    [0x86] = { run_tuple2, "TUPLE2" },
    [0x87] = { run_tuple3, "TUPLE3" },
    [0x88] = { run_plain, "NEWTRUE" },
    [0x89] = { run_plain, "NEWFALSE" },
    [0x8a] = { run_long, "LONG1" },
    ['i'] = { NULL, "INST" },
    ['o'] = { NULL, "OBJ" },
    ['P'] = { NULL, "PERSID" },
    [0x81] = { NULL, "NEWOBJ" },
    [0x82] = { NULL, "EXT1" },
    [0x83] = { NULL, "EXT2" },
    [0x84] = { NULL, "EXT4" },
    [0x92] = { NULL, "NEWOBJ_EX" },
    [0x93] = { NULL, "STACK_GLOBAL" },
};

static pd_status run(machine *m)
{
    while (!m->stopped) {
        m->opcode_at = m->at;
        if (m->at == m->len)
            return refuse(m, "it is cut short");
        const uint8_t opcode = m->bytes[m->at++];
        if (!opcodes[opcode].run)
            return pd_error_set(m->err, PD_ERR_UNSUPPORTED,
                                "byte %zu of its pickle: opcode 0x%02x%s%s is no part of a table of tensors; nothing "
                                "was run: take the model's safetensors",
                                m->opcode_at, opcode, opcodes[opcode].name ? " " : "",
                                opcodes[opcode].name ? opcodes[opcode].name : "");
        PD_TRY(opcodes[opcode].run(m));
    }
    return m->at == m->len ? PD_OK : refuse(m, "there is more behind its end");
}

static size_t count_pairs(const machine *m, const value *dict)
{
    size_t n = 0;
    for (int32_t at = dict->first; at != NONE; at = ((const pair *)m->pairs.rows)[at].before)
        n++;
    return n;
}

/* The tensors of the dict that is left on the stack, in its order. */
static pd_status collect(machine *m, pd_pickled_tensor **ret_tensors, size_t *ret_n)
{
    int32_t top;
    PD_TRY(pop_kind(m, VALUE_DICT, "it holds no table of tensors", &top));
    const value *dict = value_at(m, top);
    const size_t n_pairs = count_pairs(m, dict);
    pd_pickled_tensor *tensors = pd_mem_alloc(n_pairs, sizeof *tensors);
    if (!tensors)
        return pd_error_set_nomem(m->err);
    size_t n = 0;
    bool is_named = true;
    for (int32_t at = dict->first; at != NONE;) {
        const pair *p = (const pair *)m->pairs.rows + at;
        const value *of_key = value_at(m, p->value);
        at = p->before;
        if (of_key->kind != VALUE_TENSOR || value_at(m, p->key)->kind != VALUE_TEXT)
            continue;
        pd_pickled_tensor *tensor = &tensors[n_pairs - ++n]; /* the last pair comes first */
        *tensor = *tensor_at(m, of_key->first);
        tensor->name = text_of(m, p->key);
        is_named = is_named && tensor->name.len <= NAME_BYTES && !memchr(tensor->name.ptr, '\0', tensor->name.len);
    }
    if (!is_named) {
        pd_mem_free(tensors);
        return pd_error_set(m->err, PD_ERR_LIMIT, "a tensor's name is longer than %d bytes, or no text", NAME_BYTES);
    }
    if (n == 0) {
        pd_mem_free(tensors);
        return pd_error_set(m->err, PD_ERR_UNSUPPORTED,
                            "there are no tensors at the top of it, as in a file that training wrote: save the "
                            "model's state_dict alone");
    }
    memmove(tensors, tensors + (n_pairs - n), n * sizeof *tensors);
    *ret_tensors = tensors;
    *ret_n = n;
    return PD_OK;
}

pd_status pd_pickle_read(const uint8_t *pickle, size_t len, pd_pickled_tensor **ret_tensors, size_t *ret_n,
                         pd_error *err)
{
    if (len > PD_PICKLE_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "its pickle has %zu bytes; at most %zu are allowed", len,
                            PD_PICKLE_BYTES_MAX);
    machine m = { .bytes = pickle,
                  .len = len,
                  .values = { .n_max = PD_PICKLE_VALUES_MAX, .row_bytes = sizeof(value) },
                  .stack = { .n_max = PD_PICKLE_VALUES_MAX, .row_bytes = sizeof(int32_t) },
                  .memo = { .n_max = PD_PICKLE_VALUES_MAX, .row_bytes = sizeof(int32_t) },
                  .items = { .n_max = PD_PICKLE_VALUES_MAX, .row_bytes = sizeof(int32_t) },
                  .pairs = { .n_max = PD_PICKLE_VALUES_MAX, .row_bytes = sizeof(pair) },
                  .tensors = { .n_max = 2 * (size_t)PD_WEIGHTS_TENSORS_MAX, .row_bytes = sizeof(pd_pickled_tensor) },
                  .err = err };
    pd_status status = run(&m);
    if (status == PD_OK)
        status = collect(&m, ret_tensors, ret_n);
    table *const tables[] = { &m.values, &m.stack, &m.memo, &m.items, &m.pairs, &m.tensors };
    for (size_t i = 0; i < PD_COUNT_OF(tables); i++)
        pd_mem_free(tables[i]->rows);
    return status;
}
