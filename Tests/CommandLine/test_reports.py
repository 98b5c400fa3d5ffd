"""formats, explain, error, recipes and verify: what they print, in every form of output."""

import csv
import io
import math

import inputs
import model
from files import float32, write_npy, write_safetensors
from harness import (BAD_DATA, NO_INPUT, OK, USAGE, blockscale, case, expect, expect_equal, fail,
                     folder, strict_json, succeed)

ELEMENTS = """e2m1 e2m3 e3m2 e4m3 e5m2 e4m3_ieee e3m4 e4m3_fnuz e5m2_fnuz e4m3b11_fnuz e3m0 e1m2
 e0m3 int2 int3 int4 int5 int6 int7 int8 mxint8 mxint4 nf4 bf16 fp16 tf32""".split()
SCALES = "e8m0 ue4m3 ue5m3 bf16 fp16 fp32".split()
BLOCKS = """nvfp4 nvfp4_16x16 mxfp4 mxfp6_e2m3 mxfp6_e3m2 mxfp8_e4m3 mxfp8_e5m2 mxint8 mxint4 nvint4
 int8 int8_fp16 int4 int4_fp16 fp8_1x128 fp8_1x128_pow2 fp8_128x128 fp8_128x128_pow2 int8_channel
 int8_tensor fp8_channel fp8_tensor msfp12 msfp16""".split()
ALIASES = """float4_e2m1fn float6_e2m3fn float6_e3m2fn float8_e4m3fn float8_e5m2 float8_e4m3
 float8_e3m4 float8_e4m3fnuz float8_e5m2fnuz float8_e4m3b11fnuz float8_e8m0fnu bfloat16
 E2M1 NVFP4""".split()
FORMS = ["table", "markdown", "csv", "json", "jsonl"]


def table_input(place):
    return write_npy(place / "in.npy", inputs.normal((8, 64)))


def with_input(*words):
    return lambda place: [w if w != "IN" else table_input(place) for w in words]


# One command per verb; IN stands for a tensor file.
REPORTS = {
    "formats": with_input("formats"),
    "formats NAME": with_input("formats", "mxfp4"),
    "formats ELEMENT": with_input("formats", "e2m1"),
    "explain CODE": with_input("explain", "e2m1", "0x5"),
    "explain VALUE": with_input("explain", "e4m3", "0.3"),
    "error": with_input("error", "IN", "--format", "mxfp4,nvfp4", "--block", "16,32"),
    "recipes": with_input("recipes", "IN", "--format", "mxfp4", "--recipe", "exact,exact-rceil"),
    "verify": with_input("verify", "--format", "e2m1", "--level", "smoke"),
    "cost": with_input("cost", "--format", "nvfp4,nf4", "--block", "8,axis"),
    "cost calibration": with_input("cost", "--calibration"),
}


@case(*[(report, form) for report in REPORTS for form in FORMS])
def every_verb_prints_every_form(report, form):
    with folder() as place:
        text = succeed(*REPORTS[report](place), "--as", form)
        expect(text.strip(), "nothing on stdout")
        expect("\x1b" not in text and "\r" not in text, "terminal codes on stdout")
        if form == "json":
            strict_json(text)
        elif form == "jsonl":
            for line in text.splitlines():
                strict_json(line)
        elif form == "csv":
            rows = list(csv.reader(io.StringIO(text)))
            expect(len(rows) > 1, "no rows below the header")
            expect(all(len(row) == len(rows[0]) for row in rows), f"ragged rows: {rows[:4]}")
        elif form == "markdown":
            bars = [line for line in text.splitlines() if line.startswith("|")]
            expect(len(bars) >= 3, "no markdown table")
            expect(set(bars[1]) <= set("|-: "), f"no rule below the header: {bars[1]!r}")


@case(("table",), ("json",))
def output_is_the_same_each_time(form):
    with folder() as place:
        words = REPORTS["error"](place)
        expect_equal(succeed(*words, "--as", form), succeed(*words, "--as", form), "second run")


@case(*[(report,) for report in REPORTS])
def an_unknown_form_is_a_usage_error(report):
    with folder() as place:
        fail(USAGE, *REPORTS[report](place), "--as", "yaml")


# formats and explain


