/* app_asking.c: questions that are being answered, each of which can be ended. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/thread.h"
#include "server/app_parts.h"

enum { LOOK_MS = 50 }; /* between two looks whether an asker is still there */

/* Who has closed his side of the connection reads no answer. */
static bool has_hung_up(int socket)
{
    struct pollfd entry = { .fd = socket, .events = POLLRDHUP };
    return poll(&entry, 1, 0) > 0;
}

static void wait_for_asking(pd_app *app, bool looks_again)
{
    const int64_t until_ns = pd_clock_ns() + LOOK_MS * PD_NS_PER_MS;
    const struct timespec when = { .tv_sec = until_ns / PD_NS_PER_S, .tv_nsec = until_ns % PD_NS_PER_S };
    if (looks_again)
        (void)pthread_cond_timedwait(&app->askings.asked, &app->lock, &when);
    else
        (void)pthread_cond_wait(&app->askings.asked, &app->lock);
}

static void *watch_askers(void *user)
{
    pd_app *app = user;
    pthread_mutex_lock(&app->lock);
    while (!app->closing) {
        bool any = false;
        for (pd_app_asking *asking = app->askings.first; asking; asking = asking->next)
            if (asking->socket >= 0) {
                any = true;
                if (has_hung_up(asking->socket))
                    atomic_store(&asking->cancelled, true);
            }
        wait_for_asking(app, any);
    }
    pthread_mutex_unlock(&app->lock);
    return NULL;
}

/* With lock held. Without a thread the question is answered all the same. */
static void need_watcher(pd_app *app)
{
    pd_app_askings *askings = &app->askings;
    if (!askings->is_watched && !app->closing)
        askings->is_watched = pd_thread_start(&askings->watcher, "pd-askers", watch_askers, app, NULL) == PD_OK;
    pthread_cond_signal(&askings->asked);
}

void pd_app_asking_begin(pd_app *app, pd_app_asking *asking, int socket, const char *tab)
{
    pd_app_attend(app); /* the model that answers is told of, though no page is looked at */
    *asking = (pd_app_asking){ .socket = socket };
    (void)snprintf(asking->tab, sizeof asking->tab, "%s", tab ? tab : "");
    pthread_mutex_lock(&app->lock);
    atomic_init(&asking->cancelled, app->closing);
    for (pd_app_asking *other = app->askings.first; other && asking->tab[0]; other = other->next)
        if (strcmp(other->tab, asking->tab) == 0) {
            other->overtaken = true;
            atomic_store(&other->cancelled, true);
        }
    asking->next = app->askings.first;
    app->askings.first = asking;
    if (socket >= 0)
        need_watcher(app);
    pthread_mutex_unlock(&app->lock);
}

bool pd_app_asking_end(pd_app *app, pd_app_asking *asking)
{
    pthread_mutex_lock(&app->lock);
    pd_app_asking **place = &app->askings.first;
    while (*place != asking)
        place = &(*place)->next;
    *place = asking->next;
    const bool overtaken = asking->overtaken;
    pthread_mutex_unlock(&app->lock);
    return overtaken;
}

void pd_app_askings_cancel(pd_app *app)
{
    for (pd_app_asking *asking = app->askings.first; asking; asking = asking->next)
        atomic_store(&asking->cancelled, true);
    pthread_cond_signal(&app->askings.asked);
}
