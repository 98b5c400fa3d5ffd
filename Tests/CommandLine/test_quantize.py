"""quantize and dequantize against the exact model, byte by byte."""

import json
import math
import random
import re
from array import array
from fractions import Fraction

import inputs
import model
from files import (Tensor, bits_to_float, float32, float_to_bits, npy_header, read_npy,
                   read_safetensors, write_npy, write_npz, write_safetensors)
from harness import (BAD_DATA, USAGE, Skipped, blockscale, case, expect, expect_equal,
                     expect_same_list, fail, folder, succeed)

FORMATS = ["mxfp4", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp8_e4m3", "mxfp8_e5m2", "mxint8", "nvfp4",
           "int8", "int4"]
TARGETS = {"avx512": "avx512bw", "avx2": "avx2", "baseline": "", "reference": "", "auto": ""}


def block_text(block):
    return "x".join(map(str, block)) if isinstance(block, tuple) else str(block)


def quantize(place, tensor, name, *options, output="q.safetensors"):
    """Runs quantize on one npy tensor; returns the tensors written and the metadata."""
    source = write_npy(place / "in.npy", tensor)
    stdout = succeed("quantize", source, "--format", name, *options, "--output", place / output)
    expect_equal(sorted(p.name for p in place.iterdir() if p.suffix == ".safetensors"),
                 [output], "safetensors files in the folder")
    return read_safetensors(place / output) + (stdout,)


def codes_of(tensors, shape, bits, name="tensor"):
    """One code per element, unpacked here: low nibble first along the last axis."""
    stored = tensors[f"{name}.codes"]
    expect_equal(stored.dtype, "U8", "dtype of the codes")
    if bits > 4 or stored.shape == tuple(shape):
        expect_equal(stored.shape, tuple(shape), "shape of the codes")
        return list(stored.data)
    columns = shape[-1]
    width = (columns + 1) // 2
    expect_equal(stored.shape, tuple(shape[:-1]) + (width,), "shape of the packed codes")
    codes = []
    for line in range(math.prod(shape[:-1])):
        nibbles = [n for byte in stored.data[line * width : (line + 1) * width]
                   for n in (byte & 15, byte >> 4)]
        expect_equal(nibbles[columns:], [0] * (2 * width - columns), "nibble after an odd tail")
        codes += nibbles[:columns]
    return codes


def expect_quantised(tensors, shape, name, expected):
    """The tensors that quantize wrote hold the model's codes, scales and tensor scale."""
    kind = model.FORMATS[name]
    scales = tensors["tensor.scales"]
    expect_equal(scales.dtype, kind.scale.dtype, "dtype of the scales")
    if kind.scale.dtype == "U8":
        expect_same_list(scales.data, expected.scales, "scales")
    else:
        stored = [float_to_bits(s) for s in scales.data]
        wanted = [float_to_bits(float(s)) for s in expected.scales]
        expect_same_list(stored, wanted, "scales")
    codes = codes_of(tensors, shape, kind.element.bits)
    expect_same_list(codes, expected.codes, "codes")
    expect_equal("tensor.tensor_scale" in tensors, kind.two_level, "a tensor scale is present")
    if kind.two_level:
        factor = tensors["tensor.tensor_scale"]
        expect_equal((factor.dtype, factor.shape), ("F32", (1,)), "the tensor scale's type")
        expect_equal(factor.data[0], float(expected.tensor_scale), "tensor scale")


def expect_dequantised(place, shape, expected, source="q.safetensors"):
    """dequantize gives the model's float32 values; a zero's sign is left open."""
    succeed("dequantize", place / source, "--output", place / "back.npy")
    back = read_npy(place / "back.npy")
    expect_equal((back.dtype, back.shape), ("F32", tuple(shape)), "type of the dequantised tensor")
    expect_same_list([bits_or_nan(v) for v in back.data],
                     [bits_or_nan(v) for v in expected.dequantised], "dequantised")


def bits_or_nan(value):
    if math.isnan(value):
        return 0x7FC00000
    return float_to_bits(value) if value else 0


