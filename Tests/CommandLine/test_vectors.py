"""vectors and check: results against rational numbers, files against each other, and refusals."""

import csv
import hashlib
import json
import math
import shlex
import shutil
import struct
from fractions import Fraction

import matmul_model as units
import model
from files import read_npy
from harness import (BAD_DATA, CANNOT_WRITE, FAILED, GOLDEN, NO_INPUT, USAGE, blockscale, case, expect,
                     expect_equal, expect_same_list, fail, folder, strict_json, succeed)


def vectors(place, operation, form, block, *more):
    """Writes vectors; returns the manifest."""
    succeed("vectors", "--format", form, "--block", block, "--op", operation, *more, "--output",
            place)
    return strict_json((place / "manifest.json").read_text())


def memory_words(path):
    return [int(line, 16) for line in path.read_text().splitlines() if not line.startswith("//")]


def lanes(word, layout):
    """A packed word's numbers, field by field, by the manifest's positions alone."""
    result = {}
    for field in layout["fields"]:
        width, mask = field["lane_width"], (1 << field["lane_width"]) - 1
        result[field["name"]] = [
            word >> field["lsb"] + width * lane & mask for lane in range(field["lanes"])]
    return result


def cases(place, operation, manifest):
    """Every case's class, inputs and results."""
    names = [c["name"] for c in manifest["classes"] for _ in range(c["count"])]
    ins = memory_words(place / f"{operation}.inputs.memh")
    outs = memory_words(place / f"{operation}.expected.memh")
    expect_equal((len(ins), len(outs)), (manifest["count"],) * 2, "words")
    expect_equal(len(names), manifest["count"], "classes")
    return [(name, lanes(i, manifest["inputs"]), lanes(o, manifest["expected"]))
            for name, i, o in zip(names, ins, outs)]


def nearest_bits(value):
    """float32 bits of a fraction, ties to even; an exact zero is +0."""
    return units.float_bits(model.to_float32(value)) if abs(value) < 2**128 else (
        0x7F800000 if value > 0 else 0xFF800000)


@case(("nvfp4", units.E2M1, 16, ()), ("mxfp8_e4m3", units.E4M3, 256, (0x7F, 0xFF)),
      ("mxfp6_e3m2", units.Format(3, 2, 3), 64, ()))
def every_code_decodes_to_its_value(form, layout, count, nans):
    with folder() as place:
        manifest = vectors(place / "v", "decode", form, 16, "--class", "exhaustive")
        seen = set()
        for _, ins, outs in cases(place / "v", "decode", manifest):
            code, bits = ins["code"][0], outs["value"][0]
            seen.add(code)
            negative = code >= count // 2
            if code in nans:
                expect_equal(bits, 0x7FC00000, f"code {code:#x}")
                continue
            value = float(layout.value(code))
            expect_equal(bits, units.float_bits(-0.0 if negative and value == 0 else value),
                         f"code {code:#x}")
        expect_equal(seen, set(range(count)), "codes")


@case(("mxfp4", model.E2M1), ("mxfp8_e4m3", model.E4M3), ("int8", model.INT8))
def encoded_values_are_the_nearest_codes(form, element):
    with folder() as place:
        manifest = vectors(place / "v", "encode", form, 32)
        compared = 0
        for name, ins, outs in cases(place / "v", "encode", manifest):
            value = struct.unpack("<f", struct.pack("<I", ins["value"][0]))[0]
            if not math.isfinite(value):
                continue
            at = model.encode(element, abs(Fraction(value)), value < 0)
            code = element.codes[at]
            if math.copysign(1, value) < 0:
                code = element.negate(code)
            expect_equal(outs["code"][0], code, f"{name}: {value!r}")
            compared += 1
        expect(compared > 500, f"only {compared} compared")


@case(("nvfp4", units.E2M1, units.E4M3, 0x7F, 16), ("nvfp4", units.E2M1, units.E4M3, 0x7F, 24),
      ("mxfp4", units.E2M1, None, 0xFF, 32), ("mxfp8_e4m3", units.E4M3, None, 0xFF, 32))
