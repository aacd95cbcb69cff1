/* plan.h: what a job has to do: the folders on disk compared with the catalogue.
 *
 * Private to the room. Which root a photo belongs to: the innermost root whose walk comes by it. So a folder inside a
 * root becomes no root of its own (only it is walked then), and a root added above others leaves their photos to them.
 *
 * A file is unchanged when size and time are those in the catalogue, those of its sidecar too, and it is learned or has
 * a remembered error, and its metadata was found by readers as good as ours. A
 * known photo that was not met is missing; what becomes of the missing is decided after learning, when those that
 * only moved are known (pd_plan_settle). One thread at a time, but for the arrays, which do not change after
 * pd_plan_make. */
#ifndef PD_PIPELINE_PLAN_H
#define PD_PIPELINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/board.h"
#include "pipeline/text_pool.h"
#include "store/store.h"

/* A root that has lost more than this many photos and more than this share of them at once is taken for a drive that
 * is not there, or half there: it goes offline and nothing is removed. */
#define PD_PLAN_LOST_MAX 20
#define PD_PLAN_LOST_PERCENT_MAX 20

typedef struct pd_plan_root {
    int64_t id;
    const char *path;
    const char *was; /* NULL, or where it was before this run */
    bool offline;    /* as the catalogue has it */
    bool scanned;    /* wholly or in part */
    bool whole;      /* wholly */
    bool gone;       /* the folder itself is not there */
    int64_t photos;  /* in the catalogue, before */
    int64_t seen;    /* files met, and folders that could not be read */
} pd_plan_root;

typedef struct pd_plan_target {
    const char *path;
    size_t root;
} pd_plan_target;

typedef struct pd_todo {
    const char *path;
    int64_t bytes, mtime_ns;
    size_t root;
    bool known;          /* the catalogue has a photo at this path ... */
    int64_t content;     /* ... which had this content, or 0 */
    const char *sidecar; /* path, NULL: none */
    int64_t sidecar_ns;
    bool refresh; /* its metadata is to be read again, whether its content is known or not */
} pd_todo;

typedef struct pd_missing {
    const char *path;
    int64_t id, content;
    size_t root;
    bool moved;   /* its id lives on at another path */
    bool removed; /* pd_plan_settle took it out */
    bool folder;  /* no photo: remembers a folder that could not be read, and now can */
} pd_missing;

/* A known photo whose file now holds another picture. */
typedef struct pd_changed {
    int64_t id, was, is; /* its contents */
} pd_changed;

typedef struct pd_unreadable {
    const char *path;
    size_t root;
    int sys_errno;
} pd_unreadable;

typedef struct pd_plan {
    pd_text_pool texts;
    pd_plan_root *roots;
    size_t n_roots, roots_capacity;
    pd_plan_target *targets;
    size_t n_targets, targets_capacity;
    pd_todo *todo; /* newest first */
    size_t n_todo, todo_capacity;
    pd_missing *missing; /* by content */
    size_t n_missing, missing_capacity;
    pd_changed *changed; /* while the job learns */
    size_t n_changed, changed_capacity;
    pd_unreadable *unreadable;
    size_t n_unreadable, unreadable_capacity;
} pd_plan;

typedef struct pd_plan_options {
    const char *const *folders; /* absolute, resolved; none: every root */
    size_t n_folders;
    int64_t model;
    bool recheck, retry;
} pd_plan_options;

/* Adds the roots to the catalogue, walks, compares. `plan` zeroed; pd_plan_done in every case. Counts found, unchanged,
 * skipped, and remembered errors as failed. CANCELLED when the board says so. */
PD_MUST_USE pd_status pd_plan_make(pd_plan *plan, pd_store *store, const pd_plan_options *options, pd_board *board,
                                   pd_error *err);
void pd_plan_done(pd_plan *plan);

/* The half of pd_plan_make that knows folders: fills roots and targets. */
PD_MUST_USE pd_status pd_plan_add_roots(pd_plan *plan, pd_store *store, const pd_plan_options *options, pd_board *board,
                                        pd_error *err);

/* `folder` belongs to no root: is it one whose own folder is gone? Then that lies there from now on, with its photos,
 * and *ret_root is its place in plan->roots; else n_roots. Roots in it come along. CANCELLED when the board says so. */
PD_MUST_USE pd_status pd_plan_relink(pd_plan *plan, pd_store *store, pd_board *board, const char *folder,
                                     size_t *ret_root, pd_error *err);

/* A missing photo with that content, whose root is there and whose file really is gone; NULL when there is none. */
pd_missing *pd_plan_find_missing(pd_plan *plan, int64_t content);

PD_MUST_USE pd_status pd_plan_note_changed(pd_plan *plan, const pd_changed *changed, pd_error *err);

/* Pictures that changed names with each other, or moved up by one, are known by their paths, and so nobody's: what the
 * user did for a picture follows it to its new name. One that was edited where it lies keeps it. What was done for one
 * that is gone goes to a copy of it. After what is missing was removed, in the same transaction. */
PD_MUST_USE pd_status pd_plan_follow(const pd_plan *plan, pd_store *store, pd_error *err);

/* Removes what is missing from the catalogue, or sets roots offline or online, and follows. In a transaction of its
 * own. */
PD_MUST_USE pd_status pd_plan_settle(pd_plan *plan, pd_store *store, pd_board *board, pd_error *err);

#endif
