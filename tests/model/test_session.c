/* What the shipped model promises as an object: no allocation while embedding, sharing between threads, clear words for
 * broken directories, nothing lost when memory runs out. What it computes is model_parity's business. */
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/model.h"
#include "test.h"
#include "weights/weights.h"

enum { DIM_MAX = 1024, SIDE = 97 };

static const char words[] = "a dog on the beach";
static char tiny[4096], scratch[4096];

static const char *const model_files[] = {
    "config.json", "preprocessor_config.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json",
    "merges.txt",  "model.safetensors"
};

static pd_model *open_tiny(unsigned towers)
{
    pd_model_options options;
    pd_model_options_init(&options);
    options.towers = towers;
    pd_model *model = NULL;
    pd_error error = { 0 };
    if (pd_model_open(&model, tiny, &options, &error) != PD_OK)
        fprintf(stderr, "%s\n", error.message);
    return model;
}

static pd_session *begin(const pd_model *model, unsigned towers)
{
    const pd_session_options options = { .towers = towers };
    pd_session *session = NULL;
    return pd_session_create(&session, model, &options, NULL) == PD_OK ? session : NULL;
}

static void fill_pixels(uint8_t pixels[SIDE * SIDE * 3])
{
    for (size_t i = 0; i < (size_t)SIDE * SIDE * 3; i++)
        pixels[i] = (uint8_t)(i * 2654435761U >> 11);
}

static void embedding_allocates_nothing(void)
{
    static uint8_t bytes[SIDE * SIDE * 3];
    fill_pixels(bytes);
    const pd_pixels pixels = { .data = bytes, .width = SIDE, .height = SIDE, .row_bytes = SIDE * 3 };
    pd_model *model = open_tiny(PD_MODEL_TEXT | PD_MODEL_VISION);
    REQUIRE(model && pd_model_dim(model) <= DIM_MAX);
    pd_session *session = begin(model, PD_MODEL_TEXT | PD_MODEL_VISION);
    REQUIRE(session);
    float embedding[DIM_MAX];
    CHECK(pd_session_embed_pixels(session, &pixels, embedding, NULL) == PD_OK);
    int32_t ids[PD_MODEL_TOKENS_MAX];
    size_t n_ids = 0;
    CHECK(pd_model_tokenize(model, words, strlen(words), ids, &n_ids, NULL) == PD_OK);
    const size_t made = pd_mem_made();
    CHECK(pd_session_embed_pixels(session, &pixels, embedding, NULL) == PD_OK);
    CHECK(pd_session_embed_ids(session, ids, n_ids, embedding, NULL) == PD_OK);
    CHECK(pd_mem_made() == made);
    double length = 0;
    for (size_t i = 0; i < pd_model_dim(model); i++)
        length += (double)embedding[i] * embedding[i];
    CHECK(fabs(length - 1) < 1e-5); /* measured 1e-7 */
    pd_session_free(&session);
    pd_model_close(&model);
    CHECK(!session && !model);
}

static void the_other_tower_is_refused(void)
{
    pd_model *model = open_tiny(PD_MODEL_TEXT);
    REQUIRE(model);
    const pd_session_options options = { .towers = PD_MODEL_VISION };
    pd_session *session = NULL;
    pd_error error = { 0 };
    CHECK(pd_session_create(&session, model, &options, &error) != PD_OK);
    CHECK(!session && strlen(error.message) > 10);
    pd_model_close(&model);
}

typedef struct asker {
    const pd_model *model;
    float embedding[DIM_MAX];
    bool is_done;
} asker;

static void *ask(void *arg)
{
    asker *a = arg;
    pd_session *session = begin(a->model, PD_MODEL_TEXT);
    a->is_done = session != NULL;
    for (int i = 0; a->is_done && i < 5; i++)
        a->is_done = pd_session_embed_text(session, words, strlen(words), a->embedding, NULL) == PD_OK;
    pd_session_free(&session);
    return NULL;
}

