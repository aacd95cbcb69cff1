/* What machines write about pictures, beside the user's word; what they have not written yet; settings. */
#include "store_fixture.h"

#include "base/mem.h"
#include "store/store_private.h"

static fixture f;
static pd_store *store;
static int64_t root;

static void open_new(void)
{
    f = fixture_make();
    store = NULL;
    REQUIRE(pd_store_open(&store, f.path, PD_STORE_WRITE, NULL) == PD_OK);
    REQUIRE(pd_store_root_add(store, "/photos", &root, NULL) == PD_OK);
}

static void close_and_remove(void)
{
    pd_store_close(&store);
    fixture_remove(&f);
}

/* A photo with a content of its own, taken at a time. The content has the photo's number as id. */
static int64_t add(uint32_t number, const char *name, const char *taken)
{
    pd_content c = content_of(number);
    int64_t content = 0;
    c.taken = taken;
    CHECK(pd_store_content_put(store, &c, &content, NULL) == PD_OK);
    CHECK(add_photo(store, root, name, content) > 0);
    return content;
}

static void put(int64_t content, pd_machine_kind kind, const char *source, const pd_machine_text *texts, size_t n)
{
    pd_error err = { 0 };
    const pd_status status = pd_store_machine_put(store, &(pd_machine_about){ content, kind, source }, texts, n, &err);
    if (status != PD_OK)
        fprintf(stderr, "%s\n", err.message);
    CHECK(status == PD_OK);
}

#define TAGS(content, source, ...)                                                 \
    put(content, PD_MACHINE_TAG, source, (const pd_machine_text[]){ __VA_ARGS__ }, \
        sizeof((const pd_machine_text[]){ __VA_ARGS__ }) / sizeof(pd_machine_text))
#define CAPTION(content, source, text, score, doubtful) \
    put(content, PD_MACHINE_CAPTION, source, &(const pd_machine_text){ text, score, doubtful }, 1)

static int64_t edit(pd_edit_kind kind, const char *text, int64_t photo)
{
    int64_t n = -1;
    CHECK(pd_store_edit(store, &(pd_edit){ kind, text, 0, &photo, 1 }, &n, NULL, NULL) == PD_OK);
    return n;
}

/* Asked for alone, it is the same. */
static void check_caption(int64_t photo, const pd_work *work)
{
    pd_said_caption caption = { 0 };
    CHECK(pd_store_caption(store, photo, &caption, NULL) == PD_OK && strcmp(caption.text, work->caption) == 0);
    CHECK(caption.by == work->caption_by && caption.doubtful == work->caption_doubtful);
}

/* "caption by score?|machine's caption|tag by score?,..." with ? for doubtful and scores in per cent, - when none */
static const char *work_of(int64_t photo)
{
    static char line[1024];
    pd_work work = { 0 };
    if (pd_store_work(store, photo, &work, NULL) != PD_OK)
        return "none";
    check_caption(photo, &work);
    int at = snprintf(line, sizeof line, "%s%d", work.caption, (int)work.caption_by);
    if (!isnan(work.caption_score))
        at += snprintf(line + at, sizeof line - (size_t)at, " %.0f", 100 * (double)work.caption_score);
    at +=
        snprintf(line + at, sizeof line - (size_t)at, "%s|%s|", work.caption_doubtful ? "?" : "", work.caption_machine);
    for (size_t i = 0; i < work.n_tags; i++) {
        const pd_tag *tag = &work.tags[i];
        at += snprintf(line + at, sizeof line - (size_t)at, "%s%s%d", i ? "," : "", tag->name, (int)tag->by);
        if (!isnan(tag->score))
            at += snprintf(line + at, sizeof line - (size_t)at, " %.0f", 100 * (double)tag->score);
        at += snprintf(line + at, sizeof line - (size_t)at, "%s", tag->doubtful ? "?" : "");
    }
    return line;
}

typedef struct photo_list {
    int64_t ids[32];
    double scores[32];
    size_t n;
} photo_list;

static bool take_word(void *user, int64_t photo, double score)
{
    photo_list *list = user;
    list->ids[list->n] = photo;
    list->scores[list->n] = score;
    return ++list->n < 32;
}

static bool take_photo(void *user, int64_t photo) { return take_word(user, photo, 0); }

