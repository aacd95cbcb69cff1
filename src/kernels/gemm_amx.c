/* gemm_amx.c: matrix products of bytes and of bf16 in tile registers: 16 rows by 16 columns of sums, 64 bytes of every
 * row and of every column a step. Both operands are read where they lie: 16 steps of a panel are what the right one of
 * a product wants to be.
 *
 * A time is taken of a tile for every one of its rows, so the rows of a block are dealt to tiles of equal height; the
 * last one may repeat rows of its neighbour, whose sums are not looked at. Four tiles of sums are made at once, since a
 * product waits longer for its sums than it takes: a column of row tiles by one panel, two by two, or one row tile by
 * four panels. */
#include "kernels/vec_avx512.h"

#include <math.h>

#include "kernels/math_vec.h"

#define TILE 16       /* rows of a tile at most, and its columns */
#define TILES 4       /* of sums */
#define STEP_BYTES 64 /* of a row */
#define GROUP_BYTES 4 /* of a row that one lane sums */
#define PANEL_STEP_BYTES (STEP_BYTES * PD_PANEL_COLUMNS)
#define AHEAD_BYTES 4096                /* of a panel that is read alone */
#define BLOCK_BYTES ((size_t)512 << 10) /* of A: a share of L2 that leaves room for two times four panels */

#define FORCE_INLINE static inline __attribute__((always_inline))

enum kind { PAIRS, BYTES };

/* Registers: 0 to 3 hold sums, 4 and 5 operands, 6 and 7 operands of the last, shorter step. */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* The operands of a product. */
struct operands {
    const uint8_t *a; /* rows, ld_a bytes apart */
    size_t ld_a;
    const uint8_t *packed;
    size_t groups;                /* of GROUP_BYTES, in a row */
    const pd_rows_u8 *rows;       /* int8 only */
    const pd_weights_i8 *weights; /* int8 only */
};

/* Up to four tiles of sums: n_rows row tiles by n_panels panels, either of them 1 or both at most 2. */
struct batch {
    const uint8_t *a[TILES], *panel[TILES];
    size_t ld_a, n_rows, n_panels, groups;
    size_t ahead; /* how far on the panels are asked for: bytes; 0: somebody else does */
};

static void ask_ahead(const struct batch *b, size_t panel, size_t at)
{
    if (b->ahead)
        for (size_t line = 0; line < TILE; line++)
            __builtin_prefetch(b->panel[panel] + at * PD_PANEL_COLUMNS + b->ahead + line * STEP_BYTES, 0, 2);
}

#define LOAD_ROWS(to, row) _tile_loadd(to, b->a[row] + at, b->ld_a)
/* Panels leave L1 to the rows. */
#define LOAD_PANEL(to, of)                                                        \
    do {                                                                          \
        ask_ahead(b, of, at);                                                     \
        _tile_stream_loadd(to, b->panel[of] + at * PD_PANEL_COLUMNS, STEP_BYTES); \
    } while (0)
#define MULTIPLY(sum, rows, panel)            \
    do {                                      \
        if (kind == BYTES)                    \
            _tile_dpbusd(sum, rows, panel);   \
        else                                  \
            _tile_dpbf16ps(sum, rows, panel); \
    } while (0)
#define NEXT_ROWS(n, left, right) \
    if (b->n_rows > (n)) {        \
        LOAD_ROWS(left, n);       \
        MULTIPLY(n, left, right); \
    }
#define NEXT_PANEL(n, left, right) \
    if (b->n_panels > (n)) {       \
        LOAD_PANEL(right, n);      \
        MULTIPLY(n, left, right);  \
    }
#define STEP(left, right)                                                    \
    if (b->n_panels == 1) {                                                  \
        LOAD_PANEL(right, 0);                                                \
        LOAD_ROWS(left, 0);                                                  \
        MULTIPLY(0, left, right);                                            \
        NEXT_ROWS(1, left, right)                                            \
        NEXT_ROWS(2, left, right)                                            \
        NEXT_ROWS(3, left, right)                                            \
    } else if (b->n_rows == 1) {                                             \
        LOAD_ROWS(left, 0);                                                  \
        LOAD_PANEL(right, 0);                                                \
        MULTIPLY(0, left, right);                                            \
        NEXT_PANEL(1, left, right)                                           \
        NEXT_PANEL(2, left, right)                                           \
        NEXT_PANEL(3, left, right)                                           \
    } else {                                                                 \
        LOAD_ROWS(left, 0);                                                  \
        LOAD_PANEL(right, 0);                                                \
        MULTIPLY(0, left, right);                                            \
        LOAD_PANEL(right, 1);                                                \
        MULTIPLY(1, left, right);                                            \
        LOAD_ROWS(left, 1);                                                  \
        MULTIPLY(3, left, right);                                            \
        _tile_loadd(right, b->panel[0] + at * PD_PANEL_COLUMNS, STEP_BYTES); \
        MULTIPLY(2, left, right);                                            \
    }

