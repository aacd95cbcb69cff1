/* What pd_uri_parse accepts holds no NUL and stays inside; the same names give the same values twice. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pd_uri uri = { 0 };
    pd_error err;
    if (pd_uri_parse(&uri, (const char *)data, size, &err) != PD_OK)
        return 0;
    if (uri.path[0] != '/' || strlen(uri.path) > size || uri.n_params > PD_URI_PARAMS_MAX)
        abort();
    for (size_t i = 0; i < uri.n_params; i++) {
        const char *found = pd_uri_text(&uri, uri.params[i].name);
        if (!found || strlen(uri.params[i].value) > size || uri.params[i].value < uri.text)
            abort();
    }
    pd_uri_done(&uri);
    return 0;
}
