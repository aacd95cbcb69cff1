/* windows1252.h: the 32 codes in which Windows-1252 is not Latin-1; private to this room. */
#ifndef PD_TOKEN_WINDOWS1252_H
#define PD_TOKEN_WINDOWS1252_H

#include <stdint.h>

/* `code` from 0x80 to 0x9F read as a byte of Windows-1252; the five that it leaves free, and all others, as they are.
 */
uint32_t pd_windows1252_decode(uint32_t code);

#endif