def dots_are_exact_sums_rounded_once(form, element, scale, nan_scale, block):
    with folder() as place:
        manifest = vectors(place / "v", "dot", form, block)
        nan_codes = (0x7F, 0xFF) if form == "mxfp8_e4m3" else ()
        for name, ins, outs in cases(place / "v", "dot", manifest):
            scales = [ins["scale_a"][0], ins["scale_b"][0]]
            if form == "nvfp4":
                scales = [code & 0x7F for code in scales]  # bit 7 has no meaning
            if nan_scale in scales or any(c in nan_codes for c in ins["a"] + ins["b"]):
                expect_equal(outs["d"][0], 0x7FC00000, f"{name}: NaN")
                continue
            factor = Fraction(1)
            for code in scales:
                factor *= scale.value(code) if scale else model.power(code - 127)
            total = factor * sum(
                element.value(a) * element.value(b) for a, b in zip(ins["a"], ins["b"]))
            expect_equal(hex(outs["d"][0]), hex(nearest_bits(total)), f"{name} {ins}")
        random = next(c for c in manifest["classes"] if c["name"] == "random")
        expect(2 * random["informative"] >= random["count"], f"{random}")


@case(("hopper-fp8", 32, 13, -133, 13), ("ada-fp8", 16, 13, -132, 13),
      ("blackwell-fp8", 32, 25, -133, 23))
def a_units_step_is_the_truncated_sum(accumulator, step, fraction, zero, mantissa):
    with folder() as place:
        manifest = vectors(place / "v", "mma", "mxfp8_e4m3", 32, "--accumulator", accumulator)
        expect_equal(manifest["depth"], step, "terms")
        compared = 0
        for name, ins, outs in cases(place / "v", "mma", manifest):
            c = ins["c"][0]
            if c & 0x7F800000 == 0x7F800000 or any(
                    code & 0x7F == 0x7F for code in ins["a"] + ins["b"]):
                continue
            a, b = ([units.E4M3.decode(code) for code in ins[side]] for side in "ab")
            expected = units.fused(a, b, c, step, fraction, zero, mantissa)
            expect_equal(hex(outs["d"][0]), hex(expected), f"{name} {ins}")
            compared += 1
        expect(compared > 1000, f"only {compared} compared")


@case(("int8-wrap",), ("int8-saturate",))
def integer_registers_add_in_32_bits(accumulator):
    with folder() as place:
        manifest = vectors(place / "v", "mma", "int8", 32, "--accumulator", accumulator)
        wrapped = 0
        for name, ins, outs in cases(place / "v", "mma", manifest):
            a, b = ([code - 256 * (code > 127) for code in ins[side]] for side in "ab")
            c = ins["c"][0]
            total = c - 2**32 * (c >> 31) + sum(x * y for x, y in zip(a, b))
            wrapped += not -2**31 <= total < 2**31
            if accumulator.endswith("saturate"):
                total = min(max(total, -2**31), 2**31 - 1)
            expect_equal(outs["d"][0], total % 2**32, f"{name} {ins}")
        expect(wrapped > 20, f"{wrapped} cases leave the register")


@case(("mxfp8_e4m3", 32), ("mxfp4", 24), ("nvfp4", 16))
def quantised_blocks_are_the_models(form, block):
    with folder() as place:
        manifest = vectors(place / "v", "quantize", form, block)
        compared = 0
        for name, ins, outs in cases(place / "v", "quantize", manifest):
            values = [struct.unpack("<f", struct.pack("<I", bits))[0] for bits in ins["values"]]
            if not all(map(math.isfinite, values)):
                continue
            factor = Fraction(1)
            if "tensor_scale" in ins:
                bits = struct.pack("<I", ins["tensor_scale"][0])
                factor = Fraction(struct.unpack("<f", bits)[0])
            expected = model.quantise(values, [block], form, block, tensor_scale=factor)
            expect_equal(outs["scale"], expected.scales, f"{name}: scale of {values}")
            expect_same_list(outs["codes"], expected.codes, f"{name}: codes of {values}")
            compared += 1
        expect(compared > 900, f"only {compared} compared")


