"""Requests and data that are refused or skipped: what is named, and that the rest goes on."""

import json
import struct
from array import array

import inputs
import model
from files import (Tensor, npy_header, read_safetensors, safetensors_bytes, write_npy,
                   write_safetensors)
from harness import (BAD_DATA, NO_INPUT, OK, USAGE, blockscale, case, expect, expect_equal,
                     expect_same_list, fail, folder, strict_json, succeed)


# Tensors that a block cannot cut


def mixed(place):
    return write_safetensors(place / "in.safetensors", {
        "bias": inputs.normal((64,)), "scalar": Tensor("F32", (), array("f", [1.5])), "w": inputs.normal((8, 64))})


@case(("nvfp4_16x16",), ("fp8_128x128",), ("fp8_1x128",))
def a_tensor_without_two_axes_is_skipped_by_tiles(name):
    with folder() as place:
        source = f"{mixed(place)}:*"
        output = place / "q.safetensors"
        runs = {
            "results": ["error", source, "--format", name],
            "differences": ["recipes", source, "--format", name, "--recipe", "exact,exact-ceil"],
            "tensors": ["quantize", source, "--format", name, "--output", output],
        }
        for key, words in runs.items():
            found = strict_json(succeed(*words, "--as", "json"))
            expect_equal([row["tensor"] for row in found[key]], ["w"], f"tensors of {words[0]}")
            skipped = {(row["name"], row["file"]) for row in found["skipped"]}
            file = str(place / "in.safetensors")
            expect_equal(skipped, {("bias", file), ("scalar", file)}, f"skipped by {words[0]}")
            outcome = blockscale(*words)
            expect_equal(outcome.code, OK, outcome.stderr)
            expect("skipped" in outcome.stderr and "bias" in outcome.stderr, outcome.stderr)
        names = sorted(read_safetensors(output)[0])
        expect(all(name.startswith("w.") for name in names), f"tensors written: {names}")


@case()
def other_formats_still_measure_what_tiles_skip():
    with folder() as place:
        found = strict_json(succeed("error", f"{mixed(place)}:*", "--format", "nvfp4_16x16,mxfp4",
                                    "--as", "json"))
        rows = {(row["format"], row["tensor"]) for row in found["results"]}
        expect_equal(rows, {("nvfp4_16x16", "w"), ("mxfp4", "w"), ("mxfp4", "bias"),
                            ("mxfp4", "scalar")}, "results")
        totals = {row["format"]: row["count"] for row in found["total"]}
        expect_equal(totals, {"nvfp4_16x16": 512, "mxfp4": 577}, "elements in total")
        expect_equal(len(found["skipped"]), 2, "skipped")


@case()
def a_case_that_cuts_no_tensor_has_no_total():
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((64,)))
        found = strict_json(succeed("error", source, "--format", "nvfp4_16x16,mxfp4", "--as", "json"))
        expect_equal([row["format"] for row in found["total"]], ["mxfp4"], "totals")


@case(("error", []), ("quantize", ["--output", "q.safetensors"]))
def tiles_on_nothing_but_lines_are_a_usage_error(verb, rest):
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((64,)))
        fail(USAGE, verb, source, "--format", "nvfp4_16x16", *rest, cwd=place,
             mentions=["in.npy", "two axes"])
        expect_equal([p.name for p in place.iterdir()], ["in.npy"], "files left")


@case()
def an_axis_of_a_single_number_is_refused_with_its_range():
    with folder() as place:
        source = write_npy(place / "in.npy", Tensor("F32", (), array("f", [1.5])))
        outcome = fail(USAGE, "error", source, "--format", "mxfp4", "--axis", "2",
                       mentions=["in.npy", "-1 or 0"])
        expect("0 to -1" not in outcome.stderr, outcome.stderr)


# Several inputs


def two_files(place):
    return [write_safetensors(place / name, {"w": inputs.boundaries((8, 64), seed=seed),
                                             "bias": inputs.normal((64,))})
            for seed, name in enumerate(("first.safetensors", "second.safetensors"))]


@case(("recipes", ["--format", "mxfp4", "--recipe", "exact,exact-rceil"]),
      ("error", ["--format", "mxfp4"]))
