#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "decoder/sniff.h"
#include "test.h"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static void known_kinds_are_known(void)
{
    CHECK(pd_sniff_type(BYTES("\xff\xd8\xff\xe1")) == PD_IMAGE_JPEG);
    CHECK(pd_sniff_type(BYTES("\x89PNG\r\n\x1a\n")) == PD_IMAGE_PNG);
    CHECK(pd_sniff_type(BYTES("RIFF\0\0\0\0WEBPVP8 ")) == PD_IMAGE_WEBP);
    CHECK(pd_sniff_type(BYTES("GIF89a")) == PD_IMAGE_GIF);
    CHECK(pd_sniff_type(BYTES("MM\0*\0\0\0\x08")) == PD_IMAGE_TIFF);
    CHECK(pd_sniff_type(BYTES("\0\0\0\x18"
                              "ftypheic\0\0\0\0mif1heic")) == PD_IMAGE_HEIF);
    CHECK(pd_sniff_type(BYTES("\0\0\0\x18"
                              "ftypmif1\0\0\0\0mif1heic")) == PD_IMAGE_HEIF);
    CHECK(pd_sniff_type(BYTES("\0\0\0\x18"
                              "ftypmif1\0\0\0\0mif1avif")) == PD_IMAGE_AVIF);
    CHECK(pd_sniff_type(BYTES("\0\0\0\x18"
                              "ftypavif\0\0\0\0mif1heic")) == PD_IMAGE_AVIF);
    CHECK(pd_sniff_type(BYTES("\xff\x0a\x00")) == PD_IMAGE_JXL);
    CHECK(pd_sniff_type(BYTES("\0\0\0\x0cjP  \r\n\x87\n")) == PD_IMAGE_JP2);
}

static void raw_files_are_told_from_other_tiff(void)
{
    CHECK(pd_sniff_type(BYTES("II*\0\x08\0\0\0\1\0\x12\xc6\1\0\4\0\0\0\1\4\0\0\0\0\0\0")) == PD_IMAGE_RAW); /* DNG */
    CHECK(pd_sniff_type(BYTES("II*\0\x10\0\0\0CR\2\0")) == PD_IMAGE_RAW);
    CHECK(pd_sniff_type(BYTES("II*\0\x08\0\0\0\1\0\x03\1\3\0\1\0\0\0\x99\x87\0\0\0\0\0\0")) ==
          PD_IMAGE_RAW);                                                                                   /* Nikon's */
    CHECK(pd_sniff_type(BYTES("II*\0\x08\0\0\0\1\0\x03\1\3\0\1\0\0\0\5\0\0\0\0\0\0\0")) == PD_IMAGE_TIFF); /* LZW */
    CHECK(pd_sniff_type(BYTES("II*\0\x08\0\0\0\1\0\x06\1\3\0\1\0\0\0\x23\x80\0\0\0\0\0\0")) == PD_IMAGE_RAW); /* CFA */
    /* in a directory under the first */
    CHECK(pd_sniff_type(BYTES("II*\0\x08\0\0\0\1\0\x4a\1\4\0\1\0\0\0\x1a\0\0\0\0\0\0\0"
                              "\1\0\x06\1\3\0\1\0\0\0\x23\x80\0\0\0\0\0\0")) == PD_IMAGE_RAW);
    CHECK(pd_sniff_type(BYTES("IIRO\x08\0\0\0")) == PD_IMAGE_RAW);
    CHECK(pd_sniff_type(BYTES("FUJIFILMCCD-RAW 0201")) == PD_IMAGE_RAW);
    CHECK(pd_sniff_type(BYTES("\0\0\0\x18"
                              "ftypcrx \0\0\0\1crx isom")) == PD_IMAGE_RAW);
}

static void nothing_else_reaches_a_codec(void)
{
    static const char *const texts[] = { "PK\x03\x04 a zip", "%PDF-1.7", "<svg xmlns=", "<?xml version",
                                         "BM is no bitmap",  "hello",    "8BPS" };
    for (size_t i = 0; i < PD_COUNT_OF(texts); i++)
        CHECK(pd_sniff_type((const uint8_t *)texts[i], strlen(texts[i])) == PD_IMAGE_UNKNOWN);
    CHECK(pd_sniff_type(BYTES("\0\0\0\x18"
                              "ftypisom\0\0\0\0mp41mp42")) == PD_IMAGE_UNKNOWN);
    CHECK(strcmp(pd_sniff_other(BYTES("PK\x03\x04")), "a ZIP archive or an office document") == 0);
    CHECK(!pd_sniff_other(BYTES("hello")));
}

static void short_inputs_are_no_danger(void)
{
    static const char box[] = "\0\0\0\x18"
                              "ftypmif1\0\0\0\0mif1avif";
    for (size_t len = 0; len < sizeof box - 1; len++) {
        uint8_t *exact = pd_mem_alloc(len, 1);
        memcpy(exact, box, len);
        const pd_image_type type = pd_sniff_type(exact, len);
        CHECK(type == (len < 16 ? PD_IMAGE_UNKNOWN : PD_IMAGE_HEIF));
        pd_mem_free(exact);
    }
}

int main(void)
{
    RUN(known_kinds_are_known);
    RUN(raw_files_are_told_from_other_tiff);
    RUN(nothing_else_reaches_a_codec);
    RUN(short_inputs_are_no_danger);
    return TEST_RESULT();
}
