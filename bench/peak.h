/* peak.h: what a core can do: loops of one sequence of instructions that touch registers only.
 *
 * G/s: 1e9 operations a second; a multiplication and an addition are 2. */
#ifndef PD_BENCH_PEAK_H
#define PD_BENCH_PEAK_H

#include <stdint.h>
#include <string.h>

#include "base/cpu.h"
#include "bench.h"

typedef enum peak {
    PEAK_FMA,      /* vfmadd231ps: fp32 */
    PEAK_FMA_512,  /* the same in 512 bits: twice as much where the CPU has two such units */
    PEAK_VNNI,     /* vpdpbusd: int8 of AVX-512 VNNI */
    PEAK_AMX,      /* tdpbusd: int8 of AMX */
    PEAK_AMX_BF16, /* tdpbf16ps */
    PEAK_BF16,     /* vdpbf16ps */
    PEAK_VEX_VNNI, /* vpdpbusd: int8 of AVX-VNNI */
    PEAK_MADDWD,   /* vpmaddwd, vpaddd: int8 of AVX2, exact through 16 bits */
    PEAK_COUNT
} peak;

/* What a level's floats are multiplied with. */
static inline peak peak_of_f32(const char *level)
{
    return strcmp(level, "avx512") == 0 || strcmp(level, "amx") == 0 ? PEAK_FMA_512 : PEAK_FMA;
}

/* What a level's int8 products are made of. */
static inline peak peak_of_i8(const char *level)
{
    if (strcmp(level, "amx") == 0)
        return PEAK_AMX;
    if (strcmp(level, "avx512") == 0)
        return PEAK_VNNI;
    return strcmp(level, "avxvnni") == 0 ? PEAK_VEX_VNNI : PEAK_MADDWD;
}

static inline peak peak_of_bf16(const char *level)
{
    if (strcmp(level, "amx") == 0)
        return PEAK_AMX_BF16;
    return strcmp(level, "avx512") == 0 ? PEAK_BF16 : PEAK_FMA;
}

#ifdef __x86_64__
#define PEAK_TWELVE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define PEAK_FMA_STEP(n) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #n "\n\t"
#define PEAK_FMA_512_STEP(n) "vfmadd231ps %%zmm14, %%zmm15, %%zmm" #n "\n\t"
#define PEAK_VNNI_STEP(n) "vpdpbusd %%zmm14, %%zmm15, %%zmm" #n "\n\t"
#define PEAK_VEX_VNNI_STEP(n) "%{vex%} vpdpbusd %%ymm14, %%ymm15, %%ymm" #n "\n\t"
#define PEAK_BF16_STEP(n) "vdpbf16ps %%zmm14, %%zmm15, %%zmm" #n "\n\t"
#define PEAK_TWO(sum, product)                         \
    "vpmaddwd %%ymm14, %%ymm15, %%ymm" #product "\n\t" \
    "vpaddd %%ymm" #product ", %%ymm" #sum ", %%ymm" #sum "\n\t"
#define PEAK_TWOS   \
    PEAK_TWO(0, 8)  \
    PEAK_TWO(1, 9)  \
    PEAK_TWO(2, 10) \
    PEAK_TWO(3, 11) \
    PEAK_TWO(4, 8)  \
    PEAK_TWO(5, 9)  \
    PEAK_TWO(6, 10) PEAK_TWO(7, 11) PEAK_TWO(0, 8) PEAK_TWO(1, 9) PEAK_TWO(2, 10) PEAK_TWO(3, 11)
