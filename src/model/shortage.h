/* shortage.h: whether the system is short of memory. Private to the room. */
#ifndef PD_MODEL_SHORTAGE_H
#define PD_MODEL_SHORTAGE_H

#include <stdbool.h>

#define PD_SHORTAGE_AVAILABLE_KIB (512 * 1024) /* less than this, or ... */
#define PD_SHORTAGE_AVAILABLE_PART 16          /* ... than one part of so many of the whole, whichever is less */
#define PD_SHORTAGE_STALLED_PERCENT 10         /* of the last 10 s everything waited for memory */

/* Reads <proc_dir>/meminfo (MemAvailable) and <proc_dir>/pressure/memory (full avg10), which not every system has: what
 * is not told is not short. */
bool pd_shortage_look(const char *proc_dir);

#endif
