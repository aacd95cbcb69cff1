#include "test.h"

#include "weights_fixture.h"

#include "base/buf.h"
#include "base/mem.h"
#include "weights/weights.h"

/* Writes a file with this header and n data bytes 0, 1, 2 ... */
static void write_file(const char *name, const char *header, size_t n_data)
{
    const uint64_t len = strlen(header);
    pd_buf file;
    pd_buf_init(&file, SIZE_MAX / 2);
    for (unsigned i = 0; i < 8; i++)
        pd_buf_append(&file, &(uint8_t){ (uint8_t)(len >> 8 * i) }, 1);
    pd_buf_append(&file, header, len);
    for (size_t i = 0; i < n_data; i++)
        pd_buf_append(&file, &(uint8_t){ (uint8_t)i }, 1);
    fixture_write(name, file.data, file.len);
    pd_buf_done(&file);
}

/* Opens a file with this header; the status and the sentence. */
static pd_status open_header(const char *header, size_t n_data, pd_error *err)
{
    pd_weights *weights = NULL;
    write_file("one.safetensors", header, n_data);
    const pd_status status = pd_weights_open(&weights, fixture_path("one.safetensors"), err);
    pd_weights_close(&weights);
    return status;
}

static bool is_refused(const char *header, size_t n_data, pd_status status, const char *word)
{
    pd_error err = { 0 };
    const pd_status got = open_header(header, n_data, &err);
    const bool ok = got == status && strstr(err.message, word) && strstr(err.message, "one.safetensors");
    if (!ok)
        fprintf(stderr, "%s: %s: %s\n", header, pd_status_name(got), err.message);
    return ok;
}

static const char two_tensors[] = "{\"__metadata__\":{\"format\":\"pt\",\"who\":\"me\"},"
                                  "\"b\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[8,14]},"
                                  "\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}";

static void tensors_are_found_with_shape_and_place(void)
{
    pd_error err;
    pd_weights *weights = NULL;
    pd_tensor tensor;
    write_file("two.safetensors", two_tensors, 14);
    REQUIRE(pd_weights_open(&weights, fixture_path("two.safetensors"), &err) == PD_OK);
    CHECK(pd_weights_count(weights) == 2);
    CHECK(pd_weights_find(weights, "b", &tensor));
    CHECK(tensor.dtype == PD_DTYPE_F16 && tensor.rank == 1 && tensor.shape[0] == 3 && tensor.count == 3);
    CHECK(strcmp(tensor.name, "b") == 0 && *(const uint8_t *)tensor.data == 8);
    pd_weights_at(weights, 0, &tensor);
    CHECK(strcmp(tensor.name, "a") == 0 && tensor.rank == 2 && tensor.count == 2);
    CHECK(!pd_weights_find(weights, "c", &tensor) && !pd_weights_find(weights, "", &tensor));
    CHECK(strcmp(pd_weights_metadata(weights, "who"), "me") == 0);
    CHECK(pd_weights_metadata(weights, "what") == NULL);
    pd_weights_close(&weights);
    CHECK(weights == NULL);
    pd_weights_close(&weights);
}

static void scalars_and_empty_tensors_are_fine(void)
{
    pd_error err;
    pd_weights *weights = NULL;
    pd_tensor tensor;
    write_file("scalar.safetensors",
               "{\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
               "\"e\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[4,4]}}",
               4);
    REQUIRE(pd_weights_open(&weights, fixture_path("scalar.safetensors"), &err) == PD_OK);
    CHECK(pd_weights_find(weights, "s", &tensor) && tensor.rank == 0 && tensor.count == 1);
    CHECK(pd_weights_find(weights, "e", &tensor) && tensor.count == 0);
    CHECK(pd_tensor_read_f32(&tensor, 0, 0, NULL, &err) == PD_OK);
    pd_weights_close(&weights);
    CHECK(open_header("{}", 0, &err) == PD_OK);
    CHECK(open_header("{}      ", 0, &err) == PD_OK); /* padded to 8, as writers do */
}

