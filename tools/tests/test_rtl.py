"""Tests of tools/rtl that need no simulator; tools/rtl/test runs those that do."""

import hashlib
import json
import os
import struct
import subprocess
import sys

from harness import FAILED, OK, PROGRAM, ROOT, Outcome, case, expect, expect_equal, folder

RTL = ROOT / "tools/rtl"
sys.path.insert(0, str(RTL))

from vectors import formats  # noqa: E402


def run(tool, *arguments, program=PROGRAM):
    done = subprocess.run([str(RTL / tool), *map(str, arguments)], capture_output=True, timeout=120,
                          env={**os.environ, "BLOCKSCALE": str(program)})
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def make(place, *more, program=PROGRAM):
    return run("make_vectors.py", "--element", "e2m1", "--scale", "ue4m3", "--block", 8,
               "--output", place, *more, program=program)


def words(path):
    return [line for line in path.read_text().splitlines() if not line.startswith("//")]


@case()
def rtl_vectors_are_what_the_manifest_says():
    with folder() as place:
        expect_equal(make(place).code, OK, "exit code")
        manifest = json.loads((place / "manifest.json").read_text())
        for entry in manifest["files"]:
            data = (place / entry["name"]).read_bytes()
            expect_equal(hashlib.sha256(data).hexdigest(), entry["sha256"], entry["name"])
            expect_equal(len(words(place / entry["name"])), manifest["count"], "lines")
        expect_equal(sum(manifest["classes"].values()), manifest["count"], "classes")
        expect(manifest["informative_ratio_random"] >= 0.5, "too few informative random cases")


@case()
def rtl_vectors_depend_on_the_seed_alone():
    with folder() as place:
        for name, seed in (("first", 1), ("again", 1), ("other", 2)):
            expect_equal(make(place / name, "--seed", seed).code, OK, "exit code")
        first, again, other = (words(place / name / "dot.inputs.memh")
                               for name in ("first", "again", "other"))
        expect_equal(first, again, "words of the same seed")
        expect(first != other, "another seed gives the same words")


@case()
def rtl_vectors_are_not_written_when_the_model_differs():
    with folder() as place:
        liar = place / "liar"
        liar.write_text(f"""#!{sys.executable}
import subprocess, sys
subprocess.run([{str(PROGRAM)!r}, *sys.argv[1:]], check=True)
path = sys.argv[sys.argv.index("--output") + 1]
data = bytearray(open(path, "rb").read())
data[-4] ^= 1
open(path, "wb").write(data)
""")
        liar.chmod(0o755)
        outcome = make(place / "out", program=liar)
        expect_equal(outcome.code, FAILED, "exit code")
        expect("the model" in outcome.stderr, outcome.stderr)
        expect(not (place / "out").exists(), "something was written")


@case()
def rtl_include_names_a_missing_field():
    with folder() as place:
        expect_equal(make(place).code, OK, "exit code")
        expect_equal(run("bench_include.py", place).code, OK, "exit code")
        include = (place / "dot_fields.vh").read_text()
        expect("`define DOT_SCALE_A(word) word[71:64]\n" in include, include)
        manifest = json.loads((place / "manifest.json").read_text())
        del manifest["inputs"]["fields"][2]
        (place / "manifest.json").write_text(json.dumps(manifest))
        outcome = run("bench_include.py", place)
        expect_equal(outcome.code, FAILED, "exit code")
        expect("'scale_a'" in outcome.stderr, outcome.stderr)


NAMED = ["--top", "unit", "--clock", "ck", "--reset-low", "rst_n", "--latency", "3", "--port", "a=x",
         "--port", "d=y", "--tie", "enable=1'b1", "--parameter", "WIDTH=7"]


@case()
def make_bench_connects_a_device_by_its_own_names():
    with folder() as place:
        expect_equal(make(place).code, OK, "exit code")
        expect_equal(run("make_bench", place, *NAMED).code, OK, "exit code")
        for name in ("dot_bench.v", "dot_bench.sv"):
            text = (place / name).read_text()
            for part in ("unit #(\n      .WIDTH(7)\n  ) device (", ".ck(clk)", ".rst_n(!reset)", ".x(word[31:0])",
                         ".scale_a(word[71:64])", ".y(observed[31:0])", ".enable(1'b1)", "reg [2:0] flight"):
                expect(part in text, f"{name} has no '{part}'")
            expect("in_valid(" not in text and "@{" not in text, name)
        first = (place / "dot_bench.v").read_text()
        expect_equal(run("make_bench", place, *NAMED).code, OK, "exit code")
        expect_equal((place / "dot_bench.v").read_text(), first, "the bench made again")


