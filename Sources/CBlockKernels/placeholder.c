#include "block_kernels.h"
