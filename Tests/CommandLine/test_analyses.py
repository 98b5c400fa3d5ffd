"""Rotations, outlier splits, scale variants, roundings, products with their own blocks, codebooks and
inversions: each equal to what a single verb, or a tensor prepared by hand, gives."""

import math
import sqlite3
import struct

import inputs
from files import float32, read_npy, write_npy, write_safetensors
from harness import (BAD_DATA, GOLDEN, USAGE, case, expect, expect_equal, fail, folder,
                     strict_json, succeed)

ACTIVATIONS = GOLDEN / "activations/minilm-slice.safetensors"
SLICE = GOLDEN / "demo/minilm-slice.safetensors"
A = f"{ACTIVATIONS}:encoder.layer.0.attention.self.query.input"
B = f"{SLICE}:encoder.layer.0.attention.self.query.weight"


def results(*words):
    return strict_json(succeed(*words, "--as", "json"))["results"]


def rows(place, *words):
    """The rows of a fresh store."""
    store = place / "s.sqlite"
    store.unlink(missing_ok=True)
    succeed("sweep", *words, "--store", store)
    text = succeed("store", "export", store, "--as", "jsonl")
    return [strict_json(line) for line in text.splitlines()]


def rotate(values, size):
    """As HadamardRotation says: float64 butterflies from near to far, one product, one rounding."""
    result = []
    for start in range(0, len(values), size):
        run = list(values[start:start + size])
        half = 1
        while half < size:
            for first in range(0, size, 2 * half):
                for index in range(first, first + half):
                    a, b = run[index], run[index + half]
                    run[index], run[index + half] = a + b, a - b
            half *= 2
        factor = 1 / math.sqrt(size)
        result += [inputs.single(value * factor) for value in run]
    return result


def without(result, *names):
    return {key: value for key, value in result.items() if key not in ("file", *names)}


@case((2,), (16,), (64,))
def a_rotated_tensor_is_the_one_rotated_by_hand(size):
    how = ["--format", "nvfp4,mxfp4,int8", "--block", "16,24,tensor"]
    with folder() as place:
        data = inputs.normal((21, 192), seed=size)
        plain = write_npy(place / "plain.npy", data)
        turned = write_npy(place / "turned.npy", float32(rotate(data.data, size), (21, 192)))
        found = results("error", plain, *how, "--rotate", size)
        expected = results("error", turned, *how)
        expect_equal([r["transform"] for r in found], [f"hadamard:{size}"] * 9, "transform")
        expect_equal([without(r, "transform") for r in found], [without(r) for r in expected],
                     "reports")
        stored = rows(place, plain, *how, "--rotate", f"0,{size}")
        expect_equal(len(stored), 18, "rows")
        key = lambda r: (r["format"], str(r["block"]))
        ours = [r["report"] for r in stored if r["transform"] == f"hadamard:{size}"]
        expect_equal(sorted(ours, key=key), sorted([without(r) for r in found], key=key), "store")
        ours = [r["report"] for r in stored if r["transform"] == "none"]
        plain = [without(r) for r in results("error", plain, *how)]
        expect_equal(sorted(ours, key=key), sorted(plain, key=key), "rows without a rotation")


@case()
def a_large_tensor_is_rotated_across_batches():
    with folder() as place:
        data = inputs.normal((2100, 512), seed=3)
        plain = write_npy(place / "plain.npy", data)
        turned = write_npy(place / "turned.npy", float32(rotate(data.data, 8), (2100, 512)))
        for block in ("24", "tensor"):
            how = ["--format", "nvfp4", "--block", block]
            found = results("error", plain, *how, "--rotate", 8, "--threads", 3)
            expect_equal([without(r, "transform") for r in found],
                         [without(r) for r in results("error", turned, *how)], f"block {block}")


@case()
def a_rotated_product_is_judged_against_the_product_as_it_is():
    how = ["--transpose-b", "--format", "mxfp4", "--block", "32"]
    with folder() as place:
        stored = rows(place, "--product", f"{A}={B}", *how, "--rotate", "0,32,128")
        by_name = {row["transform"]: row for row in stored}
        expect_equal(sorted(by_name), ["hadamard:128", "hadamard:32", "none"], "transforms")
        for name, words in (("none", []), ("hadamard:32", ["--rotate", 32])):
            (printed,) = results("matmul", A, B, *how, *words)
            for side in ("a", "b"):
                printed[side].pop("file")
            expect_equal(by_name[name]["report"], printed, name)
        # Where the weights alone are quantised all of the error is theirs, in the operands' own basis.
        (half,) = results("matmul", A, B, "--transpose-b", "--format", "none", "--format-b", "mxfp4",
                          "--block-b", "32", "--rotate", 32)
        parts = half["parts"]
        expect(parts["activation"]["nmse"] < 1e-12, f"activations rounded to float32: {parts}")
        expect(abs(parts["weight"]["nmse"] - half["nmse"]) < 1e-4 * half["nmse"], f"{half['nmse']}: {parts}")
        # The same product is the reference, and D in float64 can be found from D as written.
        rms = {row["report"]["output_rms"] for row in stored}
        expect_equal(len(rms), 1, f"rms of the product: {rms}")
        succeed("matmul", A, B, *how, "--rotate", 32, "--output", place / "d.npy")
        succeed("matmul", A, B, "--transpose-b", "--format", "none", "--output", place / "e.npy")
        d, e = read_npy(place / "d.npy").data, read_npy(place / "e.npy").data
        error = sum((x - y) ** 2 for x, y in zip(d, e)) / sum(y * y for y in e)
        found = by_name["hadamard:32"]["nmse"]
        expect(abs(error - found) < 1e-4 * found, f"{error} and {found}")


