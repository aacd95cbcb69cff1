/* What the shipped captioner promises as an object: no allocation while writing, one run of the tower for words and
 * vector, sharing between threads, clear words for what does not fit, nothing lost when memory runs out. What it
 * computes is caption_parity's business. */
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/model.h"
#include "prepared_files.h"
#include "test.h"

enum { DIM_MAX = 1024, SIDE = 97 };

static char source[4096], scratch[4096];
static char captioner_dir[4200], tiny[4200];
static const char *const captioner_files[] = {
    "config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json",
    "vocab.txt",   "model.safetensors"
};

static pd_pixels draw(void)
{
    static _Thread_local uint8_t bytes[SIDE * SIDE * 3];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 2654435761U >> 11);
    return (pd_pixels){ .data = bytes, .width = SIDE, .height = SIDE, .row_bytes = SIDE * 3 };
}

static pd_model_options int8_options(void)
{
    pd_model_options options;
    pd_model_options_init(&options);
    options.towers = PD_MODEL_VISION;
    return options;
}

static pd_captioner *open_captioner(void)
{
    const pd_model_options options = int8_options();
    pd_captioner *captioner = NULL;
    pd_error error = { 0 };
    if (pd_captioner_open(&captioner, captioner_dir, &options, &error) != PD_OK)
        fprintf(stderr, "%s\n", error.message);
    return captioner;
}

static pd_model *open_encoder(void)
{
    const pd_model_options options = int8_options();
    pd_model *model = NULL;
    return pd_model_open(&model, tiny, &options, NULL) == PD_OK ? model : NULL;
}

static void a_directory_says_what_it_is(void)
{
    pd_captioner *captioner = open_captioner();
    REQUIRE(captioner);
    CHECK(strcmp(pd_captioner_name(captioner), "tiny-caption") == 0);
    CHECK(strlen(pd_captioner_id(captioner)) == 64);
    CHECK(pd_captioner_image_side(captioner) == 224);
    CHECK(strcmp(pd_captioner_encoder_dir(captioner), tiny) == 0);
    CHECK(pd_captioner_bytes(captioner) > 4000000 && pd_captioner_bytes(captioner) < 20000000);
    pd_caption_options options;
    pd_caption_options_init(captioner, &options);
    CHECK(!options.prompt && options.n_beams == 5 && options.n_captions == 1 && options.max_tokens == 20);
    CHECK(options.min_tokens == 4 && options.no_repeat_ngram == 3 && options.early_stopping);
    CHECK(fabsf(options.length_penalty - 0.8F) < 1e-6F && options.repetition_penalty == 1);
    pd_caption_advice advice;
    pd_captioner_advice(captioner, &advice);
    CHECK(advice.rerank_weight == 2 && fabsf(advice.doubt_cosine_below - 0.33F) < 1e-6F);
    pd_captioner_close(&captioner);
    CHECK(!captioner);
}

static void writing_allocates_nothing_and_gives_the_vector_too(void)
{
    const pd_pixels pixels = draw();
    pd_captioner *captioner = open_captioner();
    pd_model *encoder = open_encoder();
    pd_caption_session *session = NULL;
    REQUIRE(captioner && encoder && pd_model_dim(encoder) <= DIM_MAX);
    REQUIRE(pd_caption_session_create(&session, captioner, encoder, NULL) == PD_OK);
    pd_caption list[PD_CAPTION_BEAMS_MAX];
    pd_captions captions = { .list = list };
    pd_caption_options options;
    pd_caption_options_init(captioner, &options);
    options.n_captions = 5;
    static float embedding[DIM_MAX], alone[DIM_MAX];
    const size_t made = pd_mem_made();
    CHECK(pd_caption_session_write(session, &pixels, &options, &captions, embedding, NULL) == PD_OK);
    CHECK(pd_mem_made() == made);
    CHECK(captions.n == 5 && strlen(list[0].text) > 5);
    for (size_t i = 0; i < captions.n; i++) {
        CHECK(list[i].score <= 0 && list[i].likelihood <= 0 && !list[i].repeats);
        CHECK(i == 0 || list[i].score <= list[i - 1].score);
    }
    const pd_session_options vision = { .towers = PD_MODEL_VISION };
    pd_session *search = NULL;
    REQUIRE(pd_session_create(&search, encoder, &vision, NULL) == PD_OK);
    CHECK(pd_session_embed_pixels(search, &pixels, alone, NULL) == PD_OK);
    CHECK(memcmp(embedding, alone, sizeof(float) * pd_model_dim(encoder)) == 0);
    char first[PD_CAPTION_TEXT_BYTES];
    memcpy(first, list[0].text, sizeof first);
    CHECK(pd_caption_session_write(session, &pixels, &options, &captions, NULL, NULL) == PD_OK);
    CHECK(strcmp(first, list[0].text) == 0);
    pd_session_free(&search);
    pd_caption_session_free(&session);
    pd_model_close(&encoder);
    pd_captioner_close(&captioner);
}

