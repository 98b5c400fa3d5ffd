"""What JSON of every verb carries, and that its fields mean the same in all of them."""

import json
from array import array

import inputs
from files import Tensor, npy_header, read_safetensors, write_npy, write_safetensors
from harness import BAD_DATA, USAGE, blockscale, case, expect, expect_equal, fail, folder, strict_json
from harness import succeed


def document(*words):
    return strict_json(succeed(*words, "--as", "json"))


def matrix(place, name="in.npy", seed=1):
    return write_npy(place / name, inputs.normal((8, 64), seed=seed))


@case(("formats",), ("formats", "nvfp4"), ("formats", "e4m3"), ("formats", "te-2.15"),
      ("explain", "e2m1", "0.3"), ("explain", "e2m1", "0x3"))
def every_report_names_version_engine_seed_and_rows(*words):
    found = document(*words)
    for field in ("tool_version", "engine", "seed", "rows"):
        expect(field in found, f"no {field} in {list(found)}")
    expect(found["rows"], "no rows")
    for row in found["rows"]:
        expect(len(row["row_hash"]) == 16, f"hash {row['row_hash']!r} of {row}")


@case()
def formats_names_the_rows_it_shows():
    def rows(*words):
        return {(row["kind"], row["name"]): row["row_hash"]
                for row in document("formats", *words)["rows"]}

    everything = rows()
    expect_equal({kind for kind, _ in everything}, {"element", "scale", "block", "recipe", "accumulator"},
                 "kinds")
    expect_equal(sorted(rows("nvfp4")),
                 [("block", "nvfp4"), ("element", "e2m1"), ("scale", "ue4m3")], "rows of nvfp4")
    for key, row_hash in rows("nvfp4").items():
        expect_equal(row_hash, everything[key], f"hash of {key}")


@case(("nvfp4", "24", 24), ("nvfp4", "2x8", "2x8"), ("nvfp4", "axis", "axis"),
      ("nvfp4", "tensor", "tensor"), ("nvfp4", None, 16), ("nvfp4_16x16", None, "16x16"))
def a_block_has_one_json_type_in_every_verb(name, block, expected):
    with folder() as place:
        source = matrix(place)
        option = ["--block", block] if block else []
        how = ["--format", name, *option]
        output = place / "q.safetensors"
        seen = {
            "error": document("error", source, *how)["results"][0]["block"],
            "error, total": document("error", source, *how)["total"][0]["block"],
            "recipes": document("recipes", source, *how, "--recipe",
                                "exact,exact-ceil")["differences"][0]["block"],
            "quantize": document("quantize", source, *how, "--output", output)["tensors"][0]["block"],
            "dequantize": document("dequantize", output, "--output",
                                   place / "o.npy")["tensors"][0]["block"],
            "judged": document("error", source, "--quantized", output)["results"][0]["block"],
            "metadata": json.loads(read_safetensors(output)[1]["tensor"])["block"],
        }
        if block is None:
            seen["formats"] = document("formats", name)["blocks"][0]["block"]
        for verb, observed in seen.items():
            expect_equal(observed, expected, f"block of {verb}")


@case(("exact", [], "tiesToEven"), ("exact", ["--rounding", "towardZero"], "towardZero"),
      ("exact", ["--rounding", "stochastic"], "stochastic:8"), ("te-2.15", [], "tiesToEven"))
def the_rounding_is_named_in_every_verb(recipe, option, expected):
    with folder() as place:
        source = matrix(place)
        how = ["--format", "nvfp4", "--recipe", recipe, *option]
        output = place / "q.safetensors"
        measured, judged = document("error", source, *how), []
        written = document("quantize", source, *how, "--output", output)["tensors"][0]
        judged = document("error", source, "--quantized", output)
        read = document("dequantize", output, "--output", place / "o.npy")["tensors"][0]
        for row in (measured["results"][0], measured["total"][0], written, judged["results"][0],
                    judged["total"][0], read):
            expect_equal(row["rounding"], expected, f"rounding of {row}")


@case()
def a_chance_is_null_where_there_is_none():
    chances = {row["rounding"]: row["chance"]
               for row in document("explain", "e2m1", "1.3")["encodings"]}
    expect_equal(chances["tiesToEven"], None, "chance of tiesToEven")
    expect(chances["stochastic:8"].endswith("/256"), f"chance {chances['stochastic:8']!r}")


# Numbers that float32 cannot hold: 5 of 128.