static void two_threads_share_a_model(void)
{
    pd_model *model = open_tiny(PD_MODEL_TEXT);
    REQUIRE(model);
    static asker askers[2];
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        askers[i].model = model;
        CHECK(pthread_create(&threads[i], NULL, ask, &askers[i]) == 0);
    }
    for (size_t i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0 && askers[i].is_done);
    CHECK(memcmp(askers[0].embedding, askers[1].embedding, sizeof(float) * pd_model_dim(model)) == 0);
    pd_model_close(&model);
}

static void preparing_twice_gives_the_same(void)
{
    pd_model_options options;
    pd_model_options_init(&options);
    options.towers = PD_MODEL_TEXT;
    options.cache_dir = scratch;
    float first[DIM_MAX], second[DIM_MAX];
    for (int round = 0; round < 2; round++) {
        pd_model *model = NULL;
        REQUIRE(pd_model_open(&model, tiny, &options, NULL) == PD_OK);
        pd_session *session = begin(model, PD_MODEL_TEXT);
        CHECK(session && pd_session_embed_text(session, words, strlen(words), round ? second : first, NULL) == PD_OK);
        pd_session_free(&session);
        if (round)
            CHECK(memcmp(first, second, sizeof(float) * pd_model_dim(model)) == 0);
        pd_model_close(&model);
    }
}

typedef struct witness {
    uint64_t last, total;
    size_t calls, stop_at; /* the call after which nobody wants it; 0: none is */
    bool is_ordered;
    atomic_bool cancelled;
} witness;

static void watch(void *user, uint64_t done_bytes, uint64_t total_bytes)
{
    witness *w = user;
    w->is_ordered = (w->calls == 0 || (done_bytes > w->last && total_bytes == w->total)) && done_bytes <= total_bytes &&
                    (w->calls == 0 || w->is_ordered);
    w->last = done_bytes;
    w->total = total_bytes;
    if (++w->calls == w->stop_at)
        atomic_store(&w->cancelled, true);
}

static pd_status open_watched(witness *w, const char *cache, pd_error *err)
{
    pd_model_options options;
    pd_model_options_init(&options);
    options.cache_dir = cache;
    options.progress = watch;
    options.progress_user = w;
    options.cancelled = &w->cancelled;
    pd_model *model = NULL;
    const pd_status status = pd_model_open(&model, tiny, &options, err);
    pd_model_close(&model);
    return status;
}

static void preparing_tells_how_far_it_is_and_can_be_stopped(void)
{
    pd_error error = { 0 };
    witness all = { 0 }, none = { 0 };
    CHECK(open_watched(&all, NULL, &error) == PD_OK);
    CHECK(all.calls > 100 && all.is_ordered && all.last == all.total); /* 325 tensors */
    for (size_t stop_at = 1; stop_at <= all.calls; stop_at += 61) {
        char name[32];
        (void)snprintf(name, sizeof name, "watched-%zu", stop_at);
        char *cache = pd_path_join(scratch, name);
        REQUIRE(cache);
        witness w = { .stop_at = stop_at }, again = { 0 };
        const size_t live = pd_mem_live();
        CHECK(open_watched(&w, cache, &error) == PD_ERR_CANCELLED);
        CHECK(w.calls == stop_at && strstr(error.message, "stopped") != NULL);
        CHECK(pd_mem_live() == live);
        CHECK(open_watched(&again, cache, &error) == PD_OK); /* one tower may have been finished before the stop */
        CHECK(again.last == again.total && again.calls > 0);
        CHECK(open_watched(&none, cache, &error) == PD_OK && none.calls == 0);
        pd_mem_free(cache);
    }
}

/* A directory with links to all files of the model but `without`. */
static char *copy_model(const char *name, const char *without)
{
    char *dir = pd_path_join(scratch, name);
    if (!dir || pd_dir_make(dir, NULL) != PD_OK)
        return dir;
    for (size_t i = 0; i < PD_COUNT_OF(model_files); i++) {
        char *from = pd_path_join(tiny, model_files[i]), *to = pd_path_join(dir, model_files[i]);
        if (strcmp(model_files[i], without) != 0 && symlink(from, to) != 0)
            fprintf(stderr, "cannot link %s\n", to);
        pd_mem_free(from);
        pd_mem_free(to);
    }
    return dir;
}

static void write_part(const char *dir, const char *name, const void *data, size_t len)
{
    char *path = pd_path_join(dir, name);
    CHECK(path && pd_file_replace(path, data, len, false, NULL) == PD_OK);
    pd_mem_free(path);
}