USER_ROWS = """{ version: 1,
  elements: [
    { name: "e3m1", float: [1, 3, 1], bias: 3, nonFinite: "ieee", nan: 0xf, source: "mine" },
    { name: "four", codebook: [-2.0, -1.0, 0.5, 3.0], source: "mine" } ],
  blocks: [
    { name: "mine_e3m1", element: "e3m1", scale: "ue5m3", block: "12", source: "mine" },
    { name: "mine_four", element: "four", scale: "bf16", block: "7", source: "mine" } ] }"""


@case(("mine_e3m1",), ("mine_four",))
def a_users_own_rows_have_every_operation(form):
    with folder() as place:
        (place / "rows.json5").write_text(USER_ROWS)
        for operation in ("decode", "encode", "scale", "quantize", "dequantize", "product", "dot",
                          "mma", "matmul"):
            succeed("vectors", "--formats", place / "rows.json5", "--format", form, "--op",
                    operation, "--count", 200, "--output", place / operation)
            manifest = strict_json((place / operation / "manifest.json").read_text())
            expect_equal(len(cases(place / operation, operation, manifest)), manifest["count"],
                         operation)
        manifest = strict_json((place / "dot" / "manifest.json").read_text())
        if form == "mine_four":
            values = [Fraction(-2), Fraction(-1), Fraction(1, 2), Fraction(3)]
            bf16 = units.BF16
            for name, ins, outs in cases(place / "dot", "dot", manifest):
                scales = ins["scale_a"] + ins["scale_b"]
                if any(code & 0x7F80 == 0x7F80 for code in scales):
                    continue
                total = bf16.value(scales[0]) * bf16.value(scales[1]) * sum(
                    values[a] * values[b] for a, b in zip(ins["a"], ins["b"]))
                expect_equal(hex(outs["d"][0]), hex(nearest_bits(total)), f"{name} {ins}")


@case()
def every_file_tells_the_same_cases():
    with folder() as place:
        v = place / "v"
        manifest = vectors(v, "mma", "mxfp8_e4m3", 24, "--accumulator", "blackwell-mx", "--debug",
                           "--emit", "memh,raw,csv,json,text,sv,v,c")
        for file in manifest["files"]:
            data = (v / file["name"]).read_bytes()
            expect_equal(hashlib.sha256(data).hexdigest(), file["sha256"], file["name"])
            expect_equal(len(data), file["bytes"], file["name"])
            if "lines" in file:
                expect_equal(data.count(b"\n"), file["lines"], file["name"])
        for side in ("inputs", "expected"):
            size = (manifest[f"{side}_width"] + 7) // 8
            raw = (v / f"mma.{side}.bin").read_bytes()
            words = [int.from_bytes(raw[i:i + size], "little") for i in range(0, len(raw), size)]
            expect_same_list(words, memory_words(v / f"mma.{side}.memh"), side)
        rows = list(csv.DictReader((v / "mma.csv").open()))
        lines = [strict_json(line) for line in (v / "mma.jsonl").read_text().splitlines()]
        texts = (v / "mma.txt").read_text().splitlines()
        fields = manifest["inputs"]["fields"] + manifest["expected"]["fields"]
        all_cases = cases(v, "mma", manifest)
        expect_equal([len(rows), len(lines), len(texts)], [len(all_cases)] * 3, "lengths")
        for index, (name, ins, outs) in enumerate(all_cases):
            row, line, text = rows[index], lines[index], texts[index].split()
            expect_equal((row["case"], row["class"]), (str(index), name), "csv")
            expect_equal((line["case"], line["class"]), (index, name), "json")
            for place_in_text, field in enumerate(fields):
                numbers = {**ins, **outs}[field["name"]]
                packed = sum(n << field["lane_width"] * i for i, n in enumerate(numbers))
                expect_equal(int(row[field["name"]], 16), packed, f"csv {index}")
                expect_equal(int(text[place_in_text], 16), packed, f"text {index}")
                listed = line[field["name"]]
                listed = listed if isinstance(listed, list) else [listed]
                expect_equal([int(n, 16) for n in listed], numbers, f"json {index}")
            expect(row["sum_before_rounding"] == line["sum_before_rounding"], "debug columns")
        header = (v / "mma.h").read_text()
        expect(f"#define MMA_INPUTS_WIDTH {manifest['inputs_width']}" in header, header)


