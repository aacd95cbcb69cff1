#include "base/sha256.h"

#include <pthread.h>
#include <string.h>

#include "base/cpu.h"
#include "base/sha256_isa.h"

const uint32_t pd_sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate_right(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }

static uint32_t read_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

void pd_sha256_blocks_scalar(uint32_t state[8], const uint8_t *data, size_t n_blocks)
{
    for (; n_blocks > 0; n_blocks--, data += 64) {
        uint32_t w[64];
        for (size_t i = 0; i < 16; i++)
            w[i] = read_be32(data + 4 * i);
        for (size_t i = 16; i < 64; i++) {
            const uint32_t s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
            const uint32_t s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (size_t i = 0; i < 64; i++) {
            const uint32_t s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
            const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + pd_sha256_k[i] + w[i];
            const uint32_t s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
            const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
            h = g;
            g = f;
            f = e;
            e = d + t1;
            d = c;
            c = b;
            b = a;
            a = t1 + t2;
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }
}

static void (*blocks)(uint32_t state[8], const uint8_t *data, size_t n_blocks) = pd_sha256_blocks_scalar;

static void choose_blocks(void)
{
#ifdef PD_HAVE_SHANI
    if (pd_cpu_detect() & PD_CPU_SHA)
        blocks = pd_sha256_blocks_shani;
#endif
}

void pd_sha256_init(pd_sha256 *sha)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, choose_blocks);
    *sha = (pd_sha256){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
                                   0x5be0cd19 } };
}

void pd_sha256_update(pd_sha256 *sha, const void *data, size_t len)
{
    const uint8_t *p = data;
    const size_t held = sha->len % 64;
    sha->len += len;
    if (held) {
        const size_t take = len < 64 - held ? len : 64 - held;
        memcpy(sha->block + held, p, take);
        p += take;
        len -= take;
        if (held + take < 64)
            return;
        blocks(sha->state, sha->block, 1);
    }
    blocks(sha->state, p, len / 64);
    p += len / 64 * 64;
    if (len % 64)
        memcpy(sha->block, p, len % 64);
}

void pd_sha256_finish(pd_sha256 *sha, uint8_t ret_digest[PD_SHA256_BYTES])
{
    const uint64_t bits = sha->len * 8;
    const size_t held = sha->len % 64;
    uint8_t tail[128] = { 0 };
    memcpy(tail, sha->block, held);
    tail[held] = 0x80;
    const size_t n = held < 56 ? 1 : 2;
    write_be32(tail + 64 * n - 8, (uint32_t)(bits >> 32));
    write_be32(tail + 64 * n - 4, (uint32_t)bits);
    blocks(sha->state, tail, n);
    for (size_t i = 0; i < 8; i++)
        write_be32(ret_digest + 4 * i, sha->state[i]);
}

void pd_sha256_format(const uint8_t digest[PD_SHA256_BYTES], char ret_text[PD_SHA256_TEXT_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < PD_SHA256_BYTES; i++) {
        ret_text[2 * i] = hex[digest[i] >> 4];
        ret_text[2 * i + 1] = hex[digest[i] & 15];
    }
    ret_text[2 * PD_SHA256_BYTES] = '\0';
}