static void expect_refusal(const char *dir, const char *says)
{
    pd_model_options options;
    pd_model_options_init(&options);
    pd_model *model = NULL;
    pd_error error = { 0 };
    const size_t live = pd_mem_live();
    const pd_status status = pd_model_open(&model, dir, &options, &error);
    CHECK(status == PD_ERR_NOT_FOUND || status == PD_ERR_FORMAT || status == PD_ERR_UNSUPPORTED ||
          status == PD_ERR_LIMIT);
    CHECK(error.status == status && !model);
    CHECK(strstr(error.message, says) != NULL);
    if (!strstr(error.message, says))
        fprintf(stderr, "'%s' is not in '%s'\n", says, error.message);
    CHECK(pd_mem_live() == live);
}

static void a_missing_file_is_named(void)
{
    static const char *const needed[] = { "config.json", "vocab.json", "merges.txt", "model.safetensors" };
    for (size_t i = 0; i < PD_COUNT_OF(needed); i++) {
        char folder[32];
        (void)snprintf(folder, sizeof folder, "without-%zu", i);
        char *dir = copy_model(folder, needed[i]);
        REQUIRE(dir);
        expect_refusal(dir, needed[i]);
        pd_mem_free(dir);
    }
}

static void broken_weights_are_named(void)
{
    char *dir = copy_model("broken", "model.safetensors");
    REQUIRE(dir);
    pd_file_map map;
    char *path = pd_path_join(tiny, "model.safetensors");
    REQUIRE(path && pd_file_map_open(&map, path, NULL) == PD_OK);
    write_part(dir, "model.safetensors", map.data, map.len / 2);
    expect_refusal(dir, "model.safetensors");
    write_part(dir, "model.safetensors", map.data, 5);
    expect_refusal(dir, "model.safetensors");
    static const char lie[] =
        "\x40\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,9999999999999999]}} ";
    write_part(dir, "model.safetensors", lie, sizeof lie - 1);
    expect_refusal(dir, "model.safetensors");
    pd_file_map_close(&map);
    pd_mem_free(path);
    pd_mem_free(dir);
}

static void an_absurd_config_is_refused(void)
{
    char *dir = copy_model("absurd", "config.json");
    REQUIRE(dir);
    static const char *const configs[] = { "", "[]", "{}", "{\"architectures\":[\"BertModel\"]}",
                                           "{\"architectures\":[\"CLIPModel\"],\"text_config\":{\"hidden_size\":-1}}" };
    for (size_t i = 0; i < PD_COUNT_OF(configs); i++) {
        write_part(dir, "config.json", configs[i], strlen(configs[i]));
        expect_refusal(dir, "config.json");
    }
    pd_mem_free(dir);
}

/* The model's weights as they are while they arrive: of all tensors that are not of `tower` ("text", "vis") there are
 * holes (0), or bytes that no tensor may hold (0xFF: not a number). */
static void write_arriving(const char *dir, const char *tower, int hole)
{
    pd_weights *weights = NULL;
    pd_file_map map = { 0 };
    pd_tensor tensor;
    char *path = pd_path_join(tiny, "model.safetensors");
    REQUIRE(path && pd_file_map_open(&map, path, NULL) == PD_OK && pd_weights_open(&weights, path, NULL) == PD_OK);
    uint8_t *bytes = pd_mem_dup(map.data, map.len);
    REQUIRE(bytes);
    size_t data_len = 0, at = 0;
    for (size_t i = 0; i < pd_weights_count(weights); i++) {
        pd_weights_at(weights, i, &tensor);
        data_len += tensor.count * pd_dtype_bytes(tensor.dtype);
    }
    for (size_t i = 0; i < pd_weights_count(weights); i++) {
        pd_weights_at(weights, i, &tensor);
        const size_t len = tensor.count * pd_dtype_bytes(tensor.dtype);
        if (strncmp(tensor.name, tower, strlen(tower)) != 0)
            memset(bytes + (map.len - data_len) + at, hole, len);
        at += len;
    }
    write_part(dir, "model.safetensors", bytes, map.len);
    pd_mem_free(bytes);
    pd_weights_close(&weights);
    pd_file_map_close(&map);
    pd_mem_free(path);
}