static void a_type_we_do_not_know_harms_only_its_tensor(void)
{
    pd_error err;
    pd_weights *weights = NULL;
    pd_tensor tensor;
    write_file("types.safetensors",
               "{\"odd\":{\"dtype\":\"F8_E4M3\",\"shape\":[3],\"data_offsets\":[0,3]},"
               "\"b\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[3,4]}}",
               4);
    REQUIRE(pd_weights_open(&weights, fixture_path("types.safetensors"), &err) == PD_OK);
    CHECK(pd_weights_count(weights) == 1);
    CHECK(!pd_weights_find(weights, "odd", &tensor));
    REQUIRE(pd_weights_find(weights, "b", &tensor));
    CHECK(*(const uint8_t *)tensor.data == 3);
    pd_weights_close(&weights);
    CHECK(
        is_refused("{\"odd\":{\"dtype\":\"F8_E4M3\",\"shape\":[3],\"data_offsets\":[0,9]}}", 3, PD_ERR_FORMAT, "odd"));
}

#define TENSOR(dtype, shape, offsets) "{\"t\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void wrong_offsets_are_refused(void)
{
    CHECK(is_refused(TENSOR("\"F32\"", "[1]", "[0,5]"), 4, PD_ERR_FORMAT, "bytes 0 to 5 of 4"));
    CHECK(is_refused(TENSOR("\"F32\"", "[1]", "[4,0]"), 4, PD_ERR_FORMAT, "'t'"));
    CHECK(is_refused(TENSOR("\"F32\"", "[1]", "[-4,0]"), 4, PD_ERR_FORMAT, "'t'"));
    CHECK(is_refused(TENSOR("\"F32\"", "[1]", "[0,9223372036854775807]"), 4, PD_ERR_FORMAT, "'t'"));
    CHECK(is_refused(TENSOR("\"F32\"", "[1]", "[0]"), 4, PD_ERR_FORMAT, "data_offsets"));
    CHECK(is_refused(TENSOR("\"F32\"", "[1]", "[0,4,8]"), 4, PD_ERR_FORMAT, "data_offsets"));
    CHECK(is_refused(TENSOR("\"F32\"", "[1]", "[\"0\",4]"), 4, PD_ERR_FORMAT, "data_offsets"));
    CHECK(is_refused(TENSOR("\"F32\"", "[1]", "null"), 4, PD_ERR_FORMAT, "data_offsets"));
}

static void shapes_must_fit_their_bytes(void)
{
    CHECK(is_refused(TENSOR("\"F32\"", "[2]", "[0,4]"), 4, PD_ERR_FORMAT, "2 elements of F32 do not take 4"));
    CHECK(is_refused(TENSOR("\"F32\"", "[-1]", "[0,4]"), 4, PD_ERR_FORMAT, "dimension 0"));
    CHECK(is_refused(TENSOR("\"F32\"", "[1.5]", "[0,4]"), 4, PD_ERR_FORMAT, "dimension 0"));
    CHECK(is_refused(TENSOR("\"F32\"", "[4294967296,4294967296]", "[0,0]"), 0, PD_ERR_FORMAT, "overflows"));
    /* 2^62 elements of 4 bytes are 2^64 bytes: nothing, if nobody looks */
    CHECK(is_refused(TENSOR("\"F32\"", "[4611686018427387904]", "[0,0]"), 0, PD_ERR_FORMAT, "do not take"));
    CHECK(is_refused(TENSOR("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, PD_ERR_LIMIT, "9 dimensions"));
    CHECK(is_refused(TENSOR("\"F32\"", "3", "[0,4]"), 4, PD_ERR_FORMAT, "shape"));
    CHECK(is_refused(TENSOR("32", "[1]", "[0,4]"), 4, PD_ERR_FORMAT, "dtype"));
    CHECK(is_refused("{\"t\":[]}", 0, PD_ERR_FORMAT, "dtype"));
}

static void tensors_must_fill_the_data(void)
{
    CHECK(is_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
                     "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[2,5]}}",
                     5, PD_ERR_FORMAT, "'b' begins at byte 2"));
    CHECK(is_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                     "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[2,5]}}",
                     5, PD_ERR_FORMAT, "'b' begins at byte 2"));
    CHECK(is_refused(TENSOR("\"U8\"", "[1]", "[0,1]"), 3, PD_ERR_FORMAT, "end at byte 1"));
    CHECK(is_refused(TENSOR("\"U8\"", "[1]", "[1,2]"), 2, PD_ERR_FORMAT, "begins at byte 1"));
    CHECK(is_refused("{}", 1, PD_ERR_FORMAT, "the file at 1"));
}

static void broken_headers_are_refused(void)
{
    CHECK(is_refused("", 0, PD_ERR_FORMAT, "not a JSON object"));
    CHECK(is_refused("[]", 0, PD_ERR_FORMAT, "not a JSON object"));
    CHECK(is_refused(" {}", 0, PD_ERR_FORMAT, "not a JSON object"));
    CHECK(is_refused("{\"t\":", 0, PD_ERR_FORMAT, "JSON"));
    CHECK(is_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
                     "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
                     0, PD_ERR_FORMAT, "JSON"));
    CHECK(is_refused("{\"__metadata__\":{\"n\":1}}", 0, PD_ERR_FORMAT, "metadata 'n'"));
}

