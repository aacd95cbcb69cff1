/* test.h: tiny test harness. One process per file, one line per case; a case that reaches no CHECK fails.
 *
 * SKIP_ALL(reason) ends the program with 77: Meson counts it as skipped and shows the reason. */
#ifndef PD_TEST_H
#define PD_TEST_H

#include <stdio.h>
#include <stdlib.h>

/* Sanitizers make everything many times slower: what only grows with numbers is done fewer times under them. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif
#ifndef TEST_SANITIZED
#define TEST_SANITIZED 0
#endif

static unsigned test_checks, test_failed, test_cases_failed;

#define CHECK(cond)                                                                  \
    do {                                                                             \
        test_checks++;                                                               \
        if (!(cond)) {                                                               \
            test_failed++;                                                           \
            fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #cond); \
        }                                                                            \
    } while (0)

/* For preconditions: the rest of the case makes no sense without it. */
#define REQUIRE(cond)                                                                  \
    do {                                                                               \
        test_checks++;                                                                 \
        if (!(cond)) {                                                                 \
            test_failed++;                                                             \
            fprintf(stderr, "%s:%d: REQUIRE(%s) failed\n", __FILE__, __LINE__, #cond); \
            return;                                                                    \
        }                                                                              \
    } while (0)

#define RUN(fn)                                                                         \
    do {                                                                                \
        test_checks = test_failed = 0;                                                  \
        fn();                                                                           \
        if (!test_checks) {                                                             \
            test_failed++;                                                              \
            fprintf(stderr, "%s: no CHECK was reached\n", #fn);                         \
        }                                                                               \
        printf("%s %s (%u checks)\n", test_failed ? "FAIL" : "ok  ", #fn, test_checks); \
        test_cases_failed += test_failed != 0;                                          \
    } while (0)

#define TEST_RESULT() (test_cases_failed ? 1 : 0)

#define SKIP_ALL(reason)                 \
    do {                                 \
        printf("skipped: %s\n", reason); \
        exit(77);                        \
    } while (0)

#endif