static void hash_weights(char ret_text[PD_SHA256_TEXT_BYTES])
{
    char *path = pd_path_join(tiny, "model.safetensors");
    pd_file_map map = { 0 };
    uint8_t digest[PD_SHA256_BYTES];
    pd_sha256 sha;
    REQUIRE(path && pd_file_map_open(&map, path, NULL) == PD_OK);
    pd_sha256_init(&sha);
    pd_sha256_update(&sha, map.data, map.len);
    pd_sha256_finish(&sha, digest);
    pd_sha256_format(digest, ret_text);
    pd_file_map_close(&map);
    pd_mem_free(path);
}

/* Opens one tower; its id, and what it makes of the words or of a picture. */
static pd_status open_and_embed(const char *dir, const pd_model_options *options, char ret_id[PD_SHA256_TEXT_BYTES],
                                float ret_embedding[DIM_MAX], pd_error *err)
{
    static uint8_t bytes[SIDE * SIDE * 3];
    fill_pixels(bytes);
    const pd_pixels pixels = { .data = bytes, .width = SIDE, .height = SIDE, .row_bytes = SIDE * 3 };
    pd_model *model = NULL;
    PD_TRY(pd_model_open(&model, dir, options, err));
    pd_session *session = begin(model, options->towers);
    CHECK(session &&
          (options->towers == PD_MODEL_TEXT ? pd_session_embed_text(session, words, strlen(words), ret_embedding, NULL)
                                            : pd_session_embed_pixels(session, &pixels, ret_embedding, NULL)) == PD_OK);
    memcpy(ret_id, pd_model_id(model), PD_SHA256_TEXT_BYTES);
    pd_session_free(&session);
    pd_model_close(&model);
    return PD_OK;
}

static void weights_that_arrive_open_as_what_they_will_be(void)
{
    char sha256[PD_SHA256_TEXT_BYTES], id[PD_SHA256_TEXT_BYTES], id_there[PD_SHA256_TEXT_BYTES];
    char *dir = copy_model("arriving", "model.safetensors"), *cache = pd_path_join(scratch, "arriving-cache");
    REQUIRE(dir && cache);
    hash_weights(sha256);
    for (int round = 0; round < 4; round++) { /* both towers, with zeros and with not-a-numbers elsewhere */
        static float embedding[DIM_MAX], there[DIM_MAX];
        witness w = { 0 };
        pd_model_options options;
        pd_model_options_init(&options);
        options.towers = round & 1 ? PD_MODEL_TEXT : PD_MODEL_VISION;
        CHECK(open_and_embed(tiny, &options, id_there, there, NULL) == PD_OK);
        options.cache_dir = cache;
        options.weights_sha256 = sha256;
        write_arriving(dir, round & 1 ? "text" : "vis", round & 2 ? 0xFF : 0);
        CHECK(open_and_embed(dir, &options, id, embedding, NULL) == PD_OK);
        CHECK(strcmp(id, id_there) == 0 && memcmp(embedding, there, sizeof there) == 0);

        /* what was prepared of unchecked bytes is not found by who has the checked ones */
        options.progress = watch;
        options.progress_user = &w;
        options.weights_sha256 = NULL;
        CHECK(open_and_embed(tiny, &options, id, embedding, NULL) == PD_OK && w.calls > 0);
        CHECK(pd_model_find_id(tiny, cache, id, NULL) == PD_OK && strcmp(id, id_there) == 0);
        const int64_t bytes = pd_model_forget(cache, id, true);
        CHECK(bytes > 1000 && pd_model_forget(cache, id, false) == bytes && pd_model_forget(cache, id, true) == 0);
    }
    pd_mem_free(cache);
    pd_mem_free(dir);
}