static photo_list where(pd_text_where place, const char *pattern)
{
    photo_list list = { .n = 0 };
    CHECK(pd_store_text_photos(store, place, pattern, take_photo, &list, NULL) == PD_OK);
    return list;
}

static photo_list any(const char *words)
{
    photo_list list = { .n = 0 };
    CHECK(pd_store_words_any(store, words, 32, take_word, &list, NULL) == PD_OK);
    return list;
}

/* In what machines wrote. */
static photo_list any_machine(const char *words)
{
    photo_list list = { .n = 0 };
    CHECK(pd_store_words_machine(store, words, 32, take_word, &list, NULL) == PD_OK);
    return list;
}

static photo_list exact(const char *words)
{
    photo_list list = { .n = 0 };
    CHECK(pd_store_words_exact(store, words, take_word, &list, NULL) == PD_OK);
    return list;
}

/* The contents that are to do, in a line: "3,1". */
static const char *todo_of(pd_machine_kind kind, const char *source, int64_t model, size_t n_max)
{
    static char line[2][256];
    static int turn;
    char *to = line[turn ^= 1];
    int64_t contents[32], count = -1;
    size_t n = 99;
    const pd_machine_query query = { kind, source, model };
    CHECK(pd_store_machine_todo(store, &query, n_max, contents, &n, NULL) == PD_OK && n <= n_max);
    CHECK(pd_store_machine_count(store, &query, &count, NULL) == PD_OK);
    CHECK(n == n_max ? count >= (int64_t)n : count == (int64_t)n);
    int at = 0;
    to[0] = '\0';
    for (size_t i = 0; i < n; i++)
        at += snprintf(to + at, (size_t)(256 - at), "%s%lld", i ? "," : "", (long long)contents[i]);
    return to;
}

#define TODO(kind, source, model, n_max, line)                                  \
    do {                                                                        \
        const char *is_todo = todo_of(kind, source, model, n_max);              \
        if (strcmp(is_todo, line) != 0)                                         \
            fprintf(stderr, "%d: '%s' is not '%s'\n", __LINE__, is_todo, line); \
        CHECK(strcmp(is_todo, line) == 0);                                      \
    } while (0)

static void a_newer_source_takes_the_place_of_an_older_one(void)
{
    open_new();
    const int64_t c = add(1, "/photos/a.jpg", "");
    IS(1, "0||");
    TAGS(c, "tiny v1", { "lawn", 0.8f, false }, { "dog", 0.25f, true }, { "Café", NAN, false });
    CAPTION(c, "cap v1", "  a dog on a lawn ", 0.5f, false);
    IS(1, "a dog on a lawn3 50|a dog on a lawn|Café3,dog3 25?,lawn3 80");
    TAGS(c, "tiny v2", { "dog", 0.75f, false });
    IS(1, "a dog on a lawn3 50|a dog on a lawn|dog3 75");
    CHECK(where(PD_WHERE_TAG, "lawn").n == 0 && where(PD_WHERE_TAG, "DOG").n == 1);
    CAPTION(c, "cap v2", "a wolf", 0.25f, true);
    IS(1, "a wolf3 25?|a wolf|dog3 75");
    put(c, PD_MACHINE_TAG, "tiny v3", NULL, 0); /* nothing fits */
    put(c, PD_MACHINE_CAPTION, "cap v3", NULL, 0);
    IS(1, "0||");
    CHECK(any_machine("wolf").n == 0 && where(PD_WHERE_TAG, "dog").n == 0);
    close_and_remove();
}

static void copies_share_what_machines_wrote(void)
{
    open_new();
    const int64_t c = add(1, "/photos/a.jpg", "");
    TAGS(c, "t", { "dog", 0.5f, false });
    CAPTION(c, "c", "a dog", 0.5f, false);
    const int64_t b = add_photo(store, root, "/photos/b.jpg", c), d = add_photo(store, root, "/photos/d.jpg", 0);
    IS(b, "a dog3 50|a dog|dog3 50");
    IS(d, "0||");
    CHECK(add_photo(store, root, "/photos/d.jpg", c) == d);
    IS(d, "a dog3 50|a dog|dog3 50");
    TODO(PD_MACHINE_TAG, "t", 0, 9, "");
    TODO(PD_MACHINE_CAPTION, "c", 0, 9, "");
    TAGS(c, "t2", { "cat", 0.5f, false });
    IS(1, "a dog3 50|a dog|cat3 50");
    IS(b, "a dog3 50|a dog|cat3 50");
    CHECK(where(PD_WHERE_TAG, "cat").n == 3 && where(PD_WHERE_TAG, "dog").n == 0 && any_machine("dog").n == 3);
    CHECK(add_photo(store, root, "/photos/d.jpg", add_content(store, 2)) == d); /* the file changed */
    IS(d, "0||");
    TODO(PD_MACHINE_TAG, "t2", 0, 9, "2");
    close_and_remove();
}

