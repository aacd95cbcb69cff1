/* pull_driver MODELS REFERENCE ENDPOINT FETCH [BYTES]: one pull through src/hub, as a program for test_pull.py to watch
 * and to kill. A line "phase done total vision_ready dir" for each state; in the end "outcome name: message". With
 * BYTES it cancels when more than these are here. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hub/hub.h"

static void print_state(const pd_pull_state *state)
{
    printf("%s %" PRId64 " %" PRId64 " %d %s\n", pd_pull_phase_name(state->phase), state->done_bytes,
           state->total_bytes, state->vision_ready, state->dir);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    const pd_pull_options options = {
        .models_dir = argv[1], .reference = argv[2], .endpoint = argv[3], .fetch_path = argv[4]
    };
    const long cancel_bytes = argc > 5 ? strtol(argv[5], NULL, 10) : 0;
    pd_error error;
    pd_pull *pull = NULL;
    if (pd_pull_start(&pull, &options, &error) != PD_OK) {
        printf("outcome %s: %s\n", pd_status_name(error.status), error.message);
        return 1;
    }
    pd_pull_state state = { .running = true };
    pd_pull_look(pull, &state);
    print_state(&state);
    while (state.running) {
        pd_pull_wait(pull, state.seq, 100, &state);
        print_state(&state);
        if (cancel_bytes && state.done_bytes > cancel_bytes)
            pd_pull_cancel(pull);
    }
    printf("outcome %s: %s\n", pd_status_name(state.outcome), state.message);
    pd_pull_finish(&pull);
    return state.outcome != PD_OK;
}
