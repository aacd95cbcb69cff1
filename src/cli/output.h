/* output.h: results to stdout, sentences to stderr.
 *
 * A pd_out collects and writes in large pieces; a failure is remembered and told once, by pd_out_finish, so that a
 * writer of results needs no check per line. One thread at a time. */
#ifndef PD_CLI_OUTPUT_H
#define PD_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

typedef struct pd_out {
    int fd;
    bool terminal;
    pd_buf buf;
    int sys_errno; /* of the first write that failed; 0: none */
} pd_out;

void pd_out_init(pd_out *out, int fd);
void pd_out_done(pd_out *out); /* drops what is not written */

void pd_out_bytes(pd_out *out, const void *data, size_t len);
void pd_out_text(pd_out *out, const char *text);
void pd_outf(pd_out *out, const char *format, ...) PD_PRINTF(2, 3);
/* One line's worth of foreign text, escaped as pd_text_append_printable does. */
void pd_out_printable(pd_out *out, const char *text);
/* Takes the document, also when it is NULL (out of memory), and ends it with a newline. */
void pd_out_json_take(pd_out *out, pd_json *json, bool pretty);

/* Writes the rest. A reader that went away (EPIPE) is PD_ERR_CANCELLED without a sentence: nobody wants to hear it. */
PD_MUST_USE pd_status pd_out_finish(pd_out *out, pd_error *err);

/* For words besides the results: when they cannot be written, there is nowhere left to say so. */
void pd_write_or_leave(int fd, const void *data, size_t len);

/* "pixel-detective: <sentence>" as one line on stderr; what could harm a terminal is escaped. */
void pd_say(const char *sentence);
void pd_sayf(const char *format, ...) PD_PRINTF(1, 2);

#endif
