/* hub.h: models that are not here yet: what there is, fetching it, and what was fetched.
 *
 * A model is named by its key, "tiny" or "openai--clip-vit-base-patch32": its folder's name below one of the models
 * directories; "owner/name" and "owner/name@revision" mean the same place. Nothing is ever asked of the network but by
 * pd_pull_start. The speaking is done by another program (pixel-detective-fetch): this room starts it and listens.
 *
 * Layout of a pulled model, <models>/<key>/: the files of the repository, and `pull.json` (repository, revision, files
 * with sizes, SHA-256 and ETags, what is complete). While it arrives it lies in <models>/<key>.part/ with the same
 * names; files of weights have their full length from the start, with holes. It is renamed when all is here and
 * checked. */
#ifndef PD_HUB_HUB_H
#define PD_HUB_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PD_HUB_KEY_BYTES 200
#define PD_HUB_ENDPOINT "https://huggingface.co"

typedef enum pd_hub_kind { PD_HUB_SEARCH, PD_HUB_CAPTIONS } pd_hub_kind;

/* What is known of a model before it is here. Strings are static. */
typedef struct pd_hub_entry {
    const char *key, *name;            /* "openai--clip-vit-base-patch32", "CLIP B/32" */
    const char *repository, *revision; /* NULL: built in. The revision is a commit */
    pd_hub_kind kind;
    const char *licence, *languages, *text; /* "MIT"; "English"; a sentence: what it is good for */
    int64_t bytes;                          /* to be fetched */
    int picture_ms;                         /* of one core, about; 0: not measured */
    int dial;                               /* 1..5: finds, or writes, that well; 0: not measured */
} pd_hub_entry;
/* The built-in catalogue: the shipped models first. */
const pd_hub_entry *pd_hub_catalogue(size_t *ret_n);
/* By key, repository or name; NULL: not among them. */
const pd_hub_entry *pd_hub_find(const char *text);

/* "owner/name[@revision]", a catalogue name or a key, as key, repository and revision ("main" when nothing says). */
typedef struct pd_hub_reference {
    char key[PD_HUB_KEY_BYTES], repository[PD_HUB_KEY_BYTES], revision[PD_HUB_KEY_BYTES];
} pd_hub_reference;
PD_MUST_USE pd_status pd_hub_reference_parse(const char *text, pd_hub_reference *ret_reference, pd_error *err);

/* An endpoint as people name it, of visible ASCII: "huggingface.co", "mirror.example:8443/hf"; without the scheme, and
 * without whoever asks ("https://me:secret@..."). NULL or "": PD_HUB_ENDPOINT. Cut at PD_HUB_NAME_BYTES. */
#define PD_HUB_NAME_BYTES 256
void pd_hub_name(const char *endpoint, char ret_name[PD_HUB_NAME_BYTES]);

/* What lies in a models directory: complete ones, and begun ones. */
typedef struct pd_hub_installed {
    const char *key, *dir;             /* dir: absolute; of a begun one the .part folder */
    const char *repository, *revision; /* "" when nothing says */
    pd_hub_kind kind;
    bool complete;
    int64_t bytes; /* on disk */
} pd_hub_installed;
PD_MUST_USE pd_status pd_hub_installed_visit(const char *models_dir,
                                             bool (*visit)(void *user, const pd_hub_installed *installed), void *user,
                                             pd_error *err); /* a directory that is not there holds nothing */
PD_MUST_USE pd_status pd_hub_remove(const char *models_dir, const char *key, pd_error *err);

/* Fetching. */
typedef struct pd_pull_options {
    const char *reference;
    const char *models_dir;
    const char *fetch_path;       /* NULL: beside the running program, or as installed */
    const char *endpoint, *token; /* HF_ENDPOINT, HF_TOKEN; NULL: PD_HUB_ENDPOINT, none */
    bool offline;                 /* HF_HUB_OFFLINE: PD_ERR_NETWORK with a sentence, nothing is asked */
} pd_pull_options;

typedef enum pd_pull_phase {
    PD_PULL_LIST,   /* asking what the repository holds */
    PD_PULL_SMALL,  /* config and tokenizer files */
    PD_PULL_VISION, /* header and image tower of the weights */
    PD_PULL_REST,   /* what else there is of the weights */
    PD_PULL_CHECK,  /* SHA-256 */
    PD_PULL_READY,
    PD_PULL_PHASE_COUNT
} pd_pull_phase;
const char *pd_pull_phase_name(pd_pull_phase phase);

typedef struct pd_pull_state {
    uint64_t seq;
    bool running;
    pd_pull_phase phase;
    pd_hub_reference reference;
    int64_t done_bytes, total_bytes; /* total 0: not known yet */
    double rate, eta_s;              /* bytes a second; -1: not known yet */
    unsigned n_revoked;              /* how often vision_ready was taken back: what was made with that tower is wrong */
    int64_t vision_bytes; /* when so many of done_bytes are here the image tower is; 0: not known, or there is none */
    bool vision_ready;    /* the image tower can be opened at part_dir, with pd_model_options.weights_sha256 */
    char dir[4096];       /* where it lies now: the .part folder, in the end the model's own */
    char sha256[65];      /* of the weights as the hub promises it, "" when it does not */
    pd_status outcome;    /* once it does not run */
    char message[512]; /* of a bad outcome: what happened and what can be done. Begun files are kept, and the next pull
                        * goes on from there, after OK, CANCELLED and failures but CORRUPT */
} pd_pull_state;

typedef struct pd_pull pd_pull;
PD_MUST_USE pd_status pd_pull_start(pd_pull **ret_pull, const pd_pull_options *options, pd_error *err);
void pd_pull_look(pd_pull *pull, pd_pull_state *ret_state);
void pd_pull_wait(pd_pull *pull, uint64_t seq, int timeout_ms, pd_pull_state *ret_state); /* for a change after seq */
void pd_pull_cancel(pd_pull *pull);
void pd_pull_finish(pd_pull **pull); /* cancels what runs, waits, frees */

#endif
