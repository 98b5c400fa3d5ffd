"""vectors --op matmul: tiles against rational models of the units, operands from files, check."""

import struct
import sys
from fractions import Fraction

import matmul_model as units
from files import npy_header
from harness import (BAD_DATA, FAILED, GOLDEN, NO_INPUT, ROOT, USAGE, blockscale, case, expect,
                     expect_equal, fail, folder, strict_json, succeed)

sys.path.insert(0, str(ROOT / "tools"))
from vector_reader import Vectors, read_npy  # noqa: E402

PEERS = GOLDEN / "peers/matrix-units"


def tiles(place, *options):
    succeed("vectors", "--op", "matmul", *options, "--output", place)
    return Vectors(place)


def rows(lanes, count):
    """A matrix's lanes as `count` rows."""
    width = len(lanes) // count
    return [lanes[line * width:(line + 1) * width] for line in range(count)]


def value(bits):
    return Fraction(struct.unpack("<f", struct.pack("<I", bits))[0])


def is_finite(bits):
    return bits & 0x7F800000 != 0x7F800000


@case((40,), (136,))
def an_nvfp4_tile_is_its_rows_and_columns_in_steps_of_64(depth):
    """Groups of 16, a tail block, chained steps, and tensor scales at the end."""
    with folder() as place:
        v = tiles(place / "v", "--format", "nvfp4", "--accumulator", "blackwell-fp4", "--tile",
                  f"2x3x{depth}", "--count", 120)
        compared = 0
        fields = [v.field(n) for n in ("a", "b", "scale_a", "scale_b", "tensor_scale_a",
                                       "tensor_scale_b", "c", "d")]
        for index, (a, b, sa, sb, ta, tb, c, d) in enumerate(zip(*fields)):
            factor = value(units.round_to_nearest(value(ta[0]) * value(tb[0])))
            lines = list(zip(rows(a, 2), rows(sa, 2))), list(zip(rows(b, 3), rows(sb, 3)))
            for place_in_d, observed in enumerate(d):
                (left, left_scales), (right, right_scales) = (
                    lines[0][place_in_d // 3], lines[1][place_in_d % 3])
                # Bit 7 of a UE4M3 scale is ignored; the vectors set it now and then.
                left_scales, right_scales = ([s & 0x7F for s in side]
                                             for side in (left_scales, right_scales))
                start = c[place_in_d]
                if not is_finite(start) or 0x7F in left_scales + right_scales:
                    continue
                bits = units.grouped(
                    [units.E2M1.value(x) for x in left], [units.E2M1.value(x) for x in right],
                    start, [units.E4M3.decode(s) for s in left_scales],
                    [units.E4M3.decode(s) for s in right_scales], 16, 16)
                if is_finite(bits):
                    bits = units.round_to_nearest(value(bits) * factor)
                # The model has no sign of zero.
                both = observed & 0x7FFFFFFF, bits & 0x7FFFFFFF
                expect(observed == bits or both == (0, 0),
                       f"case {index}, d[{place_in_d // 3}, {place_in_d % 3}]: expected {bits:#x},"
                       f" observed {observed:#x}: a {left}, b {right}, c {start:#x}")
                compared += 1
        expect(compared > 500, f"only {compared} compared")


@case(("hopper-fp8", 32, 13, -133, 13), ("ada-fp8", 16, 13, -132, 13))
def an_unscaled_tile_chains_the_units_steps(accumulator, step, fraction, zero, mantissa):
    with folder() as place:
        v = tiles(place / "v", "--format", "e4m3", "--accumulator", accumulator, "--tile", "3x2x72",
                  "--count", 100)
        expect_equal(v.field("scale_a"), None, "scales of an element without any")
        compared = 0
        for a, b, c, d in zip(*map(v.field, "abcd")):
            for index, observed in enumerate(d):
                left, right = rows(a, 3)[index // 2], rows(b, 2)[index % 2]
                if not is_finite(c[index]) or any(x & 0x7F == 0x7F for x in left + right):
                    continue
                expected = units.fused([units.E4M3.decode(x) for x in left],
                                       [units.E4M3.decode(x) for x in right], c[index], step,
                                       fraction, zero, mantissa)
                expect_equal(hex(observed), hex(expected), f"d {index} of {left} x {right}")
                compared += 1
        expect(compared > 450, f"only {compared} compared")


@case()
def integer_tiles_without_scales_wrap():
    with folder() as place:
        v = tiles(place / "v", "--format", "int8", "--unscaled", "--accumulator", "int8-wrap",
                  "--tile", "2x2x40", "--count", 100)
        wrapped = 0
        for a, b, c, d in zip(*map(v.field, "abcd")):
            for index, observed in enumerate(d):
                left, right = ([x - 256 * (x > 127) for x in line] for line in (
                    rows(a, 2)[index // 2], rows(b, 2)[index % 2]))
                total = c[index] - 2**32 * (c[index] >> 31) + sum(
                    x * y for x, y in zip(left, right))
                wrapped += not -2**31 <= total < 2**31
                expect_equal(observed, total % 2**32, f"d {index} of {left} x {right}")
        expect(wrapped > 5, f"{wrapped} sums leave the register")
        report = strict_json(succeed("check", place / "v", place / "v" / "matmul.expected.memh",
                                     "--as", "json"))
        expect_equal((report["compared"], report["mismatches"]), (100, 0), "check")


@case(("4x2",), ("16x1",), ("1x8",), ("16x8",))
def a_files_product_is_cut_into_tiles(shape):
    """Every tile of a recording's product is a part of what was recorded."""
    prefix = PEERS / "rtx-blackwell.nvfp4.finite"
    recorded = read_npy(f"{prefix}.D.npy")
    with folder() as place:
        v = tiles(place / "v", "--format", "nvfp4", "--accumulator", "blackwell-fp4", "--operands",
                  prefix, "--tile", f"{shape}x64")
        seen = []
        for lanes, outputs in zip(v.field("d"), v.places(16, 8)):
            for bits, (row, column) in zip(lanes, outputs):
                expect_equal(hex(bits), hex(recorded.patterns[8 * row + column]),
                             f"row {row}, column {column}")
                seen.append((row, column))
        expect_equal(len(set(seen)), 128, "outputs")
        expect_equal(v.manifest["operands"], "product", "how rows meet")


@case()
def a_mismatch_in_a_tile_is_explained_at_its_row_and_column():
    with folder() as place:
        v = tiles(place / "v", "--format", "mxfp8_e4m3", "--accumulator", "blackwell-mx", "--tile",
                  "2x3x72", "--class", "random", "--count", 9, "--emit", "csv", "--debug")
        words = [f"{word:048x}" for word in v.expected]
        changed = v.expected[4] ^ 1 << 32 * (1 * 3 + 2) + 9
        words[4] = f"{changed:048x}"
        (place / "r.memh").write_text("\n".join(words) + "\n")
        outcome = blockscale("check", place / "v", place / "r.memh", "--as", "json")
        expect_equal(outcome.code, FAILED, outcome.stderr)
        text = "\n".join(
            row["explanation"] for row in strict_json(outcome.stdout)["first"])
        for part in ("case 4, class random", "1 of 2 x 3 outputs differ", "a[1]: ", "b[2]: ",
                     "scale_a[1]: ", "scale_b[2]: ", "c[1, 2]: ", "d[1, 2] expected ",
                     "d[1, 2] observed ", "k 71..<72", "sum before rounding"):
            expect(part in text, f"no {part!r} in {text}")
        for part in ("a[0]", "b[0]", "d[0, 0]"):
            expect(part not in text, f"{part!r} in {text}")
        # The debug columns hold three steps (32, 32 and 8 terms) for each of the six outputs.
        header, *lines = (place / "v" / "matmul.csv").read_text().splitlines()
        column = header.split(",").index("sum_before_rounding")
        sums = lines[4].split(",")[column].split("|")
        expect_equal([len(each.split(";")) for each in sums], [3] * 6, "debug columns")


@case()
def a_rule_that_gives_a_tiles_result_is_named():
    """A device that keeps one bit more or less when aligning."""
    with folder() as place:
        v = tiles(place / "v", "--format", "e4m3", "--accumulator", "hopper-fp8", "--tile",
                  "2x2x64", "--class", "random", "--count", 40)
        words, differ = [], 0
        for a, b, c, d in zip(*map(v.field, "abcd")):
            word = 0
            for index in range(4):
                left, right = rows(a, 2)[index // 2], rows(b, 2)[index % 2]
                bits = d[index]
                if is_finite(c[index]) and not any(x & 0x7F == 0x7F for x in left + right):
                    bits = units.fused([units.E4M3.decode(x) for x in left],
                                       [units.E4M3.decode(x) for x in right], c[index], 32, 12,
                                       -133, 13)
                differ += bits != d[index]
                word |= bits << 32 * index
            words.append(f"{word:032x}")
        expect(differ > 20, f"only {differ} differ")
        (place / "r.memh").write_text("\n".join(words) + "\n")
        outcome = blockscale("check", place / "v", place / "r.memh")
        expect_equal(outcome.code, FAILED, outcome.stderr)
        expect("an alignment that keeps 12 fraction bits, not 13" in outcome.stderr + outcome.stdout,
               outcome.stderr[:1000])


@case()
def a_whole_line_may_be_one_block():
    with folder() as place:
        v = tiles(place / "v", "--format", "int8_channel", "--accumulator", "int8-wrap", "--tile",
                  "2x3x50", "--count", 60)
        expect_equal([len(v.field(f)[0]) for f in ("a", "scale_a", "scale_b")], [100, 2, 3],
                     "lanes")
        succeed("check", place / "v", place / "v" / "matmul.expected.memh")
        fail(USAGE, "vectors", "--format", "int8_channel", "--op", "matmul", "--output",
             place / "w", mentions=["--tile"])


@case(("bf16", "cdna3-bf16", 8), ("fp16", "volta-fp16", 4), ("tf32", "hopper-tf32", 8))
def elements_without_scales_have_vectors(form, accumulator, terms):
    with folder() as place:
        succeed("vectors", "--format", form, "--op", "mma", "--accumulator", accumulator, "--count",
                300, "--output", place / "v")
        v = Vectors(place / "v")
        expect_equal((v.manifest["depth"], v.field("scale_a")), (terms, None), form)
        report = succeed("check", place / "v", place / "v" / "mma.expected.memh", "--as", "json")
        expect_equal(strict_json(report)["mismatches"], 0, form)
        fail(USAGE, "vectors", "--format", form, "--op", "quantize", "--output", place / "w",
             mentions=[form, "block format"])


@case()
def pairs_of_rows_meet_when_asked_or_when_nothing_else_fits():
    """The same square files as a product, and as pairs of rows."""
    def save(place, name, descr, shape, data):
        (place / f"{name}.npy").write_bytes(npy_header(descr, shape) + data)
    a, b = bytes(range(0x30, 0x39)), bytes(range(0x39, 0x30, -1))
    with folder() as place:
        save(place, "A", "|u1", (3, 3), a)
        save(place, "B", "|u1", (3, 3), b)
        base = ("vectors", "--format", "e4m3", "--op", "mma", "--accumulator", "hopper-fp8",
                "--operands", place)
        succeed(*base, "--output", place / "product")
        succeed(*base, "--pairs", "--output", place / "pairs")
        product, pairs = Vectors(place / "product"), Vectors(place / "pairs")
        expect_equal((product.manifest["count"], pairs.manifest["count"]), (9, 3), "cases")
        expect_equal(product.field("b")[1], list(b[1::3]), "column 1")
        expect_equal(pairs.field("b")[1], list(b[3:6]), "row 1")
        save(place, "C", "<f4", (3,), struct.pack("<3f", 1, 2, 3))
        succeed(*base, "--output", place / "with-c")
        with_c = Vectors(place / "with-c")
        expect_equal([c[0] for c in with_c.field("c")], [units.float_bits(c) for c in (1, 2, 3)],
                     "c of the pairs")
        again = pairs.manifest["command"].replace("DIR", "").split()
        expect("--pairs" in again, f"the command does not say how rows meet: {again}")
        save(place, "C", "<f4", (4,), struct.pack("<4f", 1, 2, 3, 4))
        fail(BAD_DATA, *base, "--output", place / "wrong", mentions=["C.npy"])
        save(place, "B", "|u1", (2, 3), b[:6])
        fail(BAD_DATA, *base, "--output", place / "wrong", mentions=["B.npy"])


@case()
def senseless_tiles_are_refused():
    prefix = PEERS / "ada-lovelace.e4m3.finite"
    nvfp4 = ("--format", "nvfp4", "--op", "matmul")
    peers = ("--format", "e4m3", "--accumulator", "ada-fp8", "--operands", prefix)
    with folder() as place:
        def refuse(code, *words, mentions=()):
            fail(code, "vectors", *words, "--output", place / "v", mentions=mentions)
            expect_equal(list(place.iterdir()), [], "files left behind")
        refuse(USAGE, *nvfp4, "--tile", "4x4", mentions=["4x4"])
        refuse(USAGE, *nvfp4, "--tile", "0x4x4")
        refuse(USAGE, *nvfp4, "--tile", "65x4x16", mentions=["65x4x16", "64 rows"])
        refuse(USAGE, *nvfp4, "--tile", "2x2x99999999999999999")
        refuse(USAGE, *nvfp4, "--block", "4x4", mentions=["4x4", "along K"])
        refuse(USAGE, *nvfp4, "--accumulator", "hopper-fp8", mentions=["hopper-fp8", "e2m1"])
        refuse(USAGE, *nvfp4, "--class", "exhaustive", mentions=["exhaustive"])
        refuse(USAGE, *nvfp4, "--pairs", mentions=["--operands"])
        refuse(USAGE, "--format", "nvfp4", "--op", "dot", "--tile", "1x1x4", mentions=["--tile"])
        refuse(USAGE, "--format", "nvfp4", "--op", "scale", "--unscaled", mentions=["--unscaled"])
        refuse(USAGE, "--format", "nvfp4", "--op", "encode", "--operands", prefix)
        refuse(USAGE, *peers, "--op", "matmul", "--tile", "5x2x32", mentions=["16 x 8", "5 x 2"])
        refuse(USAGE, *peers, "--op", "matmul", "--tile", "4x2x16", mentions=["k = 32"])
        refuse(BAD_DATA, *peers, "--op", "mma", "--pairs", mentions=["B.npy"])
        refuse(USAGE, *peers, "--op", "dot", mentions=["no c"])
        refuse(NO_INPUT, "--format", "e4m3", "--op", "matmul", "--operands", place / "nowhere")