# tensor, block, axis
SHAPES = [
    ("normal", (6, 64), 16, -1),
    ("normal", (6, 64), 32, -1),
    ("boundaries", (16, 64), 16, -1),
    ("any_finite", (8, 64), 32, -1),
    ("special", (8, 64), 16, -1),
    ("special", (8, 64), 32, -1),
    ("normal", (5, 37), 17, -1),
    ("normal", (5, 37), 1, -1),
    ("normal", (5, 37), 37, -1),
    ("normal", (5, 37), 1000, -1),
    ("boundaries", (7, 45), 24, -1),
    ("normal", (37, 5), 16, 0),
    ("boundaries", (50, 9), 17, 0),
    ("normal", (3, 4, 20), 8, 1),
    ("normal", (3, 4, 20), 8, -1),
    ("normal", (100,), 32, -1),
    ("normal", (40, 50), (16, 16), -1),
    ("boundaries", (9, 21), (4, 8), -1),
    ("special", (8, 64), (3, 5), -1),
    ("normal", (6, 40), "axis", -1),
    ("normal", (6, 40), "axis", 0),
    ("normal", (6, 40), "tensor", -1),
    ("normal", (1, 1), 16, -1),
]


@case(*[(name, *row) for name in FORMATS for row in SHAPES])
def round_trip_equals_the_model(name, kind, shape, block, axis):
    with folder() as place:
        tensor = getattr(inputs, kind)(shape)
        tensors, _, _ = quantize(place, tensor, name, "--block", block_text(block),
                                 "--axis", axis)
        expected = model.quantise(tensor.data, shape, name, block, axis)
        expect_quantised(tensors, shape, name, expected)
        if block != "tensor":
            expect_equal(tensors["tensor.scales"].shape, tuple(expected.scale_shape),
                         "shape of the scales")
        expect_dequantised(place, shape, expected)


@case(("mxfp4", 32), ("mxfp8_e4m3", 32), ("nvfp4", 16), ("fp8_1x128", 128))
def the_rows_block_is_the_default(name, block):
    with folder() as place:
        tensor = inputs.normal((4, 300))
        tensors, _, _ = quantize(place, tensor, name)
        expected = model.quantise(tensor.data, tensor.shape, name, block)
        expect_quantised(tensors, tensor.shape, name, expected)


ROUNDINGS = ["tiesToEven", "tiesToAway", "towardZero", "towardPositive", "towardNegative", "toOdd"]


@case(*[(n, r) for n in ("mxfp4", "mxfp8_e4m3", "nvfp4", "int8") for r in ROUNDINGS])
def roundings_equal_the_model(name, rounding):
    with folder() as place:
        tensor = inputs.boundaries((8, 64))
        tensors, _, _ = quantize(place, tensor, name, "--block", 16, "--rounding", rounding)
        expected = model.quantise(tensor.data, tensor.shape, name, 16, rounding=rounding)
        expect_quantised(tensors, tensor.shape, name, expected)


@case(("mxfp4", 8, 1), ("nvfp4", 8, 12345678901), ("mxfp8_e4m3", 3, 7), ("int8", 32, 1))
def stochastic_rounding_draws_from_philox(name, bits, seed):
    with folder() as place:
        tensor = inputs.normal((8, 64))
        tensors, _, _ = quantize(place, tensor, name, "--block", 16, "--rounding",
                                 f"stochastic:{bits}", "--seed", seed)
        expected = model.quantise(tensor.data, tensor.shape, name, 16, rounding="stochastic",
                                  seed=seed, bits=bits)
        expect_quantised(tensors, tensor.shape, name, expected)


@case(("mxfp4", 8, "U8"), ("nvfp4", 8, "U32"), ("int8", 16, "U32"))
def stochastic_rounding_takes_its_bits_from_a_file(name, bits, dtype):
    with folder() as place:
        tensor = inputs.normal((8, 64))
        source = random.Random(5)
        numbers = [source.getrandbits(bits) for _ in tensor.data]
        data = array("B" if dtype == "U8" else "I", numbers)
        path = write_npy(place / "bits.npy", Tensor(dtype, tensor.shape, data))
        tensors, _, _ = quantize(place, tensor, name, "--block", 16, "--rounding",
                                 f"stochastic:{bits}", "--random-bits", path)
        expected = model.quantise(tensor.data, tensor.shape, name, 16, rounding="stochastic",
                                  random_bits=numbers, bits=bits)
        expect_quantised(tensors, tensor.shape, name, expected)


