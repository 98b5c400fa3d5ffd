"""mma and matmul: a matrix unit's bits, the error's parts, and every refusal."""

import json
import random
from array import array
from fractions import Fraction

import inputs
import matmul_model as units
import model
from files import Tensor, float32, read_npy, write_npy, write_safetensors
from harness import (BAD_DATA, GOLDEN, NO_INPUT, OK, USAGE, blockscale, case, expect, expect_equal,
                     expect_same_list, fail, folder, strict_json, succeed)

TARGETS = ["auto", "avx2", "baseline", "reference"]


def codes(values, shape, dtype="U8"):
    return Tensor(dtype, shape, array({"U8": "B", "U16": "H", "U32": "I"}[dtype], values))


def float_bits_tensor(bits, shape):
    return Tensor("F32", shape, array("f", array("I", bits).tobytes()))


def bits_of(tensor):
    return array("I", tensor.data.tobytes())


def mma(place, a, b, element, accumulator, *more, c=None):
    """Runs mma on code tensors; returns D as it stands in the file."""
    words = ["--a", write_npy(place / "a.npy", a), "--b", write_npy(place / "b.npy", b)]
    if c is not None:
        words += ["--c", write_npy(place / "c.npy", c)]
    succeed("mma", "--element", element, "--accumulator", accumulator, *words, *more,
            "--output", place / "d.npy")
    return read_npy(place / "d.npy")


def finite_codes(source, count, limit, specials=()):
    result = []
    while len(result) < count:
        code = source.randrange(limit)
        if code not in specials:
            result.append(code)
    return result


E4M3_SPECIAL = (0x7F, 0xFF)
E5M2_SPECIAL = tuple(range(0x7C, 0x80)) + tuple(range(0xFC, 0x100))

# Accumulator, element, decoder, limit, codes left out, step, F, zero exponent, mantissa bits.
FUSED = [
    ("hopper-fp8", "e4m3", units.E4M3, 256, E4M3_SPECIAL, 32, 13, -133, 13),
    ("hopper-fp8", "e5m2", units.E5M2, 256, E5M2_SPECIAL, 32, 13, -133, 13),
    ("ada-fp8", "e5m2", units.E5M2, 256, E5M2_SPECIAL, 16, 13, -132, 13),
    ("blackwell-fp8", "e4m3", units.E4M3, 256, E4M3_SPECIAL, 32, 25, -133, 23),
    ("volta-fp16", "fp16", units.FP16, 0x7C00, (), 4, 23, -131, 23),
    ("ampere-fp16", "fp16", units.FP16, 0x7C00, (), 8, 24, -132, 23),
    ("hopper-bf16", "bf16", units.BF16, 0x7F80, (), 16, 25, -133, 23),
]


@case(*[(*row[:2], target) for row in FUSED for target in TARGETS])
def fused_units_agree_with_rational_numbers(accumulator, element, target):
    row = next(r for r in FUSED if r[:2] == (accumulator, element))
    _, _, form, limit, special, step, fraction, zero, mantissa = row
    source = random.Random(f"{accumulator} {element}")
    m, n, k = 6, 7, 2 * step + 3
    wide = limit > 256
    a = finite_codes(source, m * k, limit, special)
    b = finite_codes(source, k * n, limit, special)
    if wide:  # signs, and exponents near enough to meet
        middle = 15 << 10 if element == "fp16" else 127 << 7
        spread = 4 << (10 if element == "fp16" else 7)
        a = [middle + source.randrange(-spread, spread) | source.getrandbits(1) << 15 for _ in a]
        b = [middle + source.randrange(-spread, spread) | source.getrandbits(1) << 15 for _ in b]
    c = [source.getrandbits(1) << 31 | source.randrange(110, 150) << 23 | source.getrandbits(23)
         for _ in range(m * n)]
    expected = [
        units.fused([form.decode(a[i * k + x]) for x in range(k)],
                    [form.decode(b[x * n + j]) for x in range(k)], c[i * n + j], step, fraction,
                    zero, mantissa)
        for i in range(m) for j in range(n)]
    with folder() as place:
        kind = "U16" if wide else "U8"
        d = mma(place, codes(a, (m, k), kind), codes(b, (k, n), kind), element, accumulator,
                "--target", target, c=float_bits_tensor(c, (m, n)))
        expect_equal((d.dtype, d.shape), ("F32", (m, n)), "type and shape of D")
        expect_same_list(bits_of(d), expected, "D")


@case(*[(block_a, block_b, target) for block_a, block_b in [(16, 16), (17, 17), (24, 16), (3, 40)]
        for target in TARGETS])
