/* bench.h: what the benchmarks share: times, and rows of CSV. Every row says the same things, so that one script can
 * gather them (engine.py): which benchmark, what was measured on, the measure, its unit, then median, 95th percentile
 * and least of n values. */
#ifndef PD_BENCH_BENCH_H
#define PD_BENCH_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define BENCH_COLUMNS "bench,subject,measure,unit,median,p95,least,n"

typedef struct bench_values {
    double *at;
    size_t n;
} bench_values;

static inline double bench_ms_since(int64_t start_ns) { return (double)(pd_clock_ns() - start_ns) / 1e6; }

/* Time that this thread ran, so that neighbours who take the core from it do not count. */
static inline int64_t bench_cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int bench_compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static inline double bench_median(const bench_values *values)
{
    qsort(values->at, values->n, sizeof *values->at, bench_compare);
    return values->at[values->n / 2];
}

/* name: "bench,subject,measure,unit" */
static inline void bench_print(const char *name, const bench_values *values)
{
    const double median = bench_median(values);
    printf("%s,%.4g,%.4g,%.4g,%zu\n", name, median, values->at[(values->n * 95 + 99) / 100 - 1], values->at[0],
           values->n);
    (void)fflush(stdout);
}

#endif
