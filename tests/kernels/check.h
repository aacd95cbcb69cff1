/* check.h: how the check_*.c programs compare every instruction set with the scalar specification (after dav1d's
 * checkasm): random inputs, memory that ends at a page that may not be touched, canaries where nothing may be written.
 *
 * `spec` and `isa` are the two tables that the running case compares; CHECK_LEVELS runs cases once per level. */
#ifndef PD_TESTS_KERNELS_CHECK_H
#define PD_TESTS_KERNELS_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/attr.h"
#include "base/cpu.h"
#include "kernels/kernels.h"
#include "test.h"

static pd_kernels spec, isa;

#define PAGE 4096
#define CANARY 0xA5
#define CANARY_FLOAT (-7.25e11f)
#define GUARDED_MAX 32

static struct guarded {
    uint8_t *map, *data;
    size_t bytes;
} guarded[GUARDED_MAX];
static size_t n_guarded;

static uint64_t random_state = 88172645463325252u;

/* xorshift64 (Marsaglia): the same numbers in every run. */
static inline uint32_t random_u32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

static inline float random_float(void) { return (float)(int32_t)random_u32() * 0x1p-31f; } /* in [-1, 1) */

static inline size_t random_below(size_t limit) { return random_u32() % limit; }

/* `bytes` that end where a page without access begins; what lies before is canaries, as are the bytes themselves. */
static inline void *guarded_alloc(size_t bytes)
{
    const size_t room = (bytes + PAGE - 1) / PAGE * PAGE + PAGE;
    uint8_t *map = mmap(NULL, room + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || n_guarded == GUARDED_MAX || mprotect(map + room, PAGE, PROT_NONE))
        abort();
    memset(map, CANARY, room);
    guarded[n_guarded++] = (struct guarded){ map, map + room - bytes, room };
    return map + room - bytes;
}

static inline float *guarded_floats(size_t n)
{
    float *floats = guarded_alloc(n * sizeof *floats);
    for (size_t i = 0; i < n; i++)
        floats[i] = random_float();
    return floats;
}

static inline uint8_t *guarded_bytes(size_t n)
{
    uint8_t *bytes = guarded_alloc(n);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)random_u32();
    return bytes;
}

/* Ends a case: false when a byte before any of its blocks was written. */
static inline bool guarded_release(void)
{
    bool intact = true;
    for (size_t i = 0; i < n_guarded; i++) {
        for (const uint8_t *byte = guarded[i].map; byte < guarded[i].data; byte++)
            intact = intact && *byte == CANARY;
        munmap(guarded[i].map, guarded[i].bytes + PAGE);
    }
    n_guarded = 0;
    return intact;
}

/* Normalised mean squared error, and the worst since the last report. */
static double worst_error;

static inline double nmse(const float *got, const float *wanted, size_t n)
{
    double error = 0.0, energy = 0.0;
    for (size_t i = 0; i < n; i++) {
        error += ((double)got[i] - wanted[i]) * ((double)got[i] - wanted[i]);
        energy += (double)wanted[i] * wanted[i];
    }
    const double result = error == 0.0 ? 0.0 : error / energy;
    if (!(result <= worst_error))
        worst_error = result;
    return result;
}

static inline void report_worst(const char *member, double bound)
{
    printf("     %s %s: worst error %.1e (bound %.0e)\n", isa.name, member, worst_error, bound);
    worst_error = 0.0;
}

/* Runs `cases` (a function of RUNs) for every level that this CPU has. */
static inline int check_levels(void (*cases)(void))
{
    static const char *const levels[] = { "sse2", "avx2", "avxvnni", "avx512", "amx", "neon", "dotprod" };
    pd_kernels_init(&spec, 0);
    for (size_t i = 0; i < PD_COUNT_OF(levels); i++) {
        unsigned mask;
        if (!pd_cpu_level(levels[i], &mask)) {
            printf("---- %s: skipped, not on this CPU\n", levels[i]);
            continue;
        }
        pd_kernels_init(&isa, mask);
        printf("---- %s\n", isa.name);
        cases();
    }
    return TEST_RESULT();
}

#endif
