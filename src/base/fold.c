#include "base/fold.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

/* '*': has no single plain letter. Made from Unicode's decompositions (NFKD), with strokes and hooks taken off too. */
static const char latin[] = /* U+00C0 and on */
    "aaaaaa*ceeeeiiiidnooooo*ouuuuy**aaaaaa*ceeeeiiiidnooooo*ouuuuy*y"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**jjkkkllllll*"
    "*llnnnnnn*nnoooooo**rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
    "bbbb***ccdddd****ffg***ikkl**nnooo**pp*****ttttuu*vyyzz*********"
    "*************aaiioouuuuuuuuuu*aaaa****ggkkoooo**j***gg**nnaa**oo"
    "aaaaeeeeiiiioooorrrruuuusstt**hhnd**zzaaeeooooooooyylntj**acclts"
    "z**b**eejjqqrryy";
static const char latin_additional[] = /* U+1E00 and on */
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
    "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
    "wwwwwwwwwwxxxxyyzzzzzzhtwy*s****aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy******";

static const char *find_pair(uint32_t code)
{
    switch (code) {
    case 0xC6:
    case 0xE6: return "ae";
    case 0xDE:
    case 0xFE: return "th";
    case 0xDF:
    case 0x1E9E: return "ss";
    case 0x132:
    case 0x133: return "ij";
    case 0x13F:
    case 0x140: return "l";
    case 0x149: return "n";
    case 0x152:
    case 0x153: return "oe";
    default: return NULL;
    }
}

static uint32_t lower(uint32_t code)
{
    if ((code >= 'A' && code <= 'Z') || (code >= 0x391 && code <= 0x3A9) || (code >= 0x410 && code <= 0x42F))
        return code + 32;
    return code >= 0x400 && code <= 0x40F ? code + 80 : code;
}

static uint32_t plain_letter(uint32_t code)
{
    char letter = '*';
    if (code >= 0xC0 && code < 0xC0 + sizeof latin - 1)
        letter = latin[code - 0xC0];
    else if (code >= 0x1E00 && code < 0x1E00 + sizeof latin_additional - 1)
        letter = latin_additional[code - 0x1E00];
    return letter == '*' ? lower(code) : (uint32_t)(unsigned char)letter;
}

static pd_status append_code(pd_buf *buf, uint32_t code)
{
    const char *pair = find_pair(code);
    char bytes[4];
    if (pair)
        return pd_buf_append_string(buf, pair);
    if (code >= 0x300 && code <= 0x36F)
        return PD_OK;
    return pd_buf_append(buf, bytes, pd_utf8_put(plain_letter(code), bytes));
}

pd_status pd_fold_append(pd_buf *buf, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t code;
        const size_t used = pd_utf8_next(text + i, len - i, &code);
        if (code == 0xFFFD && used == 1)
            PD_TRY(pd_buf_append(buf, text + i, 1));
        else
            PD_TRY(append_code(buf, code));
        i += used;
    }
    return PD_OK;
}
