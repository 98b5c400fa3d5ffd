"""The rational model itself against outputs of other software, where that software is exact.

torchao's and microxcaling's MX conversions scale by powers of two, so they equal the exact recipes
but for blocks of subnormals. Scale byte 0 is left out for torchao: it multiplies such a block by
2^126 (floor, ceil, even) or by 1 (rceil), not by 2^127.
"""

import json
import math

import model
from files import bits_to_float, read_npy, read_npz
from harness import GOLDEN, case, expect, expect_equal, expect_same_list

QUANTISERS = GOLDEN / "peers/quantisers"
RECIPES = {"floor": "exact", "ceil": "exact-ceil", "even": "exact-even", "rceil": "exact-rceil"}
LOWEST_NORMAL = 2.0**-126


def cases_of(stack):
    cases = json.loads((QUANTISERS / "manifest.json").read_text())["cases"]
    return [c for c in cases if c["stack"].startswith(stack)]


def unpack(data):
    return [nibble for byte in data for nibble in (byte & 15, byte >> 4)]


def plain(values, block):
    """Whether a block's largest magnitude is a normal number, or zero."""
    largest = max(abs(values[i]) for i in block)
    return largest == 0 or largest >= LOWEST_NORMAL


def any_value(values, block):
    return any(values[i] for i in block)


TORCHAO = [(c["name"],) for c in cases_of("torchao") if c["format"].startswith("mxfp")]


@case(*TORCHAO)
def torchao_mx_equals_the_exact_recipe(name):
    entry = next(c for c in cases_of("torchao") if c["name"] == name)
    values = read_npy(QUANTISERS / entry.get("input", "input.npy"))
    scales = read_npy(QUANTISERS / entry["files"]["scale"]).data
    data = read_npy(QUANTISERS / entry["files"]["data"]).data
    codes = unpack(data) if "nibble" in entry["packing"] else list(data)
    expected = model.quantise(values.data, values.shape, entry["format"], entry["block"],
                              recipe=RECIPES[entry["scale_mode"]])
    kept = [i for i, b in enumerate(expected.blocks)
            if plain(values.data, b) and (expected.scales[i] > 0 or not any_value(values.data, b))]
    expect(len(kept) > len(expected.blocks) // 2, f"only {len(kept)} plain blocks")
    expect_same_list([scales[i] for i in kept], [expected.scales[i] for i in kept], "scales")
    places = [i for k in kept for i in expected.blocks[k]]
    expect_same_list([codes[i] for i in places], [expected.codes[i] for i in places], "codes")


MICROXCALING = {"fp4_e2m1": "mxfp4", "fp6_e2m3": "mxfp6_e2m3", "fp6_e3m2": "mxfp6_e3m2",
                "fp8_e4m3": "mxfp8_e4m3", "fp8_e5m2": "mxfp8_e5m2", "int8": "mxint8"}
ROUNDINGS = {"even": "tiesToEven", "nearest": "tiesToAway", "floor": "towardZero"}
ROWS = [(c["name"],) for c in cases_of("microxcaling") if c["element"] in MICROXCALING]


@case(*ROWS)
def microxcaling_equals_the_exact_recipe(name):
    entry = next(c for c in cases_of("microxcaling") if c["name"] == name)
    values = read_npy(QUANTISERS / "input.npy")
    observed = read_npy(QUANTISERS / entry["files"]["dequantized"]).data
    expected = model.quantise(values.data, values.shape, MICROXCALING[entry["element"]],
                              entry["block"], rounding=ROUNDINGS[entry["rounding"]])
    # Its fp32 log2 is one too large just below a power of two; those blocks are its own recipe's.
    kept = [b for b in expected.blocks if plain(values.data, b) and not near_power(values.data, b)]
    expect(len(kept) > len(expected.blocks) // 2, f"only {len(kept)} plain blocks")
    places = [i for b in kept for i in b]
    expect_same_list([observed[i] for i in places], [expected.dequantised[i] for i in places],
                     "values", show=float.hex)


def near_power(values, block):
    largest = max(abs(values[i]) for i in block)
    mantissa, _ = math.frexp(largest)
    return largest != 0 and 2 * mantissa > 2 - 2.0**-16


@case(("float4_e2m1fn", "mxfp4"), ("float6_e2m3fn", "mxfp6_e2m3"), ("float6_e3m2fn", "mxfp6_e3m2"),
      ("float8_e4m3fn", "mxfp8_e4m3"), ("float8_e5m2", "mxfp8_e5m2"))
def element_values_equal_ml_dtypes(name, block_format):
    decode = read_npz(GOLDEN / "ml_dtypes" / f"{name}.npz")["decode"].data
    element = model.FORMATS[block_format].element
    for value, code in zip(element.values, element.codes):
        bits = model.to_float32(value).hex()
        observed = bits_to_float(decode[code]).hex()
        expect_equal(observed, bits, f"{name} code {code:#x}")


@case()
def philox_gives_the_published_words():
    # Random123's known answers for Philox4x32-10 with counter and key all zero.
    expect_equal(hex(model.philox_word(0, 0)), "0x6627e8d5", "philox word 0")
