"""Uses the sources that `blockscale vectors --emit sv,v,c` writes, as a bench or a program would.

Each reads the vectors with the field positions of its file alone (the package's structs, the include's
and the header's constants) and prints every lane of every case; the numbers must be those of the CSV.
"""

import csv
import shutil

from simulators import QUICK, Failure, call
from vector_folder import SIDES, VectorFolder

# Operation, format, further options. Several widths, odd lanes, tensor scales, integer and 16-bit outputs.
CASES = [
    ("decode", "nvfp4", []), ("decode", "mxfp6_e2m3", []), ("encode", "mxfp8_e4m3", []),
    ("scale", "nvfp4", []), ("scale", "mxfp4", []), ("quantize", "nvfp4", []),
    ("quantize", "mxfp6_e3m2", ["--block", "5"]), ("quantize", "nvfp4_16x16", []),
    ("dequantize", "nvfp4", []), ("dequantize", "int8_fp16", ["--block", "7"]),
    ("product", "mxfp8_e5m2", []), ("product", "int4", []), ("dot", "nvfp4", ["--block", "9"]),
    ("dot", "mxfp6_e2m3", ["--block", "3"]), ("mma", "mxfp8_e4m3", ["--accumulator", "blackwell-mx"]),
    ("mma", "nvfp4", ["--accumulator", "blackwell-fp4"]),
    ("mma", "int8", ["--accumulator", "int8-saturate"]),
]
SMOKE = [case for case in CASES if case[:2] in (("quantize", "nvfp4"), ("dot", "mxfp6_e2m3"),
                                                ("decode", "nvfp4"))]


LINT_MODULE = """\
module lint (input {package}::inputs_t x, output {package}::expected_t y, output bit z);
  assign z = ^x;
  assign y = '0;
endmodule
"""


def system_verilog(folder):
    """A bench on the package's structs."""
    package, lines = f"{folder.operation}_pkg", []
    for side in SIDES:
        for field in folder.fields[side]:
            name = f"{side}[i].{field.name}"
            lines.append(f'for (int k = 0; k < {field.lanes}; k++) $write("%h ", {name}[k]);'
                         if field.lanes > 1 else f'$write("%h ", {name});')
    body = "\n      ".join(lines)
    return f"""\
module layout_bench;
  import {package}::*;
  inputs_t inputs[0:COUNT-1];
  expected_t expected[0:COUNT-1];
  initial begin
    if ($bits(inputs_t) != INPUTS_WIDTH || $bits(expected_t) != EXPECTED_WIDTH) $fatal(1, "widths");
    $readmemh("{folder.file('inputs')}", inputs);
    $readmemh("{folder.file('expected')}", expected);
    for (int i = 0; i < COUNT; i++) begin
      {body}
      $display("");
    end
    $finish;
  end
endmodule
"""


def verilog(folder):
    """A bench on the include's constants."""
    prefix, lines = folder.operation.upper(), []
    for side in SIDES:
        for field in folder.fields[side]:
            stem = f"{prefix}_{side.upper()}_{field.name.upper()}"
            lines.append(f"for (k = 0; k < {stem}_LANES; k = k + 1)\n        $write(\"%h \", "
                         f"{side}[i][{stem}_LSB + k * {stem}_LANE_WIDTH +: {stem}_LANE_WIDTH]);")
            lines.append(f"if ({stem}_MSB != {stem}_LSB + {stem}_LANES * {stem}_LANE_WIDTH - 1) "
                         '$write("msb ");')
    body = "\n      ".join(lines)
    return f"""\
module layout_bench;
  `include "{folder.operation}.vh"
  reg [{prefix}_INPUTS_WIDTH-1:0] inputs [0:{prefix}_COUNT-1];
  reg [{prefix}_EXPECTED_WIDTH-1:0] expected [0:{prefix}_COUNT-1];
  integer i, k;
  initial begin
    $readmemh("{folder.file('inputs')}", inputs);
    $readmemh("{folder.file('expected')}", expected);
    for (i = 0; i < {prefix}_COUNT; i = i + 1) begin
      {body}
      $display("");
    end
    $finish;
  end
endmodule
"""


