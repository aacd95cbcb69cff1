/* error.h: one status, one errno, one sentence for a person.
 *
 * The function that detects a failure writes the sentence; callers hand it on unchanged. Every function taking
 * `pd_error *err` takes it last and accepts NULL. On PD_OK the error is untouched. */
#ifndef PD_BASE_ERROR_H
#define PD_BASE_ERROR_H

#include "base/attr.h"
#include "base/status.h"

#define PD_ERROR_MESSAGE_BYTES 512 /* longer sentences are cut at a UTF-8 boundary and end in "..." */

typedef struct pd_error {
    pd_status status;
    int sys_errno; /* 0 when the system was not involved */
    char message[PD_ERROR_MESSAGE_BYTES];
} pd_error;

/* Writes the sentence and returns `status`, so that a detector can say `return pd_error_set(err, ...)`. */
pd_status pd_error_set(pd_error *err, pd_status status, const char *format, ...) PD_PRINTF(3, 4);

/* As pd_error_set with ": <text of sys_errno>" appended; the status follows from the errno (pd_status_of_errno). */
pd_status pd_error_set_errno(pd_error *err, int sys_errno, const char *format, ...) PD_PRINTF(3, 4);

/* The allocation of something failed. */
pd_status pd_error_set_nomem(pd_error *err);

/* Hands on the error of an attempt that was made with an error of its own, because its failure might have been no
 * failure of the caller's: what is tolerated must leave no sentence behind. Returns its status. */
pd_status pd_error_hand_on(pd_error *err, const pd_error *attempt);

/* Puts "prefix: " before the sentence: for the one boundary that knows a name the user knows (the file). */
void pd_error_prefix(pd_error *err, const char *format, ...) PD_PRINTF(2, 3);

/* ENOMEM -> NOMEM, ENOENT and ENOTDIR -> NOT_FOUND, ENOSPC and EDQUOT -> FULL, all others -> IO. */
pd_status pd_status_of_errno(int sys_errno);

#endif