static void a_photo_without_a_caption_takes_no_other_s(void)
{
    static const int64_t photos[] = { 2, 1, 2, 1, 1, 2 };
    open_new();
    (void)add(1, "bare.jpg", "");
    CAPTION(add(2, "said.jpg", ""), "c@1", "a dog", 0.8f, false);
    for (size_t i = 0; i < PD_COUNT_OF(photos); i++) {
        pd_said_caption caption = { 0 };
        CHECK(pd_store_caption(store, photos[i], &caption, NULL) == PD_OK);
        CHECK(strcmp(caption.text, photos[i] == 2 ? "a dog" : "") == 0);
    }
    close_and_remove();
}

static void the_user_s_word_stands_above_the_machine_s_for_ever(void)
{
    open_new();
    const int64_t c = add(1, "/photos/a.jpg", "");
    TAGS(c, "t1", { "dog", 0.5f, false }, { "wolf", 0.25f, true });
    CAPTION(c, "c1", "a dog", 0.5f, true);
    CHECK(edit(PD_EDIT_UNTAG, "WOLF", 1) == 1 && edit(PD_EDIT_TAG, "Dog", 1) == 1);
    CHECK(edit(PD_EDIT_CAPTION, "Rex", 1) == 1);
    IS(1, "Rex1|a dog|Dog1");
    CHECK(any("dog").n == 1 && any_machine("wolf").n == 0 && where(PD_WHERE_CAPTION, "dog").n == 0);
    TAGS(c, "t2", { "dog", 0.9f, false }, { "wolf", 0.9f, false }, { "hound", 0.5f, false });
    CAPTION(c, "c2", "a wolf", 0.9f, false);
    IS(1, "Rex1|a wolf|Dog1,hound3 50");
    CHECK(where(PD_WHERE_TAG, "wolf").n == 0 && any_machine("wolf").n == 0);
    CHECK(edit(PD_EDIT_CAPTION, "", 1) == 1); /* emptied: it stays empty */
    CAPTION(c, "c3", "a wolf again", 0.9f, false);
    IS(1, "1|a wolf again|Dog1,hound3 50");
    CHECK(where(PD_WHERE_CAPTION, "wolf").n == 0 && any("again").n == 0);
    CHECK(edit(PD_EDIT_CAPTION, NULL, 1) == 1); /* the machine's counts again */
    IS(1, "a wolf again3 90|a wolf again|Dog1,hound3 50");
    char *said = NULL;
    CHECK(pd_store_undo(store, 0, &said, NULL) == PD_OK);
    pd_mem_free(said);
    IS(1, "1|a wolf again|Dog1,hound3 50");
    close_and_remove();
}

static void captions_of_a_file_come_after_the_machine_s(void)
{
    static const char texts[] = "\1Title\0\2Words of the file\0\7dog";
    open_new();
    pd_content content = content_of(1);
    int64_t c = 0;
    content.texts = (pd_texts){ texts, sizeof texts };
    CHECK(pd_store_content_put(store, &content, &c, NULL) == PD_OK);
    const int64_t a = add_photo(store, root, "/photos/a.jpg", c);
    IS(a, "Words of the file2||dog2");
    TAGS(c, "t", { "Dog", 0.5f, true });
    CAPTION(c, "c", "a dog", 0.5f, false);
    IS(a, "a dog3 50|a dog|dog2");
    CHECK(where(PD_WHERE_CAPTION, "words").n == 1 && where(PD_WHERE_CAPTION, "dog").n == 1);
    CHECK(pd_store_content_put(store, &content, &c, NULL) == PD_OK); /* read again: what machines wrote stays */
    IS(a, "a dog3 50|a dog|dog2");
    close_and_remove();
}

