#ifndef BK_SCRATCH_H
#define BK_SCRATCH_H

// Memory that a product needs while it runs: the heap's, or between bk_scratch_begin and
// bk_scratch_end a piece that the calling thread keeps. The piece grows at bk_scratch_end to what
// the call needed, so that the next call of the same size takes nothing from the heap.

#include <stddef.h>

// From here to bk_scratch_end the calling thread's kernels take memory from its own piece. Pairs do
// not nest.
void bk_scratch_begin(void);
void bk_scratch_end(void);
// Bytes that the calling thread keeps; freed by bk_scratch_release or when the thread ends.
size_t bk_scratch_bytes(void);
void bk_scratch_release(void);

// As malloc, calloc, aligned_alloc and free; what is taken between begin and end is given back there,
// on the same thread. Blocks start at multiples of 64 bytes between begin and end.
void *bk_take(size_t bytes);
void *bk_take_zeroed(size_t count, size_t size);
void *bk_take_aligned(size_t alignment, size_t bytes);
void bk_give(void *block);
// Whether the calling thread stands between begin and end.
int bk_scratch_active(void);

#endif
