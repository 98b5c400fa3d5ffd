#ifndef BLOCK_KERNELS_H
#define BLOCK_KERNELS_H
#include <stdint.h>
#endif
