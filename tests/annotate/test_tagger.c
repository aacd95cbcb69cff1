/* Words of the vocabulary in the space of the shipped model: kept in a file, the same every time, and none where
 * nothing fits. */
#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "annotate/tagger.h"
#include "base/file.h"
#include "base/mem.h"
#include "test.h"

enum { DIM_MAX = 1024, MANY = 70 };

static char scratch[4096];
static pd_model *model;
static pd_session *session, *vision;
static pd_tagger *whole; /* all words */

/* A few words, where embedding all of them would say no more. */
static const uint16_t few_implied[] = { 0, 0, 0, 8 };
static const pd_word few_words[] = {
    { "animal", "animal\0", 0, 0, true },     { "beach", "beach\0seaside\0", 0, 0, false },
    { "bird", "bird\0", 0, 1, false },        { "cat", "cat\0", 1, 1, false },
    { "dog", "a dog\0puppy\0", 2, 1, false }, { "guitar", "guitar\0", 0, 0, false },
    { "pizza", "pizza\0", 0, 0, false },      { "red car", "a red car\0", 3, 1, false },
    { "vehicle", "vehicle\0", 0, 0, true },   { "waterfall", "a waterfall\0", 0, 0, false },
    { "wedding", "wedding\0", 0, 0, false },
};
static const pd_vocabulary few = { .version = "few", .words = few_words, .n = 11, .implied = few_implied };

static pd_tagger *make(const pd_vocabulary *vocabulary, const char *cache_dir)
{
    pd_tagger *tagger = NULL;
    pd_error err = { 0 };
    const pd_tagger_options options = { vocabulary, cache_dir, NULL, session, vision };
    if (pd_tagger_make(&tagger, model, &options, &err) != PD_OK)
        fprintf(stderr, "%s\n", err.message);
    return tagger;
}

static size_t tag_text(const pd_tagger *tagger, const char *text, pd_tagged *ret_tags)
{
    float embedding[DIM_MAX];
    if (pd_session_embed_text(session, text, strlen(text), embedding, NULL) != PD_OK)
        return 0;
    return pd_tagger_tag(tagger, embedding, ret_tags);
}

static const pd_tagged *find(const pd_tagged *tags, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(tags[i].word, word) == 0)
            return &tags[i];
    return NULL;
}

static void words_imply_words(void)
{
    const pd_vocabulary *v = pd_vocabulary_get();
    CHECK(v->n >= 1000 && v->n <= PD_WORDS_MAX);
    bool dog_is_animal = false;
    for (size_t w = 0; w < v->n; w++) {
        CHECK(w == 0 || strcmp(v->words[w - 1].word, v->words[w].word) < 0);
        CHECK(v->words[w].texts[0] != '\0');
        for (size_t i = 0; i < v->words[w].n_implied; i++) {
            const uint16_t general = v->implied[v->words[w].implied_at + i];
            CHECK(general < v->n && general != w);
            dog_is_animal |= strcmp(v->words[w].word, "dog") == 0 && strcmp(v->words[general].word, "animal") == 0;
        }
    }
    CHECK(dog_is_animal);
}

static void a_word_finds_itself(void)
{
    pd_tagged tags[PD_TAGS_MAX];
    const size_t n = tag_text(whole, "a photo of a golden retriever", tags);
    CHECK(find(tags, n, "golden retriever") && find(tags, n, "dog") && find(tags, n, "animal"));
    CHECK(!find(tags, n, "vehicle") && !find(tags, n, "food"));
    for (size_t i = 0; i < n; i++)
        CHECK(tags[i].score > 0 && tags[i].score <= 1 && (i == 0 || tags[i].score <= tags[i - 1].score));
    CHECK(n && !tags[0].doubtful);
    CHECK(strstr(pd_tagger_source(whole), pd_model_id(model)) &&
          strstr(pd_tagger_source(whole), pd_vocabulary_get()->version));
}

