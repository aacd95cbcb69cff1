/* kernels_isa.h: private to kernels: who fills which members of the table.
 *
 * Every file of kernels exports one function that overwrites its members; the suffix of the file is its instruction set
 * and so its compile flags. What can be said in vectors of any width is written once, in *_vec.h, on the few operations
 * of vec_<isa>.h. Files with a suffix include nothing else of ours, and everything in those headers is static: a
 * function with external linkage, compiled here, could be the copy that the linker keeps for every CPU. */
#ifndef PD_KERNELS_KERNELS_ISA_H
#define PD_KERNELS_KERNELS_ISA_H

#include "kernels/kernels.h"

/* What pd_attention_scratch gives room for: a block of query rows, each with the scores of all tokens, padded. */
#define PD_ATTENTION_ROWS 64
#define PD_ATTENTION_ALIGN 32

/* The specification: plain C, in double where sums are long. */
void pd_kernels_scalar_gemm(pd_kernels *ret_kernels);
void pd_kernels_scalar_nn(pd_kernels *ret_kernels);
void pd_kernels_scalar_vector(pd_kernels *ret_kernels);
void pd_kernels_scalar_image(pd_kernels *ret_kernels);

/* What every x86-64 has. */
void pd_kernels_sse2_gemm(pd_kernels *ret_kernels);
void pd_kernels_sse2_bf16(pd_kernels *ret_kernels);
void pd_kernels_sse2_nn(pd_kernels *ret_kernels);
void pd_kernels_sse2_depthwise(pd_kernels *ret_kernels);
void pd_kernels_sse2_attention(pd_kernels *ret_kernels);
void pd_kernels_sse2_vector(pd_kernels *ret_kernels);
void pd_kernels_sse2_image(pd_kernels *ret_kernels);

/* AVX2, FMA and F16C. */
void pd_kernels_avx2_gemm(pd_kernels *ret_kernels);
void pd_kernels_avx2_bf16(pd_kernels *ret_kernels);
void pd_kernels_avx2_nn(pd_kernels *ret_kernels);
void pd_kernels_avx2_depthwise(pd_kernels *ret_kernels);
void pd_kernels_avx2_attention(pd_kernels *ret_kernels);
void pd_kernels_avx2_vector(pd_kernels *ret_kernels);
void pd_kernels_avx2_image(pd_kernels *ret_kernels);
void pd_kernels_avxvnni_bytes(pd_kernels *ret_kernels); /* and AVX-VNNI */

/* AVX-512 F, BW, DQ, VL and VNNI. */
void pd_kernels_avx512_gemm(pd_kernels *ret_kernels);
void pd_kernels_avx512_nn(pd_kernels *ret_kernels);
void pd_kernels_avx512_depthwise(pd_kernels *ret_kernels);
void pd_kernels_avx512_attention(pd_kernels *ret_kernels);
void pd_kernels_avx512_vector(pd_kernels *ret_kernels);
void pd_kernels_avx512_image(pd_kernels *ret_kernels);
void pd_kernels_avx512_bf16(pd_kernels *ret_kernels); /* and BF16 */
void pd_kernels_amx_gemm(pd_kernels *ret_kernels);    /* and AMX' tiles */
void pd_kernels_amx_bf16(pd_kernels *ret_kernels);    /* and their bf16 */

/* What every 64-bit ARM has. */
void pd_kernels_neon_gemm(pd_kernels *ret_kernels);
void pd_kernels_neon_bf16(pd_kernels *ret_kernels);
void pd_kernels_neon_nn(pd_kernels *ret_kernels);
void pd_kernels_neon_depthwise(pd_kernels *ret_kernels);
void pd_kernels_neon_attention(pd_kernels *ret_kernels);
void pd_kernels_neon_vector(pd_kernels *ret_kernels);
void pd_kernels_neon_image(pd_kernels *ret_kernels);
void pd_kernels_dotprod_bytes(pd_kernels *ret_kernels); /* and the dot product of ARMv8.2 */

#endif