@case()
def the_same_seed_gives_the_same_bytes():
    with folder() as place:
        for name, threads, seed in (("a", 1, 5), ("b", 2, 5), ("c", 2, 6)):
            vectors(place / name, "dot", "mxfp4", 8, "--count", 3000, "--threads", threads,
                    "--seed", seed, "--emit", "raw,csv")
        files = {name: {p.name: p.read_bytes() for p in (place / name).iterdir()} for name in "abc"}
        expect(files["a"] == files["b"], "threads change bytes")
        expect(files["a"]["dot.inputs.memh"] != files["c"]["dot.inputs.memh"], "the seed is unused")
        command = shlex.split(json.loads(files["a"]["manifest.json"])["command"])[1:]
        command[command.index("DIR")] = str(place / "d")
        succeed(*command)
        again = {p.name: p.read_bytes() for p in (place / "d").iterdir()}
        expect(files["a"] == again, "the manifest's command gives other bytes")


@case()
def classes_are_made_alone_and_counts_hold():
    with folder() as place:
        manifest = vectors(place / "v", "mma", "mxfp8_e5m2", 32, "--accumulator", "hopper-fp8",
                           "--class", "cancellation,ties", "--count", 101)
        expect_equal({c["name"] for c in manifest["classes"]}, {"cancellation", "ties"}, "classes")
        expect_equal(manifest["count"], 101, "count")
        expect_equal(vectors(place / "w", "dot", "nvfp4", 16, "--count", 5000)["count"], 5000,
                     "count")


@case()
def senseless_requests_are_refused():
    with folder() as place:
        def refuse(code, *words):
            fail(code, "vectors", *words, "--output", place / "v")
            expect_equal(list(place.iterdir()), [], "files left behind")
        base = ("--format", "nvfp4", "--op", "dot")
        refuse(USAGE, *base, "--class", "wrap-saturate")
        refuse(USAGE, *base, "--class", "nonsense")
        refuse(USAGE, *base, "--accumulator", "hopper-fp8")
        refuse(USAGE, *base, "--block", "tensor")
        refuse(USAGE, *base, "--count", "0")
        refuse(USAGE, "--format", "nvfp5", "--op", "dot")
        refuse(USAGE, "--format", "nvfp4", "--op", "decode", "--debug")
        (place / "other").mkdir()
        (place / "other" / "notes.txt").write_text("mine")
        fail(CANNOT_WRITE, "vectors", *base, "--output", place / "other")
        expect_equal((place / "other" / "notes.txt").read_text(), "mine", "notes")


PEERS = GOLDEN / "peers" / "matrix-units"
PEER_CASES = [c for c in json.loads((PEERS / "manifest.json").read_text()) if c["a"] == c["b"]]
BLOCKS = {"e4m3": "mxfp8_e4m3", "e5m2": "mxfp8_e5m2", "e2m3": "mxfp6_e2m3", "e3m2": "mxfp6_e3m2",
          "e2m1": "mxfp4"}


@case(*[(c["name"],) for c in PEER_CASES])
def operands_from_files_give_the_recorded_outputs(name):
    peer = next(c for c in PEER_CASES if c["name"] == name)
    form = "nvfp4" if peer.get("scale") == "ue4m3" else BLOCKS[peer["a"]]
    unit = "ada-fp8"
    if peer["unit"] != "Ada Lovelace":
        scaled = "blackwell-fp4" if peer["a"] == "e2m1" else "blackwell-mx"
        unit = scaled if peer.get("scale") else "blackwell-fp8"
    prefix = PEERS / peer["files"]["A"].removesuffix(".A.npy")
    recorded = read_npy(PEERS / peer["files"]["D"])
    expected = [word for (word,) in struct.iter_unpack("<I", recorded.data.tobytes())]
    with folder() as place:
        manifest = vectors(place / "v", "mma", form, peer.get("block") or 32, "--accumulator",
                           unit, "--operands", prefix)
        found = [outs["d"][0] for _, _, outs in cases(place / "v", "mma", manifest)]
        expect_same_list(found, expected, name)


