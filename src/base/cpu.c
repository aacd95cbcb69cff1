#include "base/cpu.h"

#include <stddef.h>
#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "base/attr.h"

#ifdef __x86_64__
/* What gcc 12 or clang 14 cannot be asked for by name. Registers: 1 is EBX, 2 is ECX. */
static bool cpuid_bit(unsigned leaf, unsigned reg, unsigned bit)
{
    unsigned regs[4] = { 0 };
    if (!__get_cpuid_count(leaf, 0, &regs[0], &regs[1], &regs[2], &regs[3]))
        return false;
    return regs[reg] >> bit & 1;
}
#endif

unsigned pd_cpu_detect(void)
{
    unsigned mask = 0;
#ifdef __x86_64__
    const bool f16c = cpuid_bit(1, 2, 29), sha = cpuid_bit(7, 1, 29);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && f16c)
        mask |= PD_CPU_AVX2;
    if ((mask & PD_CPU_AVX2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vnni"))
        mask |= PD_CPU_AVX512_VNNI;
    if (sha && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3"))
        mask |= PD_CPU_SHA;
#endif
    return mask;
}

static const struct {
    const char *name;
    unsigned needs;
} levels[] = {
    { "avx512", PD_CPU_AVX2 | PD_CPU_AVX512_VNNI },
    { "avx2", PD_CPU_AVX2 },
    { "neon", PD_CPU_NEON },
    { "scalar", 0 },
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
            *ret_mask = levels[i].needs | (detected & PD_CPU_SHA);
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
