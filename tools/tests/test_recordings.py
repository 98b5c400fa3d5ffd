"""tools/recordings: golden vectors on recorded operands equal the recorded outputs, and the reader
that says so notices what does not."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from importlib.machinery import SourceFileLoader

import matmul_model as units
import model
from files import npy_header
from harness import (GOLDEN, PROGRAM, ROOT, Skipped, case, expect, expect_equal, fail, folder,
                     succeed)

sys.path.insert(0, str(ROOT / "tools"))
TOOL = ROOT / "tools/recordings"
LOADER = SourceFileLoader("recordings", str(TOOL))
SPEC = importlib.util.spec_from_loader("recordings", LOADER)
RECORDINGS = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(RECORDINGS)
PEERS = GOLDEN / "peers/matrix-units"


def run(*arguments):
    done = subprocess.run([str(TOOL), *map(str, arguments)], capture_output=True, text=True,
                          timeout=300, env={**os.environ, "BLOCKSCALE": str(PROGRAM)})
    return done.returncode, done.stdout, done.stderr


def expect_all_equal(place, count, *options):
    code, out, err = run(*options, place)
    lines = out.splitlines()
    expect_equal(code, 0, f"exit code: {out}{err}")
    for line in lines[:-1]:
        expect(", 0 differ; 0 operands differ" in line, line)
    expect_equal(lines[-1], f"{count} recordings, all equal", "summary")


@case(("mma",), ("matmul",))
def models_of_matrix_units_give_the_vectors_results(operation):
    expect_all_equal(PEERS, 16, "--op", operation)


@case()
def gpus_gave_the_vectors_results():
    if not (RECORDINGS.HARDWARE / "manifest.json").exists():
        raise Skipped("the folder of recordings is not here (BLOCKSCALE_HARDWARE)")
    expect_all_equal(RECORDINGS.HARDWARE, 5)


def vectors(place):
    """Vectors on a recording's operands, and a copy of the recording."""
    name = "rtx-blackwell.nvfp4.finite"
    for part in ("A", "B", "C", "D", "SA", "SB"):
        shutil.copy(PEERS / f"{name}.{part}.npy", place / f"r.{part}.npy")
    succeed("vectors", "--format", "nvfp4", "--op", "mma", "--accumulator", "blackwell-fp4",
            "--operands", place / "r", "--output", place / "v")
    return place / "v", place / "r"


def rewrite(folder, name, change):
    """Changes a file's text and the manifest's checksum with it."""
    path = folder / name
    path.write_text(change(path.read_text()))
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["files"]:
        if entry["name"] == name:
            data = path.read_bytes()
            entry["bytes"], entry["sha256"] = len(data), hashlib.sha256(data).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def flip_last_digit(text):
    digit = text.rstrip()[-1]
    return text.rstrip()[:-1] + ("0" if digit != "0" else "1") + "\n"


@case()
def a_changed_result_or_operand_is_noticed():
    with folder() as place:
        v, prefix = vectors(place)
        expect_equal(run("--vectors", v, prefix)[0], 0, "as written")
        rewrite(v, "mma.expected.memh", flip_last_digit)
        code, out, _ = run("--vectors", v, prefix)
        expect_equal(code, 1, out)
        expect("1 differ; 0 operands differ" in out, out)
    with folder() as place:
        v, prefix = vectors(place)
        rewrite(v, "mma.inputs.memh", flip_last_digit)
        code, out, _ = run("--vectors", v, prefix)
        expect_equal(code, 1, out)
        expect("0 differ; 1 operands differ" in out, out)


@case(("x digit",), ("short word",), ("missing word",), ("checksum",), ("width of D",))
def damaged_files_are_refused(name):
    with folder() as place:
        v, prefix = vectors(place)
        expected = "mma.expected.memh"
        if name == "x digit":
            rewrite(v, expected, lambda text: text.rstrip()[:-1] + "x\n")
        elif name == "short word":
            rewrite(v, expected, lambda text: text.rstrip()[:-1] + "\n")
        elif name == "missing word":
            rewrite(v, expected, lambda text: "\n".join(text.splitlines()[:-1]) + "\n")
        elif name == "checksum":
            (v / expected).write_text(flip_last_digit((v / expected).read_text()))
        else:
            data = (place / "r.D.npy").read_bytes()
            (place / "r.D.npy").write_bytes(data.replace(b"<u4", b"<u2", 1))
        code, out, err = run("--vectors", v, prefix)
        expect_equal((code, out), (65, ""), f"{name}: {err}")
        expect("memh" in err or "D.npy" in err, err)


@case()
def dots_take_operands_from_files():
    """Pairs of NVFP4 blocks of the recording's first rows, against a sum in Python's fractions."""
    a = RECORDINGS.read_npy(PEERS / "rtx-blackwell.nvfp4.finite.A.npy")
    scales = RECORDINGS.read_npy(PEERS / "rtx-blackwell.nvfp4.finite.SA.npy")
    blocks = len(a.patterns) // 16
    with folder() as place:
        def save(name, shape, numbers):
            (place / f"{name}.npy").write_bytes(npy_header("|u1", shape) + bytes(numbers))
        save("A", (blocks, 16), a.patterns)
        save("B", (blocks, 16), a.patterns[::-1])
        save("SA", (blocks, 1), scales.patterns)
        save("SB", (blocks, 1), scales.patterns[::-1])
        run_dot = ("vectors", "--format", "nvfp4", "--op", "dot", "--operands", place, "--output",
                   place / "v")
        succeed(*run_dot)
        v = RECORDINGS.Vectors(place / "v")
        expect_equal(v.manifest["operands"], "pairs", "how rows meet")
        expect_equal(v.manifest["count"], blocks, "cases")
        for index, (left, right, s, t, d) in enumerate(zip(*map(
                v.field, ("a", "b", "scale_a", "scale_b", "d")))):
            expect_equal(left, a.patterns[16 * index:16 * index + 16], f"a of case {index}")
            total = units.E4M3.value(s[0] & 0x7F) * units.E4M3.value(t[0] & 0x7F) * sum(
                (units.E2M1.value(x) * units.E2M1.value(y) for x, y in zip(left, right)),
                Fraction(0))
            expect_equal(hex(d[0]), hex(units.float_bits(model.to_float32(total))), f"case {index}")
        (place / "C.npy").write_bytes(npy_header("<f4", (blocks,)) + b"\0\0\x80?" * blocks)
        fail(64, *run_dot, mentions=["C.npy", "no c"])
