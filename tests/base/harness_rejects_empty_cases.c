/* Has to fail: a case that reaches no CHECK is no test. */
#include "test.h"

static void nothing_is_checked(void) {}

int main(void)
{
    RUN(nothing_is_checked);
    return TEST_RESULT();
}
