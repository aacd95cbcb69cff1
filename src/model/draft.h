/* draft.h: linear layers between the file and the kernels: which precision each gets, by what it costs. Private to the
 * room.
 *
 * A fresh layer is read into floats first. The block it belongs to then runs in floats on calibration inputs (a drawn
 * picture, a row of token ids: nn.h's observe), and up to PD_DRAFT_ROWS of the inputs that the layer really gets are
 * multiplied in every precision. It is settled as the first of int8, bf16 and fp32 whose error, as normalised mean
 * square over these rows, is within its bound. So loud input channels, which take the 8 bits of a row from all others,
 * cost the layers their int8 that have them, and no others. A mapped layer is what it was settled as. */
#ifndef PD_MODEL_DRAFT_H
#define PD_MODEL_DRAFT_H

#include "model/prepare.h"

#define PD_DRAFT_ROWS 16

typedef struct pd_draft {
    pd_linear linear; /* fresh: in floats, to run meanwhile; else n and k only */
    bool fresh, keep_float;
    float *w, *bias, *packed;            /* owned, when fresh: [n, k], [n], pd_pack_f32 of w */
    double energy, error_i8, error_bf16; /* sums of squares over the rows observed so far */
} pd_draft;

/* The drafts that one run observes: layers that are not in the list, not fresh or not to be quantised are passed over.
 * A failure is kept in `status`. */
typedef struct pd_draft_list {
    const pd_preparer *preparer;
    pd_draft *drafts;
    size_t n_drafts;
    pd_status status;
} pd_draft_list;

/* Reads the layer when it is fresh. pd_draft_done is due on success. */
PD_MUST_USE pd_status pd_draft_begin(pd_draft *ret_draft, const pd_linear_source *source, pd_preparer *preparer);
void pd_draft_done(pd_draft *draft);

/* Takes the layer's blocks, in the form that its errors allow. A layer that nothing was observed of stays fp32 when its
 * precision is int8 and it is fresh. */
PD_MUST_USE pd_status pd_draft_settle(const pd_draft *draft, pd_preparer *preparer, pd_linear *ret_linear);

/* A layer of its own, observed on x [m, k] (NULL when nothing is fresh). */
PD_MUST_USE pd_status pd_draft_linear(pd_preparer *preparer, const pd_linear_source *source, const float *x, size_t m,
                                      pd_linear *ret_linear);

/* What a run of drafts needs: nn observes into `list`. */
typedef struct pd_calibration {
    pd_arena arena;
    pd_nn nn;
    pd_draft_list list;
} pd_calibration;

PD_MUST_USE pd_status pd_calibration_begin(pd_calibration *ret_calibration, pd_preparer *preparer, pd_draft *drafts,
                                           size_t n_drafts, size_t arena_bytes);
/* Frees the arena, and says whether observing went well. */
PD_MUST_USE pd_status pd_calibration_end(pd_calibration *calibration);

/* A drawn picture as normalised values, ret_values: [side, side, 3]: waves of every length, louder the longer, as in
 * photographs, and a little noise. The same for the same side. */
void pd_calibration_picture(size_t side, float *ret_values);

#endif
