// One handle, many threads: everyone gets the bits that one thread alone gets.
#include <pthread.h>

#include "check.h"

#pragma STDC FP_CONTRACT OFF

enum { THREADS = 8, ROUNDS = 200, ROWS = 8, K = 96 };

typedef struct {
  uint8_t codes[ROWS * K];
  uint32_t scales[ROWS * K];
  float read_back[ROWS * K], products[ROWS * ROWS], t;
  uint32_t packed[ROWS * K];
} results;

static bs_format *shared_format;
static bs_mma *shared_unit;
static results expected[ROUNDS];
static int differences[THREADS];

static void compute(int round, results *r) {
  float values[ROWS * K];
  fill_values(values, ROWS * K, (uint64_t)round);
  memset(r, 0, sizeof *r);
  bs_quantize(shared_format, values, 1, ROWS, K, &r->t, NULL, r->codes, r->scales, NULL);
  bs_dequantize(shared_format, r->codes, r->scales, 1, ROWS, K, r->t, r->read_back);
  bs_operand x = {r->codes, r->scales, &r->t};
  int lines = 1 + round % ROWS;
  bs_mma_multiply(shared_unit, lines, ROWS, K, &x, &x, NULL, r->products);
  bs_decode_packed(shared_format, (const uint32_t *)r->codes, K, r->packed, ROWS * K);
}

static void *work(void *argument) {
  int *differ = argument;
  for (int i = 0; i < ROUNDS; i++) {
    results r;
    int round = (i + (int)(differ - differences) * 17) % ROUNDS;
    compute(round, &r);
    *differ += memcmp(&r, &expected[round], sizeof r) != 0;
    char wanted[64];
    snprintf(wanted, sizeof wanted, "block \"%d by\"", i);
    bs_format *refused = NULL;
    char block[32];
    snprintf(block, sizeof block, "%d by", i);
    *differ += bs_format_open("nvfp4", block, NULL, &refused) != BS_BAD_ARGUMENT;
    *differ += strncmp(bs_last_error(), wanted, strlen(wanted)) != 0;
    bs_format *own = NULL;
    if (i % 50 == 0) {
      *differ += bs_format_open("mxfp8", NULL, NULL, &own) != BS_OK;
      bs_format_close(own);
    }
  }
  return NULL;
}

int main(void) {
  shared_format = format("nvfp4", NULL, NULL);
  shared_unit = unit("e2m1", "ue4m3", 16, "blackwell-fp4");
  for (int i = 0; i < ROUNDS; i++) compute(i, &expected[i]);
  CHECK(expected[1].t > 0 && expected[1].products[0] > 0, "nothing was computed");
  CHECK(memcmp(&expected[1], &expected[2], sizeof expected[1]) != 0, "all rounds are alike");
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, &differences[i]);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    CHECK(differences[i] == 0, "thread %d: %d results differ", i, differences[i]);
  }
  bs_mma_close(shared_unit);
  bs_format_close(shared_format);
  return finish();
}
