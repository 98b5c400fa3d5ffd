"""check against devices' files of every kind, and vectors that are broken off."""

import os
import shutil
import signal
import struct
import subprocess
import sys
import time

from files import npy_header
from harness import (BAD_DATA, FAILED, PROGRAM, ROOT, blockscale, case, expect, expect_equal, fail,
                     folder, strict_json, succeed)

sys.path.insert(0, str(ROOT / "tools"))
from vector_reader import Vectors  # noqa: E402


def write(place, operation, form, *more):
    succeed("vectors", "--format", form, "--op", operation, *more, "--output", place)
    return Vectors(place)


# A word of quantize is 33 bits of codes and scale for Q_b = 5: neither whole digits nor whole bytes.
FORMS = ("memh", "csv", "bin")
GOLDEN = {}


def results(place, form):
    """Golden vectors, and a device's correct file: its path, and its words, lines or bytes."""
    if "words" not in GOLDEN:
        write(place / "v", "quantize", "mxfp6_e3m2", "--block", 5, "--emit", "raw,csv")
        GOLDEN["words"] = {p.name: p.read_bytes() for p in (place / "v").iterdir()}
    else:
        (place / "v").mkdir()
        for name, data in GOLDEN["words"].items():
            (place / "v" / name).write_bytes(data)
    path = place / f"r.{form}"
    if form == "memh":
        text = (place / "v" / "quantize.expected.memh").read_text()
        return path, [line for line in text.splitlines() if not line.startswith("//")]
    if form == "csv":
        v = Vectors(place / "v")
        rows = [sum(code << 6 * i for i, code in enumerate(codes)) for codes in v.field("codes")]
        return path, ["case,codes,scale"] + [
            f"{i},{row:08x},{scale[0]:02x}"
            for i, (row, scale) in enumerate(zip(rows, v.field("scale")))]
    data = (place / "v" / "quantize.expected.bin").read_bytes()
    return path, [data[i:i + 5] for i in range(0, len(data), 5)]


def save(path, parts):
    if path.suffix == ".bin":
        path.write_bytes(b"".join(parts))
    else:
        path.write_text("".join(f"{line}\n" for line in parts))


def damages(form):
    """What may befall a device's file: a name and a change of its parts, the header's included."""
    first = 1 if form == "csv" else 0
    common = {
        "truncated by a word": lambda p: p[:-1],
        "truncated within a word": lambda p: p[:-1] + [p[-1][:-1]],
        "a word too many": lambda p: p + [p[-1]],
        "a word missing": lambda p: p[:4] + p[5:],
        "nothing in it": lambda p: p[:first],
        "no bytes at all": lambda p: [],
        "words too wide": lambda p: p[:first] + [w[:1] * 2 + w[1:] if form == "bin" else
                                                 w.replace(",", ",0", 1) if form == "csv" else
                                                 "0" + w for w in p[first:]],
        "words too narrow": lambda p: p[:first] + [w[:-1] for w in p[first:]],
        "bits above the word": lambda p: p[:5] + [
            p[5][:4] + b"\xff" if form == "bin" else "f" + p[5][1:] if form == "memh" else
            p[5].replace(",", ",f", 1).replace("f0", "f", 1) if ",0" in p[5] else
            p[5].split(",")[0] + ",ffffffff," + p[5].split(",")[2]] + p[6:],
    }
    if form != "bin":
        def digit(text, at, new):
            return text[:at] + new + text[at + 1:]
        common |= {
            "an x digit": lambda p: p[:7] + [digit(p[7], -1, "x")] + p[8:],
            "a z digit": lambda p: p[:7] + [digit(p[7], -1, "Z")] + p[8:],
            "no digit": lambda p: p[:7] + [digit(p[7], -1, "g")] + p[8:],
            "an empty line instead of a word": lambda p: p[:7] + [""] + p[8:],
        }
    if form == "memh":
        common |= {
            "an address that jumps": lambda p: p[:3] + ["@7"] + p[3:],
            "a comment without an end": lambda p: p[:3] + ["/* and so"] + p[3:],
            "no white space": lambda p: ["".join(p)],
        }
    if form == "csv":
        common |= {
            "no header": lambda p: p[1:],
            "another column": lambda p: [p[0].replace("codes", "code")] + p[1:],
            "a case out of order": lambda p: p[:5] + [p[6], p[5]] + p[7:],
            "a cell too many": lambda p: p[:5] + [p[5] + ",0"] + p[6:],
        }
    return common


