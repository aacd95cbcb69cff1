#include "base/cpu.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined __aarch64__
#include <sys/auxv.h>
#endif

#include "base/attr.h"

#ifdef __x86_64__
/* What gcc 12 or clang 14 cannot be asked for by name. Registers: 0 is EAX, 1 EBX, 2 ECX. */
static bool cpuid_bit(unsigned leaf, unsigned subleaf, unsigned reg, unsigned bit)
{
    unsigned regs[4] = { 0 };
    if (!__get_cpuid_count(leaf, subleaf, &regs[0], &regs[1], &regs[2], &regs[3]))
        return false;
    return regs[reg] >> bit & 1;
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}

/* Linux' asm/prctl.h, since 5.16. */
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA 18

/* Tiles and their product of bytes; the system keeps their state when threads change; and it lets us. */
static bool has_amx(void)
{
    const bool there = cpuid_bit(7, 0, 3, 24) && cpuid_bit(7, 0, 3, 25) && cpuid_bit(1, 0, 2, 27);
    if (!there)
        return false;
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low >> 17 & 3) == 3 && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static unsigned detect_amx(void)
{
    if (!has_amx())
        return 0;
    return PD_CPU_AMX_INT8 | (cpuid_bit(7, 0, 3, 22) ? PD_CPU_AMX_BF16 : 0);
}

unsigned pd_cpu_detect(void)
{
    unsigned mask = PD_CPU_SSE2;
    const bool f16c = cpuid_bit(1, 0, 2, 29), sha = cpuid_bit(7, 0, 1, 29);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && f16c)
        mask |= PD_CPU_AVX2;
    if ((mask & PD_CPU_AVX2) && cpuid_bit(7, 1, 0, 4))
        mask |= PD_CPU_AVXVNNI;
    if ((mask & PD_CPU_AVX2) && has_avx512())
        mask |= PD_CPU_AVX512_VNNI;
    if ((mask & PD_CPU_AVX512_VNNI) && cpuid_bit(7, 1, 0, 5))
        mask |= PD_CPU_AVX512_BF16;
    if (mask & PD_CPU_AVX512_VNNI)
        mask |= detect_amx();
    if (sha && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3"))
        mask |= PD_CPU_SHA;
    return mask;
}
#elif defined __aarch64__
unsigned pd_cpu_detect(void)
{
    const bool dotprod = getauxval(AT_HWCAP) & 1ul << 20; /* HWCAP_ASIMDDP of Linux' asm/hwcap.h */
    return dotprod ? PD_CPU_NEON | PD_CPU_NEON_DOTPROD : PD_CPU_NEON;
}
#else
unsigned pd_cpu_detect(void) { return 0; }
#endif

/* extras: used on top where they are there, since nothing is named after them. */
static const struct {
    const char *name;
    unsigned needs, extras;
} levels[] = {
    { "amx", PD_CPU_AVX2 | PD_CPU_AVX512_VNNI | PD_CPU_AMX_INT8, PD_CPU_AVX512_BF16 | PD_CPU_AMX_BF16 | PD_CPU_SHA },
    { "avx512", PD_CPU_AVX2 | PD_CPU_AVX512_VNNI, PD_CPU_AVX512_BF16 | PD_CPU_SHA },
    { "avxvnni", PD_CPU_AVX2 | PD_CPU_AVXVNNI, PD_CPU_SHA },
    { "avx2", PD_CPU_AVX2, PD_CPU_SHA },
    { "sse2", PD_CPU_SSE2, PD_CPU_SHA },
    { "dotprod", PD_CPU_NEON | PD_CPU_NEON_DOTPROD, 0 },
    { "neon", PD_CPU_NEON, 0 },
    { "scalar", 0, PD_CPU_SHA },
};

bool pd_cpu_level(const char *name, unsigned *ret_mask)
{
    const unsigned detected = pd_cpu_detect();
    if (strcmp(name, "auto") == 0) {
        *ret_mask = detected;
        return true;
    }
    for (size_t i = 0; i < PD_COUNT_OF(levels); i++)
        if (strcmp(name, levels[i].name) == 0 && (levels[i].needs & detected) == levels[i].needs) {
            *ret_mask = levels[i].needs | (detected & levels[i].extras);
            return true;
        }
    return false;
}

const char *pd_cpu_level_name(unsigned mask)
{
    for (size_t i = 0; i < PD_COUNT_OF(levels); i++)
        if ((levels[i].needs & mask) == levels[i].needs)
            return levels[i].name;
    return "scalar";
}
