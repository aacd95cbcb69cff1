/* cpu.h: what the processor can do, as a mask. Detection only; compiled without any ISA flag. */
#ifndef PD_BASE_CPU_H
#define PD_BASE_CPU_H

#include <stdbool.h>

enum {
    PD_CPU_AVX2 = 1 << 0,        /* AVX2, FMA and F16C */
    PD_CPU_AVX512_VNNI = 1 << 1, /* AVX-512 F, BW, DQ, VL and VNNI */
    PD_CPU_SHA = 1 << 2,         /* SHA-NI and SSE4.1 */
    PD_CPU_NEON = 1 << 3,
};

unsigned pd_cpu_detect(void);

/* The mask for a level's name: auto, scalar, avx2, avx512, neon. False when the name is unknown or the level is not
 * there on this CPU. `auto` is everything detected. */
bool pd_cpu_level(const char *name, unsigned *ret_mask);

/* The best level in a mask, by name: "scalar", "avx2", "avx512" or "neon". */
const char *pd_cpu_level_name(unsigned mask);

#endif
