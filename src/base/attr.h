/* attr.h: compiler attributes under names that say what they promise. */
#ifndef PD_BASE_ATTR_H
#define PD_BASE_ATTR_H

#define PD_MUST_USE __attribute__((warn_unused_result))
#define PD_PRINTF(fmt_index, args_index) __attribute__((format(printf, fmt_index, args_index)))

#define PD_COUNT_OF(array) (sizeof(array) / sizeof *(array))

#endif
