/* half.h: IEEE 754 binary16 and bfloat16, one value at a time (the vector forms are kernels). */
#ifndef PD_BASE_HALF_H
#define PD_BASE_HALF_H

#include <stdint.h>

float pd_half_to_float(uint16_t half);
uint16_t pd_half_of_float(float value); /* nearest, ties to even; too large becomes infinity */
float pd_bfloat_to_float(uint16_t bfloat);

#endif