#define PEAK_LOOP(body)                                                                                              \
    __asm__ volatile(                                                                                                \
        "vpxor %%xmm13, %%xmm13, %%xmm13\n\tvpxor %%xmm14, %%xmm14, %%xmm14\n\tvpxor %%xmm15, %%xmm15, %%xmm15\n\t"  \
        ".p2align 5\n1:\n\t" body body "dec %0\n\tjnz 1b\n\t"                                                        \
        : "+r"(loops)                                                                                                \
        :                                                                                                            \
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm13", \
          "xmm14", "xmm15", "cc")

#define PEAK_TILES(X) X(0) X(1) X(2) X(3)
#define PEAK_AMX_STEP(n) "tdpbusd %%tmm5, %%tmm4, %%tmm" #n "\n\t"
#define PEAK_AMX_BF16_STEP(n) "tdpbf16ps %%tmm5, %%tmm4, %%tmm" #n "\n\t"
#define PEAK_TILE_LOOP(step)                                                                                        \
    __asm__ volatile("ldtilecfg %1\n\t"                                                                             \
                     "tilezero %%tmm4\n\ttilezero %%tmm5\n\t.p2align 5\n1:\n\t" PEAK_TILES(step) PEAK_TILES(step)   \
                         PEAK_TILES(step) PEAK_TILES(step) PEAK_TILES(step) PEAK_TILES(step) "dec %0\n\tjnz 1b\n\t" \
                                                                                             "tilerelease\n\t"      \
                     : "+r"(loops)                                                                                  \
                     : "m"(config)                                                                                  \
                     : "cc")

static inline void peak_spin_tiles(peak which, long loops)
{
    /* palette 1; from byte 16 the widths of the registers, from 48 their rows: 64 bytes by 16 */
    static const uint8_t config[64] = {
        1, [16] = 64, [18] = 64, [20] = 64, [22] = 64, [24] = 64, [26] = 64, [48] = 16, 16, 16, 16, 16, 16
    };
    if (which == PEAK_AMX)
        PEAK_TILE_LOOP(PEAK_AMX_STEP);
    else
        PEAK_TILE_LOOP(PEAK_AMX_BF16_STEP);
}

static inline void peak_spin(peak which, long loops)
{
    switch (which) {
    case PEAK_FMA: PEAK_LOOP(PEAK_TWELVE(PEAK_FMA_STEP)); break;
    case PEAK_FMA_512: PEAK_LOOP(PEAK_TWELVE(PEAK_FMA_512_STEP)); break;
    case PEAK_VNNI: PEAK_LOOP(PEAK_TWELVE(PEAK_VNNI_STEP)); break;
    case PEAK_VEX_VNNI: PEAK_LOOP(PEAK_TWELVE(PEAK_VEX_VNNI_STEP)); break;
    case PEAK_AMX:
    case PEAK_AMX_BF16: peak_spin_tiles(which, loops / 32); break; /* a step takes so much longer */
    case PEAK_BF16: PEAK_LOOP(PEAK_TWELVE(PEAK_BF16_STEP)); break;
    case PEAK_MADDWD: PEAK_LOOP(PEAK_TWOS); break;
    case PEAK_COUNT: break;
    }
}

/* 0 where the CPU has no such instruction. About 0.1 to 0.3 ms. */
static inline double peak_measure(peak which)
{
    enum { LOOPS = 20000, STEPS = 24 };
    static const struct {
        unsigned needs;
        double per_step;
    } kinds[PEAK_COUNT] = { [PEAK_FMA] = { PD_CPU_AVX2, 16.0 },           [PEAK_FMA_512] = { PD_CPU_AVX512_VNNI, 32.0 },
                            [PEAK_VNNI] = { PD_CPU_AVX512_VNNI, 128.0 },  [PEAK_VEX_VNNI] = { PD_CPU_AVXVNNI, 64.0 },
                            [PEAK_AMX] = { PD_CPU_AMX_INT8, 1024.0 }, /* of 32768: that many fewer loops */
                            [PEAK_AMX_BF16] = { PD_CPU_AMX_BF16, 512.0 }, [PEAK_BF16] = { PD_CPU_AVX512_BF16, 64.0 },
                            [PEAK_MADDWD] = { PD_CPU_AVX2, 32.0 } };
    if (!(pd_cpu_detect() & kinds[which].needs))
        return 0.0;
    const int64_t begin = bench_cpu_ns();
    peak_spin(which, LOOPS);
    return STEPS * (double)LOOPS * kinds[which].per_step / (double)(bench_cpu_ns() - begin);
}
#else
static inline double peak_measure(peak which)
{
    (void)which;
    return 0.0;
}
#endif

#endif
