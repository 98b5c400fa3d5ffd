"""Builds and runs the benches in Icarus Verilog and in Verilator."""

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DEVICE = sorted(str(path) for path in (HERE / "device").glob("*.v"))
# The device extends numbers by assignment to wider ones, and some bits of wires are not used: both
# meant. The benches count with blocking assignments, which race with nothing.
LINT = ["-Wall", "-Wno-WIDTH", "-Wno-UNUSEDSIGNAL", "-Wno-DECLFILENAME", "-Wno-BLKSEQ"]
# Compiling takes longer than running.
QUICK = ["-CFLAGS", "-O0", "-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"]
INSTALL = {**dict.fromkeys(("iverilog", "vvp", "verilator", "gcc", "clang"), "tools/setup rtl"),
           "yosys": "tools/setup yosys"}


class Failure(Exception):
    """A bench that could not be built, or that did not behave."""


def call(command, folder):
    # A failed bench of Verilator's ends by abort(), which the library's Swift runtime would report.
    environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no"}
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=1800,
                              env=environment)
    except FileNotFoundError as error:
        raise Failure(f"{error.filename}: not found ({INSTALL.get(command[0], 'is it built?')})") from error
    return done.returncode, done.stdout + done.stderr


def build(simulator, bench, folder, macros=(), device=DEVICE, options=()):
    """Compiles a bench for the vectors in `folder`; returns the command that runs it there.

    The bench lies in `folder`, where make_bench put it, or in bench/.
    """
    place = next(place for place in (folder, HERE / "bench") if (place / f"{bench}.v").exists())
    source = place / f"{bench}.v"
    defines = [f"-D{macro}" for macro in macros]
    if simulator == "icarus":
        command = ["iverilog", "-g2001", "-Wall", "-Wno-timescale", *defines, f"-I{folder}",
                   "-s", bench, "-o", f"{bench}.vvp", str(source), *device]
        run = ["vvp", "-n", f"{bench}.vvp"]
    else:
        if source.with_suffix(".sv").exists():
            source = source.with_suffix(".sv")
        command = ["verilator", "--binary", *LINT, *QUICK, *defines, f"-I{folder}",
                   "--top-module", bench, "--Mdir", f"obj_{bench}", *options, str(source), *device]
        run = [str(folder / f"obj_{bench}" / f"V{bench}")]
    code, output = call(command, folder)
    if code or (simulator == "icarus" and output) or "%Warning" in output:
        raise Failure(f"{simulator} does not accept {source.name}:\n{output[-3000:]}")
    return run


def library():
    """libBlockscaleC.so."""
    named = os.environ.get("BLOCKSCALE_LIBRARY")
    path = Path(named or ROOT / ".build/release/libBlockscaleC.so").resolve()
    if not path.exists():
        raise Failure(f"no {path}; build it with `swift build -c release --product BlockscaleC`, or name "
                      "it in BLOCKSCALE_LIBRARY")
    return path


def build_live(bench, folder, device=DEVICE):
    """A bench with the live model, in Verilator."""
    path = library()
    # The package has no time scale, and needs none.
    options = ["-Wno-TIMESCALEMOD", str(ROOT / "tools/dpi/blockscale_pkg.sv"), "-LDFLAGS",
               f"-L{path.parent} -l:{path.name} -Wl,-rpath,{path.parent}"]
    return build("verilator", bench, folder, ["BLOCKSCALE_LIVE"], device, options)


def verdict(run, folder, count):
    """Whether the bench passed with `count` vectors, without a complaint; and what it printed."""
    code, output = call(run, folder)
    lines = output.splitlines()
    passed = (code == 0 and "PASS" in lines and "FAIL" not in lines and
              f"vectors {count} checked {count} mismatches 0" in lines and
              "warning" not in output.lower() and "error" not in output.lower())
    return passed, output


def fault_counts(run, folder):
    """Fault number to mismatches."""
    code, output = call(run, folder)
    words = [line.split() for line in output.splitlines() if line.startswith("fault ")]
    if code or not words:
        raise Failure(f"the bench of faults failed ({code}):\n{output[-3000:]}")
    return {int(word[1]): int(word[3]) for word in words}
