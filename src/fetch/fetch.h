/* fetch.h: the program pixel-detective-fetch: fetches one model from a hub, as one request tells it, and ends.
 *
 * It is started by pixel-detective (src/hub), never by hand, and is the only program here that opens connections. What
 * it is told and what it tells: hub/pipe.h. The model arrives in <models>/<key>.part: small files first, then the
 * image tower, then the rest; all of it is checked; then the folder gets its name. */
#ifndef PD_FETCH_FETCH_H
#define PD_FETCH_FETCH_H

/* Whose signatures on certificates count. NULL: the system's file, the system's folder. Names as OpenSSL takes them: a
 * file of certificates (PEM), a folder where they are found by hash. */
typedef struct pd_trust {
    const char *file, *dir;
} pd_trust;

/* Serves one request; the exit status. Nothing is asked of anybody before the request is read. */
int pd_fetch_serve(int in_fd, int out_fd, pd_trust trust);

#endif
