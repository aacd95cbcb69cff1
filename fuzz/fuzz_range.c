/* A part that pd_range_parse gives lies inside. The first byte chooses the length of the whole. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char header[256];
    if (size < 1 || size > sizeof header)
        return 0;
    memcpy(header, data + 1, size - 1);
    header[size - 1] = '\0';
    const int64_t bytes = data[0] == 255 ? INT64_MAX : data[0];
    int64_t first = -1, last = -1;
    if (pd_range_parse(header, bytes, &first, &last) == PD_RANGE_PART && !(first >= 0 && first <= last && last < bytes))
        abort();
    return 0;
}