WIDE = {
    "F64": ("d", [0.1, 1e-300, 1e300, 1 + 2.0**-40, -0.3]),
    "I64": ("q", [2**24 + 1, -(2**24) - 1, 2**62 + 1, 2**40 + 1, 2**31 - 1]),
    "I32": ("i", [2**24 + 1, -(2**24) - 1, 2**31 - 1, 2**25 + 1, 2**30 - 1]),
    "U32": ("I", [2**24 + 1, 2**32 - 1, 2**31 + 1, 2**25 + 1, 2**30 - 1]),
}


def wide(dtype, count=128):
    code, inexact = WIDE[dtype]
    return Tensor(dtype, (4, count // 4), array(code, inexact + [3] * (count - len(inexact))))


@case(*[(dtype,) for dtype in WIDE])
def numbers_that_float32_cannot_hold_are_counted(dtype):
    with folder() as place:
        source = write_safetensors(place / "in.safetensors",
                                   {"w": wide(dtype), "plain": inputs.normal((4, 32))})
        output = place / "q.safetensors"
        how = [f"{source}:*", "--format", "int8,mxfp8_e4m3", "--as", "json"]
        runs = {
            "results": blockscale("error", *how),
            "differences": blockscale("recipes", f"{source}:*", "--format", "mxfp4", "--recipe",
                                      "exact,exact-ceil,exact-even", "--as", "json"),
            "tensors": blockscale("quantize", f"{source}:*", "--format", "mxfp4", "--output",
                                  output, "--as", "json"),
        }
        runs["judged"] = blockscale("error", f"{source}:*", "--quantized", output, "--as", "json")
        for key, outcome in runs.items():
            expect_equal(outcome.code, 0, f"exit code: {outcome.stderr}")
            rows = strict_json(outcome.stdout)["results" if key == "judged" else key]
            for row in rows:
                expect_equal(row["narrowed"], 5 if row["tensor"] == "w" else 0, f"{key}: {row}")
            line = f'blockscale: {source}: tensor "w": 5 of 128 {dtype} elements rounded to float32'
            expect_equal(outcome.stderr.splitlines(), [line], f"messages of {key}")
            for row in strict_json(outcome.stdout).get("total", []):
                expect_equal(row["narrowed"], 5, f"{key}: total")


@case(("F64",), ("I32",))
def numbers_that_float32_holds_are_not_reported(dtype):
    with folder() as place:
        code = WIDE[dtype][0]
        source = write_safetensors(
            place / "in.safetensors",
            {"w": Tensor(dtype, (2, 32), array(code, [2**24 - i for i in range(64)]))})
        outcome = blockscale("error", f"{source}:w", "--format", "int8")
        expect_equal(outcome.code, 0, outcome.stderr)
        expect("rounded" not in outcome.stderr, outcome.stderr)


@case()
def fortran_order_is_counted_once():
    with folder() as place:
        tensor = wide("F64")
        source = place / "in.npy"
        source.write_bytes(npy_header("<f8", tensor.shape, fortran=True) + tensor.data.tobytes())
        found = document("error", source, "--format", "int8,nvfp4", "--block", "8,16")
        expect_equal([row["narrowed"] for row in found["results"]], [5] * 4, "counts")


# Tensor scales that no file can hold


@case(("modelopt-nvfp4", "blockscale"), ("modelopt-nvfp4", "modelopt"),
      ("torchao-nvfp4", "blockscale"))
def a_recipe_without_a_usable_tensor_scale_is_bad_data(recipe, keys):
    with folder() as place:
        zeros = Tensor("F32", (4, 32), array("f", [0.0] * 128))
        source = write_safetensors(place / "in.safetensors",
                                   {"good": inputs.normal((4, 32)), "layer.zero": zeros})
        output = place / "q.safetensors"
        outcome = fail(BAD_DATA, "quantize", source, "--format", "nvfp4", "--recipe", recipe,
                       "--keys", keys, "--output", output,
                       mentions=["in.safetensors", "layer.zero", "tensor scale 0"])
        expect("q.safetensors" not in outcome.stderr, f"the output is blamed: {outcome.stderr}")
        expect_equal([p.name for p in place.iterdir()], ["in.safetensors"], "files left")


@case()
def a_given_tensor_scale_whose_reciprocal_overflows_is_a_usage_error():
    with folder() as place:
        source = matrix(place)
        fail(USAGE, "quantize", source, "--format", "nvfp4", "--tensor-scale", "1e-40", "--keys",
             "compressed-tensors", "--output", place / "q.safetensors", mentions=["in.npy"])
        expect_equal([p.name for p in place.iterdir()], ["in.npy"], "files left")
