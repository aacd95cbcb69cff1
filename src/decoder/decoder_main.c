/* pixel-detective-decoder: started by pixel-detective, never by hand. It reads pictures that may be hostile, so it
 * holds nothing but one picture at a time, and its death costs nothing but that picture. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "decoder/serve.h"
#include "media/protocol.h"

int main(void)
{
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(PD_DECODE_SOCKET_FD, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
        (void)fputs("pixel-detective-decoder is started by pixel-detective and does nothing by itself\n", stderr);
        return EXIT_FAILURE;
    }
    /* _exit: there is nothing to save, and the destructors of 150 libraries take longer than a small picture. */
    _exit(pd_decoder_serve(PD_DECODE_SOCKET_FD));
}