@case()
def make_bench_takes_the_device_of_the_folder_by_itself():
    with folder() as place:
        expect_equal(make(place, "--dropped", 3).code, OK, "exit code")
        expect_equal(run("make_bench", place, "--parameter", "FAULT=9", "--module", "mine",
                         "--output", place / "benches").code, OK, "exit code")
        text = (place / "benches/mine.sv").read_text()
        for part in ("module mine;", "bs_dot_unit #(", ".ELEMENT(0)", ".SCALE(1)", ".Q_B(8)", ".DROPPED(3)",
                     ".FAULT(9)"):
            expect(part in text, f"no '{part}'")


@case(
    (["--port", "e=x"], "no field 'e'"),
    (["--port", "a=b"], "the port 'b'"),
    (["--port", "a"], "expected NAME=PORT"),
    (["--port", "a=1"], "no name of a port"),
    (["--top", "2x"], "not a name"),
    (["--latency", "-1"], "expected 0 to"),
    (["--output", "/dev/null/x"], "/dev/null"),
)
def make_bench_says_what_is_wrong_with_its_arguments(arguments, reason):
    with folder() as place:
        expect_equal(make(place).code, OK, "exit code")
        outcome = run("make_bench", place, *arguments)
        expect(outcome.code in (1, 2), f"exit code {outcome.code}")
        expect(reason in outcome.stderr and "Traceback" not in outcome.stderr, outcome.stderr)
        expect(not list(place.glob("*_bench.*")), "something was written")


def damaged(place, name, change):
    (place / name).write_bytes(change((place / name).read_bytes()))


@case(
    ("dot.inputs.memh", lambda data: data[:-2], "the checksum is"),
    ("dot.expected.memh", lambda data: data.replace(b"a", b"b"), "the checksum is"),
    ("manifest.json", lambda data: data[:-20], "not a manifest"),
    ("manifest.json", lambda data: b"[]", "not a manifest"),
    ("manifest.json", lambda data: data.replace(b'"lane_width"', b'"width"'), "not a manifest"),
)
def make_bench_refuses_damaged_vectors(name, change, reason):
    with folder() as place:
        expect_equal(make(place).code, OK, "exit code")
        damaged(place, name, change)
        for tool in (["make_bench", place], ["make_bench", place, "--top", "unit"]):
            outcome = run(*tool)
            expect_equal(outcome.code, FAILED, "exit code")
            expect(reason in outcome.stderr and name in outcome.stderr, outcome.stderr)
        expect(not list(place.glob("*_bench.*")), "something was written")


@case()
def make_bench_says_which_vectors_the_device_of_the_folder_takes():
    with folder() as place:
        outcome = run("make_bench", place / "none")
        expect_equal(outcome.code, FAILED, "exit code")
        expect("no manifest.json" in outcome.stderr, outcome.stderr)
        done = subprocess.run([PROGRAM, "vectors", "--op", "decode", "--format", "nvfp4", "--output", place / "decode"],
                              capture_output=True)
        expect_equal(done.returncode, OK, "exit code of vectors")
        outcome = run("make_bench", place / "decode")
        expect_equal(outcome.code, FAILED, "exit code")
        expect("name another device with --top" in outcome.stderr, outcome.stderr)
        expect_equal(run("make_bench", place / "decode", "--top", "decoder", "--latency", 0).code, OK, "exit code")
        done = subprocess.run([PROGRAM, "vectors", "--op", "mma", "--format", "nvfp4", "--accumulator", "blackwell-fp4",
                               "--output", place / "mma"], capture_output=True)
        expect_equal(done.returncode, OK, "exit code of vectors")
        outcome = run("make_bench", place / "mma")
        expect_equal(outcome.code, FAILED, "exit code")
        expect("blackwell-fp4, 64 terms in blocks of 16" in outcome.stderr, outcome.stderr)


@case()
def rtl_model_rounds_as_the_machine_does():
    for significand in (0, 1, 3, 0xFFFFFF, 0x1000001, 0x1000003, 0x1FFFFFF, 0x3FFFFFD, 0x1000000000001):
        for exponent in range(-220, 120):
            for number in (significand, -significand):
                try:
                    wanted = struct.unpack("<I", struct.pack("<f", float(number) * 2.0**exponent))[0]
                except OverflowError:  # struct will not round to infinity
                    wanted = formats.INFINITY | (1 << 31 if number < 0 else 0)
                got = formats.round_to_float32(number, exponent)
                expect_equal(f"{got:08x}", f"{wanted:08x}", f"{number} x 2^{exponent}")