@case(*[(n, r) for n in ("mxfp4", "mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e2m3")
        for r in ("exact-rceil", "exact-ceil", "exact-even", "exact-nearest")])
def exact_scale_recipes_equal_the_model(name, recipe):
    with folder() as place:
        tensor = inputs.boundaries((16, 64))
        tensors, _, _ = quantize(place, tensor, name, "--recipe", recipe)
        expected = model.quantise(tensor.data, tensor.shape, name, 32, recipe=recipe)
        expect_quantised(tensors, tensor.shape, name, expected)


@case(("0.3",), ("1",), ("1e-40",), ("7.25",))
def a_given_tensor_scale_replaces_the_computed_one(text):
    with folder() as place:
        tensor = inputs.normal((4, 64))
        tensors, _, _ = quantize(place, tensor, "nvfp4", "--tensor-scale", text)
        factor = Fraction(inputs.single(float(text)))
        expected = model.quantise(tensor.data, tensor.shape, "nvfp4", tensor_scale=factor)
        expect_quantised(tensors, tensor.shape, "nvfp4", expected)
        expect_dequantised(place, tensor.shape, expected)


@case()
def a_two_level_format_can_go_without_its_tensor_scale():
    with folder() as place:
        tensor = inputs.normal((4, 64))
        tensors, _, _ = quantize(place, tensor, "nvfp4", "--tensor-scale", "none")
        expect("tensor.tensor_scale" not in tensors, "a tensor scale is present")
        expected = model.quantise(tensor.data, tensor.shape, "nvfp4", tensor_scale=Fraction(1))
        expect_same_list(tensors["tensor.scales"].data, expected.scales, "scales")
        expect_same_list(codes_of(tensors, tensor.shape, 4), expected.codes, "codes")


@case(("0",), ("-1",), ("nan",), ("inf",), ("-inf",), ("1e-60",), ("1e60",), ("wide",))
def a_tensor_scale_that_is_not_positive_and_finite_is_refused(text):
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((4, 64)))
        fail(USAGE, "quantize", source, "--format", "nvfp4", f"--tensor-scale={text}",
             "--output", place / "q.safetensors")
        expect_equal([p.name for p in place.iterdir()], ["in.npy"], "files left")


@case(("0",), ("-1",), ("0x4",), ("4x0",), ("1.5",), ("",), ("99999999999999999999",))
def a_block_size_that_is_no_positive_integer_is_refused(block):
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((4, 64)))
        fail(USAGE, "quantize", source, "--format", "mxfp4", f"--block={block}",
             "--output", place / "q.safetensors")
        expect_equal([p.name for p in place.iterdir()], ["in.npy"], "files left")


@case((2,), (-3,), (100,))
def an_axis_outside_the_tensor_is_refused(axis):
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((4, 64)))
        fail((USAGE, BAD_DATA), "quantize", source, "--format", "mxfp4", f"--axis={axis}",
             "--output", place / "q.safetensors")


@case()
def unpacked_codes_take_one_byte_each():
    with folder() as place:
        tensor = inputs.normal((3, 21))
        tensors, _, _ = quantize(place, tensor, "mxfp4", "--unpacked")
        expected = model.quantise(tensor.data, tensor.shape, "mxfp4")
        expect_equal(tensors["tensor.codes"].shape, (3, 21), "shape of the codes")
        expect_same_list(tensors["tensor.codes"].data, expected.codes, "codes")
        expect_dequantised(place, tensor.shape, expected)


def packed(codes, columns, packing):
    """Bytes of 4-bit codes, lines of an even number of columns."""
    out = []
    for start in range(0, len(codes), columns):
        line = codes[start : start + columns]
        half = columns // 2
        pairs = zip(line[:half], line[half:]) if packing == "split" else zip(line[::2], line[1::2])
        out += [b | a << 4 if packing == "high" else a | b << 4 for a, b in pairs]
    return out


