/* residency.h: models that come when they are needed and go when they are not. Part of model.h's contract: include
 * that.
 *
 * One pd_residency for a program. What is loaded is a part of a model's directory: the text tower, the image tower, the
 * captioner; each by itself, so that a first question waits for the text tower alone. A part is loaded by the
 * residency's own thread, one after the other; all who need it wait for the same loading and share the result. While it
 * is borrowed it stays; when nobody has used it for the idle time it is unmapped and its memory is given back. When the
 * system is short of memory idle parts go at once, captioners first. Everything here may be called by any thread.
 *
 * A loading goes on as long as somebody waits for it, and to its end when it was begun or joined by a prefetch that no
 * unload has taken back. When the last one who waits is cancelled, and when the program ends (pd_residency_stop), it
 * stops at the next tensor: nothing of it is kept, in memory or in the cache, and the part is again what it was, cold
 * or idle, never failed. Who comes before it has stopped keeps it going. */
#ifndef PD_MODEL_RESIDENCY_H
#define PD_MODEL_RESIDENCY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/captioner.h"

typedef struct pd_session pd_session;
typedef struct pd_residency pd_residency;

#define PD_RESIDENCY_IDLE_S 300
#define PD_RESIDENCY_DIRS_MAX 64 /* of models that were ever needed */
#define PD_RESIDENCY_LOOK_S 5.0  /* between two looks at the system's memory, while something rests */

typedef enum pd_model_part { PD_PART_TEXT, PD_PART_VISION, PD_PART_CAPTIONER, PD_PART_COUNT } pd_model_part;
typedef enum pd_residence {
    PD_RESIDENCE_COLD,    /* never loaded since the start */
    PD_RESIDENCE_LOADING, /* or waiting for its turn */
    PD_RESIDENCE_READY,   /* in memory */
    PD_RESIDENCE_IDLE,    /* was in memory, and was put away */
    PD_RESIDENCE_FAILED,  /* the next who needs it tries again */
} pd_residence;
const char *pd_residence_name(pd_residence residence); /* "cold" "loading" "ready" "idle" "failed" */
/* How busy that is, to tell of several parts as one: loading most, then ready, failed, idle, cold. */
int pd_residence_rank(pd_residence residence);

typedef struct pd_residency_options {
    unsigned cpu_mask;
    int precision; /* a pd_precision */
    const char *cache_dir;
    double idle_s;               /* 0: PD_RESIDENCY_IDLE_S; negative: never */
    const char *system_root;     /* below it proc and sys tell of memory; NULL: the root (tests have their own) */
    double look_s;               /* 0: PD_RESIDENCY_LOOK_S */
    void (*changed)(void *user); /* NULL, or called after every change of a state or of loading's progress, by any
                                  * thread, no lock held: look at pd_residency_visit */
    void *changed_user;
} pd_residency_options;

PD_MUST_USE pd_status pd_residency_create(pd_residency **ret_residency, const pd_residency_options *options,
                                          pd_error *err);
void pd_residency_free(pd_residency **residency); /* nothing may be borrowed; stops */
/* For a program that ends, and returns at once: nothing is loaded any more, prefetched or not, and who waits for a
 * loading, now or from now on, hears PD_ERR_CANCELLED. What is in memory stays there, and can be borrowed. NULL:
 * nothing to stop. */
void pd_residency_stop(pd_residency *residency);

/* A part for use. `session` is the borrower's alone until it is given back (text and image tower); several may borrow
 * one part at once. */
typedef struct pd_lease {
    const pd_model *model; /* opened with this part's tower; NULL for a captioner */
    pd_session *session;
    const pd_captioner *captioner;
    void *entry; /* private; NULL: nothing is borrowed */
} pd_lease;

/* Waits until the part is loaded. cancelled (or NULL) is looked at meanwhile: PD_ERR_CANCELLED. A failure is that of
 * loading, with its sentence. */
PD_MUST_USE pd_status pd_residency_borrow(pd_residency *residency, const char *dir, pd_model_part part,
                                          const atomic_bool *cancelled, pd_lease *ret_lease, pd_error *err);
void pd_residency_return(pd_residency *residency, pd_lease *lease); /* safe for a zeroed lease; zeroes it */

/* The weights of a directory are still arriving and will have this SHA-256 (pd_model_options); "": no more. What is in
 * memory of it is put away as by unload, so that the next loading sees what is there then. */
void pd_residency_promise(pd_residency *residency, const char *dir, const char *weights_sha256);

/* Another model lies in the directory from now on: who borrows next gets that one, also while somebody has the old one,
 * which is put away when it comes back. */
void pd_residency_renew(pd_residency *residency, const char *dir);

/* Begins to load, whoever will need it, and returns at once. */
void pd_residency_prefetch(pd_residency *residency, const char *dir, pd_model_part part);
/* Puts away all parts of a directory that are not borrowed; the rest when they come back. PD_ERR_BUSY, with a sentence,
 * when some were. `dir` NULL: of all. */
PD_MUST_USE pd_status pd_residency_unload(pd_residency *residency, const char *dir, pd_error *err);
/* Idle time of the parts of one directory (NULL: of all that have none of their own); as in the options. */
void pd_residency_set_idle(pd_residency *residency, const char *dir, double idle_s);

typedef struct pd_resident {
    const char *dir;
    pd_model_part part;
    pd_residence state;
    double fraction; /* of a loading that has something to prepare; else 0 */
    double load_ms;  /* of the last loading; 0: none */
    double idle_s;   /* since it was used last; 0 while borrowed */
    int64_t bytes;   /* mapped and allocated for it, while it is ready */
    unsigned n_borrowed;
    const char *error; /* FAILED: why. NULL else */
} pd_resident;
/* Visits a copy of each part that was ever needed, no lock held. Strings live for the visit. */
void pd_residency_visit(pd_residency *residency, void (*visit)(void *user, const pd_resident *resident), void *user);

#endif