def blackwell_fp4_agrees_with_rational_numbers(block_a, block_b, target):
    source = random.Random(block_a * 100 + block_b)
    m, n, k = 5, 6, 150
    a, b = finite_codes(source, m * k, 16), finite_codes(source, k * n, 16)
    blocks_a, blocks_b = -(-k // block_a), -(-k // block_b)
    scales_a = finite_codes(source, m * blocks_a, 0x7F)
    scales_b = finite_codes(source, blocks_b * n, 0x7F)
    c = [source.getrandbits(1) << 31 | source.randrange(100, 160) << 23 | source.getrandbits(23)
         for _ in range(m * n)]
    expected = [
        units.grouped([units.E2M1.value(a[i * k + x]) for x in range(k)],
                      [units.E2M1.value(b[x * n + j]) for x in range(k)], c[i * n + j],
                      [units.E4M3.decode(s) for s in scales_a[i * blocks_a:(i + 1) * blocks_a]],
                      [units.E4M3.decode(scales_b[x * n + j]) for x in range(blocks_b)],
                      block_a, block_b)
        for i in range(m) for j in range(n)]
    with folder() as place:
        sa = write_npy(place / "sa.npy", codes(scales_a, (m, blocks_a)))
        sb = write_npy(place / "sb.npy", codes(scales_b, (blocks_b, n)))
        d = mma(place, codes(a, (m, k)), codes(b, (k, n)), "e2m1", "blackwell-fp4", "--scale",
                "ue4m3", "--scale-a", sa, "--scale-b", sb, "--block", block_a, "--block-b", block_b,
                "--target", target, c=float_bits_tensor(c, (m, n)))
        expect_same_list(bits_of(d), expected, "D")


@case(*[(target,) for target in TARGETS])
def exact_sums_are_rounded_once(target):
    source = random.Random(5)
    m, n, k, block = 4, 5, 75, 17
    a = finite_codes(source, m * k, 256, E4M3_SPECIAL)
    b = finite_codes(source, k * n, 16)
    blocks = -(-k // block)
    scales = finite_codes(source, m * blocks, 255)
    c = [source.getrandbits(32) & 0xBFFFFFFF for _ in range(m * n)]
    expected = []
    for i in range(m):
        for j in range(n):
            total = units.FP32.value(c[i * n + j])
            for x in range(k):
                scale = model.power(scales[i * blocks + x // block] - 127)
                total += units.E4M3.value(a[i * k + x]) * units.E2M1.value(b[x * n + j]) * scale
            expected.append(units.round_to_nearest(total))
    with folder() as place:
        sa = write_npy(place / "sa.npy", codes(scales, (m, blocks)))
        d = mma(place, codes(a, (m, k)), codes(b, (k, n)), "e4m3", "exact", "--element-b", "e2m1",
                "--scale", "e8m0", "--scale-a", sa, "--block", block, "--target", target,
                c=float_bits_tensor(c, (m, n)))
        expect_same_list(bits_of(d), expected, "D")


# What A.3 lists for c = 2^23 and the products -2^23, -1/2, -1/4, -1/8.
DISCRIMINATOR = {
    "volta-fp16": 0, "turing-fp16": -0.5, "ampere-fp16": -0.5, "ada-fp16": -0.5,
    "hopper-fp16": -0.75, "blackwell-fp16": -0.75, "ada-fp8": 0, "hopper-fp8": 0,
    "blackwell-fp8": -0.75, "blackwell-mx": -0.75, "cdna1-fp16": -0.875, "cdna2-fp16": 0,
    "cdna2-bf16": -0.375, "cdna2-bf16-1k": 0, "cdna3-fp16": -0.5, "cdna3-bf16": -0.5,
    "cdna3-fp8": -1.0, "exact": -0.875,
}
# 2^12 · −2^11, 1 · −1/2, 1 · −1/4, 1 · −1/8 in each element.
DISCRIMINATOR_CODES = {
    "fp16": ([27 << 10, 15 << 10, 15 << 10, 15 << 10],
             [0x8000 | 26 << 10, 0x8000 | 14 << 10, 0x8000 | 13 << 10, 0x8000 | 12 << 10]),
    "bf16": ([139 << 7, 127 << 7, 127 << 7, 127 << 7],
             [0x8000 | 138 << 7, 0x8000 | 126 << 7, 0x8000 | 125 << 7, 0x8000 | 124 << 7]),
    "e5m2": ([27 << 2, 15 << 2, 15 << 2, 15 << 2],
             [0x80 | 26 << 2, 0x80 | 14 << 2, 0x80 | 13 << 2, 0x80 | 12 << 2]),
    "e5m2_fnuz": ([28 << 2, 16 << 2, 16 << 2, 16 << 2],
                  [0x80 | 27 << 2, 0x80 | 15 << 2, 0x80 | 14 << 2, 0x80 | 13 << 2]),
}


def discriminator_element(accumulator):
    if "bf16" in accumulator:
        return "bf16"
    if accumulator == "cdna3-fp8":
        return "e5m2_fnuz"
    return "e5m2" if accumulator.endswith(("fp8", "mx")) else "fp16"


@case(*[(name, target) for name in DISCRIMINATOR for target in TARGETS])
def the_discriminating_sum_names_the_unit(accumulator, target):
    element = discriminator_element(accumulator)
    left, right = DISCRIMINATOR_CODES[element]
    kind = "U8" if element.startswith("e5m2") else "U16"
    with folder() as place:
        d = mma(place, codes(left, (1, 4), kind), codes(right, (4, 1), kind), element, accumulator,
                "--target", target, c=float32([2.0**23], (1, 1)))
        expect_equal(d.data[0], float(DISCRIMINATOR[accumulator]), "D")


@case(*[(target,) for target in TARGETS])
def the_discriminating_sum_in_fp4_groups(target):
    # One product a group of 16: −2^23, −1/2, −1/4, −1/8 by the scales.
    a = [0] * 64
    b = [0] * 64
    for group, exponent in enumerate([23, -1, -2, -3]):
        a[16 * group], b[16 * group] = 2, 10
    scales = [127 + 23, 126, 125, 124]
    with folder() as place:
        sa = write_npy(place / "sa.npy", codes(scales, (1, 4)))
        d = mma(place, codes(a, (1, 64)), codes(b, (64, 1)), "e2m1", "blackwell-fp4", "--scale",
                "e8m0", "--scale-a", sa, "--block", 16, "--target", target,
                c=float32([2.0**23], (1, 1)))
        expect_equal(d.data[0], -0.875, "D")


@case(*[(target,) for target in TARGETS])
def integer_registers_wrap_and_saturate(target):
    with folder() as place:
        a, b = codes([127] * 8 + [128] * 8, (2, 8)), codes([127] * 8, (8, 1))
        c = Tensor("I32", (2, 1), array("i", [2**31 - 100, -(2**31) + 100]))
        wrap = mma(place, a, b, "int8", "int8-wrap", "--target", target, c=c)
        expect_equal(list(wrap.data), [2**31 - 100 + 8 * 127 * 127 - 2**32,
                                       -(2**31) + 100 - 8 * 128 * 127 + 2**32], "wrap")
        saturate = mma(place, a, b, "int8", "int8-saturate", "--target", target, c=c)
        expect_equal(list(saturate.data), [2**31 - 1, -(2**31)], "saturate")
        expect_equal(saturate.dtype, "I32", "type of D")


@case(*[(target,) for target in TARGETS])
def an_adder_of_ones_own(target):
    with folder() as place:
        a, b = codes([0x3C, 0x3C, 0x01], (1, 3)), codes([0x38, 0x38, 0x38], (3, 1))
        # 1.5 · 1 twice, and 2^-9, cut to multiples of 2^-4; 48 + 24 in eight bits wraps.
        d = mma(place, a, b, "e4m3", "fixed(8,-4,wrap)", "--target", target,
                c=Tensor("I64", (1, 1), array("q", [100])))
        expect_equal((d.dtype, list(d.data)), ("I64", [100 + 48 - 256]), "wrap")
        d = mma(place, a, b, "e4m3", "FIXED(8, -4, saturate)", "--target", target,
                c=Tensor("I64", (1, 1), array("q", [100])))
        expect_equal(list(d.data), [127], "saturate")


@case(*[(target,) for target in TARGETS])
def specials_in_any_lane(target):
    nan, infinity, one, zero = 0x7F, 0x7C, 0x3C, 0x00
    rows = {"nan": ([one, nan], 0x7FFFFFFF), "inf": ([infinity, one], 0x7F800000),
            "inf - inf": ([infinity, 0xFC], 0x7FFFFFFF)}
    with folder() as place:
        for name, (lanes, expected) in rows.items():
            for lane in range(0, 40, 13):
                a = [zero] * 40
                a[lane], a[(lane + 7) % 40] = lanes
                d = mma(place, codes(a, (1, 40)), codes([one] * 40, (40, 1)), "e5m2", "hopper-fp8",
                        "--target", target)
                expect_equal(hex(bits_of(d)[0]), hex(expected), f"{name} in lane {lane}")
        d = mma(place, codes([infinity], (1, 1)), codes([zero], (1, 1)), "e5m2", "exact",
                "--target", target)
        expect_equal(hex(bits_of(d)[0]), hex(0x7FC00000), "infinity times zero")
        sa = write_npy(place / "sa.npy", codes([255], (1, 1)))
        d = mma(place, codes([zero], (1, 1)), codes([zero], (1, 1)), "e5m2", "blackwell-mx",
                "--scale", "e8m0", "--block", 32, "--scale-a", sa, "--target", target)
        expect_equal(hex(bits_of(d)[0]), hex(0x7FFFFFFF), "a NaN scale on zeros")


@case(*[(target,) for target in TARGETS])
def half_precision_results_are_float16(target):
    with folder() as place:
        a, b = codes([0x3C00, 0x1000], (1, 2), "U16"), codes([0x3C00, 0x3C00], (2, 1), "U16")
        d = mma(place, a, b, "fp16", "turing-fp16-f16", "--target", target)
        expect_equal((d.dtype, list(d.data)), ("F16", [0x3C00]), "1 + 2^-11 ties to even")


@case(*[(target,) for target in TARGETS])
def no_products_give_c(target):
    with folder() as place:
        d = mma(place, codes([], (2, 0)), codes([], (0, 1)), "e4m3", "hopper-fp8", "--target",
                target, c=float_bits_tensor([0x80000000, 0x7FC12345], (2, 1)))
        expect_equal([hex(b) for b in bits_of(d)], ["0x80000000", "0x7fffffff"], "D")


MX = GOLDEN / "peers" / "matrix-units"


@case(*[(target,) for target in ["auto", "reference"]])
def recorded_matrix_units_match(target):
    manifest = json.loads((MX / "manifest.json").read_text())
    names = {"Ada Lovelace": "ada-fp8", "RTX Blackwell": "blackwell-fp8"}
    with folder() as place:
        for row in manifest:
            unit = names[row["unit"]]
            words = []
            if "scale" in row:
                unit = "blackwell-mx" if row["k"] == 32 else "blackwell-fp4"
                words = ["--scale", "e8m0" if row["scale"] == "ue8m0" else "ue4m3", "--block",
                         row["block"], "--scale-a", MX / row["files"]["SA"], "--scale-b",
                         MX / row["files"]["SB"]]
            succeed("mma", "--element", row["a"], "--element-b", row["b"], "--accumulator", unit,
                    "--a", MX / row["files"]["A"], "--b", MX / row["files"]["B"], "--c",
                    MX / row["files"]["C"], "--target", target, *words, "--output",
                    place / "d.npy")
            expected = read_npy(MX / row["files"]["D"])
            expect_same_list(bits_of(read_npy(place / "d.npy")),
                             expected.data if expected.dtype == "U32" else bits_of(expected),
                             row["name"])


def operands(place):
    a = write_npy(place / "x.npy", inputs.normal((12, 96), seed=8))
    b = write_npy(place / "w.npy", inputs.normal((96, 10), seed=9, spread=0.1))
    return a, b


def dequantised(place, path, form, axis, *more):
    succeed("quantize", path, "--format", form, "--axis", axis, *more, "--output", place / "q.safetensors")
    succeed("dequantize", place / "q.safetensors", "--output", place / "y.npy")
    return [Fraction(v) for v in read_npy(place / "y.npy").data]


@case(*[(target,) for target in TARGETS])
def matmul_is_quantise_multiply_and_round(target):
    with folder() as place:
        a, b = operands(place)
        succeed("matmul", a, b, "--format", "mxfp8", "--block", 24, "--target", target, "--output",
                place / "d.npy")
        left = dequantised(place, a, "mxfp8", -1, "--block", 24)
        right = dequantised(place, b, "mxfp8", 0, "--block", 24)
        expected = [
            units.round_to_nearest(sum(left[i * 96 + k] * right[k * 10 + j] for k in range(96)))
            for i in range(12) for j in range(10)]
        expect_same_list(bits_of(read_npy(place / "d.npy")), expected, "D")


def measured(*words):
    return strict_json(succeed("matmul", *words, "--as", "json"))


@case(("exact",), ("hopper-fp8",), ("hopper-fp8-promoted",), ("fp32-sequential",), ("blackwell-mx",))
def the_parts_sum_to_the_total(accumulator):
    with folder() as place:
        a, b = operands(place)
        report = measured(a, b, "--format", "mxfp8", "--accumulator", accumulator)
        (result,) = report["results"]
        parts = result["parts"]
        expect_equal(set(parts), {"weight", "activation", "interaction", "accumulation"}, "parts")
        for key, total in (("mean_error", result["mean_error"]), ("mse_contribution", result["mse"]),
                           ("share", 1.0)):
            whole = sum(part[key] for part in parts.values())
            expect(abs(whole - total) <= 1e-12 * max(1, abs(total)), f"{key}: {whole} is not {total}")
        worst = report["worst"][0]
        expect(abs(worst["observed"] - worst["exact"] - worst["error"]) < 1e-12, "error of the worst")
        whole = sum(worst[name] for name in parts)
        expect(abs(whole - worst["error"]) < 1e-12, f"parts of the worst: {whole}")
        expect_equal(len(report["output_rows"]), 12, "rows")
        expect_equal(len(report["output_columns"]), 10, "columns")
        expect_equal(sum(bin["count"] for bin in report["histogram"]) + result["exact_outputs"], 120,
                     "histogram")


@case()
def the_statistics_are_those_of_rational_numbers():
    with folder() as place:
        a, b = operands(place)
        result = measured(a, b, "--format", "nvfp4", "--accumulator", "blackwell-fp4", "--output",
                          place / "d.npy")["results"][0]
        x = [Fraction(v) for v in inputs.normal((12, 96), seed=8).data]
        w = [Fraction(v) for v in inputs.normal((96, 10), seed=9, spread=0.1).data]
        d = [Fraction(v) for v in read_npy(place / "d.npy").data]
        squares = errors = 0
        for i in range(12):
            for j in range(10):
                exact = sum(x[i * 96 + k] * w[k * 10 + j] for k in range(96))
                squares += exact**2
                errors += (d[i * 10 + j] - exact) ** 2
        expect(abs(result["nmse"] / float(errors / squares) - 1) < 1e-10, f"nmse {result['nmse']}")


@case()
def the_layout_of_b_does_not_matter():
    with folder() as place:
        a, b = operands(place)
        weights = inputs.normal((96, 10), seed=9, spread=0.1)
        turned = float32([weights.data[k * 10 + j] for j in range(10) for k in range(96)], (10, 96))
        plain = measured(a, b, "--format", "nvfp4")
        other = measured(a, write_npy(place / "wt.npy", turned), "--format", "nvfp4", "--transpose-b")
        for key in ("mse", "nmse", "mean_error", "max_abs_error"):
            expect_equal(other["results"][0][key], plain["results"][0][key], key)


@case(("1",), ("2",), ("5",))
def threads_change_no_digit(threads):
    with folder() as place:
        a, b = operands(place)
        words = (a, b, "--format", "nvfp4", "--accumulator", "blackwell-fp4", "--as", "json")
        expect_equal(succeed("matmul", *words, "--threads", threads), succeed("matmul", *words),
                     f"report with {threads} threads")


@case()
def a_sample_says_so_and_repeats():
    with folder() as place:
        a, b = operands(place)
        report = measured(a, b, "--format", "nvfp4", "--fraction", 0.25, "--seed", 3)
        result = report["results"][0]
        expect_equal((result["sampled_rows"], result["sampled_columns"], result["count"]),
                     (6, 5, 30), "sample")
        again = measured(a, b, "--format", "nvfp4", "--fraction", 0.25, "--seed", 3)
        expect_equal(again["results"], report["results"], "the same seed")
        text = succeed("matmul", a, b, "--format", "nvfp4", "--fraction", 0.25, "--seed", 3)
        expect("A sample: 6 rows and 5 columns of each matrix, seed 3" in text, "the table does not say so")


@case()
def either_side_may_stay_unquantised():
    with folder() as place:
        a, b = operands(place)
        none = measured(a, b, "--format", "none")["results"][0]
        for part in ("weight", "activation", "interaction"):
            expect_equal(none["parts"][part]["mse"], 0.0, part)
        mixed = measured(a, b, "--format", "none", "--format-b", "int4_fp16", "--accumulator",
                         "hopper-bf16")["results"][0]
        expect_equal((mixed["a"]["element"], mixed["b"]["element"]), ("bf16", "bf16"), "elements")
        expect(mixed["parts"]["weight"]["mse"] > mixed["parts"]["activation"]["mse"] > 0, "parts")


@case()
def leading_axes_are_products_of_their_own():
    with folder() as place:
        q = inputs.normal((3, 5, 32), seed=1)
        k = inputs.normal((3, 7, 32), seed=2)
        path = write_safetensors(place / "qk.safetensors", {"q": q, "k": k})
        succeed("matmul", f"{path}:q", f"{path}:k", "--transpose-b", "--format", "mxfp8", "--output",
                place / "d.npy")
        d = read_npy(place / "d.npy")
        expect_equal(d.shape, (3, 5, 7), "shape")
        one = write_npy(place / "q1.npy", float32(q.data[160:320], (5, 32)))
        other = write_npy(place / "k1.npy", float32(k.data[224:448], (7, 32)))
        succeed("matmul", one, other, "--transpose-b", "--format", "mxfp8", "--output",
                place / "d1.npy")
        expect_same_list(bits_of(d)[35:70], bits_of(read_npy(place / "d1.npy")), "the second")


REFUSALS = {
    "depths": (BAD_DATA, ["A", "A", "--format", "mxfp8"], ["k = 96", "A.npy"]),
    "hint": (BAD_DATA, ["A", "BT", "--format", "mxfp8"], ["--transpose-b"]),
    "element": (USAGE, ["A", "B", "--format", "mxint8", "--accumulator", "blackwell-mx"],
                ["blackwell-mx", "mxint8"]),
    "scale": (USAGE, ["A", "B", "--format", "nvfp4", "--accumulator", "blackwell-mx"], ["ue4m3"]),
    "none": (USAGE, ["A", "B", "--format", "none", "--accumulator", "int8-wrap"], ["integer"]),
    "accumulator": (USAGE, ["A", "B", "--format", "mxfp8", "--accumulator", "hoper"], ["hoper"]),
    "fraction": (USAGE, ["A", "B", "--format", "mxfp8", "--fraction", "0"], ["fraction"]),
    "sampled file": (USAGE, ["A", "B", "--format", "mxfp8", "--fraction", "0.5", "--output",
                             "d.npy"], ["--fraction"]),
    "nothing to round": (USAGE, ["A", "B", "--format", "none", "--block", "16"], ["--block"]),
    "adder": (USAGE, ["A", "B", "--format", "mxfp8", "--accumulator", "fixed(1,0,wrap)"], ["2 to 64"]),
    "threads": (USAGE, ["A", "B", "--format", "mxfp8", "--threads", "-2"], ["1 or more"]),
    "missing": (NO_INPUT, ["A", "absent.npy", "--format", "mxfp8"], ["absent.npy"]),
    "output": (USAGE, ["A", "B", "--format", "mxfp8", "--output", "d.txt"], ["d.txt"]),
}


@case(*[(name,) for name in REFUSALS])
def matmul_refuses(name):
    code, words, mentions = REFUSALS[name]
    with folder() as place:
        write_npy(place / "A.npy", inputs.normal((8, 96)))
        write_npy(place / "B.npy", inputs.normal((96, 8)))
        write_npy(place / "BT.npy", inputs.normal((10, 96)))
        files = {"A": place / "A.npy", "B": place / "B.npy", "BT": place / "BT.npy"}
        fail(code, "matmul", *[files.get(word, word) for word in words], mentions=mentions,
             cwd=place)
        expect(not (place / "d.npy").exists(), "an output was left")


@case(("code", [16, 0], (1, 2), BAD_DATA, ["[0, 0]", "0x10"]),
      ("rank", [1, 0], (2,), BAD_DATA, ["two axes"]),
      ("depth", [1, 0, 3], (1, 3), BAD_DATA, ["b.npy", "k = 3"]))
def mma_refuses(what, values, shape, code, mentions):
    with folder() as place:
        a = write_npy(place / "a.npy", codes(values, shape))
        b = write_npy(place / "b.npy", codes([1, 2], (2, 1)))
        fail(code, "mma", "--element", "e2m1", "--accumulator", "exact", "--a", a, "--b", b,
             "--output", place / "d.npy", mentions=mentions)
        expect(not (place / "d.npy").exists(), "an output was left")


@case()
def a_users_own_accumulator_needs_no_code():
    row = """{version: 1, accumulators: [{name: "mine", operands: ["e5m2"],
      fused: {terms: 4, fraction: 3, zero: -20}, output: "e8m3", rounding: "towardZero"}]}"""
    with folder() as place:
        (place / "mine.json5").write_text(row)
        left, right = DISCRIMINATOR_CODES["e5m2"]
        expected = units.fused([units.E5M2.decode(x) for x in [0x3F, 0x3D, 0x31, 0x2D]],
                               [units.E5M2.decode(x) for x in [0x3E, 0xBD, 0x3C, 0x3F]],
                               units.float_bits(0.4375), 4, 3, -20, 3)
        for target in TARGETS:
            d = mma(place, codes([0x3F, 0x3D, 0x31, 0x2D], (1, 4)),
                    codes([0x3E, 0xBD, 0x3C, 0x3F], (4, 1)), "e5m2", "mine", "--formats",
                    place / "mine.json5", "--target", target, c=float32([0.4375], (1, 1)))
            expect_equal(hex(bits_of(d)[0]), hex(expected), f"D on {target}")
        (place / "mine.json5").write_text(row.replace("fraction", "fractoin"))
        fail(BAD_DATA, "formats", "mine", "--formats", place / "mine.json5",
             mentions=["fractoin", "fraction"])


@case()
def a_trace_shows_what_was_cut_off():
    left, right = DISCRIMINATOR_CODES["fp16"]
    with folder() as place:
        words = ["--a", write_npy(place / "a.npy", codes(left, (1, 4), "U16")), "--b",
                 write_npy(place / "b.npy", codes(right, (4, 1), "U16")), "--c",
                 write_npy(place / "c.npy", float32([2.0**23], (1, 1))), "--output",
                 place / "d.npy", "--element", "fp16", "--accumulator", "turing-fp16"]
        report = strict_json(succeed("mma", *words, "--trace", "0,0", "--as", "json"))
        expect_equal(report["result"], "0xbf000000", "result")
        (step,) = report["steps"]
        expect_equal((step["kind"], step["maximum_exponent"], step["sum_value"]), ("fused", 23, -0.5),
                     "step")
        added = [term["aligned_value"] for term in report["terms"] if term["value"]]
        expect_equal(sorted(added), sorted([2.0**23, -(2.0**23), -0.5, 0, 0]), "what was added")
        expect("max exponent" in succeed("mma", *words, "--trace", "0,0"), "table")
        fail(USAGE, "mma", *words, "--trace", "1,0", mentions=["row 1"])


def one_output(place, element, accumulator, a, b, c, target, *more):
    """D's bits of one dot product of codes."""
    kind = "U16" if element in ("bf16", "fp16") else "U8"
    d = mma(place, codes(a, (1, len(a)), kind), codes(b, (len(b), 1), kind), element, accumulator,
            "--target", target, *more, c=float_bits_tensor([c], (1, 1)))
    return hex(bits_of(d)[0])


MINUS_ZERO, NAN = 0x80000000, 0x7FC00000
INFINITY, ONE, SMALL = 0x7F80, 0x3F80, 0x0001


@case(*[(name, target) for name in ["amx-bf16", "cdna2-bf16", "cdna2-bf16-1k"] for target in TARGETS])
def a_nan_in_c_stays(accumulator, target):
    with folder() as place:
        expect_equal(one_output(place, "bf16", accumulator, [INFINITY], [ONE], NAN, target), hex(NAN),
                     "c NaN beside an infinity")
        expect_equal(one_output(place, "bf16", accumulator, [], [], NAN, target), hex(NAN), "K = 0")


@case(*[(target,) for target in TARGETS])
def a_negative_zero_stays_where_every_addend_is_one(target):
    with folder() as place:
        scale = write_npy(place / "s.npy", codes([127], (1, 1)))
        scaled = ["--scale", "e8m0", "--block", 16, "--scale-a", scale, "--scale-b", scale]
        for accumulator in ("fp32-sequential", "fp32-pairwise"):
            for words in ([], scaled):
                d = one_output(place, "e4m3", accumulator, [0x80], [0x38], MINUS_ZERO, target, *words)
                expect_equal(d, hex(MINUS_ZERO), f"{accumulator} {words[:2]}: -0 + -0")
                d = one_output(place, "e4m3", accumulator, [0x80] * 4, [0x80, 0xB8, 0x80, 0x80],
                               MINUS_ZERO, target, *words)
                expect_equal(d, hex(0), f"{accumulator} {words[:2]}: -0 + +0")
        # CDNA2 reads zeros and subnormals of both signs as +0, c too.
        for c in (MINUS_ZERO, 0x80000001):
            d = one_output(place, "bf16", "cdna2-bf16", [0x8000, 0x8000], [ONE, ONE], c, target)
            expect_equal(d, hex(0), f"cdna2 with c = {c:#x}")


@case(*[(target,) for target in TARGETS])
def promoted_sums_keep_c_in_float32(target):
    with folder() as place:
        c = 0x40400001
        for a in ([], [0]):
            d = one_output(place, "e4m3", "hopper-fp8-promoted", a, a, c, target)
            expect_equal(d, hex(c), f"K = {len(a)}")


@case()
def an_adder_of_ones_own_measures_a_matmul():
    with folder() as place:
        a, b = operands(place)
        report = measured(a, b, "--format", "mxfp8", "--accumulator", "fixed(40,-20,saturate),exact")
        fixed, exact = report["results"]
        expect_equal(fixed["accumulator"], "fixed(40,-20,saturate)", "accumulator")
        expect(abs(fixed["nmse"] / exact["nmse"] - 1) < 1e-4,
               f"nmse {fixed['nmse']} beside {exact['nmse']}")
        added = fixed["parts"]["accumulation"]["max_abs_error"]
        expect(2.0**-20 < added < 96 * 2.0**-20, f"what cutting to multiples of 2^-20 adds: {added}")


@case()
def outputs_that_are_not_finite_are_told():
    with folder() as place:
        a, b = operands(place)
        values = inputs.normal((12, 96), seed=8)
        values.data[5] = inputs.NAN
        path = write_npy(place / "nan.npy", values)
        words = (path, b, "--format", "mxfp8")
        result = measured(*words)["results"][0]
        expect_equal((result["non_finite"], result["non_finite_exact"]), (10, 10), "counts")
        note = "10 of 120 outputs are NaN or infinite, the first at row 0, column 0 (10 of them in A"
        expect(note in succeed("matmul", *words), "the table does not tell")


@case()
def numbers_that_float32_lacks_are_told():
    with folder() as place:
        _, b = operands(place)
        wide = write_npy(place / "wide.npy", Tensor("F64", (2, 96), array("d", [0.1] * 192)))
        outcome = blockscale("matmul", wide, b, "--format", "mxfp8", "--as", "json")
        expect_equal(outcome.code, OK, "exit code")
        expect("192 of 192 F64 elements rounded to float32" in outcome.stderr, outcome.stderr)
        result = strict_json(outcome.stdout)["results"][0]
        expect_equal((result["a"]["narrowed"], result["b"]["narrowed"]), (192, 0), "narrowed")


@case()
def stochastic_rounding_draws_apart():
    with folder() as place:
        same = write_npy(place / "x.npy", inputs.normal((8, 64), seed=3))
        batch = write_npy(place / "xx.npy", float32(list(inputs.normal((8, 64), seed=3).data) * 2,
                                                    (2, 8, 64)))
        words = ("--transpose-b", "--format", "mxfp4", "--rounding", "stochastic", "--output")
        succeed("matmul", same, same, *words, place / "d.npy")
        d = list(read_npy(place / "d.npy").data)
        turned = [d[j * 8 + i] for i in range(8) for j in range(8)]
        expect(d != turned, "equal operands rounded alike: D is symmetric")
        succeed("matmul", batch, batch, *words, place / "dd.npy")
        dd = list(read_npy(place / "dd.npy").data)
        expect(dd[:64] != dd[64:], "the matrices of a batch rounded alike")
        expect_equal(dd[:64], d, "the first matrix")
        # The numbers of a file, with those that were drawn, give the same codes.
        zeros = write_npy(place / "r.npy", codes([0] * 512, (8, 64)))
        succeed("matmul", same, same, *words, place / "z.npy", "--random-bits", zeros,
                "--random-bits-b", zeros)
        z = list(read_npy(place / "z.npy").data)
        expect_equal(z, [z[j * 8 + i] for i in range(8) for j in range(8)], "given bits")
        short = write_npy(place / "short.npy", codes([0] * 10, (10,)))
        fail(BAD_DATA, "matmul", same, same, *words, place / "no.npy", "--random-bits", short,
             mentions=["512"])


@case()
def extremes_of_the_command_line():
    with folder() as place:
        a = write_npy(place / "a.npy", codes([1, 2], (1, 2)))
        b = write_npy(place / "b.npy", codes([1, 2], (2, 1)))
        scale = write_npy(place / "s.npy", codes([127], (1, 1)))
        words = ("mma", "--element", "e2m1", "--accumulator", "exact", "--a", a, "--b", b, "--output",
                 place / "d.npy")
        succeed(*words, "--scale", "e8m0", "--block", 2**63 - 1, "--scale-a", scale)
        (place / "d.npy").unlink()
        fail(USAGE, *words, "--trace", "1,0", mentions=["row 1"])
        expect(not (place / "d.npy").exists(), "a refused trace left an output")
        fail(USAGE, *words, "--scale", "e8m0", "--block", 2, "--scale-a", scale, "--block-b", 2,
             mentions=["--scale-b"])
        fail(NO_INPUT, "mma", "--element", "e2m1", "--accumulator", "exact", "--a", f"{a}:none", "--b",
             b, "--output", place / "d.npy", mentions=["none"])
        fail(BAD_DATA, *words, "--c", write_npy(place / "c.npy", codes([1], (1, 1))),
             mentions=["F32", "c.npy"])
