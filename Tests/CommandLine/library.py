"""The C library in the tests: where it lies, compiling against it, its Python module."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness import PROGRAM, ROOT, Skipped, expect

LIBRARY = Path(os.environ.get("BLOCKSCALE_LIBRARY", PROGRAM.parent / "libBlockscaleC.so"))
HEADERS = ROOT / "Sources/CBlockscale/include"
MODULE = ROOT / "tools/python"
SOURCES = Path(__file__).resolve().parent / "library"


def compiler():
    """The toolchain's clang, or another C compiler."""
    for name in ("clang", "gcc", "cc"):
        if shutil.which(name):
            return name
    raise Skipped("no C compiler")


def need_library():
    expect(LIBRARY.exists(), f"{LIBRARY} is not built: swift build -c release --product BlockscaleC")


def compiled(source, folder, *options):
    """A program of Tests/CommandLine/library, linked with the library."""
    need_library()
    program = folder / Path(source).stem
    done = subprocess.run(
        [compiler(), "-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-D_GNU_SOURCE",
         f"-I{HEADERS}", str(SOURCES / source), "-o", str(program), *options,
         f"-L{LIBRARY.parent}", "-lBlockscaleC", f"-Wl,-rpath,{LIBRARY.parent}", "-lpthread",
         "-ldl", "-lm"], capture_output=True, text=True)
    expect(done.returncode == 0, f"{source} does not compile: {done.stderr[:1500]}")
    return program


def python_module():
    """tools/python/blockscale on the library under test; skipped without NumPy."""
    need_library()
    try:
        import numpy  # noqa: F401
    except ImportError:
        raise Skipped("no NumPy")
    os.environ["BLOCKSCALE_LIBRARY"] = str(LIBRARY)
    if str(MODULE) not in sys.path:
        sys.path.insert(0, str(MODULE))
    return importlib.import_module("blockscale")
