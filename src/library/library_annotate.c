/* library_annotate.c: what machines write: the one queue of a library, shared by many callers, and single pictures. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "library/learner_lock.h"
#include "library/library_parts.h"

#define SETTING_CAPTIONS "captions"
#define SETTING_CAPTIONER "captioner"

/* ---- settings */

typedef struct setting {
    const char *name;
    char *value; /* NULL: it says nothing */
} setting;

static pd_status ask_setting(pd_store *store, void *user, pd_error *err)
{
    setting *s = user;
    return pd_store_setting_get(store, s->name, &s->value, err);
}

static pd_status read_setting(pd_library *library, const char *name, char **ret_value, pd_error *err)
{
    setting s = { .name = name };
    const pd_status status = pd_library_ask_store(library, ask_setting, &s, err);
    if (status == PD_OK)
        *ret_value = s.value;
    return status == PD_ERR_UNSUPPORTED ? PD_OK : status; /* an older catalogue has none */
}

pd_status pd_library_captions_get(pd_library *library, bool *ret_on, pd_error *err)
{
    char *value = NULL;
    PD_TRY(read_setting(library, SETTING_CAPTIONS, &value, err));
    *ret_on = value && strcmp(value, "on") == 0;
    pd_mem_free(value);
    return PD_OK;
}

pd_status pd_library_captions_set(pd_library *library, bool on, pd_error *err)
{
    pd_store *store;
    PD_TRY(pd_library_begin_writing(library, &store, err));
    const pd_status status = pd_store_setting_put(store, SETTING_CAPTIONS, on ? "on" : "off", err);
    pd_library_end_writing(library);
    return status;
}

/* What writes: directories of the models that are chosen. */
typedef struct writing {
    pd_library_choice search;
    char *captioner; /* NULL: no captions */
} writing;

pd_status pd_library_captioner(pd_library *library, char **ret_name, pd_error *err)
{
    char *name = NULL;
    PD_TRY(read_setting(library, SETTING_CAPTIONER, &name, err));
    *ret_name = name ? name : pd_mem_dup_string(PD_LIBRARY_CAPTIONER);
    return *ret_name ? PD_OK : pd_error_set_nomem(err);
}

static pd_status choose_captioner(pd_library *library, char **ret_dir, pd_error *err)
{
    char *name = NULL;
    PD_TRY(pd_library_captioner(library, &name, err));
    const pd_status status = pd_library_find_model(&library->paths, name, ret_dir, err);
    pd_mem_free(name);
    return status;
}

static void end_writing(writing *w)
{
    pd_library_choice_done(&w->search);
    pd_mem_free(w->captioner);
    w->captioner = NULL;
}

static pd_status begin_writing(pd_library *library, bool captions, writing *ret_writing, pd_error *err)
{
    writing w = { .captioner = NULL };
    pd_status status = pd_library_choose(library, PD_LIBRARY_CHOSEN, &w.search, err);
    if (status == PD_OK && !w.search.dir)
        status = pd_error_set(err, PD_ERR_NOT_FOUND, "the model '%s' is not here", w.search.name);
    if (status == PD_OK && captions)
        status = choose_captioner(library, &w.captioner, err);
    if (status == PD_OK)
        *ret_writing = w;
    else
        end_writing(&w);
    return status;
}

/* ---- the queue */

/* A job that learns goes first, in whatever process. One of ours that has ended may still hold the lock. */
static bool is_learning(void *user)
{
    pd_library *library = user;
    pthread_mutex_lock(&library->learner.lock);
    const bool is_ours = library->learner.job != NULL;
    pthread_mutex_unlock(&library->learner.lock);
    pd_progress now = { 0 };
    if (is_ours && pd_library_job_snapshot(library, &now))
        return now.running;
    return pd_learner_lock_holder(library->paths.lock) != 0;
}

/* The queue for use outside the lock; give_back when done. NULL: none. */
static pd_annotation *borrow(pd_library_annotator *annotator)
{
    pthread_mutex_lock(&annotator->lock);
    pd_annotation *annotation = annotator->annotation;
    annotator->n_users += annotation != NULL;
    pthread_mutex_unlock(&annotator->lock);
    return annotation;
}