@case(("low",), ("high",))
def nibbles_are_packed_in_the_order_asked_for(packing):
    with folder() as place:
        tensor = inputs.normal((3, 64))
        tensors, _, _ = quantize(place, tensor, "nvfp4", "--packing", packing)
        expected = model.quantise(tensor.data, tensor.shape, "nvfp4")
        expect_same_list(tensors["tensor.codes"].data, packed(expected.codes, 64, packing), "bytes")
        expect_dequantised(place, tensor.shape, expected)


@case()
def split_packing_pairs_the_halves_of_a_block():
    with folder() as place:
        tensor = inputs.normal((3, 64))
        tensors, _, _ = quantize(place, tensor, "mxfp4", "--packing", "split")
        expected = model.quantise(tensor.data, tensor.shape, "mxfp4")
        expect_same_list(tensors["tensor.codes"].data, packed(expected.codes, 32, "split"), "bytes")
        expect_dequantised(place, tensor.shape, expected)


def swizzled(scales, rows, columns):
    """The 128x4 layout: rows padded to 128, columns to 4, padding zero."""
    tiles = (columns + 3) // 4
    out = [0] * ((rows + 127) // 128 * tiles * 512)
    for m in range(rows):
        for k in range(columns):
            at = (m // 128 * tiles + k // 4) * 512 + m % 32 * 16 + m % 128 // 32 * 4 + k % 4
            out[at] = scales[m * columns + k]
    return out


@case(("nvfp4", (130, 96)), ("mxfp8_e4m3", (5, 64)))
def scales_are_swizzled_128x4(name, shape):
    with folder() as place:
        tensor = inputs.normal(shape)
        tensors, _, _ = quantize(place, tensor, name, "--scale-layout", "128x4")
        expected = model.quantise(tensor.data, shape, name)
        expect_same_list(tensors["tensor.scales"].data,
                         swizzled(expected.scales, *expected.scale_shape), "swizzled scales")
        expect_dequantised(place, shape, expected)


@case(("compressed-tensors", ("layer.weight_global_scale", "layer.weight_packed",
                              "layer.weight_scale")),
      ("modelopt", ("layer.weight", "layer.weight_scale", "layer.weight_scale_2")))
def stacks_keys_hold_the_same_numbers(keys, names):
    with folder() as place:
        tensor = inputs.normal((4, 64))
        source = write_safetensors(place / "in.safetensors", {"layer.weight": tensor})
        succeed("quantize", source, "--format", "nvfp4", "--keys", keys, "--output",
                place / "q.safetensors")
        tensors, _ = read_safetensors(place / "q.safetensors")
        expect_equal(tuple(sorted(tensors)), names, "names of the tensors")
        expected = model.quantise(tensor.data, tensor.shape, "nvfp4")
        stored = tensors["layer.weight_packed" if "layer.weight_packed" in names
                         else "layer.weight"]
        expect_same_list(stored.data, packed(expected.codes, 64, "low"), "bytes")
        expect_same_list(tensors["layer.weight_scale"].data, expected.scales, "scales")
        factor = float(expected.tensor_scale)
        if keys == "modelopt":
            expect_equal(tensors["layer.weight_scale_2"].data[0], factor, "weight_scale_2")
        else:
            # Stored for encoding: the reciprocal, within a rounding of it.
            product = tensors["layer.weight_global_scale"].data[0] * factor
            expect(abs(product - 1) < 1e-6, f"global scale times tensor scale is {product}")


@case(("compressed-tensors", "ct-int4", "layer.weight_packed", "I32", (4, 16)),
      ("modelopt", "modelopt-int4", "layer.weight", "U8", (2, 128)),
      ("compressed-tensors", "exact", "layer.weight_packed", "I32", (4, 16)))
def stacks_keys_take_their_own_int4(keys, recipe, name, dtype, shape):
    with folder() as place:
        source = write_safetensors(place / "in.safetensors",
                                   {"layer.weight": inputs.normal((4, 128))})
        how = ["quantize", source, "--format", "int4_full", "--block", "64", "--recipe", recipe]
        succeed(*how, "--keys", keys, "--output", place / "stack.safetensors")
        succeed(*how, "--output", place / "own.safetensors")
        tensors, _ = read_safetensors(place / "stack.safetensors")
        expect_equal((tensors[name].dtype, tensors[name].shape), (dtype, shape), "codes")
        expect_equal(tensors["layer.weight_scale"].shape, (4, 2), "shape of the scales")
        for kind in ("stack", "own"):
            succeed("dequantize", place / f"{kind}.safetensors", "--output", place / f"{kind}.npy")
        expect_same_list([float_to_bits(v) for v in read_npy(place / "stack.npy").data],
                         [float_to_bits(v) for v in read_npy(place / "own.npy").data], "values")


@case(("mxfp4", "tiesToEven"), ("nvfp4", "towardZero"))
def metadata_tells_how_a_tensor_was_made(name, rounding):
    with folder() as place:
        _, metadata, _ = quantize(place, inputs.normal((3, 40)), name, "--block", 8, "--rounding",
                                  rounding)
        expect(all(isinstance(v, str) for v in metadata.values()), "metadata values are strings")
        entry = next((json.loads(v) for k, v in metadata.items()
                      if k == "tensor" or k.endswith(".tensor") or k.startswith("tensor.")), None)
        expect(entry is not None, f"no metadata for the tensor: {metadata}")
        expect_equal(entry.get("shape"), [3, 40], "shape")
        expect_equal(entry.get("format"), name, "format")
        expect(entry.get("axis") in (-1, 1), f"axis {entry.get('axis')!r}")
        expect_equal(entry.get("recipe"), "exact", "recipe")
        expect_equal(entry.get("rounding"), rounding, "rounding")
        expect_equal(str(entry.get("block")), "8", "block")
        expect("packed" in entry or "packing" in entry, f"no packing in {entry}")
        expect(any("version" in key or "tool" in key for key in entry), f"no version in {entry}")


def supported(target):
    flag = TARGETS[target]
    with open("/proc/cpuinfo") as info:
        return not flag or re.search(rf"\b{flag}\b", info.read()) is not None


@case(*[(n, t) for n in FORMATS for t in TARGETS])
def every_engine_writes_the_same_bytes(name, target):
    if not supported(target):
        raise Skipped(f"this processor has no {target}")
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.special())
        common = ["quantize", source, "--format", name, "--block", "17", "--output"]
        succeed(*common, place / "a.safetensors", "--target", "baseline", "--threads", 1)
        for threads in (1, 2):
            other = place / f"b{threads}.safetensors"
            succeed(*common, other, "--target", target, "--threads", threads)
            expect((place / "a.safetensors").read_bytes() == other.read_bytes(),
                   f"{threads} threads give other bytes than baseline on one")


@case()
def stochastic_rounding_is_the_same_for_any_number_of_threads():
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((64, 100)))
        files = []
        for threads in (1, 2, 5):
            files.append(place / f"{threads}.safetensors")
            succeed("quantize", source, "--format", "mxfp4", "--rounding", "stochastic",
                    "--threads", threads, "--output", files[-1])
        expect(len({f.read_bytes() for f in files}) == 1, "the bytes differ")