@case()
def rotations_that_do_not_fit_are_left_out_or_refused():
    with folder() as place:
        one = write_npy(place / "a.npy", inputs.normal((8, 48)))
        stored = rows(place, one, "--format", "mxfp4", "--rotate", "0,16,32")
        expect_equal(sorted(r["transform"] for r in stored), ["hadamard:16", "none"], "transforms")
        fail(USAGE, "error", one, "--format", "mxfp4", "--rotate", "32", mentions=["32", "48"])
        fail(USAGE, "matmul", one, one, "--transpose-b", "--format", "mxfp4", "--rotate", "32",
             mentions=["32", "48"])
        for word in ("3", "-2", "x", "131072"):
            fail(USAGE, "error", one, "--format", "mxfp4", f"--rotate={word}")
        fail(USAGE, "error", one, "--format", "mxfp4", "--rotate", "8", "--axis", "0",
             mentions=["last axis"])
        plan = place / "p.json5"
        plan.write_text('{version: 1, weights: ["a.npy"], formats: ["mxfp4"], rotations: [0, 12]}')
        fail(BAD_DATA, "sweep", "--plan", plan, "--store", place / "t.sqlite",
             mentions=["rotations[1]", "power of two"])
        plan.write_text('{version: 1, weights: ["a.npy"], formats: ["mxfp4"], outliers: ["rows:1"]}')
        fail(BAD_DATA, "sweep", "--plan", plan, "--store", place / "t.sqlite",
             mentions=["outliers[0]", "values:P"])


@case(("values",), ("columns",))
def outliers_are_what_law_assign_measures(scheme):
    with folder() as place:
        names = ("a.weight", "a.input")
        model = write_safetensors(place / "w.safetensors", {names[0]: inputs.normal((24, 64), 1)})
        act = write_safetensors(place / "x.safetensors", {names[1]: inputs.normal((9, 64), 2)})
        how = ["--format", "mxfp4", "--block", "16"]
        stored = rows(place, model, "--product", f"{act}:{names[1]}={model}:{names[0]}",
                      "--transpose-b", *how, "--outliers", f"none,{scheme}:0.1")
        stored = {row["transform"]: row for row in stored if row["kind"] == "product"}
        own = stored[f"outliers:{scheme}:0.1"]
        assigned = strict_json(succeed(
            "law", "assign", "--weights", model, "--activations", act, *how, "--q-r", "0.9",
            "--method", scheme, "--as", "json"))
        text = str(assigned)
        found = [value for value in numbers(assigned) if abs(value - own["nmse"]) < 1e-9 * value]
        expect(found, f"{own['nmse']} is nowhere in {text[:2000]}")
        expect(own["nmse"] < 0.9 * stored["none"]["nmse"], "keeping a tenth changes little")
        expect(own["bits_per_element"] > stored["none"]["bits_per_element"], "kept numbers cost bits")


def numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, float) else []


@case(("e2m1+ue4m3+tensor", "nvfp4"), ("e2m1+e8m0", "mxfp4"), ("INT8+FP16", "int8_fp16"),
      ("nf4+fp32", "nf4"))
def scale_variants_are_the_rows_of_the_same_numbers(variant, row):
    with folder() as place:
        one = write_npy(place / "a.npy", inputs.normal((16, 96), 5, 0.01))
        ours, theirs = ([without(r, "format") for r in results("error", one, "--format", name,
                                                              "--block", "8,32")]
                        for name in (variant, row))
        expect_equal(ours, theirs, variant)
        stored = rows(place, one, "--format", f"{variant},{row}", "--block", "32")
        expect_equal(sorted(r["format"] for r in stored), sorted([variant.lower(), row]), "names")
        expect_equal(len({r["nmse"] for r in stored}), 1, "errors")
        codes = place / "q.safetensors"
        succeed("quantize", one, "--format", variant, "--block", "32", "--output", codes)
        succeed("dequantize", codes, "--output", place / "back.npy")


