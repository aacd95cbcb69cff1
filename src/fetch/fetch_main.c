/* pixel-detective-fetch: started by pixel-detective when somebody asks for a model, never by hand. */
#include <signal.h>
#include <unistd.h>

#include "fetch/fetch.h"

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a program that went away is seen when it is written to */
    return pd_fetch_serve(STDIN_FILENO, STDOUT_FILENO);
}
