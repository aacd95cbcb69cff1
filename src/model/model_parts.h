/* model_parts.h: what a pd_model is made of, for session.c. Private to the room. */
#ifndef PD_MODEL_MODEL_PARTS_H
#define PD_MODEL_MODEL_PARTS_H

#include "model/config.h"
#include "model/towers.h"
#include "token/token.h"
#include "weights/weights.h"

struct pd_model {
    char *dir; /* without slashes at the end */
    unsigned towers;
    pd_config config;
    pd_kernels kernels;
    char id[PD_SHA256_TEXT_BYTES], weights_sha256[PD_SHA256_TEXT_BYTES];
    pd_weights *weights;
    pd_tokenizer *tokenizer;                      /* with the text tower only */
    pd_prepared *prepared_text, *prepared_vision; /* hold what the towers point to */
    pd_text_tower text;
    pd_vit_tower vit; /* of these two, the one that config.vision names */
    pd_mobilenet_tower mobilenet;
};

/* "its text tower", "its image tower" or both, for sentences. */
const char *pd_towers_name(unsigned towers);

/* Whether a tensor of that name is of the tower whose tensors begin with `prefix`, or of its projection. */
bool pd_is_of_tower(const char *tensor, const char *prefix, const char *projection);

/* Mapped and allocated: prepared weights of the open towers; a session's space. */
size_t pd_model_bytes(const pd_model *model);
size_t pd_session_bytes(const pd_session *session);

#endif