def tables_name_the_file_of_tensors_with_one_name(verb, how):
    with folder() as place:
        files = two_files(place)
        outcome = blockscale(verb, *files, *how)
        expect_equal(outcome.code, OK, outcome.stderr)
        tables = outcome.stdout.split("First places")
        for text in tables:
            for file in files:
                expect(file.name in text, f"{file.name} is not in {text}")
        expect("first.safetensors: bias" in outcome.stderr, outcome.stderr)
        expect("second.safetensors: bias" in outcome.stderr, outcome.stderr)
        key = "differences" if verb == "recipes" else "results"
        found = strict_json(succeed(verb, *files, *how, "--as", "json"))[key]
        expect_equal([(row["file"], row["tensor"]) for row in found],
                     [(str(file), "w") for file in files], "files and tensors in JSON")


@case()
def files_of_one_name_are_told_apart_by_their_folders():
    with folder() as place:
        files = []
        for name in ("old", "new"):
            (place / name).mkdir()
            files.append(write_safetensors(place / name / "m.safetensors",
                                           {"w": inputs.boundaries((8, 64))}))
        text = succeed("error", *files, "--format", "mxfp4")
        expect("old/m.safetensors: w" in text and "new/m.safetensors: w" in text, text)


@case()
def one_input_is_not_repeated_in_every_line():
    with folder() as place:
        outcome = blockscale("recipes", two_files(place)[0], "--format", "mxfp4", "--recipe",
                             "exact,exact-rceil")
        expect("first.safetensors" not in outcome.stdout + outcome.stderr, outcome.stdout)


# Names of outputs


@case(("quantize", "q.npy"), ("quantize", "q"), ("quantize", "q.safetensors.gz"),
      ("dequantize", "o.npz"), ("dequantize", "o"), ("dequantize", "o.txt"))
def an_output_of_another_kind_is_refused_before_any_work(verb, output):
    with folder() as place:
        # The input does not exist: a run that began would end with another exit code.
        how = ["--format", "mxfp4"] if verb == "quantize" else []
        fail(USAGE, verb, place / "absent.npy", *how, "--output", place / output,
             mentions=[output, ".safetensors"])
        expect_equal(list(place.iterdir()), [], "files left")


@case(("Q.SAFETENSORS",),)
def endings_are_case_insensitive(output):
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((4, 32)))
        succeed("quantize", source, "--format", "mxfp4", "--output", place / output)
        expect((place / output).exists(), "no output")


# Metadata against the format


@case(("mxfp8_e4m3",), ("mxfp6_e2m3",), ("int8",))
def packed_codes_above_four_bits_are_bad_data(name):
    with folder() as place:
        source = write_safetensors(place / "in.safetensors", {"layer.w": inputs.normal((4, 64))})
        succeed("quantize", source, "--format", "mxfp4", "--output", place / "q.safetensors")
        content = (place / "q.safetensors").read_bytes()
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + length])
        entry = json.loads(header["__metadata__"]["layer.w"])
        expect_equal(entry["packed"], True, "packed")
        header["__metadata__"]["layer.w"] = json.dumps({**entry, "format": name})
        if name == "int8":
            # 8 scales of four bytes behind 128 bytes of codes.
            header["layer.w.scales"].update(dtype="F32", data_offsets=[128, 160])
            content = content[: 8 + length + 128] + bytes(32)
        lie = place / "lie.safetensors"
        lie.write_bytes(safetensors_bytes(header, content[8 + length :]))
        fail(BAD_DATA, "dequantize", lie, "--output", place / "o.npy",
             mentions=["lie.safetensors", "layer.w", "packed", "bits"])
        expect(not (place / "o.npy").exists(), "an output is there")


# NaN


@case(("e2m1", "nan"), ("e2m3", "-NaN"), ("int4", "nan"), ("nf4", "nan"))
def explain_says_that_an_element_has_no_nan(name, value):
    outcome = fail(BAD_DATA, "explain", name, value, mentions=[name, "no NaN"])
    expect("in a block" not in outcome.stderr, f"speaks of blocks: {outcome.stderr}")