def checkpoint(place):
    return write_safetensors(place / "model.safetensors", {
        "enc.0.weight": inputs.normal((4, 32), seed=10),
        "enc.1.weight": inputs.normal((4, 32), seed=11),
        "dec.0.weight": inputs.normal((4, 32), seed=12),
        "enc.0.bias": inputs.normal((32,), seed=13),
        "ids": Tensor("I64", (2, 2), array("q", [1, 2, 3, 4])),
    })


def quantised_names(path):
    tensors, _ = read_safetensors(path)
    return sorted(n[: -len(".codes")] for n in tensors if n.endswith(".codes"))


@case(("", ["dec.0.weight", "enc.0.weight", "enc.1.weight"]),
      (":enc.*.weight", ["enc.0.weight", "enc.1.weight"]),
      (":*.0.weight", ["dec.0.weight", "enc.0.weight"]),
      (":dec.0.weight", ["dec.0.weight"]),
      (":enc.0.*", ["enc.0.bias", "enc.0.weight"]))
def patterns_choose_tensors_by_name(pattern, names):
    with folder() as place:
        source = checkpoint(place)
        succeed("quantize", f"{source}{pattern}", "--format", "mxfp4", "--output",
                place / "q.safetensors")
        expect_equal(quantised_names(place / "q.safetensors"), names, "tensors quantised")