static void what_is_doubtful_is_found_and_counts_less(void)
{
    open_new();
    const int64_t sure = add(1, "/photos/1.jpg", ""), doubted = add(2, "/photos/2.jpg", "");
    const int64_t tagged = add(3, "/photos/3.jpg", ""), guessed = add(4, "/photos/4.jpg", "");
    add(5, "/photos/5.jpg", "");
    CAPTION(sure, "c", "a red boat", 0.9f, false);
    CAPTION(doubted, "c", "a red boat", 0.2f, true);
    TAGS(tagged, "t", { "boat", 0.9f, false }, { "red", 0.9f, false });
    TAGS(guessed, "t", { "boat", 0.2f, true }, { "red", 0.2f, true });
    const photo_list list = any_machine("boat");
    CHECK(list.n == 4);
    double score[6] = { 0 };
    for (size_t i = 0; i < list.n; i++)
        score[list.ids[i]] = list.scores[i];
    CHECK(score[1] > 1.5 * score[2] && score[3] > 1.5 * score[4] && score[2] > 0 && score[4] > 0);
    CHECK(any("boat").n == 0); /* nobody else wrote it */
    CHECK(exact("red boat").n == 2 && exact("boat").n == 4);
    CHECK(where(PD_WHERE_CAPTION, "boat red").n == 2); /* a doubtful tag is no caption */
    CHECK(where(PD_WHERE_TAG, "bo*").n == 2);
    close_and_remove();
}

static void what_is_to_do_comes_newest_first(void)
{
    open_new();
    add(1, "/photos/1.jpg", "2019-01-01T00:00:00");
    add(2, "/photos/2.jpg", "2023-01-01T00:00:00");
    add(3, "/photos/3.jpg", "2021-01-01T00:00:00");
    add_photo(store, root, "/photos/copy of 1.jpg", 1);
    CHECK(add_content(store, 4) == 4); /* no photo */
    add_photo(store, root, "/photos/unread.jpg", 0);
    TODO(PD_MACHINE_CAPTION, "c", 0, 9, "2,3,1");
    TODO(PD_MACHINE_CAPTION, "c", 0, 2, "2,3");
    TODO(PD_MACHINE_CAPTION, "c", 0, 0, "");
    CAPTION(3, "c", "x", 0.5f, false);
    put(2, PD_MACHINE_CAPTION, "c", NULL, 0);
    TODO(PD_MACHINE_CAPTION, "c", 0, 9, "1");
    TODO(PD_MACHINE_TAG, "c", 0, 9, "2,3,1");
    CHECK(pd_store_machine_fail(store, &(pd_machine_about){ 1, PD_MACHINE_CAPTION, "c" }, NULL) == PD_OK);
    TODO(PD_MACHINE_CAPTION, "c", 0, 9, "");
    TODO(PD_MACHINE_CAPTION, "other", 0, 9, "2,3,1"); /* which writes all anew */
    CAPTION(2, "other", "y", 0.5f, false);
    TODO(PD_MACHINE_CAPTION, "other", 0, 9, "3,1");
    TODO(PD_MACHINE_CAPTION, "c", 0, 9, "2");
    CHECK(pd_store_machine_fail(store, &(pd_machine_about){ 2, PD_MACHINE_CAPTION, "third" }, NULL) ==
          PD_OK); /* what was said stays */
    IS(2, "y3 50|y|");
    add(5, "/photos/5.jpg", "2022-01-01T00:00:00");
    TODO(PD_MACHINE_CAPTION, "third", 0, 9, "5,3,1");
    TODO(PD_MACHINE_CAPTION, "c", 0, 9, "2,5");
    CHECK(pd_store_photo_remove(store, 2, NULL) == PD_OK);
    TODO(PD_MACHINE_CAPTION, "c", 0, 9, "5");
    add_photo(store, root, "/photos/2 again.jpg", 2);
    TODO(PD_MACHINE_CAPTION, "c", 0, 9, "2,5");
    close_and_remove();
}