static void a_prompt_is_gone_on_from(void)
{
    const pd_pixels pixels = draw();
    pd_captioner *captioner = open_captioner();
    pd_model *encoder = open_encoder();
    pd_caption_session *session = NULL;
    REQUIRE(captioner && encoder && pd_caption_session_create(&session, captioner, encoder, NULL) == PD_OK);
    pd_caption caption;
    pd_captions captions = { .list = &caption };
    pd_caption_options options;
    pd_caption_options_init(captioner, &options);
    options.prompt = "Two dogs";
    CHECK(pd_caption_session_write(session, &pixels, &options, &captions, NULL, NULL) == PD_OK);
    CHECK(strncmp(caption.text, "two dogs ", 9) == 0);

    pd_error error = { 0 };
    options.prompt = "a a a a a a a a a a a a a a"; /* with 20 more: beyond the 32 positions */
    CHECK(pd_caption_session_write(session, &pixels, &options, &captions, NULL, &error) == PD_ERR_LIMIT);
    CHECK(strstr(error.message, "32 in all") != NULL);
    options.prompt = NULL;
    options.n_beams = PD_CAPTION_BEAMS_MAX + 1;
    CHECK(pd_caption_session_write(session, &pixels, &options, &captions, NULL, &error) == PD_ERR_USAGE);
    options.n_beams = 2;
    options.n_captions = 3;
    CHECK(pd_caption_session_write(session, &pixels, &options, &captions, NULL, &error) == PD_ERR_USAGE);
    const pd_pixels none = { .data = NULL, .width = 3, .height = 3, .row_bytes = 9 };
    options.n_captions = 1;
    CHECK(pd_caption_session_write(session, &none, &options, &captions, NULL, &error) == PD_ERR_USAGE);
    pd_caption_session_free(&session);
    pd_model_close(&encoder);
    pd_captioner_close(&captioner);
}

typedef struct writer {
    const pd_captioner *captioner;
    const pd_model *encoder;
    pd_caption caption;
    bool is_done;
} writer;

static void *write_one(void *arg)
{
    writer *w = arg;
    const pd_pixels pixels = draw();
    pd_caption_session *session = NULL;
    pd_captions captions = { .list = &w->caption };
    pd_caption_options options;
    pd_caption_options_init(w->captioner, &options);
    w->is_done = pd_caption_session_create(&session, w->captioner, w->encoder, NULL) == PD_OK &&
                 pd_caption_session_write(session, &pixels, &options, &captions, NULL, NULL) == PD_OK;
    pd_caption_session_free(&session);
    return NULL;
}

static void two_threads_share_a_captioner(void)
{
    pd_captioner *captioner = open_captioner();
    pd_model *encoder = open_encoder();
    REQUIRE(captioner && encoder);
    static writer writers[2];
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        writers[i] = (writer){ .captioner = captioner, .encoder = encoder };
        CHECK(pthread_create(&threads[i], NULL, write_one, &writers[i]) == 0);
    }
    for (size_t i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0 && writers[i].is_done);
    CHECK(strcmp(writers[0].caption.text, writers[1].caption.text) == 0);
    pd_model_close(&encoder);
    pd_captioner_close(&captioner);
}

/* A directory with links to the captioner's files, config.json with `from` replaced by `to`. */
static char *copy_captioner(const char *name, const char *without, const char *from, const char *to)
{
    pd_buf config, changed;
    char *dir = pd_path_join(scratch, name), *path = pd_path_join(captioner_dir, "config.json");
    pd_buf_init(&config, 1 << 20);
    pd_buf_init(&changed, 1 << 20);
    CHECK(dir && path && pd_dir_make(dir, NULL) == PD_OK && pd_file_read(path, 1 << 20, &config, NULL) == PD_OK);
    for (size_t i = 1; i < PD_COUNT_OF(captioner_files); i++) {
        char *file = pd_path_join(captioner_dir, captioner_files[i]), *link = pd_path_join(dir, captioner_files[i]);
        if (strcmp(captioner_files[i], without) != 0)
            CHECK(symlink(file, link) == 0);
        pd_mem_free(file);
        pd_mem_free(link);
    }
    pd_mem_free(path);
    const char *place = from ? strstr(config.data, from) : NULL;
    CHECK(!from || place);
    (void)pd_buf_append(&changed, config.data, place ? (size_t)(place - config.data) : config.len);
    if (place) {
        (void)pd_buf_append_string(&changed, to);
        (void)pd_buf_append_string(&changed, place + strlen(from));
    }
    path = pd_path_join(dir, "config.json");
    if (strcmp(without, "config.json") != 0)
        CHECK(path && pd_file_replace(path, changed.data, changed.len, false, NULL) == PD_OK);
    pd_mem_free(path);
    pd_buf_done(&changed);
    pd_buf_done(&config);
    return dir;
}

