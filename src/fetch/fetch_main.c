/* pixel-detective-fetch: started by pixel-detective when somebody asks for a model, never by hand. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "fetch/fetch.h"

static const char *text_of(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a program that went away is seen when it is written to */
    const pd_trust trust = { .file = text_of("SSL_CERT_FILE"), .dir = text_of("SSL_CERT_DIR") };
    return pd_fetch_serve(STDIN_FILENO, STDOUT_FILENO, trust);
}
