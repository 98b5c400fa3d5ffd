#include "scratch.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Stands before each block, in 64 bytes. Blocks form a stack; one that is given back out of order
// waits until those above it are gone.
typedef struct block {
  struct block *below;
  size_t start;  // its place in the piece, or where it would be if the piece were large enough
  void *heap;    // what to free; NULL: it lies in the piece
  int given;
} block;

enum { HEADER = 64, PAGE = 4096 };
_Static_assert(sizeof(block) <= HEADER, "a header fits before an aligned block");

typedef struct {
  uint8_t *piece;
  size_t size, used, most;
  block *top;
  int active, watched;
} scratch;

static _Thread_local scratch own;
static pthread_key_t at_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int has_key;

static void release_at_exit(void *piece_of) {
  scratch *s = piece_of;
  free(s->piece);
  memset(s, 0, sizeof *s);
}

static void make_key(void) { has_key = pthread_key_create(&at_exit, release_at_exit) == 0; }

int bk_scratch_active(void) { return own.active; }
size_t bk_scratch_bytes(void) { return own.size; }

void bk_scratch_begin(void) {
  own.active = 1;
  own.used = own.most = 0;
  own.top = NULL;
}

static void pop_given(void) {
  while (own.top && own.top->given) {
    block *b = own.top;
    own.used = b->start;
    own.top = b->below;
    free(b->heap);
  }
}

void bk_scratch_end(void) {
  for (block *b = own.top; b; b = b->below) b->given = 1;
  pop_given();
  own.active = 0;
  if (own.most <= own.size) return;
  pthread_once(&once, make_key);
  if (!own.watched) own.watched = has_key && pthread_setspecific(at_exit, &own) == 0;
  if (!own.watched) return;  // the heap serves every call rather than leak at the thread's end
  size_t size = (own.most + PAGE - 1) / PAGE * PAGE;
  free(own.piece);
  own.piece = aligned_alloc(HEADER, size);
  own.size = own.piece ? size : 0;
}

void bk_scratch_release(void) {
  if (own.active) return;
  free(own.piece);
  own.piece = NULL;
  own.size = 0;
}

static void *take(size_t bytes) {
  if (bytes > SIZE_MAX / 4 - own.used) return NULL;
  size_t room = HEADER + (bytes + HEADER - 1) / HEADER * HEADER;
  block *b = NULL;
  void *heap = NULL;
  if (own.used + room <= own.size) b = (block *)(own.piece + own.used);
  else b = heap = aligned_alloc(HEADER, room);
  if (!b) return NULL;
  *b = (block){own.top, own.used, heap, 0};
  own.top = b;
  own.used += room;
  if (own.used > own.most) own.most = own.used;
  return (uint8_t *)b + HEADER;
}

void *bk_take(size_t bytes) { return own.active ? take(bytes) : malloc(bytes); }

void *bk_take_zeroed(size_t count, size_t size) {
  if (!own.active) return calloc(count, size);
  if (size && count > SIZE_MAX / 4 / size) return NULL;
  void *block = take(count * size);
  if (block) memset(block, 0, count * size);
  return block;
}

void *bk_take_aligned(size_t alignment, size_t bytes) {
  return own.active ? take(bytes) : aligned_alloc(alignment, bytes);
}

void bk_give(void *taken) {
  if (!own.active) {
    free(taken);
    return;
  }
  if (!taken) return;
  ((block *)((uint8_t *)taken - HEADER))->given = 1;
  pop_given();
}
