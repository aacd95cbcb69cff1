/* cpu.h: what the processor can do, as a mask. Detection only; compiled without any ISA flag. */
#ifndef PD_BASE_CPU_H
#define PD_BASE_CPU_H

#include <stdbool.h>

enum {
    PD_CPU_AVX2 = 1 << 0,        /* AVX2, FMA and F16C */
    PD_CPU_AVX512_VNNI = 1 << 1, /* AVX-512 F, BW, DQ, VL and VNNI */
    PD_CPU_SHA = 1 << 2,         /* SHA-NI and SSE4.1 */
    PD_CPU_NEON = 1 << 3,        /* every 64-bit ARM */
    PD_CPU_SSE2 = 1 << 4,        /* every x86-64 */
    PD_CPU_AVX512_BF16 = 1 << 5,
    PD_CPU_NEON_DOTPROD = 1 << 6, /* ARMv8.2's dot product of bytes */
    PD_CPU_AVXVNNI = 1 << 7,      /* the product of bytes in 256-bit registers, as CPUs without AVX-512 have it */
    PD_CPU_AMX_INT8 = 1 << 8,     /* tiles of bytes, and the kernel lets this process use them */
    PD_CPU_AMX_BF16 = 1 << 9,
};

/* Asks the kernel for the state of AMX' tiles where the CPU has them: a permission of the whole process, that costs
 * nothing before a thread touches a tile. */
unsigned pd_cpu_detect(void);

/* The mask for a level's name: auto, scalar, sse2, avx2, avxvnni, avx512, amx, neon, dotprod. False when the name is
 * unknown or the level is not there on this CPU. `auto` is everything detected; avx512 and amx have BF16 where the CPU
 * does. */
bool pd_cpu_level(const char *name, unsigned *ret_mask);

/* The best level in a mask, by name. */
const char *pd_cpu_level_name(unsigned mask);

#endif