static void a_root_that_is_away_and_what_is_not_learned_wait(void)
{
    open_new();
    int64_t away = 0, model = 0, later = 0;
    CHECK(pd_store_root_add(store, "/away", &away, NULL) == PD_OK);
    CHECK(pd_store_model_add(store, "m1", "m", FIXTURE_DIM, &model, NULL) == PD_OK);
    CHECK(pd_store_model_add(store, "m2", "m", FIXTURE_DIM, &later, NULL) == PD_OK);
    add(1, "/photos/1.jpg", "2019-01-01T00:00:00");
    add(2, "/photos/2.jpg", "2023-01-01T00:00:00");
    add_photo(store, away, "/away/3.jpg", add_content(store, 3));
    add_photo(store, away, "/away/1.jpg", 1);
    add_embedding(store, 1, model, 1);
    add_embedding(store, 3, model, 1);
    add_embedding(store, 2, later, 1);
    TODO(PD_MACHINE_TAG, "t", 0, 9, "2,1,3"); /* files' own time: the start of 1970 */
    TODO(PD_MACHINE_TAG, "t", model, 9, "1,3");
    TODO(PD_MACHINE_TAG, "t", later, 9, "2");
    TODO(PD_MACHINE_CAPTION, "t", model, 9, "2,1,3"); /* a caption needs no embedding */
    CHECK(pd_store_root_set_offline(store, away, true, NULL) == PD_OK);
    TODO(PD_MACHINE_TAG, "t", model, 9, "1");
    CHECK(pd_store_root_set_offline(store, root, true, NULL) == PD_OK);
    TODO(PD_MACHINE_TAG, "t", model, 9, "");
    CHECK(pd_store_root_set_offline(store, away, false, NULL) == PD_OK);
    TODO(PD_MACHINE_TAG, "t", model, 9, "1,3"); /* a copy of it is there */
    close_and_remove();
}

/* Many sources, roots and copies: the answer is what looking at everything gives. */
static void every_order_of_writing_leaves_the_right_rest(void)
{
    static const char *const sources[] = { "a", "b", "c" };
    open_new();
    int64_t roots[3] = { root }, written[2][128] = { { 0 } }; /* numbers are skipped when a content is put again */
    bool known[128] = { false };
    CHECK(pd_store_root_add(store, "/q", &roots[1], NULL) == PD_OK);
    CHECK(pd_store_root_add(store, "/r", &roots[2], NULL) == PD_OK);
    uint32_t chance = 12345;
    for (uint32_t i = 0; i < 60; i++) {
        char path[32], taken[32];
        chance = chance * 1664525 + 1013904223;
        pd_content c = content_of(1 + (chance >> 16) % 31);
        int64_t content = 0;
        (void)snprintf(taken, sizeof taken, "20%02d-01-01T00:00:00", c.sha256[0]);
        c.taken = taken;
        CHECK(pd_store_content_put(store, &c, &content, NULL) == PD_OK && content < 128);
        (void)snprintf(path, sizeof path, "/p/%u", i);
        add_photo(store, roots[(chance >> 8) % 3], path, content);
        const int kind = (int)((chance >> 24) % 2), by = (int)((chance >> 26) % 3);
        put(content, (pd_machine_kind)kind, sources[by], NULL, 0);
        written[kind][content] = by + 1;
        known[content] = true;
        int64_t rest[128];
        for (int k = 0; k < 6; k++) {
            const pd_machine_query query = { (pd_machine_kind)(k % 2), sources[k / 2], 0 };
            size_t n = 0, expected = 0;
            CHECK(pd_store_machine_todo(store, &query, 128, rest, &n, NULL) == PD_OK);
            for (int64_t id = 1; id < 128; id++)
                expected += known[id] && written[k % 2][id] != k / 2 + 1;
            CHECK(n == expected);
            for (size_t r = 0; r < n; r++)
                CHECK(written[k % 2][rest[r]] != k / 2 + 1);
        }
    }
    close_and_remove();
}