@case(*[(form,) for form in FORMS])
def a_devices_correct_file_passes(form):
    with folder() as place:
        path, parts = results(place, form)
        save(path, parts)
        report = strict_json(succeed("check", place / "v", path, "--as", "json"))
        expect_equal(report["mismatches"], 0, form)
        expect_equal(report["compared"], len(parts) - (form == "csv"), form)


@case(*[(form,) for form in FORMS])
def a_changed_bit_is_a_mismatch(form):
    with folder() as place:
        path, parts = results(place, form)
        if form == "bin":
            parts[9] = bytes([parts[9][0] ^ 1]) + parts[9][1:]
        else:
            last = int(parts[9][-1], 16) ^ 1
            parts[9] = parts[9][:-1] + f"{last:x}"
        save(path, parts)
        outcome = blockscale("check", place / "v", path, "--as", "json")
        expect_equal(outcome.code, FAILED, outcome.stderr)
        expect_equal(strict_json(outcome.stdout)["mismatches"], 1, form)


@case(*[(form, name) for form in FORMS for name in damages(form)])
def a_damaged_file_never_passes(form, name):
    with folder() as place:
        path, parts = results(place, form)
        save(path, damages(form)[name](parts))
        fail(BAD_DATA, "check", place / "v", path, mentions=[path.name])


@case(*[(form, name) for form in FORMS for name in ("manifest of others", "checksum", "inputs",
                                                    "class order")])
def vectors_that_do_not_belong_together_never_pass(form, name):
    with folder() as place:
        path, parts = results(place, form)
        save(path, parts)
        manifest = place / "v" / "manifest.json"
        if name == "manifest of others":
            write(place / "w", "quantize", "mxfp6_e3m2", "--block", 5, "--seed", 2, "--emit",
                  "raw,csv")
            shutil.copy(place / "w" / "manifest.json", manifest)
        elif name == "checksum":
            digest = strict_json(manifest.read_text())["files"][0]["sha256"]
            manifest.write_text(manifest.read_text().replace(digest, digest[::-1]))
        elif name == "class order":
            text = manifest.read_text()
            expect('"first" : 0,' in text, text[:400])
            manifest.write_text(text.replace('"first" : 0,', '"first" : 1,'))
        else:
            target = place / "v" / "quantize.inputs.memh"
            target.write_text(target.read_text()[:-2] + "\n")
        fail(BAD_DATA, "check", place / "v", path, mentions=[str(place / "v")])


# A child's peak counts from its parent's memory, so the parent is a small one.
MEASURE = ("import resource, subprocess, sys; code = subprocess.call(sys.argv[1:],"
           " stdout=subprocess.DEVNULL);"
           " print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")


def peak_of_check(place, path):
    """Peak resident memory of a passing check, in KiB."""
    done = subprocess.run([sys.executable, "-c", MEASURE, PROGRAM, "check", place, path],
                          capture_output=True, text=True)
    code, peak = map(int, done.stdout.split())
    expect_equal(code, 0, done.stderr)
    return peak


@case(*[(form,) for form in FORMS])
def check_holds_no_file_in_memory(form):
    """40 MB of vectors take no more room than a hundredth of them."""
    with folder() as place:
        peaks = []
        for name, count in (("small", 10), ("large", 1000)):
            v = write(place / name, "quantize", "mxfp8_e4m3", "--block", 4096, "--class", "random",
                      "--count", count, "--emit", "raw,csv")
            suffix = {"memh": ".expected.memh", "bin": ".expected.bin", "csv": ".csv"}[form]
            peaks.append(peak_of_check(place / name, place / name / f"quantize{suffix}"))
            size = sum(entry["bytes"] for entry in v.manifest["files"])
        expect(size > 60_000_000, f"{size} bytes")
        expect(peaks[1] < peaks[0] + 8192, f"{peaks[0]} KiB, then {peaks[1]} KiB")


