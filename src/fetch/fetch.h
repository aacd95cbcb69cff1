/* fetch.h: the program pixel-detective-fetch: fetches one model from a hub, as one request tells it, and ends.
 *
 * It is started by pixel-detective (src/hub), never by hand, and is the only program here that opens connections. What
 * it is told and what it tells: hub/pipe.h. The model arrives in <models>/<key>.part: small files first, then the
 * image tower, then the rest; all of it is checked; then the folder gets its name. */
#ifndef PD_FETCH_FETCH_H
#define PD_FETCH_FETCH_H

/* Serves one request; the exit status. Nothing is asked of anybody before the request is read. */
int pd_fetch_serve(int in_fd, int out_fd);

#endif