@case(("e4m3",), ("e5m2_fnuz",), ("e8m0",))
def explain_shows_nan_where_there_is_one(name):
    expect("nan" in succeed("explain", name, "nan").lower(), "no NaN is shown")


# Random bits


def bits_file(place, data, shape, descr="<u4", fortran=False):
    (place / "bits.npy").write_bytes(npy_header(descr, shape, fortran=fortran) + data)
    return place / "bits.npy"


def numbers(count, code="I"):
    return array(code, [(i * 2654435761 >> 5) % 256 for i in range(count)])


STOCHASTIC = ["--format", "mxfp4", "--rounding", "stochastic:8"]


@case(("too few", numbers(100).tobytes(), (100,), "<u4", ["100", "256"]),
      ("too many", numbers(300).tobytes(), (300,), "<u4", ["300", "256"]),
      ("too large", array("I", [7] * 9 + [256] + [7] * 246).tobytes(), (256,), "<u4", ["element 9"]),
      ("negative", array("i", [7] * 9 + [-1] + [7] * 246).tobytes(), (256,), "<i4", ["element 9"]),
      ("floats", bytes(1024), (256,), "<f4", ["F32"]),
      ("truncated", bytes(1000), (256,), "<u4", []))
def a_bad_file_of_random_bits_is_named(_, data, shape, descr, words):
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((4, 64)))
        bits = bits_file(place, data, shape, descr)
        for verb, rest in (("error", []), ("recipes", ["--recipe", "exact,exact-ceil"]),
                           ("quantize", ["--output", place / "q.safetensors"])):
            outcome = fail(BAD_DATA, verb, source, *STOCHASTIC, *rest, "--random-bits", bits,
                           mentions=["bits.npy", *words])
            message = outcome.stderr.replace("blockscale: ", "")
            expect(message.startswith(str(bits)), f"another file is blamed: {message}")


@case()
def a_missing_file_of_random_bits_exits_66():
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((4, 64)))
        fail(NO_INPUT, "error", source, *STOCHASTIC, "--random-bits", place / "absent.npy",
             mentions=["absent.npy"])


@case(("error", []), ("error", ["--rounding", "towardZero"]),
      ("quantize", ["--output", "q.safetensors"]),
      ("recipes", ["--recipe", "exact,exact-ceil"]))
def random_bits_without_stochastic_rounding_are_a_usage_error(verb, rest):
    with folder() as place:
        source = write_npy(place / "in.npy", inputs.normal((4, 64)))
        bits = bits_file(place, numbers(256).tobytes(), (4, 64))
        fail(USAGE, verb, source, "--format", "mxfp4", *rest, "--random-bits", bits, cwd=place,
             mentions=["--random-bits", "stochastic"])


@case(("<u4", "I", False), (">u4", "I", False), (">u2", "H", False), ("|u1", "B", False),
      ("<u4", "I", True), (">i8", "q", True))
def random_bits_are_read_in_any_order(descr, code, fortran):
    with folder() as place:
        rows, columns = 8, 32
        source = write_npy(place / "in.npy", inputs.normal((rows, columns)))
        plain = numbers(rows * columns)
        bits_file(place, plain.tobytes(), (rows, columns))
        how = ["quantize", source, *STOCHASTIC, "--unpacked", "--random-bits", place / "bits.npy"]
        succeed(*how, "--output", place / "a.safetensors")
        places = ([r * columns + c for c in range(columns) for r in range(rows)] if fortran
                  else range(rows * columns))
        turned = array(code, [plain[i] for i in places])
        if descr.startswith(">"):
            turned.byteswap()
        bits_file(place, turned.tobytes(), (rows, columns), descr, fortran)
        succeed(*how, "--output", place / "b.safetensors")
        first, second = (read_safetensors(place / f"{n}.safetensors")[0]["tensor.codes"].data
                         for n in "ab")
        expect_same_list(second, first, "codes")
        plainly = model.quantise(inputs.normal((rows, columns)).data, (rows, columns), "mxfp4").codes
        expect(list(first) != list(plainly), "random bits changed nothing")
