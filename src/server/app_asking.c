/* app_asking.c: questions that are being answered, each of which can be ended. */
#include <stdio.h>
#include <string.h>

#include "server/app_parts.h"

void pd_app_asking_begin(pd_app *app, pd_app_asking *asking, const char *tab)
{
    pd_app_attend(app); /* the model that answers is told of, though no page is looked at */
    *asking = (pd_app_asking){ .next = NULL };
    (void)snprintf(asking->tab, sizeof asking->tab, "%s", tab ? tab : "");
    pthread_mutex_lock(&app->lock);
    atomic_init(&asking->cancelled, app->closing);
    for (pd_app_asking *other = app->askings; other && asking->tab[0]; other = other->next)
        if (strcmp(other->tab, asking->tab) == 0) {
            other->overtaken = true;
            atomic_store(&other->cancelled, true);
        }
    asking->next = app->askings;
    app->askings = asking;
    pthread_mutex_unlock(&app->lock);
}

bool pd_app_asking_end(pd_app *app, pd_app_asking *asking)
{
    pthread_mutex_lock(&app->lock);
    pd_app_asking **place = &app->askings;
    while (*place != asking)
        place = &(*place)->next;
    *place = asking->next;
    const bool overtaken = asking->overtaken;
    pthread_mutex_unlock(&app->lock);
    return overtaken;
}

void pd_app_askings_cancel(pd_app *app)
{
    for (pd_app_asking *asking = app->askings; asking; asking = asking->next)
        atomic_store(&asking->cancelled, true);
}