@case()
def operands_that_do_not_fit_are_refused():
    with folder() as place:
        prefix = PEERS / PEER_CASES[0]["files"]["A"].removesuffix(".A.npy")
        base = ("vectors", "--format", "mxfp8_e4m3", "--output", place / "v")
        fail(USAGE, *base, "--op", "mma", "--operands", prefix, "--count", 5)
        fail(NO_INPUT, *base, "--op", "mma", "--operands", place)
        expect_equal(list(place.iterdir()), [], "files left behind")


def golden(place):
    """A small folder of vectors, and its expected words in text."""
    vectors(place / "v", "mma", "mxfp8_e4m3", 32, "--accumulator", "hopper-fp8", "--emit",
            "raw,csv")
    text = (place / "v" / "mma.expected.memh").read_text().splitlines()
    return [line for line in text if not line.startswith("//")]


@case(("mma.expected.memh",), ("mma.expected.bin",), ("mma.csv",))
def the_golden_results_pass(name):
    with folder() as place:
        golden(place)
        report = strict_json(succeed("check", place / "v", place / "v" / name, "--as", "json"))
        expect_equal(report["mismatches"], 0, name)
        expect(report["compared"] > 1000, "compared")


@case()
def mismatches_are_counted_and_explained():
    with folder() as place:
        words = golden(place)
        manifest = strict_json((place / "v" / "manifest.json").read_text())
        hit = [c["first"] + c["count"] // 2 for c in manifest["classes"]]
        for index in hit:
            words[index] = f"{int(words[index], 16) ^ 0x400:08X}"
        (place / "r.memh").write_text("// device\n" + "\n".join(words) + "\n")
        outcome = blockscale("check", place / "v", place / "r.memh", "--as", "json", "--junit",
                             place / "j.xml", "--max-errors", 2)
        expect_equal(outcome.code, FAILED, "exit code")
        report = strict_json(outcome.stdout)
        expect_equal(report["mismatches"], len(hit), "mismatches")
        expect_equal([c["mismatches"] for c in report["classes"]], [1] * len(hit), "by class")
        text = "\n".join(row["explanation"] for row in report["first"])
        expect(f"case {hit[0]}," in text and f"case {hit[1]}," in text, text)
        expect(f"case {hit[2]}," not in text, "--max-errors")
        for word in ("expected 0", "observed 0", "sum before rounding", "a: "):
            expect(word in text, f"no {word!r} in {text}")
        junit = (place / "j.xml").read_text()
        expect(f'failures="{len(hit)}"' in junit and junit.startswith("<?xml"), junit[:200])


@case()
def a_wrong_alignment_is_named():
    """A device that rounds its aligned terms down is told so."""
    with folder() as place:
        words = golden(place)
        manifest = strict_json((place / "v" / "manifest.json").read_text())
        all_cases = cases(place / "v", "mma", manifest)
        changed = 0
        for index, (_, ins, _) in enumerate(all_cases):
            if any(c & 0x7F == 0x7F for c in ins["a"] + ins["b"]) or ins["c"][0] >> 23 & 255 == 255:
                continue
            a, b = ([units.E4M3.decode(code) for code in ins[side]] for side in "ab")
            terms = [units.FP32.decode(ins["c"][0])]
            terms += [(x[0] * y[0], x[1] + y[1]) for x, y in zip(a, b)]
            top = max(e if s else -133 for s, e in terms)
            unit = model.power(top - 13)
            total = sum(math.floor(s * model.power(e) / unit) for s, e in terms) * unit
            bits = units.round_toward_zero(total, 13)
            changed += bits != int(words[index], 16)
            words[index] = f"{bits:08x}"
        expect(changed > 50, f"only {changed} differ")
        (place / "r.memh").write_text("\n".join(words) + "\n")
        outcome = blockscale("check", place / "v", place / "r.memh", "--as", "json")
        report = strict_json(outcome.stdout)
        expect_equal(report["mismatches"], changed, "mismatches")
        text = "\n".join(row["explanation"] for row in report["first"])
        expect("aligned by towardNegative" in text, text[:2000])


@case()
def nan_and_mask_are_lenient_only_when_asked():
    with folder() as place:
        words = golden(place)
        nans = [i for i, w in enumerate(words) if int(w, 16) & 0x7FFFFFFF > 0x7F800000]
        expect(len(nans) > 20, "NaN results")
        for index in nans:
            words[index] = "7fc00001"
        (place / "r.memh").write_text("\n".join(words))
        run = ("check", place / "v", place / "r.memh")
        expect_equal(blockscale(*run).code, FAILED, "NaN patterns count")
        succeed(*run, "--any-nan")
        words = golden(place)
        low = [word[:-1] + "x" for word in words]
        (place / "r.memh").write_text("\n".join(low))
        fail(BAD_DATA, *run, mentions=["line 1"])
        succeed(*run, "--mask", "fffffff0")
        fail(BAD_DATA, *run, "--mask", "fffffff1")


def damaged(words):
    """Device files that are no results for the vectors, by name."""
    return {
        "truncated": words[:-1],
        "extra": words + ["00000000"],
        "missing": words[:5] + words[6:],
        "empty": [],
        "x": words[:3] + ["xxxxxxxx"] + words[4:],
        "z": words[:3] + ["0000z000"] + words[4:],
        "narrow": words[:3] + [words[3][1:]] + words[4:],
        "wide": words[:3] + ["0" + words[3]] + words[4:],
        "other digits": words[:3] + ["0000g000"] + words[4:],
        "address": words[:3] + ["@7"] + words[3:],
    }


@case(*[(name,) for name in damaged([""] * 9)])
def damaged_results_never_pass(name):
    with folder() as place:
        words = golden(place)
        (place / "r.memh").write_text("\n".join(damaged(words)[name]) + "\n")
        fail(BAD_DATA, "check", place / "v", place / "r.memh", mentions=["r.memh"])


@case()
def truncated_raw_and_csv_never_pass():
    with folder() as place:
        golden(place)
        raw = (place / "v" / "mma.expected.bin").read_bytes()
        for data in (raw[:-1], raw[:-4], raw + b"\0\0\0\0"):
            (place / "r.bin").write_bytes(data)
            fail(BAD_DATA, "check", place / "v", place / "r.bin", mentions=["r.bin"])
        lines = (place / "v" / "mma.csv").read_text().splitlines()
        for rows in (lines[:-1], lines[:4] + lines[5:], [lines[0].replace(",d", ",q")] + lines[1:],
                     lines[:4] + [lines[4] + ",0"] + lines[5:], lines[1:]):
            (place / "r.csv").write_text("\n".join(rows) + "\n")
            fail(BAD_DATA, "check", place / "v", place / "r.csv", mentions=["r.csv"])


@case()
def damaged_vectors_never_pass():
    with folder() as place:
        golden(place)
        result = place / "r.memh"
        shutil.copy(place / "v" / "mma.expected.memh", result)
        vectors(place / "w", "mma", "mxfp8_e4m3", 32, "--accumulator", "hopper-fp8", "--seed", 9)

        def damage(change, code=BAD_DATA):
            shutil.copytree(place / "v", place / "d")
            change(place / "d")
            fail(code, "check", place / "d", result)
            shutil.rmtree(place / "d")

        def flip(d):
            data = bytearray((d / "mma.inputs.memh").read_bytes())
            data[-2] ^= 1
            (d / "mma.inputs.memh").write_bytes(data)

        def change_checksum(d):
            manifest = strict_json((d / "manifest.json").read_text())
            manifest["files"][0]["sha256"] = "0" * 64
            (d / "manifest.json").write_text(json.dumps(manifest))

        def miscount(d):
            manifest = strict_json((d / "manifest.json").read_text())
            manifest["count"] -= 1
            manifest["classes"][-1]["count"] -= 1
            (d / "manifest.json").write_text(json.dumps(manifest))

        damage(flip)
        damage(change_checksum)
        damage(miscount)
        damage(lambda d: shutil.copy(place / "w" / "manifest.json", d))
        damage(lambda d: (d / "manifest.json").write_text("{}"))
        damage(lambda d: (d / "manifest.json").unlink(), NO_INPUT)
        damage(lambda d: (d / "mma.inputs.memh").unlink(), NO_INPUT)
        fail(NO_INPUT, "check", place / "nowhere", result)
        fail(NO_INPUT, "check", place / "v", place / "nowhere.memh")
