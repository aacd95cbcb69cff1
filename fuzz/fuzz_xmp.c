/* XMP packets: whatever is in them, entities are not followed and the claims keep their promises. */
#include <stddef.h>
#include <stdint.h>

#include "decoder/xmp.h"
#include "photo_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pd_claims claims;
    pd_claims_init(&claims);
    (void)pd_xmp_read(data, size, &claims);
    check_facts(&claims.facts);
    check_chars(claims.extension, sizeof claims.extension);
    if (claims.texts.len > PD_TEXTS_BYTES_MAX)
        abort();
    pd_claims_done(&claims);
    return 0;
}
