#include "base/check.h"

#include <stdlib.h>
#include <stdio.h>

void pd_check_failed(const char *file, int line, const char *cond)
{
    fprintf(stderr, "pixel-detective: %s:%d: internal check failed: %s\n", file, line, cond);
    abort();
}
