"""Damaged inputs, missing files, outputs that cannot be written, and runs that are killed."""

import json
import random
import resource
import signal
import struct
import subprocess
import time

import inputs
from files import (npy_bytes, npy_header, safetensors_bytes, write_npy, write_npz,
                   write_safetensors)
from harness import (BAD_DATA, CANNOT_WRITE, NO_INPUT, PROGRAM, blockscale, case, expect,
                     expect_equal, fail, folder, small_disk, succeed)

ENTRY = {"dtype": "F32", "shape": [4, 32], "data_offsets": [0, 512]}
DATA = bytes(512)
GOOD_NPY = npy_bytes(inputs.normal((4, 32)))


def one(**changes):
    return safetensors_bytes({"layer.weight": {**ENTRY, **changes}}, DATA)


def two(first, second, data=DATA):
    return safetensors_bytes({"first": {**ENTRY, "shape": [2, 32], "data_offsets": first},
                              "second": {**ENTRY, "shape": [2, 32], "data_offsets": second}}, data)


def raw_header(text, length=None):
    text = text.encode()
    return struct.pack("<Q", len(text) if length is None else length) + text


# file name, what is wrong with it, its content, words that the message must hold
DAMAGED = [
    ("a.npy", "empty", b"", []),
    ("a.npy", "no magic", b"PK\x03\x04" + bytes(200), []),
    ("a.npy", "ends in the magic", GOOD_NPY[:4], []),
    ("a.npy", "ends in the header", GOOD_NPY[:40], []),
    ("a.npy", "ends in the data", GOOD_NPY[:-1], []),
    ("a.npy", "header alone", npy_header("<f4", (4, 32)), []),
    ("a.npy", "more data than its shape", GOOD_NPY + b"1234", []),
    ("a.npy", "version 9", GOOD_NPY[:6] + b"\x09" + GOOD_NPY[7:], []),
    ("a.npy", "complex", npy_header("<c8", (4, 16)) + DATA, []),
    ("a.npy", "objects", npy_header("|O", (4, 32)) + DATA, []),
    ("a.npy", "no dictionary", GOOD_NPY[:10] + b"x" * 118 + DATA, []),
    ("a.npy", "negative length", npy_header("<f4", (-4, 32)) + DATA, []),
    ("a.npy", "product overflows", npy_header("<f4", (2**62, 2**62)) + DATA, []),
    ("a.npy", "longer than memory", npy_header("<f4", (2**40, 32)) + DATA, []),
    ("a.safetensors", "empty", b"", []),
    ("a.safetensors", "ends in the length", b"\x10\0\0", []),
    ("a.safetensors", "header of 2^63", raw_header("{}", 2**63), []),
    ("a.safetensors", "header of 2^64 - 1", raw_header("{}", 2**64 - 1), []),
    ("a.safetensors", "header longer than the file", raw_header("{}", 1000), []),
    ("a.safetensors", "header that is no JSON", raw_header('{"layer.weight": '), []),
    ("a.safetensors", "header that is a list", raw_header("[1, 2]"), []),
    ("a.safetensors", "header of broken UTF-8", struct.pack("<Q", 4) + b'{"\xff\xfe', []),
    ("a.safetensors", "deeply nested header", raw_header("[" * 100000), []),
    ("a.safetensors", "unknown dtype", one(dtype="Q9"), ["layer.weight"]),
    ("a.safetensors", "dtype that is a number", one(dtype=7), ["layer.weight"]),
    ("a.safetensors", "no shape", safetensors_bytes({"layer.weight": {
        "dtype": "F32", "data_offsets": [0, 512]}}, DATA), ["layer.weight"]),
    ("a.safetensors", "negative length", one(shape=[-4, 32]), ["layer.weight"]),
    ("a.safetensors", "product overflows", one(shape=[2**62, 2**62]), ["layer.weight"]),
    ("a.safetensors", "shape larger than its bytes", one(shape=[5, 32]), ["layer.weight"]),
    ("a.safetensors", "offsets reversed", one(data_offsets=[512, 0]), ["layer.weight"]),
    ("a.safetensors", "offsets behind the end", one(data_offsets=[512, 1024]), ["layer.weight"]),
    ("a.safetensors", "negative offset", one(data_offsets=[-512, 0]), ["layer.weight"]),
    ("a.safetensors", "huge offsets", one(data_offsets=[2**64 - 512, 2**64]), []),
    ("a.safetensors", "fractional offsets", one(data_offsets=[0.5, 512.5]), ["layer.weight"]),
    ("a.safetensors", "ends in the data", one()[:-1], ["layer.weight"]),
    ("a.safetensors", "overlapping offsets", two([0, 256], [128, 384]), ["second"]),
    ("a.safetensors", "the same bytes twice", two([0, 256], [0, 256]), []),
    ("a.npz", "empty", b"", []),
    ("a.npz", "no archive", b"not a zip file", []),
]


