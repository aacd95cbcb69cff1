/* PyTorch's files of weights: one that PyTorch wrote, and archives and pickles made here that must be refused. */
#include "test.h"

#include <sys/mman.h>

#include "weights_fixture.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "weights/weights.h"

#define BIN "one.bin"

/* An archive being written. */
typedef struct archive {
    pd_buf file, directory;
    unsigned n;
    unsigned method; /* that the entries claim */
} archive;

static void put_le(pd_buf *buf, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pd_buf_append(buf, &(uint8_t){ i < sizeof value ? (uint8_t)(value >> 8 * i) : 0 }, 1);
}

static void begin(archive *a)
{
    *a = (archive){ 0 };
    pd_buf_init(&a->file, (size_t)1 << 30);
    pd_buf_init(&a->directory, (size_t)1 << 30);
}

/* The entry's line of the directory, which may lie about where it is and how long. */
static void list_entry(archive *a, const char *name, size_t len, size_t at)
{
    put_le(&a->directory, 0x02014b50, 4);
    put_le(&a->directory, 0, 6);
    put_le(&a->directory, a->method, 2);
    put_le(&a->directory, 0, 8);
    put_le(&a->directory, len, 4);
    put_le(&a->directory, len, 4);
    put_le(&a->directory, strlen(name), 2);
    put_le(&a->directory, 0, 12);
    put_le(&a->directory, at, 4);
    pd_buf_append_string(&a->directory, name);
    a->n++;
}

static void add(archive *a, const char *name, const void *data, size_t len)
{
    list_entry(a, name, len, a->file.len);
    put_le(&a->file, 0x04034b50, 4);
    put_le(&a->file, 0, 22);
    put_le(&a->file, strlen(name), 2);
    put_le(&a->file, 0, 2);
    pd_buf_append_string(&a->file, name);
    pd_buf_append(&a->file, data, len);
}

/* Ends the archive, writes it to BIN and opens that. */
static pd_status end(archive *a, pd_weights **ret_weights, pd_error *err)
{
    const size_t at = a->file.len;
    pd_buf_append(&a->file, a->directory.data, a->directory.len);
    put_le(&a->file, 0x06054b50, 4);
    put_le(&a->file, 0, 4);
    put_le(&a->file, a->n, 2);
    put_le(&a->file, a->n, 2);
    put_le(&a->file, a->directory.len, 4);
    put_le(&a->file, at, 4);
    put_le(&a->file, 0, 2);
    fixture_write(BIN, a->file.data, a->file.len);
    pd_buf_done(&a->file);
    pd_buf_done(&a->directory);
    return pd_weights_open(ret_weights, fixture_path(BIN), err);
}

/* Opens an archive of a pickle and one storage "0" of n bytes 0, 1, 2 ... */
static pd_status open_pickle(const void *pickle, size_t len, size_t n, pd_weights **ret_weights, pd_error *err)
{
    static uint8_t bytes[256];
    archive a;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    begin(&a);
    add(&a, "a/data.pkl", pickle, len);
    add(&a, "a/data/0", bytes, n);
    return end(&a, ret_weights, err);
}

static bool says(pd_status got, pd_status status, const pd_error *err, const char *word)
{
    const bool ok = got == status && err->status == status && strstr(err->message, word) && strstr(err->message, BIN);
    if (!ok)
        fprintf(stderr, "wanted %s, '%s'; got %s: %s\n", pd_status_name(status), word, pd_status_name(got),
                err->message);
    return ok;
}

static bool is_refused_bytes(const void *pickle, size_t len, pd_status status, const char *word)
{
    pd_error err = { 0 };
    pd_weights *weights = NULL;
    const size_t live = pd_mem_live();
    const pd_status got = open_pickle(pickle, len, 16, &weights, &err);
    pd_weights_close(&weights);
    return says(got, status, &err, word) && pd_mem_live() == live;
}
#define is_refused(literal, status, word) is_refused_bytes(literal, sizeof(literal) - 1, status, word)

static void put_text(pd_buf *p, const char *text)
{
    pd_buf_append(p, "X", 1);
    put_le(p, strlen(text), 4);
    pd_buf_append_string(p, text);
}

