/* work_fixture.h: a catalogue, edits of its photos, and what was said about them in one line. */
#ifndef PD_WORK_FIXTURE_H
#define PD_WORK_FIXTURE_H

#include "store_fixture.h"

#include "base/mem.h"

static fixture f;
static pd_store *store;
static int64_t root;

static inline void open_new(void)
{
    f = fixture_make();
    store = NULL;
    CHECK(pd_store_open(&store, f.path, PD_STORE_WRITE, NULL) == PD_OK);
    CHECK(pd_store_root_add(store, "/photos", &root, NULL) == PD_OK);
}

static inline void close_and_remove(void)
{
    pd_store_close(&store);
    fixture_remove(&f);
}

static inline int64_t put_content(uint32_t number, int32_t rating, const char *texts, size_t len)
{
    pd_content c = content_of(number);
    int64_t content = 0;
    c.rating = rating;
    c.texts = (pd_texts){ texts, len };
    CHECK(pd_store_content_put(store, &c, &content, NULL) == PD_OK);
    return content;
}
/* Of a picture that says: rating, texts as base/texts.h packs them. PLAIN: one that says nothing. */
#define CONTENT(number, rating, texts) put_content(number, rating, texts, sizeof(texts))
#define PLAIN(number) put_content(number, PD_STORE_ABSENT, "", 0)

/* Returns how many photos changed. */
static inline int64_t edit_some(pd_edit_kind kind, const char *text, int number, const int64_t *photos, size_t n_photos)
{
    const pd_edit edit = { kind, text, number, photos, n_photos };
    int64_t n = -1, step = -1;
    pd_error err = { 0 };
    const pd_status status = pd_store_edit(store, &edit, &n, &step, &err);
    if (status != PD_OK)
        fprintf(stderr, "%s\n", err.message);
    CHECK(status == PD_OK && (n > 0) == (step > 0));
    return n;
}

static inline int64_t edit(pd_edit_kind kind, const char *text, int number, int64_t photo)
{
    return edit_some(kind, text, number, &photo, 1);
}

/* Asked for alone, it is the same. */
static inline void check_caption(int64_t photo, const pd_work *work)
{
    pd_said_caption caption = { 0 };
    CHECK(pd_store_caption(store, photo, &caption, NULL) == PD_OK && strcmp(caption.text, work->caption) == 0);
    CHECK(caption.by == work->caption_by && caption.doubtful == work->caption_doubtful);
}

/* The work of a photo in one line: "rating by*favorite|caption by|tag by,...|album,..." */
static inline const char *work_of(int64_t photo)
{
    static char line[2][1024];
    static int turn;
    char *to = line[turn ^= 1];
    pd_work work = { 0 };
    if (pd_store_work(store, photo, &work, NULL) != PD_OK)
        return "none";
    check_caption(photo, &work);
    int at = snprintf(to, 1024, "%d%d%s|%s%d|", work.rating, (int)work.rating_by, work.favorite ? "*" : "",
                      work.caption, (int)work.caption_by);
    for (size_t i = 0; i < work.n_tags; i++)
        at += snprintf(to + at, (size_t)(1024 - at), "%s%s%d", i ? "," : "", work.tags[i].name, (int)work.tags[i].by);
    at += snprintf(to + at, (size_t)(1024 - at), "|");
    for (size_t i = 0; i < work.n_albums; i++)
        at += snprintf(to + at, (size_t)(1024 - at), "%s%s", i ? "," : "", work.albums[i]);
    return to;
}

/* Takes the newest step back, which is announced and told in this sentence. */
static inline void undo(const char *sentence)
{
    char *said = NULL, *next = NULL;
    int64_t step = 0;
    CHECK(pd_store_undo_next(store, &step, &next, NULL) == PD_OK && step > 0);
    CHECK(pd_store_undo(store, step, &said, NULL) == PD_OK);
    if (!said || strcmp(said, sentence) != 0)
        fprintf(stderr, "'%s' is not '%s'\n", said ? said : "-", sentence);
    CHECK(said && next && strcmp(said, sentence) == 0 && strcmp(next, said) == 0);
    pd_mem_free(said);
    pd_mem_free(next);
}

static inline bool take_photo(void *user, int64_t photo)
{
    int64_t *last = user;
    *last = *last ? -1 : photo;
    return true;
}

/* 0: none, -1: several. */
static inline int64_t only_photo(pd_text_where where, const char *pattern)
{
    int64_t last = 0;
    CHECK(pd_store_text_photos(store, where, pattern, take_photo, &last, NULL) == PD_OK);
    return last;
}

typedef struct album_list {
    size_t n;
    char names[4][32];
    pd_album albums[4];
} album_list;

static inline bool take_album(void *user, const pd_album *album)
{
    album_list *list = user;
    snprintf(list->names[list->n], sizeof list->names[0], "%s", album->name);
    list->albums[list->n++] = *album;
    return true;
}

static inline album_list albums(void)
{
    album_list list = { 0 };
    CHECK(pd_store_albums(store, take_album, &list, NULL) == PD_OK);
    return list;
}

#endif