static void lengths_beyond_the_file_are_refused(void)
{
    pd_weights *weights = NULL;
    pd_error err;
    const uint8_t endless[16] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, '{', '}' };
    const uint8_t one_more[10] = { 3, 0, 0, 0, 0, 0, 0, 0, '{', '}' };
    for (size_t len = 0; len <= sizeof endless; len++) {
        fixture_write("bad.safetensors", endless, len);
        CHECK(pd_weights_open(&weights, fixture_path("bad.safetensors"), &err) == PD_ERR_FORMAT);
    }
    fixture_write("bad.safetensors", one_more, sizeof one_more);
    CHECK(pd_weights_open(&weights, fixture_path("bad.safetensors"), &err) == PD_ERR_FORMAT);
    CHECK(strstr(err.message, "cut short") != NULL);
    CHECK(weights == NULL);
}

static void every_cut_of_a_good_file_is_refused(void)
{
    write_file("two.safetensors", two_tensors, 14);
    pd_error err;
    pd_weights *weights = NULL;
    const size_t whole = 8 + strlen(two_tensors) + 14;
    for (size_t len = 0; len < whole; len++) {
        write_file("cut.safetensors", two_tensors, 14);
        REQUIRE(truncate(fixture_path("cut.safetensors"), (off_t)len) == 0);
        CHECK(pd_weights_open(&weights, fixture_path("cut.safetensors"), &err) == PD_ERR_FORMAT);
    }
}

static void missing_files_are_named(void)
{
    pd_weights *weights = NULL;
    pd_error err;
    CHECK(pd_weights_open(&weights, fixture_path("nowhere"), &err) == PD_ERR_NOT_FOUND);
    CHECK(strstr(err.message, "nowhere") != NULL);
    REQUIRE(mkdir(fixture_path("empty"), 0700) == 0);
    CHECK(pd_weights_open(&weights, fixture_path("empty"), &err) == PD_ERR_NOT_FOUND);
    CHECK(strstr(err.message, "no model.safetensors") != NULL);
}

#define INDEX "sharded/model.safetensors.index.json"

static pd_status open_index(const char *index, pd_error *err, pd_weights **ret_weights)
{
    fixture_write(INDEX, index, strlen(index));
    return pd_weights_open(ret_weights, fixture_path("sharded"), err);
}