static void put_number(pd_buf *p, int64_t number)
{
    pd_buf_append(p, "\x8a\x08", 2);
    put_le(p, (uint64_t)number, 8);
}

typedef struct layout {
    int64_t count, first; /* of the storage "0" */
    size_t rank;
    int64_t shape[3], stride[3];
} layout;

static void put_numbers(pd_buf *p, const int64_t *numbers, size_t n)
{
    pd_buf_append(p, "(", 1);
    for (size_t i = 0; i < n; i++)
        put_number(p, numbers[i]);
    pd_buf_append(p, "t", 1);
}

/* "name": a tensor, for a dict that is open behind a mark. */
static void put_tensor(pd_buf *p, const char *name, const char *type, const layout *l)
{
    put_text(p, name);
    pd_buf_append_string(p, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_text(p, "storage");
    pd_buf_appendf(p, "ctorch\n%s\n", type);
    put_text(p, "0");
    put_text(p, "cuda:0");
    put_number(p, l->count);
    pd_buf_append_string(p, "tQ");
    put_number(p, l->first);
    put_numbers(p, l->shape, l->rank);
    put_numbers(p, l->stride, l->rank);
    pd_buf_append_string(p, "\x89}tR");
}

/* Opens a table of one tensor "t" over a storage of 16 bytes. */
static pd_status open_layout(const char *type, const layout *l, pd_weights **ret_weights, pd_error *err)
{
    pd_buf p;
    pd_buf_init(&p, 4096);
    pd_buf_append_string(&p, "\x80\x02}(");
    put_tensor(&p, "t", type, l);
    pd_buf_append_string(&p, "u.");
    const pd_status status = open_pickle(p.data, p.len, 16, ret_weights, err);
    pd_buf_done(&p);
    return status;
}

static bool is_refused_layout(layout l, pd_status status, const char *word)
{
    pd_error err = { 0 };
    pd_weights *weights = NULL;
    const pd_status got = open_layout("FloatStorage", &l, &weights, &err);
    pd_weights_close(&weights);
    return says(got, status, &err, word);
}

static char sample[PATH_MAX];

static bool counts_up(const pd_weights *weights, const char *name, pd_dtype dtype, size_t rank, const size_t *shape)
{
    pd_tensor tensor;
    float values[16];
    if (!pd_weights_find(weights, name, &tensor) || tensor.dtype != dtype || tensor.rank != rank ||
        (rank > 0 && memcmp(tensor.shape, shape, rank * sizeof *shape) != 0) || tensor.count > PD_COUNT_OF(values) ||
        pd_tensor_read_f32(&tensor, 0, tensor.count, values, NULL) != PD_OK)
        return false;
    for (size_t i = 0; i < tensor.count; i++)
        if (values[i] != (float)i + 1)
            return false;
    return true;
}

static void what_torch_wrote_is_read(void)
{
    pd_weights *weights = NULL;
    pd_error err = { 0 };
    pd_tensor tensor;
    int64_t ids[5] = { 0 };
    REQUIRE(pd_weights_open(&weights, sample, &err) == PD_OK);
    CHECK(pd_weights_count(weights) == 13);
    CHECK(counts_up(weights, "layer.weight", PD_DTYPE_F32, 2, (size_t[]){ 2, 3 }));
    CHECK(counts_up(weights, "layer.bias", PD_DTYPE_F32, 1, (size_t[]){ 2 }));
    CHECK(counts_up(weights, "turned", PD_DTYPE_F32, 2, (size_t[]){ 4, 3 }));
    CHECK(counts_up(weights, "part", PD_DTYPE_F32, 2, (size_t[]){ 2, 3 }));
    CHECK(counts_up(weights, "half", PD_DTYPE_F16, 1, (size_t[]){ 5 }));
    CHECK(counts_up(weights, "bfloat", PD_DTYPE_BF16, 1, (size_t[]){ 5 }));
    CHECK(counts_up(weights, "parameter", PD_DTYPE_F32, 1, (size_t[]){ 3 }));
    CHECK(counts_up(weights, "scalar", PD_DTYPE_F32, 0, NULL));
    CHECK(counts_up(weights, "empty", PD_DTYPE_F32, 2, (size_t[]){ 0, 3 }));
    CHECK(pd_weights_find(weights, "all", &tensor) && tensor.count == 10);
    CHECK(pd_weights_find(weights, "flags", &tensor) && tensor.dtype == PD_DTYPE_BOOL && tensor.count == 2);
    CHECK(pd_weights_find(weights, "double", &tensor) && tensor.dtype == PD_DTYPE_F64);
    REQUIRE(pd_weights_find(weights, "position_ids", &tensor) && tensor.count == 5);
    CHECK(pd_tensor_read_i64(&tensor, 0, 5, ids, &err) == PD_OK && ids[0] == 1 && ids[4] == 5);
    pd_weights_at(weights, 0, &tensor);
    CHECK(strcmp(tensor.name, "position_ids") == 0); /* the order of the table */
    pd_weights_close(&weights);
}

static void a_directory_may_have_it_in_parts(void)
{
    static const char index[] = "{\"weight_map\":{\"t\":\"x-1.bin\",\"u\":\"x-2.bin\"}}";
    pd_weights *weights = NULL;
    pd_error err = { 0 };
    pd_tensor tensor;
    (void)mkdir(fixture_path("parts"), 0700);
    for (int part = 1; part <= 2; part++) {
        char name[32];
        pd_buf p;
        pd_buf_init(&p, 4096);
        pd_buf_append_string(&p, "\x80\x02}(");
        put_tensor(&p, part == 1 ? "t" : "u", "FloatStorage",
                   &(layout){ .count = 4, .rank = 1, .shape = { 4 }, .stride = { 1 } });
        pd_buf_append_string(&p, "u.");
        CHECK(open_pickle(p.data, p.len, 16, &weights, &err) == PD_OK);
        pd_weights_close(&weights);
        snprintf(name, sizeof name, "parts/x-%d.bin", part);
        CHECK(rename(fixture_path(BIN), fixture_path(name)) == 0);
        pd_buf_done(&p);
    }
    fixture_write("parts/pytorch_model.bin.index.json", index, strlen(index));
    REQUIRE(pd_weights_open(&weights, fixture_path("parts"), &err) == PD_OK);
    CHECK(pd_weights_files(weights) == 2 && pd_weights_find(weights, "t", &tensor) &&
          pd_weights_find(weights, "u", &tensor));
    pd_weights_close(&weights);
}

/* safetensors first; what is not read is named. */
static void a_directory_is_searched_in_order(void)
{
    static const char none[] = "\2\0\0\0\0\0\0\0{}";
    pd_weights *weights = NULL;
    pd_error err = { 0 };
    pd_file_map map;
    (void)mkdir(fixture_path("both"), 0700);
    CHECK(pd_weights_open(&weights, fixture_path("both"), &err) == PD_ERR_NOT_FOUND);
    CHECK(strstr(err.message, "no model.safetensors and no pytorch_model.bin in") != NULL);
    fixture_write("both/tf_model.h5", none, sizeof none - 1);
    CHECK(pd_weights_open(&weights, fixture_path("both"), &err) == PD_ERR_NOT_FOUND);
    CHECK(strstr(err.message, "tf_model.h5 is not read") != NULL);
    REQUIRE(pd_file_map_open(&map, sample, NULL) == PD_OK);
    fixture_write("both/pytorch_model.bin", map.data, map.len);
    pd_file_map_close(&map);
    REQUIRE(pd_weights_open(&weights, fixture_path("both"), &err) == PD_OK);
    CHECK(pd_weights_count(weights) == 13);
    pd_weights_close(&weights);
    fixture_write("both/model.safetensors", none, sizeof none - 1);
    REQUIRE(pd_weights_open(&weights, fixture_path("both"), &err) == PD_OK);
    CHECK(pd_weights_count(weights) == 0);
    pd_weights_close(&weights);
}

static void nothing_is_ever_called(void)
{
    CHECK(is_refused("\x80\x02"
                     "cos\nsystem\n(X\x07\0\0\0touch /tR.",
                     PD_ERR_UNSUPPORTED, "'os.system'"));
    CHECK(is_refused("cposix\nsystem\n(X\x07\0\0\0touch /tR.", PD_ERR_UNSUPPORTED, "'posix.system'"));
    CHECK(is_refused("\x80\x02"
                     "c__builtin__\neval\n(X\x01\0\0\0"
                     "1tR.",
                     PD_ERR_UNSUPPORTED, "'__builtin__.eval'"));
    CHECK(is_refused("\x80\x02"
                     "ctorch\nload\n)R.",
                     PD_ERR_UNSUPPORTED, "'torch.load'"));
    CHECK(is_refused("\x80\x02(X\x07\0\0\0touch /ios\nsystem\n.", PD_ERR_UNSUPPORTED, "INST"));
    CHECK(is_refused("\x80\x02(o.", PD_ERR_UNSUPPORTED, "OBJ"));
    CHECK(is_refused("\x80\x02))\x81.", PD_ERR_UNSUPPORTED, "NEWOBJ"));
    CHECK(is_refused("\x80\x02X\x02\0\0\0osX\x06\0\0\0system\x93.", PD_ERR_UNSUPPORTED, "STACK_GLOBAL"));
    CHECK(is_refused("\x80\x02\x82\x01.", PD_ERR_UNSUPPORTED, "EXT1"));
    CHECK(is_refused("\x80\x02P1\n.", PD_ERR_UNSUPPORTED, "PERSID"));
    CHECK(is_refused("\x80\x02\xff.", PD_ERR_UNSUPPORTED, "opcode 0xff is"));
    CHECK(is_refused("\x80\x04}.", PD_ERR_UNSUPPORTED, "protocol 4"));
    CHECK(is_refused("\x80\x02"
                     "c\x1b[31m\nx\n.",
                     PD_ERR_FORMAT, "no plain text")); /* nothing for a terminal */
    CHECK(is_refused("\x80\x02"
                     "ctorch\nFloatStorage\n)R.",
                     PD_ERR_FORMAT, "type of storages is called"));
    CHECK(is_refused("\x80\x02"
                     "ccollections\nOrderedDict\n}\x85R.",
                     PD_ERR_FORMAT, "made from something"));
    CHECK(is_refused("\x80\x02X\x01\0\0\0a)R.", PD_ERR_FORMAT, "what is called is no name"));
    CHECK(is_refused("\x80\x02"
                     "ccollections\nOrderedDict\n}R.",
                     PD_ERR_FORMAT, "without a tuple"));
}

static void a_machine_that_is_misused_is_refused(void)
{
    CHECK(is_refused("", PD_ERR_FORMAT, "cut short"));
    CHECK(is_refused("\x80\x02}", PD_ERR_FORMAT, "cut short"));
    CHECK(is_refused("\x80\x02.", PD_ERR_FORMAT, "stack is empty"));
    CHECK(is_refused("\x80\x02(.", PD_ERR_FORMAT, "stack is empty"));
    CHECK(is_refused("\x80\x02).", PD_ERR_FORMAT, "no table of tensors"));
    CHECK(is_refused("\x80\x02}.}", PD_ERR_FORMAT, "more behind its end"));
    CHECK(is_refused("\x80\x02}.", PD_ERR_UNSUPPORTED, "no tensors at the top"));
    CHECK(is_refused("\x80\x02}u.", PD_ERR_FORMAT, "no mark"));
    CHECK(is_refused("\x80\x02t.", PD_ERR_FORMAT, "no mark"));
    CHECK(is_refused("\x80\x02}(Nu.", PD_ERR_FORMAT, "without a value"));
    CHECK(is_refused("\x80\x02)(NNu.", PD_ERR_FORMAT, "no dict"));
    CHECK(is_refused("\x80\x02)NNs.", PD_ERR_FORMAT, "no dict"));
    CHECK(is_refused("\x80\x02)Nb.", PD_ERR_FORMAT, "attributes"));
    CHECK(is_refused("\x80\x02)Na.", PD_ERR_FORMAT, "no list"));
    CHECK(is_refused("\x80\x02N\x86.", PD_ERR_FORMAT, "stack is empty"));
    CHECK(is_refused("\x80\x02"
                     "NQ.",
                     PD_ERR_FORMAT, "storage is not described"));
    CHECK(is_refused("\x80\x02NN\x86Q.", PD_ERR_FORMAT, "storage is not described"));
    CHECK(is_refused("\x80\x02"
                     "ctorch._utils\n_rebuild_tensor_v2\n)R.",
                     PD_ERR_FORMAT, "tensor is not described"));
    CHECK(is_refused("\x80\x02"
                     "ctorch._utils\n_rebuild_tensor_v2\n(NNNNNNtR.",
                     PD_ERR_FORMAT, "tensor is not desc"));
    CHECK(is_refused("\x80\x02"
                     "ctorch._utils\n_rebuild_parameter\n(NNNtR.",
                     PD_ERR_FORMAT, "parameter is not desc"));
}

static void lengths_and_memories_that_lie_are_refused(void)
{
    CHECK(is_refused("\x80\x02X\xff\xff\xff\xff"
                     "abc.",
                     PD_ERR_FORMAT, "cut short"));
    CHECK(is_refused("\x80\x02X\xff", PD_ERR_FORMAT, "cut short"));
    CHECK(is_refused("\x80\x02\x8a\xff"
                     "abc.",
                     PD_ERR_FORMAT, "more than 64 bits"));
    CHECK(is_refused("\x80\x02G\0\0", PD_ERR_FORMAT, "cut short"));
    CHECK(is_refused("\x80\x02"
                     "cnever\nends",
                     PD_ERR_FORMAT, "does not end"));
    CHECK(is_refused("\x80\x02h\x07.", PD_ERR_FORMAT, "never remembered"));
    CHECK(is_refused("\x80\x02}q\x09h\x07.", PD_ERR_FORMAT, "never remembered"));
    CHECK(is_refused("\x80\x02j\xff\xff\xff\xff.", PD_ERR_FORMAT, "never remembered"));
    CHECK(is_refused("\x80\x02q\x07.", PD_ERR_FORMAT, "stack is empty"));
    CHECK(is_refused("\x80\x02(q\x07.", PD_ERR_FORMAT, "stack is empty"));
    CHECK(is_refused("\x80\x02}r\xff\xff\xff\xff.", PD_ERR_LIMIT, "values"));
}

/* Containers that hold themselves, a tower of tuples, and a long stack: bounded, and nothing recurses. */
static void bombs_do_not_go_off(void)
{
    CHECK(is_refused("\x80\x02}q\0X\x01\0\0\0ah\0sh\0b.", PD_ERR_UNSUPPORTED, "no tensors"));
    CHECK(is_refused("\x80\x02]q\0h\0ah\0a.", PD_ERR_FORMAT, "no table of tensors"));
    enum { DEEP = 1000000, MANY = 3000000 };
    char *bytes = pd_mem_alloc(MANY + 16, 1);
    REQUIRE(bytes);
    memset(bytes, '\x85', DEEP);
    memcpy(bytes, "\x80\x02)", 3);
    bytes[DEEP] = '.';
    CHECK(is_refused_bytes(bytes, DEEP + 1, PD_ERR_FORMAT, "no table of tensors"));
    memset(bytes, '(', MANY);
    CHECK(is_refused_bytes(bytes, MANY, PD_ERR_LIMIT, "values"));
    memset(bytes, ')', MANY);
    CHECK(is_refused_bytes(bytes, MANY, PD_ERR_LIMIT, "values"));
    pd_mem_free(bytes);
    const size_t huge = ((size_t)32 << 20) + 1;
    bytes = pd_mem_alloc(huge, 1);
    REQUIRE(bytes);
    CHECK(is_refused_bytes(bytes, huge, PD_ERR_LIMIT, "at most 33554432"));
    pd_mem_free(bytes);
}

static void tensors_stay_in_their_storage(void)
{
    static const char beyond[] = "beyond its storage";
    const int64_t huge = (int64_t)1 << 62;
    CHECK(is_refused_layout((layout){ 4, 0, 1, { 5 }, { 1 } }, PD_ERR_FORMAT, beyond));
    CHECK(is_refused_layout((layout){ 4, 1, 1, { 4 }, { 1 } }, PD_ERR_FORMAT, beyond));
    CHECK(is_refused_layout((layout){ 4, 0, 2, { 2, 2 }, { 3, 1 } }, PD_ERR_FORMAT, beyond));
    CHECK(is_refused_layout((layout){ 4, 5, 1, { 0 }, { 1 } }, PD_ERR_FORMAT, beyond));
    CHECK(is_refused_layout((layout){ 4, huge, 1, { 1 }, { 1 } }, PD_ERR_FORMAT, beyond));
    CHECK(is_refused_layout((layout){ 4, 0, 3, { huge, huge, huge }, { 0, 0, 0 } }, PD_ERR_FORMAT, beyond));
    CHECK(is_refused_layout((layout){ 4, 0, 2, { 3, 1 }, { huge, huge } }, PD_ERR_FORMAT, beyond));
    CHECK(is_refused_layout((layout){ 4, 0, 1, { 1000000 }, { 0 } }, PD_ERR_FORMAT, "repeats elements"));
    CHECK(is_refused_layout((layout){ 5, 0, 1, { 4 }, { 1 } }, PD_ERR_FORMAT, "has 16 bytes"));
    CHECK(is_refused_layout((layout){ huge, 0, 1, { 4 }, { 1 } }, PD_ERR_FORMAT, "has 16 bytes"));
    CHECK(is_refused_layout((layout){ -1, 0, 1, { 4 }, { 1 } }, PD_ERR_FORMAT, "not described"));
    CHECK(is_refused_layout((layout){ 4, -1, 1, { 4 }, { 1 } }, PD_ERR_FORMAT, "not described"));
    CHECK(is_refused_layout((layout){ 4, 0, 1, { -4 }, { 1 } }, PD_ERR_FORMAT, "not described"));
    CHECK(is_refused_layout((layout){ 4, 0, 1, { 4 }, { -1 } }, PD_ERR_FORMAT, "not described"));
}

static void elements_may_lie_scattered(void)
{
    pd_weights *weights = NULL;
    pd_error err = { 0 };
    pd_tensor tensor;
    /* bytes 0 .. 15, [2, 2, 2] from byte 1 on, innermost four apart */
    REQUIRE(open_layout("ByteStorage", &(layout){ 16, 1, 3, { 2, 2, 2 }, { 8, 1, 4 } }, &weights, &err) == PD_OK);
    REQUIRE(pd_weights_find(weights, "t", &tensor) && tensor.count == 8);
    CHECK(memcmp(tensor.data, ((uint8_t[]){ 1, 5, 2, 6, 9, 13, 10, 14 }), 8) == 0);
    pd_weights_close(&weights);
    /* a stride that does not matter is no scatter: the view is into the file */
    REQUIRE(open_layout("ByteStorage", &(layout){ 16, 3, 2, { 1, 4 }, { 99, 1 } }, &weights, &err) == PD_OK);
    REQUIRE(pd_weights_find(weights, "t", &tensor) && tensor.count == 4);
    CHECK(memcmp(tensor.data, ((uint8_t[]){ 3, 4, 5, 6 }), 4) == 0);
    pd_weights_close(&weights);
}

static void names_are_checked(void)
{
    pd_buf p;
    pd_weights *weights = NULL;
    pd_error err = { 0 };
    char name[600];
    const layout l = { .count = 4, .rank = 1, .shape = { 4 }, .stride = { 1 } };
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    for (int round = 0; round < 2; round++) {
        pd_buf_init(&p, 8192);
        pd_buf_append_string(&p, "\x80\x02}(");
        put_tensor(&p, round ? "t" : name, "FloatStorage", &l);
        put_tensor(&p, "t", "FloatStorage", &l);
        pd_buf_append_string(&p, "u.");
        const pd_status status = open_pickle(p.data, p.len, 16, &weights, &err);
        CHECK(round ? status == PD_ERR_FORMAT && strstr(err.message, "'t' is there twice")
                    : says(status, PD_ERR_LIMIT, &err, "name is longer than 500"));
        pd_buf_done(&p);
    }
}

static void archives_that_lie_are_refused(void)
{
    static const char pickle[] = "\x80\x02}.";
    pd_weights *weights = NULL;
    pd_error err = { 0 };
    archive a;
    begin(&a);
    a.method = 8;
    add(&a, "a/data.pkl", pickle, 4);
    CHECK(says(end(&a, &weights, &err), PD_ERR_UNSUPPORTED, &err, "compressed"));
    begin(&a);
    add(&a, "a/version", "3\n", 2);
    CHECK(says(end(&a, &weights, &err), PD_ERR_FORMAT, &err, "without data.pkl"));
    begin(&a);
    add(&a, "a/data.pkl", pickle, 4);
    add(&a, "a/constants.pkl", pickle, 4);
    CHECK(says(end(&a, &weights, &err), PD_ERR_UNSUPPORTED, &err, "TorchScript"));
    begin(&a);
    add(&a, "a/data.pkl", pickle, 4);
    add(&a, "a/byteorder", "big", 3);
    CHECK(says(end(&a, &weights, &err), PD_ERR_UNSUPPORTED, &err, "big-endian"));
    begin(&a);
    add(&a, "a/data.pkl", pickle, 4);
    list_entry(&a, "a/data.pkl", 4, 0);
    CHECK(says(end(&a, &weights, &err), PD_ERR_FORMAT, &err, "overlaps"));
    begin(&a);
    add(&a, "a/data.pkl", pickle, 4);
    add(&a, "a/data.pkl", pickle, 4);
    CHECK(says(end(&a, &weights, &err), PD_ERR_FORMAT, &err, "twice"));
    begin(&a);
    add(&a, "a/data.pkl", pickle, 4);
    list_entry(&a, "a/data.plk", 4, 0);
    CHECK(says(end(&a, &weights, &err), PD_ERR_FORMAT, &err, "is not what its directory says"));
    begin(&a);
    add(&a, "a/data.pkl", pickle, 4);
    list_entry(&a, "a/data/0", 4, 0xfffffff0);
    CHECK(says(end(&a, &weights, &err), PD_ERR_FORMAT, &err, "is not where its directory says"));
    begin(&a);
    add(&a, "a/data.pkl", pickle, 4);
    a.n = 5;
    CHECK(says(end(&a, &weights, &err), PD_ERR_FORMAT, &err, "ends after 1 of 5 files"));
    begin(&a);
    add(&a, "a/data.pkl", pickle, 4);
    list_entry(&a, "a/data/0", 0xffffffff, 0); /* says that zip64 tells, which is not there */
    CHECK(says(end(&a, &weights, &err), PD_ERR_FORMAT, &err, "is not what its directory says"));
}

static void a_storage_may_be_missing(void)
{
    pd_buf p;
    pd_weights *weights = NULL;
    pd_error err = { 0 };
    archive a;
    pd_buf_init(&p, 4096);
    pd_buf_append_string(&p, "\x80\x02}(");
    put_tensor(&p, "t", "FloatStorage", &(layout){ .count = 4, .rank = 1, .shape = { 4 }, .stride = { 1 } });
    pd_buf_append_string(&p, "u.");
    begin(&a);
    add(&a, "a/data.pkl", p.data, p.len);
    CHECK(says(end(&a, &weights, &err), PD_ERR_FORMAT, &err, "'t': its bytes are not in the file"));
    pd_buf_done(&p);
}

static void other_files_are_called_what_they_are(void)
{
    static const struct {
        const char *bytes, *says;
    } others[] = {
        { "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 605247071\n", "git-lfs pointer" },
        { "<!doctype html><html>", "web page" },
        { "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "before version 1.6" },
        { "\x89HDF\r\n\x1a\n", "TensorFlow" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(others); i++) {
        pd_weights *weights = NULL;
        pd_error err = { 0 };
        fixture_write(BIN, others[i].bytes, strlen(others[i].bytes));
        CHECK(says(pd_weights_open(&weights, fixture_path(BIN), &err), PD_ERR_UNSUPPORTED, &err, others[i].says));
    }
}

/* Many files one after the other: in memory, since a disk takes its time for each. */
static pd_status open_bytes(const void *bytes, size_t len, pd_weights **ret_weights, pd_error *err)
{
    char path[64];
    const int fd = memfd_create("one", MFD_CLOEXEC);
    if (fd < 0 || pd_fd_write_all(fd, bytes, len) != PD_OK)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const pd_status status = pd_weights_open(ret_weights, path, err);
    close(fd);
    return status;
}

static void every_cut_is_refused(void)
{
    pd_file_map map;
    REQUIRE(pd_file_map_open(&map, sample, NULL) == PD_OK);
    for (size_t len = 0; len < map.len; len++) {
        pd_weights *weights = NULL;
        pd_error err = { 0 };
        const pd_status status = open_bytes(map.data, len, &weights, &err);
        CHECK(status == PD_ERR_FORMAT && strstr(err.message, "/proc/self/fd") != NULL);
        pd_weights_close(&weights);
    }
    pd_file_map_close(&map);
}

static void no_wrong_byte_does_harm(void)
{
    pd_file_map map;
    REQUIRE(pd_file_map_open(&map, sample, NULL) == PD_OK);
    uint8_t *bytes = pd_mem_dup(map.data, map.len);
    REQUIRE(bytes);
    size_t n_refused = 0;
    for (size_t i = 0; i < 2 * map.len; i += TEST_SANITIZED ? 7 : 1) {
        pd_weights *weights = NULL;
        pd_error err = { 0 };
        const uint8_t was = bytes[i / 2];
        bytes[i / 2] ^= i % 2 ? 0xff : 1;
        const pd_status status = open_bytes(bytes, map.len, &weights, &err);
        CHECK(status == PD_OK || strlen(err.message) > 20);
        n_refused += status != PD_OK;
        pd_weights_close(&weights);
        bytes[i / 2] = was;
    }
    CHECK(n_refused > 100);
    pd_mem_free(bytes);
    pd_file_map_close(&map);
}

static void running_out_of_memory_leaks_nothing(void)
{
    size_t nth = 1;
    for (pd_status status = PD_ERR_NOMEM; status != PD_OK; nth++) {
        const size_t live = pd_mem_live();
        pd_weights *weights = NULL;
        pd_error err;
        (void)pd_mem_fail_at(nth);
        status = pd_weights_open(&weights, sample, &err);
        (void)pd_mem_fail_at(0);
        CHECK(status == PD_OK || (status == PD_ERR_NOMEM && err.status == PD_ERR_NOMEM && !weights));
        pd_weights_close(&weights);
        CHECK(pd_mem_live() == live);
        REQUIRE(nth < 1000);
    }
    CHECK(nth > 10);
}

int main(void)
{
    const char *source = getenv("PD_SOURCE");
    if (!source)
        SKIP_ALL("PD_SOURCE is not set: run it through meson test");
    snprintf(sample, sizeof sample, "%s/tests/data/torch/state_dict.bin", source);
    fixture_start();
    RUN(what_torch_wrote_is_read);
    RUN(a_directory_may_have_it_in_parts);
    RUN(a_directory_is_searched_in_order);
    RUN(nothing_is_ever_called);
    RUN(a_machine_that_is_misused_is_refused);
    RUN(lengths_and_memories_that_lie_are_refused);
    RUN(bombs_do_not_go_off);
    RUN(tensors_stay_in_their_storage);
    RUN(elements_may_lie_scattered);
    RUN(names_are_checked);
    RUN(archives_that_lie_are_refused);
    RUN(a_storage_may_be_missing);
    RUN(other_files_are_called_what_they_are);
    RUN(every_cut_is_refused);
    RUN(no_wrong_byte_does_harm);
    RUN(running_out_of_memory_leaks_nothing);
    fixture_end();
    return TEST_RESULT();
}
