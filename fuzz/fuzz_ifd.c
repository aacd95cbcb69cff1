/* EXIF and TIFF directories with their maker notes, Canon's old block, and the times and texts in them. */
#include <stddef.h>
#include <stdint.h>

#include "decoder/ciff.h"
#include "decoder/ifd.h"
#include "decoder/iptc.h"
#include "photo_promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_once(const uint8_t *data, size_t size, pd_ifd_kind kind, pd_claims *claims)
{
    pd_ifd_blocks blocks = { 0 };
    pd_claims_init(claims);
    if (pd_ifd_read(data, size, kind, claims, &blocks) && blocks.iptc)
        pd_iptc_read(blocks.iptc, blocks.iptc_bytes, claims);
    check_facts(&claims->facts);
    for (int i = 0; i < PD_WHEN_COUNT; i++)
        check_chars(claims->times[i].text, sizeof claims->times[i].text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (pd_ifd_kind kind = PD_IFD_ALL; kind <= PD_IFD_CANON; kind++) {
        pd_claims first, again;
        read_once(data, size, kind, &first);
        read_once(data, size, kind, &again);
        if (memcmp(&first.facts, &again.facts, sizeof first.facts) != 0 || first.texts.len != again.texts.len)
            abort();
        pd_claims_done(&first);
        pd_claims_done(&again);
    }
    pd_claims claims;
    pd_claims_init(&claims);
    pd_ciff_read(data, size, &claims.facts);
    pd_iptc_read(data, size, &claims);
    pd_iptc_read_photoshop(data, size, &claims);
    check_facts(&claims.facts);
    pd_claims_done(&claims);
    return 0;
}
