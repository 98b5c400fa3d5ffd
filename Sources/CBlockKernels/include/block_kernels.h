#ifndef BLOCK_KERNELS_H
#define BLOCK_KERNELS_H
#include <stdint.h>
#include "error_statistics.h"
#endif
