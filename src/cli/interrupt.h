/* interrupt.h: Ctrl-C, SIGTERM and a closed terminal, asked for instead of handled.
 *
 * The signals are blocked (threads inherit that) and wait until somebody asks: no handler, no global. */
#ifndef PD_CLI_INTERRUPT_H
#define PD_CLI_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

typedef struct pd_interrupt {
    sigset_t signals, old;
} pd_interrupt;

void pd_interrupt_begin(pd_interrupt *interrupt);
bool pd_interrupt_came(const pd_interrupt *interrupt); /* true once for each signal */
void pd_interrupt_wait(const pd_interrupt *interrupt); /* for the next one */
void pd_interrupt_end(const pd_interrupt *interrupt);  /* signals end the program again */

#endif