/* sums: the tiles, one after another; tile row * n_panels + panel. */
FORCE_INLINE void multiply(enum kind kind, const struct batch *b, int32_t *sums)
{
    const size_t whole = b->groups * GROUP_BYTES / STEP_BYTES * STEP_BYTES;
    size_t at = 0;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (; at < whole; at += STEP_BYTES) {
        STEP(4, 5)
    }
    if (at < b->groups * GROUP_BYTES) {
        STEP(6, 7)
    }
    const size_t n = b->n_rows * b->n_panels;
    _tile_stored(0, sums, STEP_BYTES);
    if (n > 1)
        _tile_stored(1, sums + TILE * TILE, STEP_BYTES);
    if (n > 2)
        _tile_stored(2, sums + 2 * TILE * TILE, STEP_BYTES);
    if (n > 3)
        _tile_stored(3, sums + 3 * TILE * TILE, STEP_BYTES);
}

/* Where a tile of sums belongs. */
struct place {
    size_t row, rows, column;
};

FORCE_INLINE void finish(enum kind kind, pd_activation activation, const pd_gemm *g, const struct operands *o,
                         const struct place *p, const int32_t *sums)
{
    const size_t columns = g->n - p->column;
    const vec bias = g->bias ? vec_load_part(g->bias + p->column, columns) : vec_set(0.0f);
    const vec scale_w = kind == BYTES ? vec_load(o->weights->scale + p->column) : bias;
    const vec sum_w = kind == BYTES ? vec_load(o->weights->sum + p->column) : bias;
    for (size_t row = p->row; row < p->row + p->rows; row++, sums += TILE) {
        const __m512i dots = _mm512_load_si512(sums);
        vec value = _mm512_castsi512_ps(dots);
        if (kind == BYTES) {
            value = vec_mul(_mm512_cvtepi32_ps(dots), scale_w);
            value = vec_sub_mul(vec_set(o->rows->zero[row]), sum_w, value);
            value = vec_mul_add(value, vec_set(o->rows->scale[row]), bias);
        } else {
            value = vec_add(value, bias);
        }
        value = vec_activate(activation, value);
        if (g->residual)
            value = vec_add(value, vec_load_part(g->residual + row * g->ld_residual + p->column, columns));
        if (columns >= LANES) /* a load that follows soon waits long for a store under a mask, even one of ones */
            vec_store(g->c + row * g->ld_c + p->column, value);
        else
            vec_store_part(g->c + row * g->ld_c + p->column, value, columns);
    }
}