@case()
def several_tensors_dequantise_to_safetensors():
    with folder() as place:
        source = checkpoint(place)
        succeed("quantize", source, "--format", "nvfp4", "--output", place / "q.safetensors")
        succeed("dequantize", place / "q.safetensors", "--output", place / "back.safetensors")
        back, _ = read_safetensors(place / "back.safetensors")
        original, _ = read_safetensors(source)
        expect_equal(sorted(back), ["dec.0.weight", "enc.0.weight", "enc.1.weight"], "names")
        for name, tensor in back.items():
            expected = model.quantise(original[name].data, tensor.shape, "nvfp4")
            expect_same_list([bits_or_nan(v) for v in tensor.data],
                             [bits_or_nan(v) for v in expected.dequantised], name)


@case((False,), (True,))
def npz_archives_are_read(compressed):
    with folder() as place:
        first, second = inputs.normal((4, 32), seed=20), inputs.normal((4, 32), seed=21)
        source = write_npz(place / "in.npz", {"one": first, "two": second}, compressed)
        succeed("quantize", source, "--format", "mxfp8_e4m3", "--output", place / "q.safetensors")
        expect_equal(quantised_names(place / "q.safetensors"), ["one", "two"], "names")
        tensors, _ = read_safetensors(place / "q.safetensors")
        expected = model.quantise(second.data, second.shape, "mxfp8_e4m3")
        expect_same_list(tensors["two.codes"].data, expected.codes, "codes")


@case(("F16",), ("BF16",), ("F64",))
def other_floating_types_are_read_exactly(dtype):
    with folder() as place:
        bits = [(i * 2654435761 >> 7) & 0x7BFF if dtype == "F16" else (i * 40503 + 12000) & 0x7F7F
                for i in range(64)]
        if dtype == "F16":
            values = [half(b) for b in bits]
        else:
            values = [bits_to_float(b << 16) for b in bits]
        data = array("d", values) if dtype == "F64" else array("H", bits)
        source = write_safetensors(place / "in.safetensors",
                                   {"w": Tensor(dtype, (2, 32), data)})
        succeed("quantize", source, "--format", "mxfp4", "--unpacked", "--output",
                place / "q.safetensors")
        tensors, _ = read_safetensors(place / "q.safetensors")
        expected = model.quantise(values, (2, 32), "mxfp4")
        expect_same_list(tensors["w.scales"].data, expected.scales, "scales")
        expect_same_list(tensors["w.codes"].data, expected.codes, "codes")


def half(bits):
    exponent, mantissa = bits >> 10 & 31, bits & 1023
    return math.ldexp(mantissa + (1024 if exponent else 0), max(exponent, 1) - 25)


@case()
def fortran_order_is_undone():
    with folder() as place:
        tensor = inputs.normal((4, 6))
        turned = array("f", [tensor.data[r * 6 + c] for c in range(6) for r in range(4)])
        path = place / "in.npy"
        path.write_bytes(npy_header("<f4", (4, 6), fortran=True, version=2) + turned.tobytes())
        succeed("quantize", path, "--format", "mxfp8_e4m3", "--block", 3, "--output",
                place / "q.safetensors")
        tensors, _ = read_safetensors(place / "q.safetensors")
        expected = model.quantise(tensor.data, (4, 6), "mxfp8_e4m3", 3)
        expect_same_list(tensors["tensor.codes"].data, expected.codes, "codes")


@case(((0, 32),), ((4, 0),))
def a_tensor_without_elements_is_no_crash(shape):
    with folder() as place:
        source = write_npy(place / "in.npy", float32([], shape))
        outcome = blockscale("quantize", source, "--format", "mxfp4", "--output",
                             place / "q.safetensors")
        expect(outcome.code in (0, BAD_DATA), f"exit {outcome.code}: {outcome.stderr}")
        expect_equal((place / "q.safetensors").exists(), outcome.code == 0, "an output is there")