static void give_back(pd_library_annotator *annotator)
{
    pthread_mutex_lock(&annotator->lock);
    if (--annotator->n_users == 0)
        pthread_cond_broadcast(&annotator->unused);
    pthread_mutex_unlock(&annotator->lock);
}

static pd_status explain_busy(const pd_library *library, pd_error *err)
{
    const int64_t pid = pd_learner_lock_holder(library->paths.annotator);
    if (pid > 0 && pid != (int64_t)getpid())
        return pd_error_set(err, PD_ERR_BUSY,
                            "captions and tags of this library are being written by another process (pid %" PRId64 ")",
                            pid);
    return pd_error_set(err, PD_ERR_BUSY, "captions and tags of this library are being written already");
}

/* With the annotator's lock held and no queue there. */
static pd_status start_queue(pd_library *library, const pd_annotate_options *options, const writing *w, pd_error *err)
{
    pd_library_annotator *annotator = &library->annotator;
    pd_error busy = { 0 };
    pd_status status = pd_learner_lock_take(&annotator->lock_fd, library->paths.annotator, &busy);
    if (status != PD_OK)
        return status == PD_ERR_BUSY ? explain_busy(library, err) : pd_error_hand_on(err, &busy);
    const pd_annotation_options with = { .residency = pd_library_residency(library),
                                         .catalogue_path = library->paths.catalogue,
                                         .decoder_path = library->decoder_path,
                                         .cache_dir = library->paths.prepared,
                                         .model_dir = w->search.dir,
                                         .captioner_dir = w->captioner,
                                         .tags = options->tags,
                                         .captions = options->captions,
                                         .n_threads = pd_library_workers(library),
                                         .must_wait = is_learning,
                                         .must_wait_user = library };
    status = pd_annotation_start(&annotator->annotation, &with, err);
    if (status != PD_OK)
        pd_learner_lock_release(&annotator->lock_fd);
    return status;
}

pd_status pd_library_annotate(pd_library *library, const pd_annotate_options *options, pd_error *err)
{
    pd_library_annotator *annotator = &library->annotator;
    pd_annotation_state now;
    if (pd_library_annotate_look(library, &now) && !now.running)
        pd_library_annotate_finish(library, NULL);
    if (!pd_file_exists(library->paths.catalogue))
        return pd_library_explain_nothing(err);
    writing w = { .captioner = NULL };
    PD_TRY(begin_writing(library, options->captions, &w, err));
    pthread_mutex_lock(&annotator->lock);
    const pd_status status =
        annotator->annotation ? explain_busy(library, err) : start_queue(library, options, &w, err);
    pthread_mutex_unlock(&annotator->lock);
    end_writing(&w);
    return status;
}

static bool copy_last(pd_library_annotator *annotator, pd_annotation_state *ret_state)
{
    pthread_mutex_lock(&annotator->lock);
    const bool has_last = annotator->has_last;
    if (has_last && ret_state)
        *ret_state = annotator->last;
    pthread_mutex_unlock(&annotator->lock);
    return has_last;
}

bool pd_library_annotate_look(pd_library *library, pd_annotation_state *ret_state)
{
    pd_annotation *annotation = borrow(&library->annotator);
    if (!annotation)
        return copy_last(&library->annotator, ret_state);
    pd_annotation_look(annotation, ret_state);
    give_back(&library->annotator);
    return true;
}

bool pd_library_annotate_wait(pd_library *library, uint64_t seq, int timeout_ms, pd_annotation_state *ret_state)
{
    pd_annotation *annotation = borrow(&library->annotator);
    if (!annotation)
        return copy_last(&library->annotator, ret_state);
    pd_annotation_wait(annotation, seq, timeout_ms, ret_state);
    give_back(&library->annotator);
    return true;
}

void pd_library_annotate_pause(pd_library *library, bool paused)
{
    pd_annotation *annotation = borrow(&library->annotator);
    if (!annotation)
        return;
    pd_annotation_pause(annotation, paused);
    give_back(&library->annotator);
}

void pd_library_annotate_cancel(pd_library *library)
{
    pd_annotation *annotation = borrow(&library->annotator);
    if (!annotation)
        return;
    pd_annotation_cancel(annotation);
    give_back(&library->annotator);
}

typedef struct contents_of {
    const int64_t *photos;
    int64_t *contents; /* [n] */
    size_t n, n_found;
} contents_of;