static void the_image_tower_is_known_by_its_bytes(void)
{
    char digest[PD_SHA256_TEXT_BYTES], digest_there[PD_SHA256_TEXT_BYTES];
    char *dir = copy_model("hashed", "model.safetensors");
    pd_error error = { 0 };
    REQUIRE(dir);
    CHECK(pd_model_hash_vision(tiny, digest_there, NULL) == PD_OK);
    write_arriving(dir, "vis", 0);
    CHECK(pd_model_hash_vision(dir, digest, NULL) == PD_OK && strcmp(digest, digest_there) == 0);
    write_arriving(dir, "text", 0);
    CHECK(pd_model_hash_vision(dir, digest, NULL) == PD_OK && strcmp(digest, digest_there) != 0);
    write_part(dir, "model.safetensors", "", 0);
    CHECK(pd_model_hash_vision(dir, digest, &error) == PD_ERR_FORMAT && strlen(error.message) > 20);
    pd_mem_free(dir);
}

static void what_is_said_of_arriving_weights_is_not_kept(void)
{
    char id[PD_SHA256_TEXT_BYTES], id_there[PD_SHA256_TEXT_BYTES];
    static float embedding[DIM_MAX];
    char *dir = copy_model("promised", "none"), *cache = pd_path_join(scratch, "promised-cache");
    pd_model_options options;
    pd_model_options_init(&options);
    REQUIRE(dir && cache);
    options.towers = PD_MODEL_TEXT;
    CHECK(open_and_embed(tiny, &options, id_there, embedding, NULL) == PD_OK);
    options.cache_dir = cache;
    options.weights_sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    CHECK(open_and_embed(dir, &options, id, embedding, NULL) == PD_OK && strcmp(id, id_there) != 0);
    options.weights_sha256 = NULL;
    CHECK(open_and_embed(dir, &options, id, embedding, NULL) == PD_OK && strcmp(id, id_there) == 0);
    static const char *const wrong[] = { "", "00", "zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
                                         "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0" };
    for (size_t i = 0; i < PD_COUNT_OF(wrong); i++) {
        pd_error error = { 0 };
        options.weights_sha256 = wrong[i];
        CHECK(open_and_embed(dir, &options, id, embedding, &error) == PD_ERR_USAGE);
        CHECK(strstr(error.message, "SHA-256") != NULL);
    }
    pd_mem_free(cache);
    pd_mem_free(dir);
}

static void running_out_of_memory_leaks_nothing(void)
{
    pd_model_options options;
    pd_model_options_init(&options);
    options.towers = PD_MODEL_TEXT;
    const size_t live = pd_mem_live();
    size_t failed = 0;
    /* thousands of allocations are JSON values: every 97th is tried, and the first 40 */
    for (size_t nth = 1;; nth += nth < 40 ? 1 : 97) {
        pd_model *model = NULL;
        pd_error error = { 0 };
        (void)pd_mem_fail_at(nth);
        const pd_status status = pd_model_open(&model, tiny, &options, &error);
        (void)pd_mem_fail_at(0);
        pd_model_close(&model);
        CHECK(pd_mem_live() == live);
        if (status == PD_OK)
            break;
        CHECK(status == PD_ERR_NOMEM);
        if (status != PD_ERR_NOMEM)
            fprintf(stderr, "allocation %zu: %s (%s)\n", nth, pd_status_name(status), error.message);
        failed++;
    }
    CHECK(failed > 40);
}

int main(void)
{
    const char *source = getenv("PD_SOURCE");
    if (!source)
        SKIP_ALL("PD_SOURCE is not set: run it through meson test");
    (void)snprintf(tiny, sizeof tiny, "%s/models/tiny", source);
    (void)snprintf(scratch, sizeof scratch, "/tmp/pd-test-session-XXXXXX");
    if (!mkdtemp(scratch))
        return 1;
    RUN(embedding_allocates_nothing);
    RUN(the_other_tower_is_refused);
    RUN(two_threads_share_a_model);
    RUN(preparing_twice_gives_the_same);
    RUN(preparing_tells_how_far_it_is_and_can_be_stopped);
    RUN(a_missing_file_is_named);
    RUN(broken_weights_are_named);
    RUN(an_absurd_config_is_refused);
    RUN(weights_that_arrive_open_as_what_they_will_be);
    RUN(the_image_tower_is_known_by_its_bytes);
    RUN(what_is_said_of_arriving_weights_is_not_kept);
    RUN(running_out_of_memory_leaks_nothing);
    return TEST_RESULT();
}