static void shards_are_one_set_of_tensors(void)
{
    pd_weights *weights = NULL;
    pd_error err;
    pd_tensor tensor;
    (void)mkdir(fixture_path("sharded"), 0700);
    write_file("sharded/x", "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    write_file("sharded/y",
               "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"__metadata__\":{\"k\":\"v\"}}", 2);
    REQUIRE(open_index("{\"weight_map\":{\"a\":\"y\",\"b\":\"x\",\"c\":\"y\"}}", &err, &weights) == PD_OK);
    CHECK(pd_weights_count(weights) == 2);
    CHECK(pd_weights_find(weights, "a", &tensor) && tensor.count == 2);
    CHECK(pd_weights_find(weights, "b", &tensor) && tensor.count == 1);
    CHECK(strcmp(pd_weights_metadata(weights, "k"), "v") == 0);
    pd_weights_at(weights, 0, &tensor);
    CHECK(strcmp(tensor.name, "a") == 0); /* index order: y was named first */
    pd_weights_close(&weights);

    CHECK(open_index("{\"weight_map\":{\"a\":\"../sharded/y\"}}", &err, &weights) == PD_ERR_FORMAT);
    CHECK(strstr(err.message, "'a'") && strstr(err.message, "index.json"));
    CHECK(open_index("{\"weight_map\":{\"a\":\"..\"}}", &err, &weights) == PD_ERR_FORMAT);
    CHECK(open_index("{\"weight_map\":{\"a\":\"\"}}", &err, &weights) == PD_ERR_FORMAT);
    CHECK(open_index("{\"weight_map\":{\"a\":\"x\\u0000y\"}}", &err, &weights) == PD_ERR_FORMAT);
    CHECK(open_index("{\"weight_map\":{\"a\":7}}", &err, &weights) == PD_ERR_FORMAT);
    CHECK(open_index("{\"weight_map\":{}}", &err, &weights) == PD_ERR_FORMAT);
    CHECK(open_index("[]", &err, &weights) == PD_ERR_FORMAT);
    CHECK(open_index("{", &err, &weights) == PD_ERR_FORMAT);
    CHECK(open_index("{\"weight_map\":{\"a\":\"z\"}}", &err, &weights) == PD_ERR_NOT_FOUND);
    CHECK(strstr(err.message, "/z") != NULL);
    write_file("sharded/x", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    CHECK(open_index("{\"weight_map\":{\"a\":\"y\",\"b\":\"x\"}}", &err, &weights) == PD_ERR_FORMAT);
    CHECK(strstr(err.message, "two of the files") != NULL);
}

static void too_many_shards_are_refused(void)
{
    pd_weights *weights = NULL;
    pd_error err;
    pd_buf index;
    pd_buf_init(&index, 1 << 20);
    pd_buf_append_string(&index, "{\"weight_map\":{");
    for (int i = 0; i <= PD_WEIGHTS_SHARDS_MAX; i++)
        pd_buf_appendf(&index, "%s\"t%d\":\"s%d\"", i ? "," : "", i, i);
    pd_buf_append_string(&index, "}}");
    (void)mkdir(fixture_path("sharded"), 0700);
    CHECK(open_index(index.data, &err, &weights) == PD_ERR_LIMIT);
    pd_buf_done(&index);
}

static void too_many_tensors_are_refused(void)
{
    pd_buf header;
    pd_buf_init(&header, 16 << 20);
    for (int i = 0; i <= PD_WEIGHTS_TENSORS_MAX; i++)
        pd_buf_appendf(&header, "%c\"t%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", i ? ',' : '{', i);
    pd_buf_append_string(&header, "}");
    CHECK(is_refused(header.data, 0, PD_ERR_LIMIT, "more than 65536 tensors"));
    pd_buf_done(&header);
}

/* One tensor of six bytes, given. */
static void open_bytes(const char *dtype, unsigned n, const void *bytes, size_t len, pd_weights **ret_weights,
                       pd_tensor *ret_tensor)
{
    char header[200];
    uint8_t file[256] = { 0 };
    pd_error err;
    /* a header of odd length puts the data on an odd address */
    snprintf(header, sizeof header, "{\"t\":{\"dtype\":\"%s\",\"shape\":[%u],\"data_offsets\":[0,%zu]}}", dtype, n,
             len);
    size_t header_len = strlen(header);
    if (header_len % 2 == 0)
        header[header_len++] = ' ';
    file[0] = (uint8_t)header_len;
    memcpy(file + 8, header, header_len);
    memcpy(file + 8 + header_len, bytes, len);
    fixture_write("values.safetensors", file, 8 + header_len + len);
    if (pd_weights_open(ret_weights, fixture_path("values.safetensors"), &err) != PD_OK ||
        !pd_weights_find(*ret_weights, "t", ret_tensor))
        abort();
}

static void values_are_read_at_any_address(void)
{
    pd_weights *weights = NULL;
    pd_tensor tensor;
    pd_error err;
    float f[3];
    int64_t i[3];
    open_bytes("F32", 3, (float[]){ 1.5f, -2, 0 }, 12, &weights, &tensor);
    CHECK(pd_tensor_read_f32(&tensor, 1, 2, f, &err) == PD_OK && f[0] == -2 && f[1] == 0);
    CHECK(pd_tensor_read_f32(&tensor, 1, 3, f, &err) == PD_ERR_FORMAT);
    CHECK(pd_tensor_read_f32(&tensor, 4, 0, f, &err) == PD_ERR_FORMAT);
    CHECK(pd_tensor_read_f32(&tensor, 2, SIZE_MAX, f, &err) == PD_ERR_FORMAT);
    CHECK(pd_tensor_read_i64(&tensor, 0, 1, i, &err) == PD_ERR_UNSUPPORTED && strstr(err.message, "F32"));
    pd_weights_close(&weights);
    open_bytes("F16", 3, (uint16_t[]){ 0x3C00, 0xC000, 0x0001 }, 6, &weights, &tensor);
    CHECK(pd_tensor_read_f32(&tensor, 0, 3, f, &err) == PD_OK && f[0] == 1 && f[1] == -2 && f[2] == 0x1p-24f);
    pd_weights_close(&weights);
    open_bytes("BF16", 2, (uint16_t[]){ 0x3F80, 0xC040 }, 4, &weights, &tensor);
    CHECK(pd_tensor_read_f32(&tensor, 0, 2, f, &err) == PD_OK && f[0] == 1 && f[1] == -3);
    pd_weights_close(&weights);
    open_bytes("I64", 2, (int64_t[]){ INT64_MIN, 7 }, 16, &weights, &tensor);
    CHECK(pd_tensor_read_i64(&tensor, 0, 2, i, &err) == PD_OK && i[0] == INT64_MIN && i[1] == 7);
    CHECK(pd_tensor_read_f32(&tensor, 0, 1, f, &err) == PD_ERR_UNSUPPORTED);
    pd_weights_close(&weights);
    open_bytes("I32", 2, (int32_t[]){ -5, 7 }, 8, &weights, &tensor);
    CHECK(pd_tensor_read_i64(&tensor, 0, 2, i, &err) == PD_OK && i[0] == -5 && i[1] == 7);
    pd_weights_close(&weights);
}

static void the_hash_is_that_of_the_files(void)
{
    pd_weights *weights = NULL;
    pd_error err;
    uint8_t digest[PD_SHA256_BYTES], expected[PD_SHA256_BYTES];
    pd_sha256 sha;
    write_file("hash.safetensors", "{}", 0);
    REQUIRE(pd_weights_open(&weights, fixture_path("hash.safetensors"), &err) == PD_OK);
    CHECK(pd_weights_hash(weights, NULL, digest, &err) == PD_OK);
    pd_sha256_init(&sha);
    pd_sha256_update(&sha, "\2\0\0\0\0\0\0\0{}", 10);
    pd_sha256_finish(&sha, expected);
    CHECK(memcmp(digest, expected, sizeof digest) == 0);
    atomic_bool cancelled = false;
    CHECK(pd_weights_hash(weights, &cancelled, digest, &err) == PD_OK);
    CHECK(memcmp(digest, expected, sizeof digest) == 0);
    atomic_store(&cancelled, true);
    CHECK(pd_weights_hash(weights, &cancelled, digest, &err) == PD_ERR_CANCELLED && err.message[0]);
    pd_weights_close(&weights);
}

static void running_out_of_memory_leaks_nothing(void)
{
    (void)mkdir(fixture_path("sharded"), 0700);
    write_file("sharded/x", two_tensors, 14);
    const char *index = "{\"weight_map\":{\"a\":\"x\"}}";
    fixture_write(INDEX, index, strlen(index));
    size_t nth = 1;
    for (pd_status status = PD_ERR_NOMEM; status != PD_OK; nth++) {
        const size_t live = pd_mem_live();
        pd_weights *weights = NULL;
        pd_error err;
        (void)pd_mem_fail_at(nth);
        status = pd_weights_open(&weights, fixture_path("sharded"), &err);
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
    fixture_start();
    RUN(tensors_are_found_with_shape_and_place);
    RUN(scalars_and_empty_tensors_are_fine);
    RUN(a_type_we_do_not_know_harms_only_its_tensor);
    RUN(wrong_offsets_are_refused);
    RUN(shapes_must_fit_their_bytes);
    RUN(tensors_must_fill_the_data);
    RUN(broken_headers_are_refused);
    RUN(lengths_beyond_the_file_are_refused);
    RUN(every_cut_of_a_good_file_is_refused);
    RUN(missing_files_are_named);
    RUN(shards_are_one_set_of_tensors);
    RUN(too_many_shards_are_refused);
    RUN(too_many_tensors_are_refused);
    RUN(values_are_read_at_any_address);
    RUN(the_hash_is_that_of_the_files);
    RUN(running_out_of_memory_leaks_nothing);
    fixture_end();
    return TEST_RESULT();
}