static pd_status find_contents(pd_store *store, void *user, pd_error *err)
{
    contents_of *c = user;
    for (size_t i = 0; i < c->n; i++) {
        pd_photo photo;
        const pd_status status = pd_store_photo_by_id(store, c->photos[i], &photo, err);
        if (status == PD_OK && photo.content)
            c->contents[c->n_found++] = photo.content;
        else if (status != PD_OK && status != PD_ERR_NO_MATCH)
            return status;
    }
    return PD_OK;
}

/* A wish: what cannot be had is let go. */
void pd_library_annotate_first(pd_library *library, const int64_t *photos, size_t n)
{
    pd_annotation *annotation = borrow(&library->annotator);
    if (!annotation)
        return;
    contents_of c = { .photos = photos, .n = n, .contents = pd_mem_alloc(n, sizeof *c.contents) };
    if (c.contents && pd_library_ask_store(library, find_contents, &c, NULL) == PD_OK)
        pd_annotation_first(annotation, c.contents, c.n_found);
    pd_mem_free(c.contents);
    give_back(&library->annotator);
}

/* Others may look at the queue and stop it until it has ended; then it is put away, by whoever comes first. */
void pd_library_annotate_finish(pd_library *library, pd_annotation_state *ret_state)
{
    pd_library_annotator *annotator = &library->annotator;
    enum { WAIT_MS = 60000 };
    pd_annotation_state now = { 0 };
    while (pd_library_annotate_wait(library, now.seq, now.seq ? WAIT_MS : 0, &now) && now.running)
        continue;
    pthread_mutex_lock(&annotator->lock);
    pd_annotation *annotation = annotator->annotation;
    if (annotation) {
        pd_annotation_look(annotation, &annotator->last);
        annotator->has_last = true;
        annotator->annotation = NULL; /* from here on callers get the last state */
        while (annotator->n_users > 0)
            pthread_cond_wait(&annotator->unused, &annotator->lock);
        pd_annotation_finish(&annotation);
        pd_learner_lock_release(&annotator->lock_fd);
    }
    if (ret_state)
        *ret_state = annotator->last;
    pthread_mutex_unlock(&annotator->lock);
}

/* ---- single pictures */

/* A picture that is to be described, and the content that it is, when the library knows it. */
typedef struct subject {
    const char *text; /* path or id */
    char *path, *root;
    int64_t id, content, bytes, mtime_ns;
} subject;

static pd_status find_subject(pd_store *store, void *user, pd_error *err)
{
    subject *s = user;
    pd_photo photo = { 0 };
    uint64_t id = 0;
    const bool by_id = pd_parse_u64(s->text, INT64_MAX, &id);
    char *path = by_id ? NULL : pd_library_resolve(s->text);
    if (!by_id && !path)
        return pd_error_set_nomem(err);
    pd_status status = by_id ? pd_store_photo_by_id(store, (int64_t)id, &photo, err)
                             : pd_store_photo_by_path(store, path, &photo, err);
    pd_mem_free(path);
    if (status == PD_ERR_NO_MATCH)
        return PD_OK;
    PD_TRY(status);
    s->id = photo.id;
    s->content = photo.content;
    s->bytes = photo.bytes;
    s->mtime_ns = photo.mtime_ns;
    s->path = pd_mem_dup_string(photo.path);
    return s->path ? pd_library_root_of(store, s->path, &s->root, err) : pd_error_set_nomem(err);
}