def join_row(join):
    parts = ", ".join(f"{key}: {bits}" for key, bits in join.items() if bits is not None)
    return (f'operands: ["bf16"], fused: {{ terms: 8, fraction: 24, late: {{ {parts} }} }},'
            ' output: "fp32", rounding: "tiesToEven", nan: 0x7FC00000')


LATE_JOIN = {"sumFraction": 27, "addendFraction": 24, "resultFraction": 26}


@case(({"addendFraction": 23}, "a c that keeps 23 fraction bits, not 24"),
      ({"sumFraction": 26}, "a sum of products that keeps 26 fraction bits when c joins, not 27"),
      ({"resultFraction": 25}, "a joined sum that keeps 25 fraction bits, not 26"),
      ({"resultFraction": None}, "a joined sum that is not cut before it is rounded"),
      ({"dropsBelow": 27}, "a small c that is dropped"))
def a_c_that_joins_in_another_way_is_named(change, reading):
    """A device with one number of its late join changed, on the vectors' own operands."""
    with folder() as place:
        rows = {name: join_row(join) for name, join in (
            ("golden", LATE_JOIN), ("device", LATE_JOIN | change))}
        expect_reading(place, rows, reading)


@case(("{ order: 'chains', chains: 2 }", "{ order: 'chains', chains: 2, fusedMultiplyAdd: true }",
       "fused multiply-add"),
      ("{ order: 'sequential' }", "{ order: 'pairwise' }", "terms added in pairs"),
      ("{ order: 'pairwise' }", "{ order: 'sequential' }", "terms added one after the other"))
def other_float32_steps_are_named(golden, device, reading):
    with folder() as place:
        rows = {name: f'operands: ["bf16"], float32: {steps}, output: "fp32"' for name, steps in (
            ("golden", golden), ("device", device))}
        expect_reading(place, rows, reading)


@case(("addRounding: 'towardZero'", "addRounding: 'tiesToEven'",
       "a sum of products rounded by tiesToEven, not towardZero"),
      ("addRounding: 'tiesToEven'", "", "c as one more term of the sum"))
def a_c_that_is_added_in_another_way_is_named(golden, device, reading):
    with folder() as place:
        rows = {name: f'operands: ["bf16"], fused: {{ terms: 8, fraction: 24, {join} }},'
                      ' output: "fp32"' for name, join in (("golden", golden), ("device", device))}
        expect_reading(place, rows, reading)


def expect_reading(place, rows, reading):
    """Vectors of the accumulator `golden`, and a device that is `device`: check names the change."""
    (place / "rows.json5").write_text("{ version: 1, accumulators: [" + ", ".join(
        f'{{ name: "{name}", {row} }}' for name, row in rows.items()) + "] }")
    table = ("--formats", place / "rows.json5")
    v = write(place / "v", "mma", "bf16", *table, "--accumulator", "golden", "--class",
              "random,alignment-ladder,c-dominates,c-vanishes,sticky-tails", "--count", 4000)
    for side, name, descr, size in (("a", "A", "<u2", 2), ("b", "B", "<u2", 2),
                                    ("c", "C", "<f4", 4)):
        numbers = v.field(side)
        shape = (len(numbers), len(numbers[0])) if size == 2 else (len(numbers),)
        (place / f"{name}.npy").write_bytes(npy_header(descr, shape) + b"".join(
            n.to_bytes(size, "little") for lanes in numbers for n in lanes))
    other = write(place / "device", "mma", "bf16", *table, "--accumulator", "device",
                  "--operands", place)
    differ = sum(x != y for x, y in zip(v.expected, other.expected))
    expect(differ > 0, "the change shows in no case")
    outcome = blockscale("check", place / "v", place / "device" / "mma.expected.memh", *table,
                         "--as", "json", "--max-errors", 40)
    report = strict_json(outcome.stdout)
    expect_equal((outcome.code, report["mismatches"]), (FAILED, differ), outcome.stderr)
    text = "\n".join(row["explanation"] for row in report["first"])
    expect(f"the device's result is that of {reading}" in text, text[-3000:])