/* One loop for each activation. */
FORCE_INLINE void finish_tile(enum kind kind, const pd_gemm *g, const struct operands *o, const struct place *p,
                              const int32_t *sums)
{
    switch (g->activation) {
    case PD_ACTIVATION_RELU6: finish(kind, PD_ACTIVATION_RELU6, g, o, p, sums); break;
    case PD_ACTIVATION_QUICK_GELU: finish(kind, PD_ACTIVATION_QUICK_GELU, g, o, p, sums); break;
    case PD_ACTIVATION_GELU: finish(kind, PD_ACTIVATION_GELU, g, o, p, sums); break;
    case PD_ACTIVATION_GELU_TANH: finish(kind, PD_ACTIVATION_GELU_TANH, g, o, p, sums); break;
    case PD_ACTIVATION_NONE:
    case PD_ACTIVATION_COUNT: finish(kind, PD_ACTIVATION_NONE, g, o, p, sums); break;
    }
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Rows that meet all panels, in tiles of one height. */
struct block {
    size_t first, n_rows, height, n_tiles;
};

static size_t first_row(const struct block *block, size_t tile)
{
    return block->first + smaller(tile * block->height, block->n_rows - block->height);
}

/* Row tiles `tile` on of `n_tiles`, by the panels from `column` on. */
FORCE_INLINE void run_batch(enum kind kind, const pd_gemm *g, const struct operands *o, const struct block *block,
                            struct batch *b, size_t tile, size_t column)
{
    _Alignas(64) int32_t sums[TILES * TILE * TILE];
    for (size_t i = 0; i < b->n_rows; i++)
        b->a[i] = o->a + first_row(block, tile + i) * o->ld_a;
    for (size_t i = 0; i < b->n_panels; i++)
        b->panel[i] = o->packed + (column + i * TILE) * o->groups * GROUP_BYTES;
    multiply(kind, b, sums);
    for (size_t i = 0; i < b->n_rows; i++) {
        const size_t row = first_row(block, tile + i), wanted = block->first + (tile + i) * block->height;
        for (size_t panel = 0; panel < b->n_panels; panel++) {
            const struct place p = { wanted, row + block->height - wanted, column + panel * TILE };
            finish_tile(kind, g, o, &p, sums + ((i * b->n_panels + panel) * TILE + wanted - row) * TILE);
        }
    }
}

FORCE_INLINE void run_block(enum kind kind, const pd_gemm *g, const struct operands *o, const struct block *block)
{
    static const size_t panels_of[TILES + 1] = { 0, 4, 2, 1, 1 };
    const size_t n_batches = (block->n_tiles + TILES - 1) / TILES;
    for (size_t first = 0; first < g->n; first += TILES * TILE)
        for (size_t i = 0; i < n_batches; i++) {
            const size_t tile = block->n_tiles * i / n_batches;
            struct batch b = { .ld_a = o->ld_a, .groups = o->groups };
            b.n_rows = block->n_tiles * (i + 1) / n_batches - tile;
            const size_t end = smaller(g->n, first + TILES * TILE);
            for (size_t column = first; column < end; column += b.n_panels * TILE) {
                b.n_panels = smaller(panels_of[b.n_rows], (end - column + TILE - 1) / TILE);
                b.ahead = i ? 0 : b.n_panels > 1 ? b.n_panels * TILE * o->groups * GROUP_BYTES : AHEAD_BYTES;
                run_batch(kind, g, o, block, &b, tile, column);
            }
        }
}

static void configure(size_t height, size_t groups)
{
    struct tile_config config = { .palette = 1 };
    const size_t rest = groups % TILE;
    for (int i = 0; i < TILES; i++) {
        config.rows[i] = (uint8_t)height;
        config.row_bytes[i] = STEP_BYTES;
    }
    config.rows[4] = config.rows[6] = (uint8_t)height;
    config.row_bytes[4] = config.row_bytes[5] = config.row_bytes[7] = STEP_BYTES;
    config.rows[5] = TILE;
    config.row_bytes[6] = (uint16_t)(GROUP_BYTES * (rest ? rest : TILE));
    config.rows[7] = (uint8_t)(rest ? rest : TILE);
    _tile_loadconfig(&config);
}

FORCE_INLINE void run(enum kind kind, const pd_gemm *g, const struct operands *o)
{
    const size_t most = BLOCK_BYTES / (o->groups * GROUP_BYTES) + TILE, n_blocks = (g->m + most - 1) / most;
    for (size_t i = 0; i < n_blocks; i++) {
        struct block block = { .first = g->m * i / n_blocks };
        block.n_rows = g->m * (i + 1) / n_blocks - block.first;
        block.n_tiles = (block.n_rows + TILE - 1) / TILE;
        block.height = (block.n_rows + block.n_tiles - 1) / block.n_tiles;
        configure(block.height, o->groups);
        run_block(kind, g, o, &block);
    }
    _tile_release(); /* so that the kernel need not keep the tiles when it lets others run */
}

static void gemm_i8(const pd_gemm *g, const pd_rows_u8 *a, const pd_weights_i8 *w)
{
    const struct operands o = { .a = a->q,
                                .ld_a = a->ld_q,
                                .packed = (const uint8_t *)w->packed,
                                .groups = (g->k + 3) / 4,
                                .rows = a,
                                .weights = w };
    run(BYTES, g, &o);
}

static void gemm_bf16(const pd_gemm *g, const uint16_t *a, size_t ld_a, const uint16_t *packed)
{
    const struct operands o = {
        .a = (const uint8_t *)a, .ld_a = ld_a * sizeof *a, .packed = (const uint8_t *)packed, .groups = (g->k + 1) / 2
    };
    run(PAIRS, g, &o);
}

void pd_kernels_amx_gemm(pd_kernels *ret_kernels) { ret_kernels->gemm_i8 = gemm_i8; }

/* Where tiles know bf16 as well. */
void pd_kernels_amx_bf16(pd_kernels *ret_kernels) { ret_kernels->gemm_bf16 = gemm_bf16; }
