// What a call says when it fails.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "blockscale_handles.h"

static _Thread_local char last_error[512];

int bs_failf(int code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(last_error, sizeof last_error, format, arguments);
  va_end(arguments);
  return code;
}

int bs_fail(int code, const char *text) { return bs_failf(code, "%s", text); }

void *bs_take(size_t bytes) { return malloc(bytes); }
void bs_drop(void *block) { free(block); }

const char *bs_last_error(void) { return last_error; }

const char *bs_message(int code) {
  switch (code) {
  case BS_OK: return "no error";
  case BS_BAD_ARGUMENT: return "an argument is NULL, negative, too large or out of range";
  case BS_UNKNOWN_NAME: return "no format, recipe, rounding or accumulator has that name";
  case BS_BAD_FILE: return "the file of formats cannot be read or used";
  case BS_NOT_DEFINED: return "not defined for this format, block, recipe or accumulator";
  case BS_NOT_FINITE: return "NaN or infinity where there is none";
  case BS_UNKNOWN_STEP: return "the recipe does not establish a step that this block needs";
  case BS_NO_MEMORY: return "not enough memory";
  default: return "not a code of this library";
  }
}

int bs_interface_version(void) { return 1; }

int bs_count(int64_t x, int64_t y, int64_t z, int64_t *count) {
  if (x < 0 || y < 0 || z < 0) return 0;
  return !__builtin_mul_overflow(x, y, count) && !__builtin_mul_overflow(*count, z, count) &&
         *count <= BS_MOST_ELEMENTS && x <= BS_MOST_ELEMENTS && y <= BS_MOST_ELEMENTS &&
         z <= BS_MOST_ELEMENTS;
}
