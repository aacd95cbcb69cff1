/* words.c: finding photos by words. What a user wrote is never syntax: every word goes to FTS5 in quotes. */
#include <string.h>

#include "base/fold.h"
#include "base/str.h"
#include "store/schema.h"
#include "store/store_private.h"

#define COMMON_PHOTOS 10000  /* a word in more photos than this tells none from another, and ranking them is slow */
#define TRIGRAM_CHARACTERS 3 /* FTS5's trigrams find no shorter piece */
#define LAST_CODE "\xF4\x8F\xBF\xBF"

static pd_status need(pd_store *store, int version, pd_error *err)
{
    if (store->version >= version)
        return PD_OK;
    return pd_error_set(err, PD_ERR_UNSUPPORTED,
                        "the catalogue '%s' is of an older version and could not be brought up to date: close other "
                        "programs that use it, or make it writable",
                        store->path);
}

pd_status pd_store_need_work(pd_store *store, pd_error *err) { return need(store, PD_SCHEMA_WORK, err); }

pd_status pd_store_need_machine(pd_store *store, pd_error *err) { return need(store, PD_SCHEMA_MACHINE, err); }

/* The buffer of a question remembers its first failure. */
static pd_status check_words(pd_store *store, pd_error *err)
{
    const pd_status status = store->words.status;
    if (status == PD_OK)
        return PD_OK;
    if (status == PD_ERR_NOMEM)
        return pd_error_set_nomem(err);
    return pd_error_set(err, status, "these words are too long: at most %zu bytes", store->words.len_max);
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* The next word of a text; an empty one at its end. */
static pd_str next_word(const char **at)
{
    const char *p = *at;
    while (is_blank(*p))
        p++;
    const char *first = p;
    while (*p && !is_blank(*p))
        p++;
    *at = p;
    return (pd_str){ first, (size_t)(p - first) };
}

static void append_quoted(pd_buf *buf, pd_str word)
{
    (void)pd_buf_append(buf, "\"", 1);
    for (size_t i = 0; i < word.len; i++)
        (void)(word.ptr[i] == '"' ? pd_buf_append(buf, "\"\"", 2) : pd_buf_append(buf, word.ptr + i, 1));
    (void)pd_buf_append(buf, "\"", 1);
}

static bool is_stop_word(pd_str word)
{
    static const char *const stop[] = { "a",  "an", "and", "at", "by",   "for", "from", "in",  "is",
                                        "it", "of", "on",  "or", "that", "the", "to",   "with" };
    char lower[8];
    if (word.len >= sizeof lower)
        return false;
    for (size_t i = 0; i < word.len; i++)
        lower[i] = (char)(word.ptr[i] >= 'A' && word.ptr[i] <= 'Z' ? word.ptr[i] + 32 : word.ptr[i]);
    for (size_t i = 0; i < PD_COUNT_OF(stop); i++)
        if (pd_str_equal(pd_str_of(stop[i]), (pd_str){ lower, word.len }))
            return true;
    return false;
}

static void bind_words(sqlite3_stmt *stmt, const char *words, size_t len)
{
    (void)sqlite3_bind_text64(stmt, 1, words, len, SQLITE_STATIC, SQLITE_UTF8);
}

/* Takes the word that begins at `from` out again when it is in too many photos. */
static pd_status drop_common(pd_store *store, size_t from, size_t word, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t n = 0;
    PD_TRY(check_words(store, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_WORDS_COUNT, &stmt, err));
    bind_words(stmt, store->words.data + word, store->words.len - word);
    sqlite3_bind_int(stmt, 2, COMMON_PHOTOS + 1);
    PD_TRY(pd_stmt_run(store, stmt, &n, err));
    if (n == 0 || n > COMMON_PHOTOS)
        store->words.len = from;
    return PD_OK;
}

/* columns: FTS5's filter in front of each word; "" for all. */
static pd_status make_any(pd_store *store, const char *columns, const char *words, pd_error *err)
{
    pd_buf *buf = &store->words;
    pd_buf_clear(buf);
    for (pd_str word; (word = next_word(&words)).len;) {
        const size_t from = buf->len;
        if (is_stop_word(word))
            continue;
        if (from)
            (void)pd_buf_append_string(buf, " OR ");
        const size_t at = buf->len;
        (void)pd_buf_append_string(buf, columns);
        append_quoted(buf, word);
        PD_TRY(drop_common(store, from, at, err));
    }
    return check_words(store, err);
}

typedef struct ranking {
    size_t n_max;
    pd_word_visit visit;
    void *user;
} ranking;

/* The photos that store->words finds, best first. */
static pd_status visit_ranked(pd_store *store, const ranking *r, pd_error *err)
{
    sqlite3_stmt *stmt;
    if (!store->words.len)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, PD_STMT_WORDS_RANKED, &stmt, err));
    bind_words(stmt, store->words.data, store->words.len);
    sqlite3_bind_int64(stmt, 2, r->n_max < INT64_MAX ? (int64_t)r->n_max : INT64_MAX);
    for (;;) {
        bool row;
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row || !r->visit(r->user, sqlite3_column_int64(stmt, 0), sqlite3_column_double(stmt, 1)))
            break;
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}