static void many_are_tagged_as_one(void)
{
    static float embeddings[MANY * DIM_MAX];
    static pd_tagged many[MANY * PD_TAGS_MAX];
    size_t counts[MANY], dim = pd_model_dim(model);
    for (size_t i = 0; i < MANY; i++) {
        const char *word = pd_vocabulary_get()->words[i * 17].word;
        REQUIRE(pd_session_embed_text(session, word, strlen(word), embeddings + i * dim, NULL) == PD_OK);
    }
    REQUIRE(pd_tagger_tag_all(whole, embeddings, MANY, many, counts, NULL) == PD_OK);
    for (size_t i = 0; i < MANY; i++) {
        pd_tagged one[PD_TAGS_MAX];
        const size_t n = pd_tagger_tag(whole, embeddings + i * dim, one);
        CHECK(n == counts[i]);
        for (size_t t = 0; t < n && t < counts[i]; t++) {
            CHECK(one[t].word == many[i * PD_TAGS_MAX + t].word);
            CHECK(fabsf(one[t].score - many[i * PD_TAGS_MAX + t].score) < 1e-5f);
        }
    }
    const size_t made = pd_mem_made();
    pd_tagged tags[PD_TAGS_MAX];
    (void)!pd_tagger_tag(whole, embeddings, tags);
    CHECK(pd_mem_made() == made);
}

static void nothing_is_said_of_nothing(void)
{
    float zero[DIM_MAX] = { 0 };
    pd_tagged tags[PD_TAGS_MAX];
    CHECK(pd_tagger_tag(whole, zero, tags) == 0);
}