@case(*[(verb, i, DAMAGED[i][0], DAMAGED[i][1])
        for verb in ("error", "quantize") for i in range(len(DAMAGED))])
def a_damaged_file_exits_65(verb, index, name, _):
    content, words = DAMAGED[index][2:]
    with folder() as place:
        path = place / name
        path.write_bytes(content)
        end = ["--output", place / "q.safetensors"] if verb == "quantize" else []
        fail(BAD_DATA, verb, path, "--format", "mxfp4", *end, mentions=[name, *words], timeout=60)
        expect_equal([p.name for p in place.iterdir()], [name], "files left")


@case((1,), (20,), (60,), (99,))
def a_truncated_archive_exits_65(percent):
    with folder() as place:
        path = write_npz(place / "a.npz", {"one": inputs.normal((4, 32))}, compressed=True)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) * percent // 100])
        fail(BAD_DATA, "error", path, "--format", "mxfp4", mentions=["a.npz"])


def mutated(content, source, reach):
    """A copy with one to four of its first `reach` bytes changed, and sometimes cut short."""
    changed = bytearray(content)
    for _ in range(source.randint(1, 4)):
        digits = b'0123456789[]{}",:-\x00\xff'
        changed[source.randrange(min(reach, len(changed)))] = source.choice(digits)
    return bytes(changed[: source.randrange(len(changed))] if source.random() < 0.2 else changed)


@case(*[(name, seed) for name in ("a.npy", "a.npz", "a.safetensors") for seed in range(5)])
def mutated_headers_never_crash(name, seed):
    source = random.Random(f"{name} {seed}")
    with folder() as place:
        path = place / name
        if name.endswith("npz"):
            write_npz(path, {"one": inputs.normal((4, 32))}, compressed=seed % 2 == 1)
        content = {"a.npy": GOOD_NPY, "a.safetensors": one()}.get(name) or path.read_bytes()
        for trial in range(20):
            path.write_bytes(mutated(content, source, 160))
            outcome = blockscale("error", path, "--format", "mxfp4", timeout=60)
            expect(outcome.code in (0, BAD_DATA),
                   f"trial {trial} ends with exit {outcome.code}: {path.read_bytes()[:200]!r}")


@case()
def a_file_that_dequantize_cannot_understand_exits_65():
    with folder() as place:
        path = write_safetensors(place / "plain.safetensors", {"w": inputs.normal((4, 32))})
        fail(BAD_DATA, "dequantize", path, "--output", place / "out.npy",
             mentions=["plain.safetensors"])
        expect(not (place / "out.npy").exists(), "an output is there")


@case(("codes",), ("scales",))
def dequantize_wants_both_codes_and_scales(missing):
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((4, 32)))
        succeed("quantize", source, "--format", "mxfp4", "--output", place / "q.safetensors")
        content = (place / "q.safetensors").read_bytes()
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + length])
        data, kept = b"", {"__metadata__": header["__metadata__"]}
        for name, entry in header.items():
            if name not in ("__metadata__", f"tensor.{missing}"):
                start, stop = (8 + length + offset for offset in entry["data_offsets"])
                kept[name] = {**entry, "data_offsets": [len(data), len(data) + stop - start]}
                data += content[start:stop]
        (place / "part.safetensors").write_bytes(safetensors_bytes(kept, data))
        fail(BAD_DATA, "dequantize", place / "part.safetensors", "--output", place / "out.npy",
             mentions=["part.safetensors", "tensor"])


@case(("error", ["--format", "mxfp4"]), ("quantize", ["--format", "mxfp4", "--output", "o.safetensors"]),
      ("dequantize", ["--output", "o.npy"]),
      ("recipes", ["--format", "mxfp4", "--recipe", "exact,exact-ceil"]))
def a_missing_file_exits_66(verb, rest):
    with folder() as place:
        fail(NO_INPUT, verb, place / "absent.safetensors", *rest, cwd=place,
             mentions=["absent.safetensors"])
        expect_equal(list(place.iterdir()), [], "files left")


