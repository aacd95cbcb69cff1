/* learner_lock.h: one learner a library, across processes.
 *
 * A lock of the open file (fcntl OFD) on <dir>/learner.lock: the system gives it back however the process ends, and two
 * libraries in one process exclude each other as well. The holder's process id is in the file, for people. */
#ifndef PD_LIBRARY_LEARNER_LOCK_H
#define PD_LIBRARY_LEARNER_LOCK_H

#include <stdint.h>

#include "base/error.h"

/* PD_ERR_BUSY with the holder's pid in the sentence when it is taken. */
PD_MUST_USE pd_status pd_learner_lock_take(int *ret_fd, const char *path, pd_error *err);
void pd_learner_lock_release(int *fd); /* -1: nothing; sets -1 */

/* Process id of the holder; 0: nobody; -1: somebody who has not said his name yet. */
int64_t pd_learner_lock_holder(const char *path);

#endif
