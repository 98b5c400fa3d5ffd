"""The C library: memory, threads and refusals by C programs; SystemVerilog under Verilator."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys

from files import bits_to_float, float32, read_npy, read_safetensors, write_npy, Tensor
from harness import ROOT, Skipped, case, expect, expect_equal, expect_same_list, folder, succeed
from library import HEADERS, LIBRARY, MODULE, compiled, compiler, need_library

DPI = ROOT / "tools/dpi"


@case(("allocations.c",), ("threads.c",), ("refusals.c",))
def test_c_program(source):
    with folder() as place:
        program = compiled(source, place)
        done = subprocess.run([str(program)], capture_output=True, text=True, timeout=300)
        expect(done.returncode == 0 and done.stdout == "ok\n",
               f"{source}: exit {done.returncode}: {done.stdout[:2000]}{done.stderr[:500]}")


@case()
def test_scratch_memory_under_sanitizers():
    """The stack of blocks behind products: every size and order, with the sanitizers watching."""
    kernels = ROOT / "Sources/CBlockKernels"
    with folder() as place:
        program = compiled("scratch.c", place, str(kernels / "scratch.c"),
                           f"-I{kernels / 'include'}", "-g", "-fsanitize=address,undefined",
                           "-fno-sanitize-recover=all")
        done = subprocess.run([str(program)], capture_output=True, text=True, timeout=300)
        expect(done.returncode == 0 and done.stdout == "ok\n",
               f"exit {done.returncode}: {done.stdout[:1000]}{done.stderr[:2000]}")


@case(("c99",), ("c++",))
def test_header_stands_alone(language):
    """The header compiles by itself, without a warning, in C and in C++."""
    need_library()
    kind = ["-x", "c++"] if language == "c++" else ["-x", "c", "-std=c99"]
    done = subprocess.run(
        [compiler(), *kind, "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only",
         str(HEADERS / "blockscale.h")], capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if "pragma once in main" not in line]
    expect(done.returncode == 0, f"{language}: {lines[:5]}")


@case()
def test_every_declared_function_is_in_the_library():
    """The header, the SystemVerilog package and the Python module name functions that exist."""
    need_library()
    if not shutil.which("nm"):
        raise Skipped("no nm")
    listing = subprocess.run(["nm", "-D", "--defined-only", str(LIBRARY)], capture_output=True,
                             text=True, check=True).stdout
    present = set(re.findall(r" T (bs_\w+)$", listing, re.MULTILINE))
    header = re.sub(r"/\*.*?\*/", "", (HEADERS / "blockscale.h").read_text(), flags=re.DOTALL)
    declared = set(re.findall(r"\b(bs_\w+)\(", header))
    expect(len(declared) > 40, f"the header declares {len(declared)} functions only")
    expect_equal(sorted(declared - present), [], "declared and not in the library")
    package = (DPI / "blockscale_pkg.sv").read_text()
    imported = set(re.findall(r'import "DPI-C" (?:function \w+ )?(bs_\w+)', package))
    expect(len(imported) > 15, f"the package imports {sorted(imported)} only")
    expect_equal(sorted(imported - declared), [], "imported and not in the header")
    module = (ROOT / "tools/python/blockscale/_library.py").read_text()
    called = set(re.findall(r'^    "(bs_\w+)":', module, re.MULTILINE))
    expect(len(called) > 25, f"the module calls {sorted(called)} only")
    expect_equal(sorted(called - declared), [], "called from Python and not in the header")


@case()
def test_static_library():
    """The library with the Swift runtime inside needs no Swift library and gives the same bits."""
    need_library()
    python = "import blockscale; print(blockscale.quantize([1, 2, 5, -3.3], 'nvfp4')[0].tolist())"
    if not shutil.which("swiftc") or not shutil.which("readelf"):
        raise Skipped("no swiftc, or no readelf")
    with folder() as place:
        built = subprocess.run([str(ROOT / "tools/static-library"), str(place / LIBRARY.name)],
                               capture_output=True, text=True, timeout=600)
        expect(built.returncode == 0, f"tools/static-library: {built.stderr[-800:]}")
        needed = subprocess.run(["readelf", "-d", str(place / LIBRARY.name)], capture_output=True,
                                text=True, check=True).stdout
        names = re.findall(r"NEEDED.*\[(.*)\]", needed)
        expect("libc.so.6" in names, f"needs {names}")
        expect(not [n for n in names if "swift" in n or "Foundation" in n], f"needs {names}")
        if importlib.util.find_spec("numpy") is None:
            raise Skipped("no NumPy")
        said = [subprocess.run([sys.executable, "-c", python], capture_output=True, text=True,
                               env={"BLOCKSCALE_LIBRARY": str(path), "PYTHONPATH": str(MODULE),
                                    "PATH": os.environ["PATH"]})
                for path in (place / LIBRARY.name, LIBRARY)]
        expect(said[0].returncode == 0, said[0].stderr[-500:])
        expect_equal(said[0].stdout, said[1].stdout, "codes")
        expect(len(said[0].stdout) > 6, f"codes {said[0].stdout!r}")


@case()
def test_version_is_the_command_s():
    need_library()
    program = subprocess.run(["strings", str(LIBRARY)], capture_output=True, text=True).stdout
    version = succeed("--version").strip().split()[-1]
    expect(version in program.splitlines(), f"the library does not hold the version {version}")


def example_input():
    """The 32 numbers of tools/dpi/example.sv."""
    return [bits_to_float((i & 1) << 31 | (124 + i % 5) << 23 | (i * 123457) & 0x7FFFFF)
            for i in range(32)]


def fields(digits, bits):
    number = int(digits, 16)
    return [number >> at & (1 << bits) - 1 for at in range(0, 4 * len(digits), bits)]


@case()
def test_systemverilog_under_verilator():
    """The DPI-C package and its example compile, and give the command line's bits."""
    need_library()
    if not shutil.which("verilator"):
        raise Skipped("no verilator")
    with folder() as place:
        built = subprocess.run(
            ["verilator", "--binary", "-Wall", "-Wno-UNUSED", "--top-module", "example",
             "--Mdir", str(place / "obj"), str(DPI / "blockscale_pkg.sv"),
             str(DPI / "example.sv"), "-LDFLAGS",
             f"-L{LIBRARY.parent} -lBlockscaleC -Wl,-rpath,{LIBRARY.parent}"],
            capture_output=True, text=True, timeout=300)
        expect(built.returncode == 0, f"verilator: {built.stdout[-800:]}{built.stderr[-1500:]}")
        done = subprocess.run([str(place / "obj/Vexample")], capture_output=True, text=True,
                              timeout=60)
        expect(done.returncode == 0, f"exit {done.returncode}: {done.stdout} {done.stderr}")
        said = dict(re.findall(r"^(\w+) (.*)$", done.stdout, re.MULTILINE))
        write_npy(place / "x.npy", float32(example_input(), (1, 32)))
        succeed("quantize", place / "x.npy", "--format", "nvfp4", "--tensor-scale", "none",
                "--unpacked", "--output", place / "q.safetensors")
        tensors, _ = read_safetensors(place / "q.safetensors")
        codes, scales = tensors["tensor.codes"].data, tensors["tensor.scales"].data
        expect_same_list(fields(said["codes"], 4), codes, "codes")
        expect_same_list(fields(said["scales"], 8), scales, "scales")
        succeed("dequantize", place / "q.safetensors", "--output", place / "y.npy")
        values = read_npy(place / "y.npy").data
        expect_same_list(fields(said["values"], 32), memoryview(values).cast("B").cast("I"),
                         "values")
        write_npy(place / "a.npy", Tensor("U8", (1, 32), codes))
        write_npy(place / "b.npy", Tensor("U8", (32, 1), codes))
        write_npy(place / "sa.npy", Tensor("U8", (1, 2), scales))
        write_npy(place / "sb.npy", Tensor("U8", (2, 1), scales))
        write_npy(place / "c.npy", float32([1.0], (1, 1)))
        succeed("mma", "--element", "e2m1", "--accumulator", "blackwell-fp4", "--scale", "ue4m3",
                "--block", "16", "--a", place / "a.npy", "--b", place / "b.npy", "--scale-a",
                place / "sa.npy", "--scale-b", place / "sb.npy", "--c", place / "c.npy",
                "--output", place / "d.npy")
        observed = memoryview(read_npy(place / "d.npy").data).cast("B").cast("I")
        expect_same_list([int(said["sum"], 16)], observed, "sum")
        expect(said["refused"].startswith("1 no block format"), f"refused: {said['refused']}")
