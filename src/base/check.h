/* check.h: programming errors stop the program, in every build. Never for input. */
#ifndef PD_BASE_CHECK_H
#define PD_BASE_CHECK_H

#define PD_CHECK(cond)                                  \
    do {                                                \
        if (!(cond))                                    \
            pd_check_failed(__FILE__, __LINE__, #cond); \
    } while (0)

__attribute__((noreturn)) void pd_check_failed(const char *file, int line, const char *cond);

#endif
