/* ask.h: one question to the hub: what is worth another try, and what is said when it is not. */
#ifndef PD_FETCH_ASK_H
#define PD_FETCH_ASK_H

#include "fetch/puller.h"

/* PD_OK: an answer of 200, 206 or 416 came (or its body was ended by the caller). PD_OK and *ret_again: nothing good
 * came, the wait before the next try is over, ask again for what is missing now. Else it is given up, with a sentence.
 * *n_tries counts the questions in a row without success: the caller begins with 0, and sets it back when something
 * came. */
PD_MUST_USE pd_status pd_ask(pd_puller *puller, const pd_get *get, int *n_tries, pd_response *ret_response,
                             bool *ret_again, pd_error *err);

/* Waits before a further try of something that the hub answered, but not well. False: no more tries, or cancelled. */
bool pd_ask_wait(pd_puller *puller, int *n_tries);

#endif
