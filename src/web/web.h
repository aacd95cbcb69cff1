/* web.h: the files of the page, inside the program.
 *
 * The table is made by tools/embed.py from web/dist when the program is built. Everything is constant and read only by
 * who asks for it: what no browser has asked for takes no memory. */
#ifndef PD_WEB_WEB_H
#define PD_WEB_WEB_H

#include <stddef.h>

/* Immutable, lives for ever. */
typedef struct pd_web_file {
    const char *path; /* "/app.js"; the page itself is "/index.html" */
    const char *mime;
    const unsigned char *data; /* [len] */
    size_t len;
    const unsigned char *gzip; /* [gzip_len]; NULL: not worth it */
    size_t gzip_len;
    const char *etag; /* without quotes: of the content */
} pd_web_file;

const pd_web_file *pd_web_files(size_t *ret_n);

#endif
