/* annotate.h: what machines write about pictures: tags from a vocabulary, and captions.
 *
 * Tags need no picture: a photo's embedding is compared with those of everyday words, each with a threshold of its own.
 * Captions look at the picture once: decoder, image tower, captioner; each is re-scored against its picture and marked
 * when it is doubtful. What is written goes to the catalogue's machine texts (store/machine.h), where the user's word
 * stands above it for ever. A pd_annotation is the background queue: newest photos first, or first what is being looked
 * at; what is done is committed in small batches, so that it survives a kill, and the queue is simply what the
 * catalogue lacks. */
#ifndef PD_ANNOTATE_ANNOTATE_H
#define PD_ANNOTATE_ANNOTATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kernels/kernels.h"
#include "media/media.h"
#include "model/model.h"
#include "store/store.h"

#define PD_TAGS_MAX 24 /* of one photo */

/* A tagger is a vocabulary in the space of one search model. The embeddings of its words are made once with the text
 * tower (a few seconds) and kept in cache_dir; after that no model is needed. Immutable; any number of threads. */
typedef struct pd_tagger pd_tagger;
PD_MUST_USE pd_status pd_tagger_open(pd_tagger **ret_tagger, pd_residency *residency, const char *model_dir,
                                     const char *cache_dir, const atomic_bool *cancelled, pd_error *err);
void pd_tagger_close(pd_tagger **tagger);
/* Of what stands in machine texts: model's id and version of vocabulary and thresholds; another one is written anew. */
const char *pd_tagger_source(const pd_tagger *tagger);
typedef struct pd_tagged {
    const char *word; /* the tagger's; in English, singular, lower case */
    float score;      /* 0..1: how sure; see docs/captions.md */
    bool doubtful;
} pd_tagged;
/* embedding: [dim], unit length. ret_tags: [PD_TAGS_MAX], surest first. */
size_t pd_tagger_tag(const pd_tagger *tagger, const float *embedding, pd_tagged *ret_tags);
/* The same for many, a few times faster. embeddings: [n, dim], ret_tags: [n, PD_TAGS_MAX], ret_counts: [n]. */
PD_MUST_USE pd_status pd_tagger_tag_all(const pd_tagger *tagger, const float *embeddings, size_t n, pd_tagged *ret_tags,
                                        size_t *ret_counts, pd_error *err);

/* Everyday things, as different from each other as can be: what they score is what a text that is not about a photo
 * scores there. Not fitted to any data set. */
#define PD_EVERYDAY 24
extern const char *const pd_everyday[PD_EVERYDAY];

/* One picture's words, for files in the library or not. Holds everything itself. */
#define PD_WRITTEN_SOURCE_BYTES (PD_MACHINE_SOURCE_BYTES_MAX + 1)
#define PD_WRITTEN_WORD_BYTES 64
typedef struct pd_writer_options {
    pd_residency *residency;
    const char *model_dir;     /* search model */
    const char *captioner_dir; /* NULL: no captions */
    const char *cache_dir;
    bool tags;
    const atomic_bool *cancelled; /* NULL, or looked at while models are loaded: PD_ERR_CANCELLED */
} pd_writer_options;
typedef struct pd_written_tag {
    char word[PD_WRITTEN_WORD_BYTES];
    float score;
    bool doubtful;
} pd_written_tag;
typedef struct pd_written {
    char caption[PD_CAPTION_TEXT_BYTES];          /* "" when none was asked for */
    char caption_source[PD_WRITTEN_SOURCE_BYTES]; /* captioner's id, and how captions are judged */
    float caption_score;      /* 0..1: how often captions with such numbers are right; see docs/captions.md */
    float caption_cosine;     /* with its picture */
    float caption_likelihood; /* of its words */
    bool caption_doubtful;
    char tags_source[PD_WRITTEN_SOURCE_BYTES];
    pd_written_tag tags[PD_TAGS_MAX]; /* surest first */
    size_t n_tags;
} pd_written;
/* One thread; holds what it borrowed while it lives: keep it as long as there is work. */
typedef struct pd_writer pd_writer;
PD_MUST_USE pd_status pd_writer_create(pd_writer **ret_writer, const pd_writer_options *options, pd_error *err);
void pd_writer_free(pd_writer **writer);
uint32_t pd_writer_side(const pd_writer *writer); /* short_side_min to ask the decoder for */
PD_MUST_USE pd_status pd_writer_write(pd_writer *writer, const pd_pixels *pixels, pd_written *ret_written,
                                      pd_error *err);

/* The queue. */
typedef struct pd_annotation_options {
    pd_residency *residency;
    const char *catalogue_path, *decoder_path, *thumbs_dir, *cache_dir;
    const char *model_dir, *captioner_dir;
    bool tags, captions;
    unsigned n_threads; /* 0: one a CPU */
    /* NULL, or asked before every photo, by any thread: while it says true nothing is begun (a job learns, which goes
     * first). Asked every half second until it says false. */
    bool (*must_wait)(void *user);
    void *must_wait_user;
} pd_annotation_options;

typedef struct pd_annotation_state {
    uint64_t seq;
    bool running, paused;
    bool waiting;                                /* for a job that learns */
    bool captioning;                             /* false: tagging */
    int64_t todo, done;                          /* contents, of this phase */
    int64_t tagged, captioned, doubtful, failed; /* in this run */
    double rate, eta_s;                          /* photos a second, 0 not known; -1 not known */
    pd_status outcome;                           /* once it does not run */
    char message[PD_ERROR_MESSAGE_BYTES];
} pd_annotation_state;

typedef struct pd_annotation pd_annotation;
PD_MUST_USE pd_status pd_annotation_start(pd_annotation **ret_annotation, const pd_annotation_options *options,
                                          pd_error *err);
void pd_annotation_look(pd_annotation *annotation, pd_annotation_state *ret_state);
void pd_annotation_wait(pd_annotation *annotation, uint64_t seq, int timeout_ms, pd_annotation_state *ret_state);
void pd_annotation_pause(pd_annotation *annotation, bool paused); /* also while a job learns */
/* These contents come next: what the user looks at. */
void pd_annotation_first(pd_annotation *annotation, const int64_t *contents, size_t n);
void pd_annotation_cancel(pd_annotation *annotation); /* commits what is written */
void pd_annotation_finish(pd_annotation **annotation);

#endif
