/* shortage.h: whether the system is short of memory, or whoever this process shares a limit with. Private to the room.
 */
#ifndef PD_MODEL_SHORTAGE_H
#define PD_MODEL_SHORTAGE_H

#include <stdbool.h>

#define PD_SHORTAGE_AVAILABLE_KIB (512 * 1024) /* less than this, or ... */
#define PD_SHORTAGE_AVAILABLE_PART 16          /* ... than one part of so many of the whole, whichever is less */
#define PD_SHORTAGE_STALLED_PERCENT 10         /* of the last 10 s everything waited for memory */

/* Reads, below `root` ("": the system's own), what there is of
 *   proc/meminfo (MemAvailable), proc/pressure/memory (full avg10): the whole system;
 *   sys/fs/cgroup/<own group, and each above it>/memory.max, memory.high, memory.current, memory.stat, memory.pressure:
 *     containers and services with a limit (cgroup v2);
 *   sys/fs/cgroup/memory/<the same>/memory.limit_in_bytes, memory.usage_in_bytes, memory.stat: cgroup v1.
 * What a group keeps of files counts as available.
 * What is not told is not short. */
bool pd_shortage_look(const char *root);

#endif