@case()
def formats_lists_every_row():
    text = succeed("formats", "--as", "json").lower()
    strict_json(text)
    for name in ELEMENTS + SCALES + BLOCKS:
        expect(f'"{name}"' in text, f"{name} is not listed")


@case(*[(name,) for name in [*ELEMENTS, *SCALES, *BLOCKS, *ALIASES]])
def formats_shows_one(name):
    strict_json(succeed("formats", name, "--as", "json"))


@case(("e2m1", 16, ["0.5", "1.5", "6"]), ("e4m3", 256, ["448"]), ("nf4", 16, ["-1", "1"]))
def formats_lists_every_code_of_a_small_format(name, count, values):
    text = succeed("formats", name, "--as", "csv")
    expect(len(text.splitlines()) >= count, f"{len(text.splitlines())} lines for {count} codes")
    for value in values:
        expect(value in text, f"{value} is not shown")


def numbers(document):
    """Every number in a JSON document."""
    if isinstance(document, dict):
        return [n for value in document.values() for n in numbers(value)]
    if isinstance(document, list):
        return [n for value in document for n in numbers(value)]
    is_number = isinstance(document, (int, float)) and not isinstance(document, bool)
    return [document] if is_number else []


@case(("e2m1", "0x7", 6), ("e2m1", "0xD", -3), ("e4m3", "0x7E", 448), ("e4m3", "0x01", 2.0**-9),
      ("e5m2", "0x7B", 57344), ("float8_e4m3fnuz", "0x7F", 240), ("e8m0", "0x80", 2),
      ("mxint8", "0x81", -127 / 64), ("int4", "0xF", -1), ("bf16", "0x3F80", 1))
def explain_gives_a_codes_value(name, code, value):
    document = strict_json(succeed("explain", name, code, "--as", "json"))
    expect(value in numbers(document), f"{value} is not in {document}")


@case(("e4m3", "0x7F"), ("e5m2", "0x7C"), ("e5m2", "0x7E"), ("e8m0", "0xFF"), ("e4m3_fnuz", "0x80"))
def explain_of_a_special_code_is_valid_json(name, code):
    strict_json(succeed("explain", name, code, "--as", "json"))


@case(("tiesToEven",), ("tiesToAway",), ("towardZero",), ("towardPositive",), ("towardNegative",),
      ("toOdd",))
def explain_of_a_value_shows_every_rounding(rounding):
    text = succeed("explain", "e2m1", "1.25", "--as", "json")
    expect(rounding in text, f"{rounding} is not in {text}")


@case(("e2m1", "0x10"), ("e4m3", "0x100"), ("e2m1", "abc"), ("nosuch", "1"), ("e2m1", ""))
def explain_refuses(name, code):
    fail(USAGE, "explain", name, code)


# Usage


@case(("",), ("nosuchverb",), ("formats", "nosuch"), ("error",), ("quantize",), ("dequantize",),
      ("error", "IN", "--format", "nosuch", "--block", "16"),
      ("error", "IN", "--format", "mxfp4", "--block", "0"),
      ("error", "IN", "--format", "mxfp4", "--block", "16,,32"),
      ("error", "IN", "--format", "mxfp4", "--recipe", "nosuch"),
      ("error", "IN", "--format", "mxfp4", "--target", "mmx"),
      ("error", "IN", "--format", "mxfp4", "--threads", "0"),
      ("error", "IN", "--format", "mxfp4", "--nosuch"),
      ("quantize", "IN", "--format", "mxfp4"),
      ("quantize", "IN", "--output", "q.safetensors"),
      ("recipes", "IN", "--format", "mxfp4", "--recipe", "exact,nosuch"),
      ("verify", "--level", "nosuch"), ("verify", "--format", "nosuch"))
def wrong_usage_exits_64(*words):
    with folder() as place:
        source = table_input(place)
        arguments = [source if w == "IN" else w for w in words if w]
        if not arguments:
            # Without a verb, help on stdout is as good as a usage error.
            expect(blockscale().code in (OK, USAGE), "exit code without a verb")
            return
        fail(USAGE, *arguments, cwd=place)
        expect_equal([p.name for p in place.iterdir()], ["in.npy"], "files left")


@case(("--help",), ("--version",), ("error", "--help"), ("quantize", "--help"))
def help_goes_to_stdout(*words):
    outcome = blockscale(*words)
    expect_equal((outcome.code, outcome.stderr), (OK, ""), "exit code and stderr")
    expect(outcome.stdout.strip(), "nothing on stdout")


