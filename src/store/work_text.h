/* work_text.h: texts of the user's work, checked and folded before they are kept. */
#ifndef PD_STORE_WORK_TEXT_H
#define PD_STORE_WORK_TEXT_H

#include "base/buf.h"
#include "base/error.h"

/* A text without blanks at its ends, and folded (base/fold.h): what it is known by. */
typedef struct pd_work_text {
    pd_buf text, folded;
} pd_work_text;

/* `what` for the sentence: "a tag". len_max: bytes. Refused (PD_ERR_USAGE): what is no UTF-8, control characters. Too
 * long: PD_ERR_LIMIT. Done in every case. */
PD_MUST_USE pd_status pd_work_text_make(pd_work_text *ret_text, const char *text, const char *what, size_t len_max,
                                        pd_error *err);
const char *pd_work_text_plain(const pd_work_text *text);
const char *pd_work_text_folded(const pd_work_text *text);
void pd_work_text_done(pd_work_text *text);

#endif