@case()
def a_pattern_that_matches_nothing_is_an_error():
    with folder() as place:
        path = write_safetensors(place / "a.safetensors", {"w": inputs.normal((4, 32))})
        fail((64, BAD_DATA, NO_INPUT), "error", f"{path}:nosuch.*", "--format", "mxfp4",
             mentions=["nosuch"])


# Outputs. Every case checks that the folder holds what it held before.


def quantize_words(source, output):
    return ["quantize", source, "--format", "mxfp4", "--output", output]


@case(("absent/q.safetensors",), ("in.npy/q.safetensors",), ("folder.safetensors",),
      ("/proc/blockscale.safetensors",))
def an_output_that_cannot_be_written_exits_74(output):
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((4, 32)))
        (place / "folder.safetensors").mkdir()
        fail(CANNOT_WRITE, *quantize_words(source, place / output),
             mentions=[output.split("/")[-1]])
        expect_equal(sorted(p.name for p in place.iterdir()), ["folder.safetensors", "in.npy"],
                     "files left")
        expect_equal(list((place / "folder.safetensors").iterdir()), [], "files left in the folder")


def limited_files(limit):
    """For a child: writing beyond `limit` bytes fails with EFBIG, as a full disk would."""

    def apply():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return apply


@case((0,), (100,), (5000,))
def a_file_size_limit_exits_74_and_leaves_nothing(limit):
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((64, 256)))
        fail(CANNOT_WRITE, *quantize_words(source, place / "q.safetensors"),
             preexec_fn=limited_files(limit), restore_signals=False, mentions=["q.safetensors"])
        expect_equal([p.name for p in place.iterdir()], ["in.npy"], "files left")


@case()
def a_failed_run_keeps_the_file_that_was_there():
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((64, 256)))
        output = place / "q.safetensors"
        output.write_bytes(b"older result")
        fail(CANNOT_WRITE, *quantize_words(source, output), preexec_fn=limited_files(5000),
             restore_signals=False)
        expect_equal(output.read_bytes(), b"older result", "the older file")


@case()
def a_full_disk_exits_74_and_leaves_nothing():
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((256, 1024)))
        with small_disk(place, "64k") as disk:
            fail(CANNOT_WRITE, *quantize_words(source, disk / "q.safetensors"),
                 mentions=["q.safetensors"])
            expect_equal(list(disk.iterdir()), [], "files left")


@case(("SIGKILL",), ("SIGTERM",), ("SIGINT",))
def a_killed_run_leaves_no_output_under_the_final_name(name):
    with folder() as place:
        tensor = inputs.normal((64, 1024))
        lines = tensor._replace(shape=(64 * 256, 1024), data=tensor.data * 256)
        source = write_npy(place / "in.npy", lines)
        output = place / "q.safetensors"
        words = [*quantize_words(source, output), "--target", "reference", "--threads", "1"]
        # A test run in the background starts with SIGINT ignored, and children inherit that.
        child = subprocess.Popen(
            [str(PROGRAM), *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(getattr(signal, name), signal.SIG_DFL)
            if name != "SIGKILL" else None)
        time.sleep(0.5)
        expect(child.poll() is None, "the run ended before it could be killed")
        child.send_signal(getattr(signal, name))
        expect(child.wait(60) != 0, "a killed run exits 0")
        expect(not output.exists(), "an output is there")
        if name != "SIGKILL":
            expect_equal([p.name for p in place.iterdir()], ["in.npy"], "files left")


@case()
def a_reader_that_stops_early_is_no_crash():
    child = subprocess.Popen([str(PROGRAM), "formats"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    child.stdout.close()
    _, message = child.communicate(timeout=60)
    expect(child.returncode in (0, CANNOT_WRITE, -signal.SIGPIPE), f"exit {child.returncode}")
    expect(b"Fatal error" not in message, message.decode())


@case(("a.npy",), ("a.safetensors",))
def inputs_are_not_changed(name):
    with folder() as place:
        tensor = inputs.normal((4, 32))
        path = place / name
        if name.endswith("npy"):
            write_npy(path, tensor)
        else:
            write_safetensors(path, {"w": tensor})
        before = path.read_bytes()
        succeed("error", path, "--format", "mxfp4,nvfp4", "--block", "16")
        expect(path.read_bytes() == before, "the input changed")
        expect_equal([p.name for p in place.iterdir()], [name], "files left")