@case(("bash",), ("zsh",), ("fish",))
def completion_scripts_are_generated(shell):
    expect("blockscale" in succeed("--generate-completion-script", shell), "no completion script")


# error

FIELDS = """tensor format block axis recipe count mean_error mse nmse sqnr_db max_abs_error
 mean_relative_error max_relative_error max_ulp cosine saturated flushed nan scale_histogram
 clamped_scales crest_quantiles bits_per_element""".split()


def error_results(*words):
    document = strict_json(succeed("error", *words, "--as", "json"))
    return [r for r in document["results"] if r["tensor"] == "tensor"]


def close(observed, expected, tolerance=1e-9):
    return math.isclose(observed, float(expected), rel_tol=tolerance, abs_tol=1e-300)


@case(*[(name, kind, block) for name in ("mxfp4", "mxfp8_e4m3", "nvfp4", "int8", "mxfp6_e2m3")
        for kind in ("normal", "boundaries") for block in (16, 17, "axis")])
def error_statistics_equal_the_model(name, kind, block):
    with folder() as place:
        tensor = getattr(inputs, kind)((16, 60))
        source = write_npy(place / "in.npy", tensor)
        (result,) = error_results(source, "--format", name, "--block", block)
        expect_equal([f for f in FIELDS if f not in result], [], "fields missing")
        quantised = model.quantise(tensor.data, tensor.shape, name, block)
        for field, expected in model.statistics(tensor.data, quantised, name).items():
            if isinstance(expected, int):
                expect_equal(result[field], expected, field)
            elif field == "mean_error":
                # Errors cancel in this sum; its own size is no measure of the rounding in it.
                gap = abs(result[field] - float(expected))
                expect(gap <= 1e-12 * result["max_abs_error"], f"mean_error is off by {gap}")
            else:
                expect(close(result[field], expected),
                       f"{field}: expected {float(expected)!r}, observed {result[field]!r}")


@case(("mxfp4", 32, 4 + 8 / 32), ("mxfp8_e4m3", 16, 8 + 8 / 16), ("int8", 64, 8 + 32 / 64),
      ("mxfp6_e2m3", 32, 6 + 8 / 32))
def bits_per_element_count_the_scales(name, block, bits):
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((16, 64)))
        (result,) = error_results(source, "--format", name, "--block", block)
        expect(close(result["bits_per_element"], bits), f"{result['bits_per_element']} not {bits}")


@case()
def every_format_meets_every_block_size():
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((4, 64)))
        results = error_results(source, "--format", "nvfp4,mxfp4,int8", "--block", "8,16,axis")
        pairs = {(r["format"], str(r["block"])) for r in results}
        expect_equal(len(results), 9, "number of results")
        expect_equal(pairs, {(f, b) for f in ("nvfp4", "mxfp4", "int8")
                             for b in ("8", "16", "axis")}, "formats and blocks")


@case(("nan", inputs.NAN), ("infinity", inputs.INFINITY))
def what_is_undefined_is_null(label, value):
    with folder() as place:
        values = list(inputs.normal((4, 32)).data)
        values[5] = value
        source = write_npy(place / "in.npy", float32(values, (4, 32)))
        (result,) = error_results(source, "--format", "mxfp4", "--block", 32)
        expect(result["nan"] >= 1, f"nan count {result['nan']} with a {label}")


@case(("zeros", 0.0), ("exact", 1.0))
def an_error_free_tensor_has_no_finite_sqnr(label, value):
    with folder() as place:
        source = write_npy(place / "in.npy", float32([value] * 128, (4, 32)))
        (result,) = error_results(source, "--format", "mxfp4", "--block", 32)
        expect_equal(result["sqnr_db"], None, f"SQNR of {label}")
        expect_equal((result["mse"], result["max_abs_error"]), (0, 0), "MSE and largest error")


@case(("--threads", "1"), ("--threads", "2"), ("--threads", "7"), ("--target", "baseline"),
      ("--target", "reference"))
