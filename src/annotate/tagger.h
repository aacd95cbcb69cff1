/* tagger.h: the parts of a pd_tagger. Private to the room.
 *
 * Of one photo every word gets a share: the cosines of all words are measured in standard deviations from their mean
 * over the words, and exp(SHARPNESS * that) is what a word claims of the whole. What a word claims counts for all that
 * it implies as well, so that a photo that could be of ten kinds of dog is surely of a dog. Shares say how much better
 * a word fits than all others, in this model and on this photo, whatever the height of its cosines. */
#ifndef PD_ANNOTATE_TAGGER_H
#define PD_ANNOTATE_TAGGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "annotate/annotate.h"
#include "annotate/blank.h"
#include "annotate/lexicon.h"
#include "base/file.h"

/* All words in the space of one model, and behind them pictures of nothing. Immutable once made. */
typedef struct pd_word_space {
    size_t dim;
    const float *packed; /* [n + PD_BLANKS, dim] of unit length, pd_pack_f32; in `map`, or `owned` */
    pd_file_map map;
    float *owned;
} pd_word_space;

size_t pd_word_space_rows(const pd_vocabulary *vocabulary);

/* The towers that make one. */
typedef struct pd_tagger_eyes {
    pd_session *text, *vision;
    size_t dim;
} pd_tagger_eyes;
/* Embeds every text: a second for the model that ships, a minute for a large one. cancelled may be NULL. */
PD_MUST_USE pd_status pd_word_space_make(pd_word_space *ret_space, const pd_vocabulary *vocabulary,
                                         const pd_tagger_eyes *eyes, const atomic_bool *cancelled, pd_error *err);
void pd_word_space_done(pd_word_space *space);

/* The file of a space: docs/formats.md. PD_ERR_NOT_FOUND: there is none; PD_ERR_CORRUPT: damaged, or of another model,
 * vocabulary or version. */
PD_MUST_USE pd_status pd_word_space_read(pd_word_space *ret_space, const char *path, const pd_vocabulary *vocabulary,
                                         const char *model_id, pd_error *err);
PD_MUST_USE pd_status pd_word_space_write(const pd_word_space *space, const char *path, const pd_vocabulary *vocabulary,
                                          const char *model_id, pd_error *err);

/* cosines: [n], overwritten. ret_shares: [n], what each word and all that imply it claim, 0..1; nothing when the
 * cosines are all the same. */
void pd_shares_find(const pd_vocabulary *vocabulary, float *cosines, float *ret_shares);

/* Everything of pd_tagger_open but the borrowing. */
typedef struct pd_tagger_options {
    const pd_vocabulary *vocabulary;
    const char *cache_dir;        /* NULL: nothing is kept */
    const atomic_bool *cancelled; /* may be NULL */
    pd_session *text;             /* of the model */
    pd_session *vision;           /* NULL: only what is kept is read */
} pd_tagger_options;
/* PD_ERR_NOT_FOUND, no sentence: nothing is kept, and without the image tower nothing can be made. */
PD_MUST_USE pd_status pd_tagger_make(pd_tagger **ret_tagger, const pd_model *model, const pd_tagger_options *options,
                                     pd_error *err);

#endif
