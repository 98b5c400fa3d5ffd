// Descriptors for the kernels, built by hand from the numbers of formats/*.json5.
#ifndef DRIVER_FORMATS_H
#define DRIVER_FORMATS_H

#include "block_kernels.h"

typedef struct {
  const char *name;
  bk_element format;
  double fraction;  // of an integer or codebook: the gap between neighbours
} driver_element;

typedef struct {
  const char *name;
  bk_scale format;
} driver_scale;

enum { ELEMENT_COUNT = 22, SCALE_COUNT = 7 };

extern driver_element elements[ELEMENT_COUNT];
extern driver_scale scales[SCALE_COUNT];

// Fills the tables.
void make_formats(void);
const driver_element *element_named(const char *name);
const driver_scale *scale_named(const char *name);
// A scale format that knows the element of its blocks, as E8M0's rule needs.
bk_scale scale_for(const driver_scale *scale, const bk_element *element);

#endif