/* No walk over what is done: the plans use the index, with all that it has. */
static void what_is_done_is_not_looked_at(void)
{
    static const struct {
        pd_stmt id;
        const char *plan;
    } expected[] = {
        { PD_STMT_MACHINE_GROUP,
          "USING COVERING INDEX photo_machine (tag_source=? AND caption_source=? AND root_id>?)" },
        { PD_STMT_MACHINE_GROUP, "USING COVERING INDEX photo_machine (tag_source=? AND caption_source>?)" },
        { PD_STMT_MACHINE_GROUP, "USING COVERING INDEX photo_machine (tag_source>?)" },
        { PD_STMT_MACHINE_LEARNED,
          "USING COVERING INDEX sqlite_autoindex_embedding_1 (content_id>? AND content_id<?)" },
        { PD_STMT_MACHINE_TODO,
          "USING COVERING INDEX photo_machine (tag_source=? AND caption_source=? AND root_id=?)" },
    };
    open_new();
    TODO(PD_MACHINE_TAG, "t", 0, 1, "");
    add(1, "/photos/1.jpg", "");
    TODO(PD_MACHINE_TAG, "t", 0, 1, "1");
    TODO(PD_MACHINE_TAG, "t", 1, 1, "");
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char sql[1200];
        sqlite3_stmt *stmt;
        bool seen = false, sorts = false;
        (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", sqlite3_sql(store->stmts[expected[i].id]));
        REQUIRE(sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) == SQLITE_OK);
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            const char *line = (const char *)sqlite3_column_text(stmt, 3);
            seen = seen || strstr(line, expected[i].plan);
            sorts = sorts || strstr(line, "TEMP B-TREE");
        }
        sqlite3_finalize(stmt);
        CHECK(seen && !sorts);
    }
    close_and_remove();
}

static void what_is_no_text_is_refused_with_a_sentence(void)
{
    open_new();
    const int64_t c = add(1, "/photos/a.jpg", "");
    pd_error err = { 0 };
    TAGS(c, "t", { "dog", 0.5f, false });
    static const pd_machine_text many[PD_MACHINE_TEXTS_MAX + 1];
    CHECK(pd_store_machine_put(store, &(pd_machine_about){ c, PD_MACHINE_TAG, "u" }, many, PD_MACHINE_TEXTS_MAX + 1,
                               &err) == PD_ERR_LIMIT);
    CHECK(strstr(err.message, "65") && strstr(err.message, "64"));
    const pd_machine_text bad[] = { { "cat", 0.5f, false }, { "\xFF", 0.5f, false } };
    CHECK(pd_store_machine_put(store, &(pd_machine_about){ c, PD_MACHINE_TAG, "u" }, bad, 2, &err) == PD_ERR_USAGE &&
          err.message[0]);
    const pd_machine_text lines[] = { { "a\nb", 0.5f, false } };
    CHECK(pd_store_machine_put(store, &(pd_machine_about){ c, PD_MACHINE_CAPTION, "u" }, lines, 1, &err) ==
          PD_ERR_USAGE);
    CHECK(pd_store_machine_put(store, &(pd_machine_about){ c, PD_MACHINE_TAG, "" }, bad, 1, &err) == PD_ERR_USAGE);
    CHECK(pd_store_machine_put(store, &(pd_machine_about){ 77, PD_MACHINE_TAG, "u" }, bad, 1, &err) == PD_ERR_NO_MATCH);
    CHECK(pd_store_machine_fail(store, &(pd_machine_about){ 77, PD_MACHINE_TAG, "u" }, &err) == PD_ERR_NO_MATCH);
    char longest[PD_MACHINE_SOURCE_BYTES_MAX + 2];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    CHECK(pd_store_machine_fail(store, &(pd_machine_about){ c, PD_MACHINE_TAG, longest }, &err) == PD_ERR_USAGE);
    longest[sizeof longest - 2] = '\0';
    IS(1, "0||dog3 50"); /* nothing of all that */
    TODO(PD_MACHINE_TAG, "t", 0, 9, "");
    CHECK(pd_store_machine_fail(store, &(pd_machine_about){ c, PD_MACHINE_TAG, longest }, &err) == PD_OK);
    TAGS(c, "u", { " ", 0.5f, false }, { "a", 0.1f, true }, { "A", 0.9f, false });
    IS(1, "0||A3 90"); /* the surer of two that are the same */
    close_and_remove();
}

