/* Sidecars that are added to: a document that was merged can be merged again and then stays as it is, and what was said
 * is found in it. The first byte chooses what is said. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decoder/xmp_merge.h"
#include "media/media.h"

enum { DOCUMENT_BYTES_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char words[] = "\2a <b> & \"c\"\0\7beach\0\7boat & co";
    if (size == 0)
        return 0;
    const pd_xmp_wishes wishes = { .texts = { words, data[0] & 1 ? sizeof words : 0 },
                                   .rating = data[0] & 2 ? 4 : PD_MEDIA_ABSENT };
    pd_buf first, second;
    pd_buf_init(&first, DOCUMENT_BYTES_MAX);
    pd_buf_init(&second, DOCUMENT_BYTES_MAX);
    const pd_status status = pd_xmp_merge(data + 1, size - 1, &wishes, &first, NULL);
    if (status == PD_OK && (!first.len || pd_xmp_merge((const uint8_t *)first.data, first.len, &wishes, &second, NULL)))
        abort();
    if (status == PD_OK && (second.len != first.len || memcmp(first.data, second.data, first.len) != 0))
        abort();
    pd_buf_done(&first);
    pd_buf_done(&second);
    return 0;
}
