// Blocks taken and given back in random order keep their contents, in the thread's piece and beyond.
#include <pthread.h>

#include "check.h"
#include "scratch.h"

enum { BLOCKS = 40, STEPS = 400 };

static void fill(uint8_t *block, size_t size, uint8_t mark) { memset(block, mark, size); }
static int holds(const uint8_t *block, size_t size, uint8_t mark) {
  for (size_t i = 0; i < size; i++)
    if (block[i] != mark) return 0;
  return 1;
}

// The same sequence for the same seed. Returns how many blocks did not hold.
static int sequence(uint64_t seed) {
  uint8_t *blocks[BLOCKS] = {NULL};
  size_t sizes[BLOCKS] = {0};
  int bad = 0;
  bk_scratch_begin();
  for (int i = 0; i < STEPS; i++) {
    int at = (int)(next_word(&seed) % BLOCKS);
    if (blocks[at]) {
      bad += !holds(blocks[at], sizes[at], (uint8_t)at);
      bk_give(blocks[at]);
      blocks[at] = NULL;
    } else {
      sizes[at] = next_word(&seed) % 3000;
      int kind = i % 3;
      blocks[at] = kind == 0   ? bk_take(sizes[at])
                   : kind == 1 ? bk_take_zeroed(sizes[at], 1)
                               : bk_take_aligned(64, sizes[at]);
      bad += !blocks[at] || (uintptr_t)blocks[at] % 64 != 0;
      if (kind == 1) bad += !holds(blocks[at], sizes[at], 0);
      fill(blocks[at], sizes[at], (uint8_t)at);
    }
  }
  for (int at = 0; at < BLOCKS; at += 2)
    if (blocks[at]) bk_give(blocks[at]);
  bk_give(NULL);
  bk_scratch_end();  // takes back what was not given
  return bad;
}

static void *work(void *argument) {
  int *bad = argument;
  for (uint64_t seed = 1; seed < 60; seed++) *bad += sequence(seed);
  size_t most = bk_scratch_bytes();
  for (uint64_t seed = 1; seed < 60; seed++) *bad += sequence(seed);
  *bad += most == 0 || bk_scratch_bytes() != most;
  return NULL;
}

int main(void) {
  pthread_t threads[4];
  int bad[4] = {0};
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, &bad[i]);
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
    CHECK(bad[i] == 0, "thread %d: %d blocks", i, bad[i]);
  }
  CHECK(bk_scratch_bytes() == 0, "memory of a thread that took none");
  bk_scratch_begin();
  CHECK(!bk_take(SIZE_MAX - 100) && !bk_take_zeroed(SIZE_MAX / 2, 4), "more than there is");
  bk_scratch_end();
  void *plain = bk_take(10);
  bk_give(plain);
  bk_scratch_release();
  return finish();
}