static void settings_are_kept(void)
{
    open_new();
    char *value = NULL;
    pd_error err = { 0 };
    CHECK(pd_store_setting_get(store, "model", &value, NULL) == PD_OK && !value);
    CHECK(pd_store_setting_put(store, "model", "tiny", NULL) == PD_OK);
    CHECK(pd_store_setting_put(store, "model", "openai--clip", NULL) == PD_OK);
    CHECK(pd_store_setting_put(store, "captions", "", NULL) == PD_OK);
    pd_store_close(&store);
    REQUIRE(pd_store_open(&store, f.path, PD_STORE_READ, NULL) == PD_OK);
    CHECK(pd_store_setting_get(store, "model", &value, NULL) == PD_OK && value && strcmp(value, "openai--clip") == 0);
    pd_mem_free(value);
    CHECK(pd_store_setting_get(store, "captions", &value, NULL) == PD_OK && value && value[0] == '\0');
    pd_mem_free(value);
    CHECK(pd_store_setting_put(store, "model", "x", &err) != PD_OK && err.message[0]);
    pd_store_close(&store);
    REQUIRE(pd_store_open(&store, f.path, PD_STORE_WRITE, NULL) == PD_OK);
    CHECK(pd_store_setting_put(store, "model", NULL, NULL) == PD_OK);
    CHECK(pd_store_setting_get(store, "model", &value, NULL) == PD_OK && !value);
    char longer[PD_STORE_SETTING_BYTES_MAX + 2];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    CHECK(pd_store_setting_put(store, "model", longer, &err) == PD_ERR_LIMIT && strstr(err.message, "too long"));
    CHECK(pd_store_setting_put(store, "model", "\xFF", &err) == PD_ERR_USAGE);
    CHECK(pd_store_setting_get(store, "model", &value, NULL) == PD_OK && !value);
    close_and_remove();
}

/* Everything that allocates, in a chain: it ends at the first that fails. */
static pd_status write_and_ask(const pd_machine_text *texts, size_t n, pd_error *err)
{
    int64_t contents[8], todo;
    size_t n_todo;
    char *value = NULL;
    const pd_machine_query query = { PD_MACHINE_TAG, "t", 0 };
    PD_TRY(pd_store_machine_todo(store, &query, 8, contents, &n_todo, err));
    PD_TRY(pd_store_machine_count(store, &query, &todo, err));
    PD_TRY(pd_store_setting_put(store, "model", "tiny", err));
    PD_TRY(pd_store_setting_get(store, "model", &value, err));
    pd_mem_free(value);
    PD_TRY(pd_store_machine_put(store, &(pd_machine_about){ 1, PD_MACHINE_TAG, "t" }, texts, n, err));
    return pd_store_machine_fail(store, &(pd_machine_about){ 1, PD_MACHINE_CAPTION, "c" }, err);
}

static void running_out_of_memory_leaves_everything_as_it_was(void)
{
    const pd_machine_text texts[] = { { "cat", 0.5f, false }, { "sea", 0.5f, true } };
    open_new();
    TAGS(add(1, "/photos/a.jpg", ""), "old", { "dog", 0.5f, false });
    pd_store_close(&store);
    size_t tries = 0;
    for (pd_status status = PD_ERR_NOMEM; status == PD_ERR_NOMEM && tries < 300; tries++) {
        REQUIRE(pd_store_open(&store, f.path, PD_STORE_WRITE, NULL) == PD_OK);
        (void)pd_mem_fail_at(tries + 1);
        status = write_and_ask(texts, 2, NULL);
        (void)pd_mem_fail_at(0);
        if (status == PD_OK)
            IS(1, "0||cat3 50,sea3 50?");
        else
            CHECK(status == PD_ERR_NOMEM &&
                  (strcmp(work_of(1), "0||dog3 50") == 0 || strcmp(work_of(1), "0||cat3 50,sea3 50?") == 0));
        pd_store_close(&store);
        CHECK(pd_mem_live() == 0);
    }
    CHECK(tries > 8 && tries < 300);
    fixture_remove(&f);
}

int main(void)
{
    RUN(a_newer_source_takes_the_place_of_an_older_one);
    RUN(copies_share_what_machines_wrote);
    RUN(a_photo_without_a_caption_takes_no_other_s);
    RUN(the_user_s_word_stands_above_the_machine_s_for_ever);
    RUN(captions_of_a_file_come_after_the_machine_s);
    RUN(what_is_doubtful_is_found_and_counts_less);
    RUN(what_is_to_do_comes_newest_first);
    RUN(a_root_that_is_away_and_what_is_not_learned_wait);
    RUN(every_order_of_writing_leaves_the_right_rest);
    RUN(what_is_done_is_not_looked_at);
    RUN(what_is_no_text_is_refused_with_a_sentence);
    RUN(settings_are_kept);
    RUN(running_out_of_memory_leaves_everything_as_it_was);
    return TEST_RESULT();
}