static void expect_refusal(const char *dir, const char *says)
{
    const pd_model_options options = int8_options();
    pd_captioner *captioner = NULL;
    pd_error error = { 0 };
    const size_t live = pd_mem_live();
    const pd_status status = pd_captioner_open(&captioner, dir, &options, &error);
    CHECK(status == PD_ERR_NOT_FOUND || status == PD_ERR_FORMAT || status == PD_ERR_UNSUPPORTED ||
          status == PD_ERR_LIMIT);
    CHECK(!captioner && error.status == status && strstr(error.message, says) != NULL);
    if (!strstr(error.message, says))
        fprintf(stderr, "'%s' is not in '%s'\n", says, error.message);
    CHECK(pd_mem_live() == live);
}

static void what_does_not_fit_is_named(void)
{
    static const struct {
        const char *from, *to, *says;
    } changes[] = {
        { "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4",
          "no tensor 'decoder.bert.encoder.layer.3.attention.output.LayerNorm.weight'" },
        { "\"hidden_size\": 256", "\"hidden_size\": 128", "has shape [256, 1280]; by config.json it is [128, 1280]" },
        { "\"hidden_size\": 1280", "\"hidden_size\": 640", "'enc_to_dec_proj.weight' has shape" },
        { "\"num_attention_heads\": 8", "\"num_attention_heads\": 7", "7 attention heads do not divide" },
        { "\"vocab_size\": 3866", "\"vocab_size\": 3000", "vocab.txt has 3866 entries, config.json allows 3000" },
        { "\"model_type\": \"bert\"", "\"model_type\": \"gpt2\"", "\"decoder.model_type\" is 'gpt2'; only bert" },
        { "\"hidden_act\": \"gelu\"", "\"hidden_act\": \"swish\"", "'swish'; quick_gelu, gelu and" },
        { "\"add_cross_attention\": true", "\"add_cross_attention\": false",
          "\"decoder.add_cross_attention\" is false" },
        { "\"model_type\": \"mobilenet_v2\"", "\"model_type\": \"swin\"", "\"encoder.model_type\" is 'swin'" },
        { "\"encoder_weights\"", "\"elsewhere\"", "no \"encoder_weights\" says where" },
        { "\"VisionEncoderDecoderModel\"", "\"GPT2LMHeadModel\"", "the captioner is a 'GPT2LMHeadModel'" },
        { "\"eos_token_id\": 3", "\"eos_token_id\": 4000", "is 4000, which is not among the 3866 words" },
        { "\"folder\": \"../tiny\"", "\"folder\": \"/etc\"", "\"encoder_weights.folder\" is not" },
        { "{", "[", "config.json" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(changes); i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "changed-%zu", i);
        char *dir = copy_captioner(name, "", changes[i].from, changes[i].to);
        REQUIRE(dir);
        expect_refusal(dir, changes[i].says);
        pd_mem_free(dir);
    }
}

static void a_missing_file_is_named(void)
{
    static const char *const needed[] = { "config.json", "vocab.txt", "model.safetensors" };
    for (size_t i = 0; i < PD_COUNT_OF(needed); i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "without-%zu", i);
        char *dir = copy_captioner(name, needed[i], NULL, NULL);
        REQUIRE(dir);
        expect_refusal(dir, needed[i]);
        pd_mem_free(dir);
    }
}

static void a_directory_that_advises_nothing_has_defaults(void)
{
    char *dir = copy_captioner("silent", "generation_config.json", NULL, NULL);
    const pd_model_options options = int8_options();
    pd_captioner *captioner = NULL;
    REQUIRE(dir && pd_captioner_open(&captioner, dir, &options, NULL) == PD_OK);
    pd_caption_options how;
    pd_caption_options_init(captioner, &how);
    CHECK(how.n_beams == 5 && how.max_tokens == 20 && how.min_tokens == 0 && how.no_repeat_ngram == 3);
    pd_caption_advice advice;
    pd_captioner_advice(captioner, &advice);
    CHECK(isnan(advice.rerank_weight) && isnan(advice.doubt_cosine_below));
    pd_captioner_close(&captioner);
    pd_mem_free(dir);
}

