#include "cli/exit_code.h"

#include <stdbool.h>

#include "test.h"

static void every_status_has_an_exit_code_with_a_meaning(void)
{
    size_t n;
    const pd_exit_meaning *meanings = pd_exit_meanings(&n);
    for (int status = 0; status < PD_STATUS_COUNT; status++) {
        const int code = pd_exit_code((pd_status)status);
        bool known = false;
        for (size_t i = 0; i < n; i++)
            known = known || meanings[i].code == code;
        CHECK(known);
        CHECK((code == 0) == (status == PD_OK));
    }
}

static void codes_are_those_of_the_manual(void)
{
    static const struct {
        pd_status status;
        int code;
    } expected[] = {
        { PD_OK, 0 },          { PD_ERR_NO_MATCH, 1 },    { PD_ERR_USAGE, 2 },       { PD_ERR_NOT_FOUND, 3 },
        { PD_ERR_IO, 3 },      { PD_ERR_FORMAT, 3 },      { PD_ERR_UNSUPPORTED, 3 }, { PD_ERR_CORRUPT, 3 },
        { PD_ERR_CRASHED, 3 }, { PD_ERR_PARTIAL, 4 },     { PD_ERR_BUSY, 5 },        { PD_ERR_LIMIT, 6 },
        { PD_ERR_FULL, 6 },    { PD_ERR_NOMEM, 6 },       { PD_ERR_TIMEOUT, 6 },     { PD_ERR_INTERNAL, 7 },
        { PD_ERR_NETWORK, 8 }, { PD_ERR_CANCELLED, 130 },
    };
    CHECK(PD_COUNT_OF(expected) == PD_STATUS_COUNT);
    for (size_t i = 0; i < PD_COUNT_OF(expected); i++)
        CHECK(pd_exit_code(expected[i].status) == expected[i].code);
}

static void a_status_outside_the_enum_is_an_internal_fault(void)
{
    CHECK(pd_exit_code(PD_STATUS_COUNT) == 7);
    CHECK(pd_exit_code((pd_status)-1) == 7);
}

int main(void)
{
    RUN(every_status_has_an_exit_code_with_a_meaning);
    RUN(codes_are_those_of_the_manual);
    RUN(a_status_outside_the_enum_is_an_internal_fault);
    return TEST_RESULT();
}