def error_digits_do_not_depend_on(option, value):
    with folder() as place:
        # More than one chunk of 65,536 elements, and a last one that is partly filled.
        source = write_npy(place / "in.npy", inputs.normal((130, 1040)))
        common = [source, "--format", "nvfp4,int8", "--block", "16,24"]
        expect_equal(error_results(*common, option, value), error_results(*common), "results")


@case()
def error_skips_what_is_no_matrix_and_says_so():
    with folder() as place:
        source = write_safetensors(place / "m.safetensors", {
            "w": inputs.normal((4, 32)), "bias": inputs.normal((32,))})
        outcome = blockscale("error", source, "--format", "mxfp4", "--block", 32, "--as", "json")
        expect_equal(outcome.code, OK, outcome.stderr)
        names = {r["tensor"] for r in strict_json(outcome.stdout)["results"]}
        expect("w" in names and "bias" not in names, f"tensors {names}")
        expect("bias" in outcome.stdout + outcome.stderr, "the skipped tensor is not listed")


@case()
def error_takes_several_files():
    with folder() as place:
        first = write_safetensors(place / "a.safetensors", {"one": inputs.normal((4, 32))})
        second = write_safetensors(place / "b.safetensors", {"two": inputs.normal((4, 32))})
        document = strict_json(succeed("error", first, second, "--format", "mxfp4", "--block", 32,
                                       "--as", "json"))
        names = {r["tensor"] for r in document["results"]}
        expect({"one", "two"} <= names, f"tensors {names}")


@case()
def reports_carry_version_engine_and_seed():
    with folder() as place:
        text = succeed(*REPORTS["error"](place), "--as", "json")
        document = strict_json(text)
        head = {k: v for k, v in document.items() if k != "results"}
        words = str(head).lower()
        for word in ("version", "engine", "seed", "hash"):
            expect(word in words, f"no {word} in {words[:300]}")


# recipes and verify


@case(("mxfp4", "exact-rceil"), ("mxfp8_e4m3", "exact-ceil"))
def recipes_counts_the_differences(name, recipe):
    with folder() as place:
        tensor = inputs.boundaries((16, 64))
        source = write_npy(place / "in.npy", tensor)
        first = model.quantise(tensor.data, tensor.shape, name)
        second = model.quantise(tensor.data, tensor.shape, name, recipe=recipe)
        scales = sum(a != b for a, b in zip(first.scales, second.scales))
        codes = sum(a != b for a, b in zip(first.codes, second.codes))
        expect(scales > 0 and codes > 0, "the input does not tell the recipes apart")
        found = numbers(strict_json(succeed("recipes", source, "--format", name, "--recipe",
                                            f"exact,{recipe}", "--as", "json")))
        expect(scales in found, f"{scales} differing scales not in {found[:40]}")
        expect(codes in found, f"{codes} differing codes not in {found[:40]}")


@case(("e2m1",), ("mxfp4",), ("nvfp4",))
def verify_finds_no_mismatch(name):
    strict_json(succeed("verify", "--format", name, "--level", "smoke", "--as", "json"))


# A user's own rows


@case(("{ version: 1", "not JSON5"), ('{ version: 1, elements: [ { name: "x" } ] }', "fields"))
def a_broken_formats_file_is_refused(content, label):
    with folder() as place:
        rows = place / "rows.json5"
        rows.write_text(content)
        fail((USAGE, BAD_DATA), "formats", "--formats", rows, mentions=["rows.json5"])


@case()
def a_formats_file_that_is_missing_exits_66():
    with folder() as place:
        outcome = fail(NO_INPUT, "formats", "--formats", place / "absent.json5",
                       mentions=["absent.json5", "no such file"])
        expect("Cocoa" not in outcome.stderr, outcome.stderr)


@case()
def a_folder_is_no_formats_file():
    with folder() as place:
        outcome = fail(NO_INPUT, "formats", "--formats", place, mentions=[place])
        expect("Cocoa" not in outcome.stderr, outcome.stderr)


@case()
def a_misspelt_field_is_refused():
    with folder() as place:
        rows = place / "rows.json5"
        rows.write_text('{ version: 1, blocks: [ { name: "mine", element: "e2m1", scale: "e8m0",'
                        ' block: "8", tenosr: true } ] }')
        fail(BAD_DATA, "error", "absent.npy", "--format", "mine", "--formats", rows,
             mentions=["rows.json5", '"mine"', '"tenosr"', '"tensor"'])