static bool same(const pd_tagger *a, const pd_tagger *b, const char *text)
{
    pd_tagged first[PD_TAGS_MAX], second[PD_TAGS_MAX];
    const size_t n = tag_text(a, text, first);
    if (tag_text(b, text, second) != n || n == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (first[i].word != second[i].word || first[i].score != second[i].score)
            return false;
    return true;
}

static char *only_file(const char *dir)
{
    static char path[8192];
    snprintf(path, sizeof path, "%s/tags-%.16s.words", dir, pd_model_id(model));
    return path;
}

static ino_t inode_of(const char *path)
{
    struct stat at;
    return stat(path, &at) == 0 ? at.st_ino : 0;
}

/* What is drawn in `side` times `side` pixels, as the model sees it. */
static size_t tag_drawing(size_t side, uint8_t (*draw)(size_t x, size_t y, size_t channel), pd_tagged *ret_tags)
{
    static uint8_t pixels[256 * 256 * 3];
    float embedding[DIM_MAX];
    const pd_pixels picture = { pixels, side, side, 3 * side };
    for (size_t i = 0; i < 3 * side * side; i++)
        pixels[i] = draw(i / 3 % side, i / 3 / side, i % 3);
    if (pd_session_embed_pixels(vision, &picture, embedding, NULL) != PD_OK)
        return SIZE_MAX;
    return pd_tagger_tag(whole, embedding, ret_tags);
}

static uint8_t draw_orange(size_t x, size_t y, size_t channel)
{
    static const uint8_t orange[] = { 240, 150, 30 };
    return orange[channel] + (x + y) % 2;
}

static uint8_t draw_dusk(size_t x, size_t y, size_t channel)
{
    (void)x;
    return (uint8_t)(channel == 2 ? 90 + y / 2 : y / 3);
}

static uint8_t draw_grain(size_t x, size_t y, size_t channel)
{
    uint32_t mixed = (uint32_t)((y * 256 + x) * 3 + channel + 77) * 2654435761u;
    mixed = (mixed ^ mixed >> 15) * 2246822519u;
    return (uint8_t)((mixed ^ mixed >> 13) >> 24);
}

static uint8_t draw_stripes(size_t x, size_t y, size_t channel)
{
    (void)y;
    (void)channel;
    return x / 16 % 2 ? 255 : 0;
}

static void nothing_to_be_seen_gets_no_tags(void)
{
    pd_tagged tags[PD_TAGS_MAX];
    CHECK(tag_drawing(256, draw_orange, tags) == 0);
    CHECK(tag_drawing(200, draw_dusk, tags) == 0);
    CHECK(tag_drawing(250, draw_grain, tags) == 0);
    const size_t n = tag_drawing(256, draw_stripes, tags);
    CHECK(n > 0 && n <= PD_TAGS_MAX && find(tags, n, "texture"));
}

static void without_the_image_tower_only_what_is_kept_is_read(void)
{
    char dir[4200];
    snprintf(dir, sizeof dir, "%s/seen", scratch);
    const pd_tagger_options blind = { &few, dir, NULL, session, NULL };
    pd_tagger *tagger = NULL;
    CHECK(pd_tagger_make(&tagger, model, &blind, NULL) == PD_ERR_NOT_FOUND && !tagger);
    tagger = make(&few, dir);
    CHECK(tagger);
    pd_tagger_close(&tagger);
    CHECK(pd_tagger_make(&tagger, model, &blind, NULL) == PD_OK);
    pd_tagger_close(&tagger);
}

static void words_are_kept_in_a_file(void)
{
    char dir[4200];
    snprintf(dir, sizeof dir, "%s/kept", scratch);
    pd_tagger *made = make(&few, dir);
    REQUIRE(made);
    const char *path = only_file(dir);
    const ino_t inode = inode_of(path);
    CHECK(inode);
    pd_tagger *read = make(&few, dir);
    REQUIRE(read);
    CHECK(inode_of(path) == inode);
    CHECK(same(made, read, "a dog on the beach"));
    pd_tagger_close(&read);

    /* damage in every part, and a file that was cut: made anew, and the same */
    struct stat at;
    REQUIRE(stat(path, &at) == 0);
    const off_t places[] = { 0, 9, 12, 16, 30, 70, 200, at.st_size / 2, at.st_size - 1 };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        FILE *file = fopen(path, "r+");
        REQUIRE(file);
        fseek(file, places[i], SEEK_SET);
        const int byte = fgetc(file);
        fseek(file, places[i], SEEK_SET);
        fputc(byte ^ 0x20, file);
        fclose(file);
        const ino_t damaged = inode_of(path);
        pd_word_space space = { 0 };
        pd_error err = { 0 };
        CHECK(pd_word_space_read(&space, path, &few, pd_model_id(model), &err) == PD_ERR_CORRUPT);
        CHECK(strstr(err.message, path) && !space.packed);
        if (i % 3 == 0) {
            pd_tagger *again = make(&few, dir);
            REQUIRE(again);
            CHECK(same(made, again, "a red car"));
            CHECK(inode_of(path) != damaged);
            pd_tagger_close(&again);
        } else {
            file = fopen(path, "r+");
            REQUIRE(file);
            fseek(file, places[i], SEEK_SET);
            fputc(byte, file);
            fclose(file);
        }
    }
    REQUIRE(truncate(path, at.st_size - 4) == 0);
    pd_word_space space = { 0 };
    CHECK(pd_word_space_read(&space, path, &few, pd_model_id(model), NULL) == PD_ERR_CORRUPT);
    REQUIRE(truncate(path, 3) == 0);
    CHECK(pd_word_space_read(&space, path, &few, pd_model_id(model), NULL) == PD_ERR_CORRUPT);
    pd_tagger_close(&made);
}

static void another_model_has_its_own(void)
{
    char dir[4200], path[8192];
    snprintf(dir, sizeof dir, "%s/other", scratch);
    pd_tagger *tagger = make(&few, dir);
    REQUIRE(tagger);
    pd_tagger_close(&tagger);
    snprintf(path, sizeof path, "%s", only_file(dir));
    pd_word_space space = { 0 };
    CHECK(pd_word_space_read(&space, path, &few, "another", NULL) == PD_ERR_CORRUPT);
    pd_vocabulary newer = few;
    newer.version = "newer";
    CHECK(pd_word_space_read(&space, path, &newer, pd_model_id(model), NULL) == PD_ERR_CORRUPT);
    CHECK(pd_word_space_read(&space, "/no/such/file", &few, "x", NULL) == PD_ERR_NOT_FOUND);
}

