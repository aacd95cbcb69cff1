/* telling.h: server-sent events of something that goes on: a thread of its own works, the connection's thread tells. */
#ifndef PD_SERVER_TELLING_H
#define PD_SERVER_TELLING_H

#include <stdbool.h>

#include "server/app.h"
#include "server/response.h"

typedef struct pd_telling pd_telling;

/* `work` runs on the new thread, and its end is the end of the stream; `free` is called once, after it. */
typedef struct pd_telling_work {
    const char *name; /* of the event */
    void (*work)(pd_telling *telling, void *user);
    void (*free)(void *user);
    void *user;
} pd_telling_work;

/* Fills the reply, with an error when it cannot begin; `user` is freed then too. The stream ends with the app. */
void pd_telling_begin(pd_app *app, const pd_telling_work *work, pd_reply *reply);

/* What there is to tell now, in place of what was not sent yet: JSON on one line, taken. At most 5 a second go out; the
 * last one always does. False: nobody listens any more, the work is in vain. */
bool pd_telling_say_take(pd_telling *telling, pd_json *json);

#endif