def c_program(folder):
    """A program on the header's constants that reads the raw files."""
    prefix, lines = folder.operation.upper(), []
    for side in SIDES:
        size = f"{prefix}_{side.upper()}_BYTES"
        lines.append(f"    if (fread(word, 1, {size}, {side}) != {size}) return 1;")
        lines += [f"    print(word, {stem}_LSB, {stem}_LANES, {stem}_LANE_WIDTH);"
                  for stem in (f"{prefix}_{side.upper()}_{field.name.upper()}"
                               for field in folder.fields[side])]
    body = "\n".join(lines)
    header = f'#include "{folder.operation}.h"\n'
    return f"""\
#include <stdio.h>
{header}{header}
#define {prefix}_INPUTS_BYTES (({prefix}_INPUTS_WIDTH + 7) / 8)
#define {prefix}_EXPECTED_BYTES (({prefix}_EXPECTED_WIDTH + 7) / 8)

static void print(const unsigned char *word, int lsb, int lanes, int width) {{
  int lane, bit;
  for (lane = 0; lane < lanes; lane++) {{
    unsigned long value = 0;
    for (bit = 0; bit < width; bit++) {{
      int place = lsb + lane * width + bit;
      value |= (unsigned long)(word[place / 8] >> (place % 8) & 1) << bit;
    }}
    printf("%lx ", value);
  }}
}}

int main(void) {{
  static unsigned char word[{prefix}_INPUTS_BYTES + {prefix}_EXPECTED_BYTES];
  FILE *inputs = fopen("{folder.operation}.inputs.bin", "rb");
  FILE *expected = fopen("{folder.operation}.expected.bin", "rb");
  int i;
  if (!inputs || !expected) return 1;
  for (i = 0; i < {prefix}_COUNT; i++) {{
{body}
    printf("\\n");
  }}
  return fgetc(inputs) != EOF || fgetc(expected) != EOF;
}}
"""


def wanted(folder):
    """Every case's lanes, from the CSV."""
    with open(folder.path / f"{folder.operation}.csv", newline="") as file:
        for row in csv.DictReader(file):
            yield [code for side in SIDES for field in folder.fields[side]
                   for code in field.lanes_of(int(row[field.name], 16) << field.lsb)]


def compare(what, folder, output):
    lines = [line for line in output.splitlines() if "$finish" not in line]
    try:
        seen = [[int(word, 16) for word in line.split()] for line in lines]
    except ValueError:
        raise Failure(f"{what} prints:\n{output[:1000]}") from None
    expected = list(wanted(folder))
    if len(seen) != len(expected):
        raise Failure(f"{what}: {len(seen)} cases, expected {len(expected)}")
    for index, (ours, theirs) in enumerate(zip(seen, expected)):
        if ours != theirs:
            raise Failure(f"{what}, case {index}: it reads {ours}, the CSV has {theirs}")
    return len(expected)


def steps(folder):
    """How each source is compiled and run: what, file, text, compilation, run."""
    name = folder.operation
    yield ("SystemVerilog package", "layout_bench.sv", system_verilog(folder),
           ["verilator", "--binary", "-Wall", "-Wno-DECLFILENAME", *QUICK, "--top-module", "layout_bench",
            f"{name}_pkg.sv", "layout_bench.sv"], ["obj_dir/Vlayout_bench"])
    for generation in ("2001", "2005"):
        yield (f"Verilog-{generation} include", "layout_bench.v", verilog(folder),
               ["iverilog", f"-g{generation}", "-Wall", "-Wno-timescale", "-I.", "-o", "layout.vvp",
                "layout_bench.v"], ["vvp", "-n", "layout.vvp"])
    for compiler in ("gcc", "clang"):
        if shutil.which(compiler):
            yield (f"C header, {compiler}", "layout.c", c_program(folder),
                   [compiler, "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", "layout",
                    "layout.c"], ["./layout"])


def check(make, case):
    """All sources of one operation; `make` makes the vectors."""
    operation, form, options = case
    folder = VectorFolder(make(operation, form, [*options, "--count", "100", "--emit",
                                                 "memh,raw,csv,sv,v,c"]))
    (folder.path / "lint.sv").write_text(LINT_MODULE.format(package=f"{operation}_pkg"))
    code, output = call(["verilator", "--lint-only", "-Wall", f"{operation}_pkg.sv", "lint.sv"],
                        folder.path)
    if code or output:
        raise Failure(f"verilator does not accept {operation}_pkg.sv:\n{output[-2000:]}")
    for what, source, text, compilation, run in steps(folder):
        (folder.path / source).write_text(text)
        code, output = call(compilation, folder.path)
        if code or "arning" in output:
            raise Failure(f"{what}, {operation} {form}: does not compile:\n{output[-3000:]}")
        code, output = call([str(folder.path / run[0]) if "/" in run[0] else run[0], *run[1:]],
                            folder.path)
        if code:
            raise Failure(f"{what}, {operation} {form}: exit code {code}:\n{output[-1000:]}")
        count = compare(f"{what}, {operation} {form}", folder, output)
    return f"{count} cases read alike in SystemVerilog, Verilog and C"