static pd_status open_subject(pd_library *library, subject *s, int *ret_fd, pd_error *err)
{
    uint64_t id;
    PD_TRY(pd_library_ask_store(library, find_subject, s, err));
    if (s->path)
        return pd_file_open_beneath(s->root, s->path, ret_fd, err);
    if (pd_parse_u64(s->text, INT64_MAX, &id))
        return pd_error_set(err, PD_ERR_NO_MATCH, "the library has no photo %s", s->text);
    *ret_fd = open(s->text, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return *ret_fd >= 0 ? PD_OK : pd_error_set_errno(err, errno, "cannot open '%s'", s->text);
}

/* What is wrong with the picture is told with its name, when it has one. */
static pd_status write_about(pd_library *library, const pd_example *picture_of, pd_writer *writer,
                             pd_written *ret_written, pd_error *err)
{
    const pd_media_request request = { .short_side_min = pd_writer_side(writer) };
    pd_picture picture = { 0 };
    pd_status status = pd_library_decode(library, picture_of->fd, &request, &picture, err);
    if (status == PD_OK && !picture.has_pixels)
        status = pd_error_set(err, PD_ERR_FORMAT, "%s", picture.pixels_error);
    if (status != PD_OK && picture_of->text)
        pd_error_prefix(err, "'%s'", picture_of->text);
    if (status == PD_OK) {
        const pd_pixels pixels = { .data = picture.pixels,
                                   .width = picture.pixel_width,
                                   .height = picture.pixel_height,
                                   .row_bytes = (size_t)picture.pixel_width * 3 };
        status = pd_writer_write(writer, &pixels, ret_written, err);
    }
    pd_library_picture_done(library, &picture);
    return status;
}

static pd_status write_fd(pd_library *library, const pd_example *picture, const atomic_bool *cancelled,
                          pd_written *ret_written, pd_error *err)
{
    writing w = { .captioner = NULL };
    PD_TRY(begin_writing(library, true, &w, err));
    const pd_writer_options options = { .residency = pd_library_residency(library),
                                        .model_dir = w.search.dir,
                                        .captioner_dir = w.captioner,
                                        .cache_dir = library->paths.prepared,
                                        .tags = true,
                                        .cancelled = cancelled };
    pd_writer *writer = NULL;
    pd_status status = pd_writer_create(&writer, &options, err);
    if (status == PD_OK)
        status = write_about(library, picture, writer, ret_written, err);
    pd_writer_free(&writer);
    end_writing(&w);
    return status;
}

static pd_status put_tags(pd_store *store, int64_t content, const pd_written *written, pd_error *err)
{
    pd_machine_text texts[PD_TAGS_MAX];
    for (size_t i = 0; i < written->n_tags; i++)
        texts[i] = (pd_machine_text){ .text = written->tags[i].word,
                                      .score = written->tags[i].score,
                                      .doubtful = written->tags[i].doubtful };
    const pd_machine_about about = { .content = content, .kind = PD_MACHINE_TAG, .source = written->tags_source };
    return pd_store_machine_put(store, &about, texts, written->n_tags, err);
}

static pd_status put_written(pd_store *store, int64_t content, const pd_written *written, pd_error *err)
{
    const pd_machine_text caption = { .text = written->caption,
                                      .score = written->caption_score,
                                      .doubtful = written->caption_doubtful };
    const pd_machine_about about = { .content = content,
                                     .kind = PD_MACHINE_CAPTION,
                                     .source = written->caption_source };
    PD_TRY(pd_store_begin(store, err));
    pd_status status = put_tags(store, content, written, err);
    if (status == PD_OK)
        status = pd_store_machine_put(store, &about, &caption, 1, err);
    if (status == PD_OK)
        status = pd_store_commit(store, err);
    if (status != PD_OK)
        pd_store_rollback(store);
    return status;
}

/* Of a photo that was changed since it was learned this is not the content: it is told, and not kept. */
static bool is_as_learned(const subject *s, int fd)
{
    struct stat st;
    return s->content && fstat(fd, &st) == 0 && (int64_t)st.st_size == s->bytes &&
           (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec == s->mtime_ns;
}

static pd_status keep_written(pd_library *library, const subject *s, int fd, const pd_written *written, pd_error *err)
{
    pd_store *store;
    if (!is_as_learned(s, fd))
        return PD_OK;
    PD_TRY(pd_library_begin_writing(library, &store, err));
    const pd_status status = put_written(store, s->content, written, err);
    pd_library_end_writing(library);
    return status;
}

pd_status pd_library_describe(pd_library *library, const pd_example *picture, const atomic_bool *cancelled,
                              pd_written *ret_written, pd_error *err)
{
    subject s = { .text = picture->text };
    int fd = picture->fd;
    pd_status status = s.text ? open_subject(library, &s, &fd, err) : PD_OK;
    if (status == PD_OK) {
        status = write_fd(library, &(pd_example){ .text = s.text, .fd = fd }, cancelled, ret_written, err);
        if (status == PD_OK)
            status = keep_written(library, &s, fd, ret_written, err);
        if (s.text)
            close(fd);
    }
    pd_mem_free(s.path);
    pd_mem_free(s.root);
    return status;
}