pd_status pd_store_words_any(pd_store *store, const char *words, size_t n_max, pd_word_visit visit, void *user,
                             pd_error *err)
{
    static const char columns[] = "{name folder caption title tag person camera other} : ";
    if (store->version < PD_SCHEMA_WORK) /* a help to ranking: without it the rest still ranks */
        return PD_OK;
    PD_TRY(make_any(store, store->version < PD_SCHEMA_MACHINE ? "" : columns, words, err));
    return visit_ranked(store, &(ranking){ n_max, visit, user }, err);
}

pd_status pd_store_words_machine(pd_store *store, const char *words, size_t n_max, pd_word_visit visit, void *user,
                                 pd_error *err)
{
    if (store->version < PD_SCHEMA_MACHINE)
        return PD_OK;
    PD_TRY(make_any(store, "{machine_caption machine_tag doubtful_caption doubtful_tag} : ", words, err));
    return visit_ranked(store, &(ranking){ n_max, visit, user }, err);
}

/* Next id of a statement, INT64_MAX at its end. */
static pd_status next_id(pd_store *store, sqlite3_stmt *stmt, int64_t *id, pd_error *err)
{
    bool row = false;
    if (stmt && *id != INT64_MAX)
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
    *id = row ? sqlite3_column_int64(stmt, 0) : INT64_MAX;
    return PD_OK;
}

typedef struct id_visitor {
    pd_word_visit visit_word;
    bool (*visit)(void *user, int64_t photo);
    void *user;
} id_visitor;

static bool tell(const id_visitor *v, int64_t id)
{
    return v->visit ? v->visit(v->user, id) : v->visit_word(v->user, id, 0);
}

/* Two statements that give ids in ascending order, `b` may be NULL: each id once. Resets both. */
static pd_status visit_merged(pd_store *store, sqlite3_stmt *a, sqlite3_stmt *b, const id_visitor *v, pd_error *err)
{
    int64_t x = 0, y = 0, last = 0;
    pd_status status = next_id(store, a, &x, err);
    if (status == PD_OK)
        status = next_id(store, b, &y, err);
    while (status == PD_OK && (x != INT64_MAX || y != INT64_MAX)) {
        const bool from_a = x <= y;
        const int64_t id = from_a ? x : y;
        if (id != last && !tell(v, id))
            break;
        last = id;
        status = from_a ? next_id(store, a, &x, err) : next_id(store, b, &y, err);
    }
    pd_stmt_reset(a);
    if (b)
        pd_stmt_reset(b);
    return status;
}

static bool has_trigram(const char *text)
{
    size_t n = 0;
    for (size_t i = 0, len = strlen(text); i < len && n < TRIGRAM_CHARACTERS; n++)
        i += pd_utf8_next(text + i, len - i, &(uint32_t){ 0 });
    return n == TRIGRAM_CHARACTERS;
}

