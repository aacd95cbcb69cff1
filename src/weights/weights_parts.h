/* weights_parts.h: what a pd_weights is made of, and the readers that fill it. Private to the room. */
#ifndef PD_WEIGHTS_WEIGHTS_PARTS_H
#define PD_WEIGHTS_WEIGHTS_PARTS_H

#include "base/file.h"
#include "base/str.h"
#include "weights/weights.h"

typedef struct pd_weights_file {
    pd_file_map map;
    char *texts; /* names and metadata, NUL after each: tensors and metadata point into it */
    size_t texts_len;
    uint8_t *copies; /* tensors that do not lie in one piece in the file; NULL: none */
} pd_weights_file;

typedef struct pd_metadata_pair {
    const char *key;
    const char *value;
} pd_metadata_pair;

struct pd_weights {
    pd_weights_file *files;
    size_t n_files;
    pd_tensor *tensors; /* in file order */
    size_t n_tensors;
    const pd_tensor **by_name; /* sorted */
    pd_metadata_pair *metadata;
    size_t n_metadata;
};

/* Adds the tensors of a mapped file. Errors do not name the file. */
PD_MUST_USE pd_status pd_safetensors_read(pd_weights *weights, pd_weights_file *file, pd_error *err);
PD_MUST_USE pd_status pd_state_dict_read(pd_weights *weights, pd_weights_file *file, pd_error *err);

/* Room for n more tensors; the first free place, or NULL when out of memory. n_tensors stays as it is. */
PD_MUST_USE pd_tensor *pd_weights_reserve(pd_weights *weights, size_t n);

/* Copies a text and a NUL into the file's texts, which have room for it. */
const char *pd_weights_keep_text(pd_weights_file *file, pd_str text);

#endif