@case()
def scales_differ_and_unknown_ones_are_refused():
    with folder() as place:
        one = write_npy(place / "a.npy", inputs.normal((16, 96), 5, 0.01))
        names = [f"e2m1+{scale}" for scale in ("e8m0", "ue4m3", "ue5m3", "bf16")]
        stored = rows(place, one, "--format", ",".join(names), "--block", "16")
        expect_equal(len({r["nmse"] for r in stored}), 4, "different errors")
        bits = {r["format"]: r["bits_per_element"] for r in stored}
        expect_equal([bits[name] for name in names], [4.5, 4.5, 4.5, 5.0], "bits")
        for name in ("e2m1+", "e2m1+e9m9", "x+e8m0", "e2m1+e8m0+", "e2m1+e8m0+tensor+tensor"):
            fail(USAGE, "error", one, "--format", name, mentions=[name])


@case()
def stochastic_rounding_is_a_dimension_with_its_seed():
    with folder() as place:
        one = write_npy(place / "a.npy", inputs.normal((16, 96), 5))
        how = ["--format", "mxfp4", "--block", "32"]
        stored = rows(place, one, *how, "--rounding", "tiesToEven,stochastic,stochastic:4", "--seed",
                      "7")
        for row in stored:
            name = row["rounding"]
            (printed,) = results("error", one, *how, "--rounding", name, "--seed", "7")
            expect_equal(row["report"], without(printed), name)
            expect_equal(row["seed"], 7 if "stochastic" in name else None, "seed")
        expect_equal(len({row["nmse"] for row in stored}), 3, "errors")


@case()
def attention_products_have_formats_and_blocks_of_each_side():
    with folder() as place:
        tensors = {f"{n}.{letter}": inputs.normal(shape, seed) for n in "01"
                   for seed, (letter, shape) in enumerate(
                       {"q": (3, 20, 32), "k": (3, 20, 32), "p": (3, 20, 20), "v": (3, 20, 32)}.items())}
        act = write_safetensors(place / "act.safetensors", tensors)
        (place / "p.json5").write_text("""{ version: 1, products: [
          { a: "act.safetensors:*.q", b: "act.safetensors:*.k", transpose_b: true, formats: ["none"],
            formats_b: ["mxfp8_e4m3", "mxfp4"], blocks_b: [16, 32] },
          { a: "act.safetensors:*.p", b: "act.safetensors:*.v", formats: ["int8"], formats_b: ["nvfp4"],
            blocks: [8], blocks_b: [10, 16] } ] }""")
        stored = rows(place, "--plan", place / "p.json5")
        expect_equal(len(stored), 2 * 4 + 2 * 2, "rows")
        for row in stored:
            letters = row["tensor"][-1] + row["other"][-1]
            how = {"qk": ["--transpose-b"], "pv": []}[letters]
            sides = row["report"]["a"], row["report"]["b"]
            words = []
            if sides[0]["format"] not in (None, "none"):
                words += ["--block", sides[0]["block"]]
            printed = results("matmul", f"{act}:{row['tensor']}", f"{act}:{row['other']}", *how,
                              "--format", row["format"], "--format-b", row["format_b"],
                              "--block-b", sides[1]["block"], *words)
            for side in ("a", "b"):
                printed[0][side].pop("file")
            expect_equal(row["report"], printed[0], f"{row['tensor']} {row['block']}")
        blocks = sorted({row["block"] for row in stored if row["tensor"].endswith("p")})
        expect_equal(blocks, ["8 x 10", "8 x 16"], "blocks of P and V")


def lines(first, second):
    """Lines of 16 whose halves repeat other numbers, so that a block of 8 sees only one of them."""
    return float32(([*first] * 2 + [*second] * 2) * 4, (4, 16))


# What a smaller block makes worse: tensor, format, the part of the error that grows the most.
WORSE = {
    # Scales of at most 2^-6/6: all subnormal.
    ("tiny", "e2m1+ue4m3"): "underflow",
    # 1.96 is beyond 448 times the power of two of its own block, and not of one that holds 2.
    ("halves", "mxfp8_e4m3"): "saturated",
    # 6.36 / 6 is rounded down to 1; with 9.75 the scale is 1.625, and 4 times that is near.
    ("down", "e2m1+ue4m3"): "saturated",
    # Zeros have scales of zero, which lose nothing.
    ("sparse", "e2m1+ue4m3"): "saturated",
    # 5 is between 4 and 6 times 1, and 2 times 15 / 6.
    ("grid", "e2m1+fp32"): "rounding",
}


def worse_with_smaller_blocks():
    down = lines([6.359375] * 4, [9.75, 0, 0, 0])
    return {
        "tiny": inputs.normal((32, 256), 1, 0.01), "plain": inputs.normal((32, 256), 2),
        "halves": lines([1.96, 1.96, 0.1, 0.2], [2, 0, 0, 0]), "down": down,
        "sparse": float32([*down.data, *[0.0] * 4096], (260, 16)),
        "grid": lines([6, 5, 5, 5], [15, 0, 0, 0]),
    }


