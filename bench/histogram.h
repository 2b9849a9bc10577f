/* Latencies in nanoseconds, log-linear (the idea of HdrHistogram): 128 buckets to each power of two,
 * so a reading is at most 0.8 % above the truth, and adding one costs a shift and an increment. */
#ifndef LIFTGATE_BENCH_HISTOGRAM_H
#define LIFTGATE_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { SUB_BITS = 7, SUB = 1 << SUB_BITS, BUCKETS = (64 - SUB_BITS + 1) * SUB };

struct histogram { uint64_t bucket[BUCKETS], count, max_ns; };

static inline void histogram_add(struct histogram *h, uint64_t ns)
{
    unsigned shift = ns < SUB ? 0 : 63u - (unsigned)__builtin_clzll(ns) - SUB_BITS;
    h->bucket[shift * SUB + (ns >> shift)]++;
    h->count++;
    if (ns > h->max_ns)
        h->max_ns = ns;
}

/* The upper edge of the bucket in which the given share (0..1) of all readings is reached. */
static inline double histogram_ms(const struct histogram *h, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)h->count + 0.5), seen = 0;
    if (wanted == 0)
        wanted = 1;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen >= wanted) {
            unsigned shift = i < 2 * SUB ? 0 : i / SUB - 1;
            uint64_t edge_ns = (((uint64_t)i - (uint64_t)shift * SUB + 1) << shift) - 1;
            return (double)(edge_ns < h->max_ns ? edge_ns : h->max_ns) / 1e6;
        }
    }
    return 0.0;
}

#endif