static void a_cache_that_cannot_be_written_is_no_failure(void)
{
    pd_tagger *tagger = make(&few, "/proc/no/such/place");
    CHECK(tagger);
    pd_tagger_close(&tagger);
}

static void it_can_be_stopped(void)
{
    atomic_bool stop = true;
    pd_tagger *tagger = NULL;
    pd_error err = { 0 };
    const pd_tagger_options options = { &few, NULL, &stop, session, vision };
    CHECK(pd_tagger_make(&tagger, model, &options, &err) == PD_ERR_CANCELLED);
    CHECK(!tagger && err.message[0]);
}

static void nothing_is_lost_without_memory(void)
{
    char dir[4200];
    snprintf(dir, sizeof dir, "%s/kept", scratch);
    pd_tagger *tagger = make(&few, dir);
    REQUIRE(tagger);
    pd_tagger_close(&tagger);
    const char *const places[] = { dir, NULL };
    for (size_t p = 0; p < 2; p++) {
        size_t failures = 0;
        const pd_tagger_options options = { &few, places[p], NULL, session, vision };
        for (size_t nth = 1;; nth++) {
            const size_t live = pd_mem_live();
            pd_error err = { 0 };
            pd_mem_fail_at(nth);
            const pd_status status = pd_tagger_make(&tagger, model, &options, &err);
            pd_mem_fail_at(0);
            if (status == PD_OK)
                break;
            failures++;
            CHECK(status == PD_ERR_NOMEM && !tagger && err.status == PD_ERR_NOMEM && pd_mem_live() == live);
        }
        CHECK(failures >= (p == 0 ? 2 : 4));
        pd_tagged tags[PD_TAGS_MAX];
        size_t count = 0;
        float zero[DIM_MAX] = { 0 };
        pd_mem_fail_at(1);
        CHECK(pd_tagger_tag_all(tagger, zero, 1, tags, &count, NULL) == PD_ERR_NOMEM);
        pd_mem_fail_at(0);
        pd_tagger_close(&tagger);
    }
}

int main(void)
{
    char tiny[4096], command[4200];
    const char *source = getenv("PD_SOURCE");
    snprintf(tiny, sizeof tiny, "%s/models/tiny", source ? source : ".");
    snprintf(scratch, sizeof scratch, "/tmp/pd-tagger-XXXXXX");
    pd_model_options options;
    pd_model_options_init(&options);
    options.towers = PD_MODEL_TEXT | PD_MODEL_VISION;
    const pd_session_options text_options = { .towers = PD_MODEL_TEXT };
    const pd_session_options vision_options = { .towers = PD_MODEL_VISION };
    if (!mkdtemp(scratch) || pd_model_open(&model, tiny, &options, NULL) != PD_OK ||
        pd_session_create(&session, model, &text_options, NULL) != PD_OK ||
        pd_session_create(&vision, model, &vision_options, NULL) != PD_OK || pd_model_dim(model) > DIM_MAX)
        return 1;
    whole = make(pd_vocabulary_get(), NULL);
    if (!whole)
        return 1;
    RUN(words_imply_words);
    RUN(a_word_finds_itself);
    RUN(many_are_tagged_as_one);
    RUN(nothing_is_said_of_nothing);
    RUN(nothing_to_be_seen_gets_no_tags);
    RUN(without_the_image_tower_only_what_is_kept_is_read);
    RUN(words_are_kept_in_a_file);
    RUN(another_model_has_its_own);
    RUN(a_cache_that_cannot_be_written_is_no_failure);
    RUN(it_can_be_stopped);
    RUN(nothing_is_lost_without_memory);
    pd_tagger_close(&whole);
    pd_session_free(&session);
    pd_session_free(&vision);
    pd_model_close(&model);
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    return system(command) == 0 ? TEST_RESULT() : 1;
}