@case()
def inversions_are_found_with_their_causes():
    with folder() as place:
        small = write_safetensors(place / "small.safetensors", worse_with_smaller_blocks())
        store = place / "s.sqlite"
        formats = sorted({name for _, name in WORSE})
        succeed("sweep", small, "--format", ",".join(formats), "--block", "8,16,32,64",
                "--store", store)
        found = strict_json(succeed("store", "inversions", store, "--as", "json"))
        first = {(step["tensor"], step["format"]): step for step in found["steps"]
                 if (step["larger"], step["smaller"]) == ("16", "8")}
        for what, cause in WORSE.items():
            expect(what in first, f"{what}: 8 errs no more than 16")
            expect_equal(first[what]["cause"], cause, what)
        expect_equal({step["cause"] for step in found["steps"]
                      if (step["tensor"], step["format"]) == ("tiny", "e2m1+ue4m3")},
                     {"underflow"}, "causes of subnormal scales")
        # Codes under half a power of two include those under the whole, up to the largest.
        expect_equal({step["cause"] for step in found["steps"]
                      if step["format"] == "mxfp8_e4m3"}, {"saturated"}, "powers of two")
        errors = {(r["tensor"], r["format"], r["block"]): r["report"] for r in map(
            strict_json, succeed("store", "export", store, "--as", "jsonl").splitlines())}
        parts = ("underflow", "clamped", "saturated", "flushed")
        for step in found["steps"]:
            growth = {}
            for size, sign in (("larger", -1), ("smaller", 1)):
                report = errors[step["tensor"], step["format"], step[size]]
                expect_equal(step[f"{size}_nmse"], report["nmse"], "figures")
                for part in parts:
                    expect_equal(step[f"{size}_nmse_{part}"], report[f"nmse_{part}"], part)
                rest = report["nmse"] - sum(report[f"nmse_{part}"] for part in parts)
                expect(abs(step[f"{size}_nmse_rounding"] - max(rest, 0)) <= 1e-15, step)
                for part in (*parts, "rounding"):
                    growth[part] = growth.get(part, 0) + sign * step[f"{size}_nmse_{part}"]
            expect(step["smaller_nmse"] > step["larger_nmse"], step)
            expect_equal(step["cause"], max(growth, key=growth.get), growth)
            share = growth[step["cause"]] / step["larger_nmse"]
            expect(math.isclose(step["cause_growth"], share), step)
        text = succeed("store", "inversions", store, "--limit", "1")
        expect("smaller steps" in text, text)
        fail(USAGE, "store", "inversions", store, "--limit", "-1")


@case()
def inversions_of_results_without_parts_have_no_known_cause():
    with folder() as place:
        small = write_npy(place / "grid.npy", worse_with_smaller_blocks()["grid"])
        store = place / "s.sqlite"
        succeed("sweep", small, "--format", "e2m1+fp32", "--block", "8,16", "--store", store)
        database = sqlite3.connect(store)
        database.execute("UPDATE results SET report = json_remove(report, '$.nmse_saturated')")
        database.commit()
        database.close()
        found = strict_json(succeed("store", "inversions", store, "--as", "json"))
        (step,) = found["steps"]
        expect_equal((step["cause"], step["cause_growth"], step["smaller_nmse_rounding"]),
                     ("unknown", None, None), "cause")
        expect_equal(found["formats"][0]["unknown"], 1, "steps without a cause")
        expect("measured anew" in succeed("store", "inversions", store), "no word about it")


@case()
def a_fitted_codebook_errs_less_than_nf4():
    with folder() as place:
        data = inputs.normal((64, 128), 8)
        one = write_npy(place / "a.npy", float32([x * x * x for x in data.data], (64, 128)))
        book = place / "book.json5"
        succeed("codebook", one, "--block", "32", "--name", "mine", "--output", book)
        first = book.read_bytes()
        succeed("codebook", one, "--block", "32", "--name", "mine", "--output", book)
        expect_equal(book.read_bytes(), first, "a second fit")
        found = results("error", one, "--formats", book, "--format", "mine,nf4", "--block", "32")
        expect(found[0]["mse"] < found[1]["mse"], [r["mse"] for r in found])
        expect_equal(found[0]["bits_per_element"], 5.0, "bits")
        for words in (["--values", "3"], ["--block", "1"], ["--name", "a b"], ["--scale", "x"]):
            fail(USAGE, "codebook", one, "--output", place / "no.json5", *words)
        expect(not (place / "no.json5").exists(), "a file after an error")
        fail(USAGE, "codebook", one, "--name", "nf4", "--output", place / "no.json5")
