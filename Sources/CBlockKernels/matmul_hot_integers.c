#include "matmul_hot.h"
int bk_hot_integers(const bk_matmul *p, void *o) { (void)p, (void)o; return 0; }