pd_status pd_store_words_exact(pd_store *store, const char *words, pd_word_visit visit, void *user, pd_error *err)
{
    sqlite3_stmt *docs, *names = NULL;
    PD_TRY(pd_store_need_work(store, err));
    pd_buf_clear(&store->words);
    append_quoted(&store->words, pd_str_of(words));
    PD_TRY(check_words(store, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_WORDS_DOC, &docs, err));
    if (has_trigram(words)) {
        PD_TRY(pd_stmt_get(store, PD_STMT_WORDS_NAME, &names, err));
        bind_words(names, store->words.data, store->words.len);
    }
    bind_words(docs, store->words.data, store->words.len);
    return visit_merged(store, docs, names, &(id_visitor){ .visit_word = visit, .user = user }, err);
}

static void make_caption(pd_store *store, const char *words)
{
    const char *columns = store->version < PD_SCHEMA_MACHINE ? "{caption title} : ("
                                                             : "{caption title machine_caption doubtful_caption} : (";
    pd_buf *buf = &store->words;
    for (pd_str word; (word = next_word(&words)).len;) {
        (void)pd_buf_append_string(buf, buf->len ? " AND " : columns);
        append_quoted(buf, word);
    }
    if (buf->len)
        (void)pd_buf_append_string(buf, ")");
}

/* Folded; for GLOB a bracket is made harmless. */
static bool make_pattern(pd_store *store, const char *pattern)
{
    const bool is_glob = strpbrk(pattern, "*?") != NULL;
    for (const char *p = pattern; *p;) {
        const size_t len = is_glob ? strcspn(p, "[") : strlen(p);
        (void)pd_fold_append(&store->words, p, len);
        p += len;
        if (*p) {
            (void)pd_buf_append_string(&store->words, "[[]");
            p++;
        }
    }
    return is_glob;
}

pd_status pd_store_text_photos(pd_store *store, pd_text_where where, const char *pattern,
                               bool (*visit)(void *user, int64_t photo), void *user, pd_error *err)
{
    sqlite3_stmt *stmt;
    pd_stmt id = PD_STMT_WORDS_DOC;
    PD_TRY(pd_store_need_work(store, err));
    pd_buf_clear(&store->words);
    if (where == PD_WHERE_CAPTION)
        make_caption(store, pattern);
    else
        id = make_pattern(store, pattern) ? PD_STMT_LABEL_PHOTOS_LIKE : PD_STMT_LABEL_PHOTOS;
    PD_TRY(check_words(store, err));
    if (!store->words.len)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, id, &stmt, err));
    if (where == PD_WHERE_CAPTION) {
        bind_words(stmt, store->words.data, store->words.len);
    } else {
        sqlite3_bind_int(stmt, 1, (int)where);
        pd_stmt_bind_text(stmt, 2, store->words.data);
    }
    return visit_merged(store, stmt, NULL, &(id_visitor){ .visit = visit, .user = user }, err);
}

pd_status pd_store_text_values(pd_store *store, pd_text_where where, const char *prefix,
                               bool (*visit)(void *user, const char *text, int64_t n_photos), void *user, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_store_need_work(store, err));
    pd_buf *buf = &store->words;
    pd_buf_clear(buf);
    (void)pd_fold_append(buf, prefix, strlen(prefix));
    const size_t len = buf->len;
    (void)pd_buf_append_string(buf, LAST_CODE);
    PD_TRY(check_words(store, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_LABEL_VALUES, &stmt, err));
    sqlite3_bind_int(stmt, 1, (int)where);
    (void)sqlite3_bind_text64(stmt, 2, buf->data, len, SQLITE_STATIC, SQLITE_UTF8);
    (void)sqlite3_bind_text64(stmt, 3, buf->data, buf->len, SQLITE_STATIC, SQLITE_UTF8);
    for (;;) {
        bool row;
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row || !visit(user, pd_stmt_text(stmt, 0), sqlite3_column_int64(stmt, 1)))
            break;
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}