static void another_encoder_is_refused(void)
{
    char *dir = copy_captioner("stranger", "", "\"sha256\": \"ccbcc404", "\"sha256\": \"00000000");
    const pd_model_options options = int8_options();
    pd_captioner *captioner = NULL;
    pd_model *encoder = open_encoder(), *text = NULL;
    pd_caption_session *session = NULL;
    pd_error error = { 0 };
    REQUIRE(dir && encoder && pd_captioner_open(&captioner, dir, &options, &error) == PD_OK);
    CHECK(pd_caption_session_create(&session, captioner, encoder, &error) == PD_ERR_FORMAT);
    CHECK(strstr(error.message, "another image tower") && !session);
    CHECK(pd_caption_session_create(&session, captioner, NULL, &error) == PD_ERR_USAGE);
    pd_model_options words = options;
    words.towers = PD_MODEL_TEXT;
    REQUIRE(pd_model_open(&text, tiny, &words, NULL) == PD_OK);
    CHECK(pd_caption_session_create(&session, captioner, text, &error) == PD_ERR_USAGE && !session);
    pd_model_close(&text);
    pd_model_close(&encoder);
    pd_captioner_close(&captioner);
    pd_mem_free(dir);
}

typedef struct counted {
    size_t calls, stop_at; /* the call after which nobody wants it; 0: none is */
    atomic_bool cancelled;
} counted;

static void count_call(void *user, uint64_t done_bytes, uint64_t total_bytes)
{
    counted *c = user;
    CHECK(done_bytes <= total_bytes);
    if (++c->calls == c->stop_at)
        atomic_store(&c->cancelled, true);
}

static void preparing_is_kept_and_can_be_stopped(void)
{
    pd_model_options options = int8_options();
    char *cache = pd_path_join(scratch, "cache");
    pd_captioner *captioner = NULL;
    pd_error error = { 0 };
    counted c = { .stop_at = 40 };
    REQUIRE(cache);
    options.cache_dir = cache;
    options.progress = count_call;
    options.progress_user = &c;
    options.cancelled = &c.cancelled;
    CHECK(pd_captioner_open(&captioner, captioner_dir, &options, &error) == PD_ERR_CANCELLED && c.calls == 40);
    CHECK(count_prepared(cache) == 0);
    c = (counted){ .stop_at = 0 };
    CHECK(pd_captioner_open(&captioner, captioner_dir, &options, &error) == PD_OK && c.calls > 50);
    CHECK(count_prepared(cache) == 1);
    char id[65];
    memcpy(id, pd_captioner_id(captioner), sizeof id);
    pd_captioner_close(&captioner);
    c = (counted){ .stop_at = 0 };
    CHECK(pd_captioner_open(&captioner, captioner_dir, &options, &error) == PD_OK && c.calls == 0);
    CHECK(strcmp(id, pd_captioner_id(captioner)) == 0);
    pd_captioner_close(&captioner);
    pd_mem_free(cache);
}

static void running_out_of_memory_leaks_nothing(void)
{
    const pd_model_options options = int8_options();
    pd_model *encoder = open_encoder();
    REQUIRE(encoder);
    const size_t live = pd_mem_live();
    size_t failed = 0;
    bool done = false;
    for (size_t nth = 1; !done; nth += nth < 60 ? 1 : 97) {
        pd_captioner *captioner = NULL;
        pd_caption_session *session = NULL;
        pd_error error = { 0 };
        (void)pd_mem_fail_at(nth);
        pd_status status = pd_captioner_open(&captioner, captioner_dir, &options, &error);
        if (status == PD_OK)
            status = pd_caption_session_create(&session, captioner, encoder, &error);
        (void)pd_mem_fail_at(0);
        pd_caption_session_free(&session);
        pd_captioner_close(&captioner);
        CHECK(pd_mem_live() == live);
        CHECK(status == PD_OK || (status == PD_ERR_NOMEM && error.status == PD_ERR_NOMEM));
        failed += status != PD_OK;
        done = status == PD_OK;
    }
    CHECK(failed > 60);
    pd_model_close(&encoder);
}

int main(void)
{
    const char *root = getenv("PD_SOURCE");
    char folder[] = "/tmp/pd-test-captioner-XXXXXX";
    if (!root || !mkdtemp(folder))
        return 1;
    (void)snprintf(source, sizeof source, "%s", root);
    (void)snprintf(scratch, sizeof scratch, "%s", folder);
    (void)snprintf(tiny, sizeof tiny, "%s/models/tiny", source);
    (void)snprintf(captioner_dir, sizeof captioner_dir, "%s/models/tiny-caption", source);
    RUN(a_directory_says_what_it_is);
    RUN(writing_allocates_nothing_and_gives_the_vector_too);
    RUN(a_prompt_is_gone_on_from);
    RUN(two_threads_share_a_captioner);
    RUN(what_does_not_fit_is_named);
    RUN(a_missing_file_is_named);
    RUN(a_directory_that_advises_nothing_has_defaults);
    RUN(another_encoder_is_refused);
    RUN(preparing_is_kept_and_can_be_stopped);
    RUN(running_out_of_memory_leaks_nothing);
    return TEST_RESULT();
}