def start_vectors(place):
    """A long run of vectors, once its folder beside the target is there."""
    process = subprocess.Popen(
        [str(PROGRAM), "vectors", "--format", "nvfp4", "--op", "dot", "--count", "50000000",
         "--output", place / "v"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    partial = place / f"v.{process.pid}.partial"
    end = time.monotonic() + 60
    while not (partial / "dot.inputs.memh").exists():
        expect(process.poll() is None and time.monotonic() < end, "vectors did not begin")
        time.sleep(0.01)
    return process, partial


@case((signal.SIGINT,), (signal.SIGTERM,))
def vectors_that_are_interrupted_leave_nothing(number):
    with folder() as place:
        process, _ = start_vectors(place)
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
        expect_equal(process.returncode, 130, errors.decode())
        expect("nothing is written" in errors.decode(), errors.decode())
        expect_equal(list(place.iterdir()), [], "files left behind")


@case()
def what_killed_vectors_left_is_removed_by_the_next():
    with folder() as place:
        process, partial = start_vectors(place)
        running, theirs = start_vectors(place)
        process.kill()
        process.communicate()
        try:
            expect(partial.exists(), "a killed process cannot clean up")
            # Not what vectors writes, though named so: it stays.
            foreign = place / f"v.{process.pid}.old"
            foreign.mkdir()
            (foreign / "notes.txt").write_text("mine")
            others = place / f"w.{process.pid}.partial"
            others.mkdir()
            write(place / "v", "dot", "nvfp4", "--count", 100)
            expect(not partial.exists(), "the killed process's folder is still there")
            expect(theirs.exists(), "a running process's folder is gone")
            expect_equal((foreign / "notes.txt").read_text(), "mine", "another's file")
            expect(others.exists(), "another name's folder is gone")
        finally:
            running.kill()
            running.communicate()


@case()
def earlier_vectors_come_back_when_their_replacement_was_cut_short():
    """A process killed between its two renames leaves the earlier vectors under another name."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    with folder() as place:
        write(place / "v", "decode", "mxfp4")
        (place / "v").rename(place / f"v.{gone.pid}.old")
        fail((64, 65), "vectors", "--format", "mxfp4", "--op", "dot", "--block", "tensor",
             "--output", place / "v")
        expect(not (place / "v").exists(), "a refused request looks at no folder")
        stop = blockscale("vectors", "--format", "mxfp4", "--op", "dot", "--count", 10, "--output",
                          place / "v")
        expect_equal(stop.code, 0, stop.stderr)
        expect_equal(sorted(p.name for p in place.iterdir()), ["v"], "what is left")
        expect_equal(Vectors(place / "v").manifest["operation"], "dot", "the new vectors")


def named(report, reading):
    """How many of the explained cases name a reading; each line of an explanation is a row."""
    return sum(row["explanation"].endswith(f"that of {reading}") for row in report["first"])


@case(("quantize", "nvfp4", ("--rounding", "towardZero"), "element rounding towardZero"),
      ("quantize", "mxfp4", ("--recipe", "exact-ceil"), "the scale rule ceil"),
      ("scale", "mxfp8_e4m3", ("--recipe", "exact-rceil"), "the scale rule rceil"))
def the_rule_by_which_a_conversion_differs_is_named(operation, form, change, reading):
    with folder() as place:
        # Other classes choose their operands by the rule.
        classes = ("--class", "random")
        v = write(place / "v", operation, form, *classes)
        other = write(place / "device", operation, form, *classes, *change)
        expect_equal(v.inputs, other.inputs, "operands")
        differ = sum(x != y for x, y in zip(v.expected, other.expected))
        expect(differ > 0, "the change shows in no case")
        outcome = blockscale("check", place / "v", place / "device" / f"{operation}.expected.memh",
                             "--as", "json", "--max-errors", 40)
        report = strict_json(outcome.stdout)
        expect_equal((outcome.code, report["mismatches"]), (FAILED, differ), outcome.stderr)
        expect_equal(named(report, reading), min(40, differ), f"cases that name {reading!r}")


@case()
def numbers_cut_off_rather_than_rounded_are_named():
    def size(code):
        exponent, mantissa = code >> 3 & 15, code & 7
        return (8 + mantissa) * 2.0 ** (exponent - 10) if exponent else mantissa * 2.0 ** -9

    with folder() as place:
        v = write(place / "v", "encode", "mxfp8_e4m3", "--class", "random")
        cut, differ = [], 0
        for (pattern,), code in zip(v.field(v.manifest["inputs"]["fields"][0]["name"]), v.expected):
            number = abs(struct.unpack("<f", pattern.to_bytes(4, "little"))[0])
            is_away = code & 0x7F != 0x7F and size(code) > number
            differ += is_away
            cut.append(f"{code - is_away:02x}\n")
        expect(differ > 20, "few numbers are rounded away from zero")
        (place / "r.memh").write_text("".join(cut))
        outcome = blockscale("check", place / "v", place / "r.memh", "--as", "json")
        report = strict_json(outcome.stdout)
        expect_equal((outcome.code, report["mismatches"]), (FAILED, differ), outcome.stderr)
        expect_equal(named(report, "element rounding towardZero"), 20, "cases that name it")


@case()
def elements_in_another_order_and_subnormals_read_as_zero_are_named():
    with folder() as place:
        write(place / "v", "dequantize", "mxfp4", "--block", 8, "--emit", "csv")
        rows = (place / "v" / "dequantize.csv").read_text().splitlines()
        for name, change in (
                ("neighbouring elements swapped", lambda w: [w[i ^ 1] for i in range(8)]),
                ("elements in reverse order", lambda w: w[::-1])):
            lines = [rows[0]]
            for row in rows[1:]:
                cells = row.split(",")
                text = cells[-1]
                words = [text[i:i + 8] for i in range(0, len(text), 8)]
                cells[-1] = "".join(change(words))
                lines.append(",".join(cells))
            (place / "r.csv").write_text("\n".join(lines) + "\n")
            outcome = blockscale("check", place / "v", place / "r.csv", "--as", "json")
            expect_equal(outcome.code, FAILED, outcome.stderr)
            report = strict_json(outcome.stdout)
            expect_equal(named(report, name), min(20, report["mismatches"]), name)
            expect(report["mismatches"] > 100, "few words differ")


@case()
def a_mask_of_nothing_and_a_report_over_the_files_are_refused():
    with folder() as place:
        path, parts = results(place, "memh")
        save(path, parts)
        width = len(parts[0])
        outcome = blockscale("check", place / "v", path, "--mask", "0" * width)
        expect_equal(outcome.code, BAD_DATA, outcome.stderr)
        for name in (path, place / "v" / "quantize.expected.memh", place / "v" / "manifest.json"):
            before = name.read_bytes()
            outcome = blockscale("check", place / "v", path, "--junit", name)
            expect_equal(outcome.code, 64, outcome.stderr)
            expect_equal(name.read_bytes(), before, f"{name.name} was changed")


@case()
def an_earlier_report_does_not_outlive_a_refused_file():
    with folder() as place:
        path, parts = results(place, "memh")
        save(path, parts)
        report = place / "v" / "report.xml"
        succeed("check", place / "v", path, "--junit", report)
        expect('failures="0"' in report.read_text(), "no report")
        save(path, parts[:-1])
        outcome = blockscale("check", place / "v", path, "--junit", report)
        expect_equal((outcome.code, report.exists()), (BAD_DATA, False), outcome.stderr)


@case()
def bytes_of_zero_and_columns_of_one_name_are_refused():
    with folder() as place:
        path, parts = results(place, "memh")
        path.write_bytes("\n".join(parts[:3]).encode() + b"\n\0\n" + "\n".join(parts[3:]).encode())
        expect_equal(blockscale("check", place / "v", path).code, BAD_DATA, "a NUL passes")
    with folder() as place:
        path, parts = results(place, "csv")
        save(path, [f"{line},{line.split(',')[1]}" for line in parts])
        expect_equal(blockscale("check", place / "v", path).code, BAD_DATA, "two columns pass")
