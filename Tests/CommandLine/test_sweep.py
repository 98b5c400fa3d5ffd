"""sweep and store: what is measured, plans, shards, launchers, merging and export."""

import csv
import io
import json
import os
import shutil
import sqlite3

import inputs
from files import float32, write_npy, write_safetensors
from harness import (BAD_DATA, CANNOT_WRITE, NO_INPUT, OK, USAGE, blockscale, case, expect,
                     expect_equal, fail, folder, strict_json, succeed)
from sweeps import (ACTIVATIONS, FORMATS, SLICE, counts, execute, export, rows, sweep,
                    weights)

# What is measured


def without_files(text):
    """The results of a JSON report; a store's rows name no files."""
    results = strict_json(text)["results"]
    for result in results:
        for part in (result, result.get("a"), result.get("b")):
            if isinstance(part, dict):
                part.pop("file", None)
    return results


@case()
def tensor_rows_are_what_error_prints():
    how = ["--format", "nvfp4,mxfp8_e4m3,nf4", "--block", "16,40,tensor", "--recipe",
           "exact,exact-rceil"]
    with folder() as place:
        sweep(place / "s.sqlite", SLICE, *how)
        printed = without_files(succeed("error", SLICE, *how, "--as", "json"))
        stored = [row["report"] for row in rows(place / "s.sqlite")]

        def order(result):
            return [str(result[key]) for key in ("tensor", "format", "block", "recipe")]
        expect_equal(len(stored), len(printed), "results")
        for ours, theirs in zip(sorted(stored, key=order), sorted(printed, key=order)):
            expect_equal(ours, theirs, f"report of {order(theirs)}")


@case()
def product_rows_are_what_matmul_prints():
    a = f"{ACTIVATIONS}:encoder.layer.0.attention.self.query.input"
    b = f"{SLICE}:encoder.layer.0.attention.self.query.weight"
    how = ["--transpose-b", "--format", "nvfp4", "--block", "32", "--accumulator",
           "exact,blackwell-fp4", "--rounding", "stochastic:8", "--seed", "7", "--fraction", "0.5"]
    with folder() as place:
        sweep(place / "s.sqlite", "--product", f"{a}={b}", *how)
        printed = without_files(succeed("matmul", a, b, *how, "--as", "json"))
        stored = rows(place / "s.sqlite")
        expect_equal([row["seed"] for row in stored], [7, 7], "seeds")
        for row in stored:
            twin = [r for r in printed if r["accumulator"] == row["accumulator"]]
            expect_equal([row["report"]], twin, row["accumulator"])
            expect_equal((row["kind"], row["count"]), ("product", twin[0]["count"]), "row")
            expect_equal(row["nmse"], twin[0]["nmse"], "nmse")
            # 4 bits, 8 for each block of 32, and a tensor scale a side.
            expect(abs(row["bits_per_element"] - 4.25) < 0.01, row["bits_per_element"])


@case()
def products_meet_where_wildcards_stand_for_the_same():
    with folder() as place:
        layers = ["one", "two"]
        model = weights(place, [f"{n}.weight" for n in layers], (12, 64))
        act = write_safetensors(place / "act.safetensors", {
            f"{name}.input": inputs.normal((9, 64), seed=9) for name in [*layers, "three"]})
        report = sweep(place / "s.sqlite", "--product", f"{act}:*.input={model}:*.weight",
                       "--transpose-b", "--format", "mxfp4", "--block", "16,32")
        expect_equal([skip["name"] for skip in report["skipped"]], ["three.input"], "what meets nothing")
        met = sorted({(row["tensor"], row["other"]) for row in rows(place / "s.sqlite")})
        expect_equal(met, [("one.input", "one.weight"), ("two.input", "two.weight")], "pairs")
        fail(USAGE, "sweep", "--product", f"{act}:t*.input={model}:o*.weight", "--transpose-b",
             "--format", "mxfp4", "--store", place / "t.sqlite", mentions=["nothing meets"])
        # One of each side, and yet not of one name.
        fail(USAGE, "sweep", "--product", f"{act}:th*.input={model}:o*.weight", "--transpose-b",
             "--format", "mxfp4", "--store", place / "t.sqlite", mentions=["nothing meets"])
        expect(not (place / "t.sqlite").exists(), "a store was made")


@case()
def formats_of_both_sides_that_share_no_block_are_refused():
    with folder() as place:
        act = write_safetensors(place / "act.safetensors", {
            "p": inputs.normal((8, 64), seed=1), "v": inputs.normal((64, 8), seed=2)})
        product = {"a": f"{act}:p", "b": f"{act}:v", "formats": ["mxfp8_e4m3"],
                   "formats_b": ["nvfp4"]}
        plan = place / "plan.json5"
        for more, items in [({}, None), ({"blocks": [32], "blocks_b": [16]}, 1), ({"blocks": [16]}, 1)]:
            plan.write_text(json.dumps({"version": 1, "products": [{**product, **more}]}))
            words = ["sweep", "--plan", plan, "--store", place / f"s{items}.sqlite"]
            if items is None:
                fail(BAD_DATA, *words, mentions=["formats_b", "blocks_b"])
            else:
                succeed(*words)


@case()
def a_status_takes_no_other_files_place():
    with folder() as place:
        model = weights(place, ["w"], (4, 32))
        words = ["sweep", model, "--format", "mxfp4", "--store", place / "s.sqlite", "--status"]
        deep = place / "folder" / "deep"
        deep.mkdir(parents=True)
        for taken in (place / "folder", model):
            before = taken.read_bytes() if taken.is_file() else None
            fail(USAGE, *words, taken, mentions=["--status"])
            expect(taken.read_bytes() == before if before else deep.is_dir(), f"{taken} was touched")
        status = place / "status.json"
        for kept in (0, 1):
            succeed(*words, status)
            expect_equal(strict_json(status.read_text())["kept"], kept, "kept")
        fail(USAGE, *words, place / "s.sqlite", mentions=["--status"])
        fail(USAGE, *words, status, "--dry-run", mentions=["--status"])


@case()
def items_of_a_large_tensor_share_its_read():
    with folder() as place:
        header = json.dumps({"big": {"dtype": "F32", "shape": [65536, 8192],
                                     "data_offsets": [0, 65536 * 8192 * 4]}}).encode()
        large = place / "large.safetensors"
        with large.open("wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            file.truncate(8 + len(header) + 65536 * 8192 * 4)
        for blocks, bundles in [("16,32,64,128", 1), ("2,4,8,16,32,64,128,256,512", 2)]:
            plan = strict_json(succeed("sweep", large, "--format", "mxfp4,nvfp4", "--block", blocks,
                                       "--store", place / "s.sqlite", "--dry-run", "--as", "json"))
            expect_equal([row["bundles"] for row in plan["plan"]], [bundles], blocks)


@case()
def combinations_that_cannot_be_are_left_out_with_the_reason():
    with folder() as place:
        a = f"{ACTIVATIONS}:encoder.layer.0.attention.self.query.input"
        b = f"{SLICE}:encoder.layer.0.attention.self.query.weight"
        report = sweep(place / "s.sqlite", "--product", f"{a}={b}", "--transpose-b", "--format",
                       "nvfp4,int8", "--accumulator", "blackwell-fp4,int8-wrap")
        kept = {(row["format"], row["accumulator"]) for row in rows(place / "s.sqlite")}
        expect_equal(kept, {("nvfp4", "blackwell-fp4"), ("int8", "int8-wrap")}, "combinations")
        expect_equal(len(report["skipped"]), 2, report["skipped"])
        expect(all("does not take" in item["reason"] for item in report["skipped"]),
               report["skipped"])


@case()
def numbers_that_a_format_cannot_hold_fail_alone():
    with folder() as place:
        tensor = write_npy(place / "special.npy", inputs.special())
        outcome = blockscale("sweep", tensor, "--format", "int8,mxfp8_e4m3,mxfp4", "--store",
                             place / "s.sqlite", "--as", "json")
        alone = {name: blockscale("error", tensor, "--format", name).code
                 for name in ("int8", "mxfp8_e4m3", "mxfp4")}
        failing = sorted(name for name, code in alone.items() if code)
        report = strict_json(outcome.stdout)
        expect_equal(outcome.code, BAD_DATA if failing else OK, outcome.stderr)
        expect_equal(len(report["failed"]), len(failing), report["failed"])
        expect_equal(sorted(row["format"] for row in rows(place / "s.sqlite")),
                     sorted(set(alone) - set(failing)), "stored")


@case()
def the_tensors_table_describes_what_was_read():
    with folder() as place:
        data = float32([1.0, -2.0, 0.5, 0.0, 3.0, -4.0], (2, 3))
        sweep(place / "s.sqlite", write_npy(place / "a.npy", data), "--format", "mxfp4",
              "--activations", weights(place))
        base = sqlite3.connect(place / "s.sqlite")
        base.row_factory = sqlite3.Row
        by_name = {row["name"]: dict(row) for row in base.execute("SELECT * FROM tensors")}
        base.close()
        one = by_name["tensor"]
        expect_equal((one["role"], one["shape"], one["dtype"], one["count"], one["max_abs"]),
                     ("weight", "[2, 3]", "F32", 6, 4.0), "tensor")
        expect_equal(one["rms"], (30.25 / 6) ** 0.5, "rms")
        crest = json.loads(one["crest_quantiles"])
        expect_equal(set(crest), {"0", "0.01", "0.25", "0.5", "0.75", "0.99", "1"}, "shares")
        expect(abs(crest["0"] - 4 / (25 / 3) ** 0.5) < 1e-12, crest)
        expect_equal(by_name["x.weight"]["role"], "activation", "role")


# Going on, shards, merging


@case()
def a_second_run_measures_only_what_is_new():
    with folder() as place:
        model, store = weights(place), place / "s.sqlite"
        expect_equal(counts(store, model, *FORMATS), (27, 27, 0), "first")
        before = export(store)
        expect_equal(counts(store, model, *FORMATS), (27, 0, 27), "again")
        expect_equal(export(store), before, "store after a run with nothing to do")
        expect_equal(counts(store, model, "--format", "nvfp4,int4", "--block", "16,24"),
                     (12, 9, 3), "with more")
        # The seed decides nothing where nothing is random, and everything where something is.
        expect_equal(counts(store, model, *FORMATS, "--seed", "2"), (27, 0, 27), "other seed")
        random_rounding = ["--format", "nvfp4", "--rounding", "stochastic"]
        expect_equal(counts(store, model, *random_rounding), (3, 3, 0), "stochastic")
        expect_equal(counts(store, model, *random_rounding, "--seed", "2"), (3, 3, 0), "its seed")


@case((2,), (3,), (7,))
def shards_merge_to_the_store_of_one_process(number):
    with folder() as place:
        model = weights(place)
        words = [model, *FORMATS, "--activations", SLICE]
        sweep(place / "one.sqlite", *words)
        stores = [place / f"{index}.sqlite" for index in range(1, number + 1)]
        items = [counts(store, *words, "--shard", f"{index}/{number}", "--threads", 1 + index % 2)[0]
                 for index, store in enumerate(stores, start=1)]
        expect_equal(sum(items), 54, "items of all shards")
        for order in (stores, stores[::-1]):
            succeed("store", "merge", place / "all.sqlite", *order, "--replace")
            for form in ("jsonl", "csv"):
                expect_equal(export(place / "all.sqlite", form), export(place / "one.sqlite", form),
                             f"export as {form}")
        plan = strict_json(succeed("sweep", *words, "--shard", f"1/{number}", "--dry-run", "--as",
                                   "json"))["plan"]
        expect_equal([row["items"] for row in plan], items, "the plan's items")
        expect(abs(sum(row["share"] for row in plan) - 1) < 1e-9, plan)
        expect(max(row["share"] for row in plan) < 1.5 / number, f"balance: {plan}")


@case(
    ({"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "1",
      "SLURM_ARRAY_TASK_MAX": "3"}, "3/3", "SLURM_ARRAY_TASK_ID"),
    ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4"}, "2/4", "OMPI_COMM_WORLD_RANK"),
    ({"PMI_RANK": "0", "PMI_SIZE": "2"}, "1/2", "PMI_RANK"),
    ({"SLURM_PROCID": "1", "SLURM_NTASKS": "3"}, "2/3", "SLURM_PROCID"),
    ({"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "0",
      "SLURM_PROCID": "2", "SLURM_NTASKS": "3", "SLURM_STEP_ID": "0", "SLURM_JOB_ID": "9"}, "6/6",
     "SLURM_ARRAY_TASK_ID, SLURM_PROCID"),
    # One task, and a batch script that may start several: no shard.
    ({"SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, None, None),
    ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "9"}, None, None))
def launchers_tell_the_shard(variables, shard, names):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("SLURM", "OMPI", "PMI"))}
    with folder() as place:
        model = weights(place)
        environment = {**clean, **variables}
        outcome = blockscale("sweep", model, *FORMATS, "--store", place / "s-{shard}.sqlite",
                             env=environment)
        expect_equal(outcome.code, OK, outcome.stderr)
        if shard is None:
            expect("shard" not in outcome.stderr, outcome.stderr)
            expect((place / "s-1.sqlite").exists(), "no store")
            return
        expect(f"shard {shard} ({names})" in outcome.stderr, outcome.stderr)
        expect((place / f"s-{shard.split('/')[0]}.sqlite").exists(), "no store of the shard's name")
        fail(USAGE, "sweep", model, *FORMATS, "--store", place / "t.sqlite", env=environment,
             mentions=["{shard}"])
        # --shard goes before what a launcher says.
        fixed = blockscale("sweep", model, *FORMATS, "--store", place / "t.sqlite", "--shard", "1/5",
                           env=environment)
        expect("shard 1/5 into" in fixed.stderr, fixed.stderr)


@case(({"SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "1"},
       "SLURM_ARRAY_TASK_ID"),
      # One task of an array that was submitted once more: it would measure the whole plan.
      ({"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "1", "SLURM_ARRAY_TASK_MIN": "3",
        "SLURM_ARRAY_TASK_MAX": "3"}, "SLURM_ARRAY_TASK_ID"),
      ({"OMPI_COMM_WORLD_RANK": "x", "OMPI_COMM_WORLD_SIZE": "3"}, "OMPI_COMM_WORLD_RANK"))
def launchers_that_do_not_tell_the_shard_are_refused(variables, name):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("SLURM", "OMPI", "PMI"))}
    with folder() as place:
        model = weights(place)
        fail(USAGE, "sweep", model, *FORMATS, "--store", place / "{shard}.sqlite",
             env={**clean, **variables}, mentions=[name, "--shard"])
        expect_equal([path.name for path in place.iterdir()], [model.name], "files")


@case(("0/3",), ("4/3",), ("1",), ("1/0",), ("a/b",))
def shards_out_of_range_are_refused(shard):
    with folder() as place:
        fail(USAGE, "sweep", weights(place), *FORMATS, "--store", place / "s.sqlite", "--shard", shard)


@case()
def stores_of_different_tensors_do_not_merge():
    with folder() as place:
        model = weights(place)
        sweep(place / "a.sqlite", model, *FORMATS)
        write_safetensors(model, {"x.weight": inputs.normal((24, 96), seed=50)})
        sweep(place / "b.sqlite", model, *FORMATS)
        fail(BAD_DATA, "store", "merge", place / "c.sqlite", place / "a.sqlite", place / "b.sqlite",
             mentions=["x.weight", "SHA-256"])
        expect_equal(sorted(p.name for p in place.iterdir()),
                     ["a.sqlite", "b.sqlite", "model.safetensors"], "files after a refused merge")
        fail(CANNOT_WRITE, "store", "merge", place / "a.sqlite", place / "b.sqlite",
             mentions=["exists"])
        fail(NO_INPUT, "store", "merge", place / "c.sqlite", place / "none.sqlite",
             mentions=["none.sqlite"])
        fail(BAD_DATA, "store", "merge", model, place / "a.sqlite", "--replace",
             mentions=["not a store"])


@case()
def stores_that_contradict_each_other_do_not_merge():
    with folder() as place:
        model = weights(place)
        sweep(place / "a.sqlite", model, *FORMATS)
        shutil.copy(place / "a.sqlite", place / "b.sqlite")
        execute(place / "b.sqlite", "UPDATE results SET nmse = nmse * 1.5 WHERE block = '16'")
        fail(BAD_DATA, "store", "merge", place / "c.sqlite", place / "a.sqlite", place / "b.sqlite",
             mentions=["differs", "a.sqlite", ".weight: ", " 16 exact"])


@case()
def exports_hold_every_row_and_number():
    with folder() as place:
        sweep(place / "s.sqlite", weights(place), *FORMATS)
        lines = rows(place / "s.sqlite")
        expect_equal([row["key"] for row in lines], sorted(row["key"] for row in lines), "order")
        table = list(csv.DictReader(io.StringIO(export(place / "s.sqlite", "csv"))))
        expect_equal(len(table), len(lines), "rows")
        for left, right in zip(table, lines):
            expect_equal(left["key"], right["key"], "key")
            for name in ("nmse", "sqnr_db", "bits_per_element"):
                expect_equal(float(left[name]), right[name], name)
            for name in ("mse", "max_abs_error", "cosine", "max_ulp", "saturated", "flushed"):
                expect_equal(float(left[name]), right["report"][name], name)
        shown = strict_json(succeed("store", "show", place / "s.sqlite", "--as", "json"))
        expect_equal({row["format"]: row["results"] for row in shown["contents"]},
                     {"nvfp4": 9, "mxfp4": 9, "int8": 9}, "contents")
        expect("blockscale sweep" in shown["command"], shown["command"])


# Plans


PLAN = {"version": 1, "weights": ["model.safetensors"], "formats": ["nvfp4", "mxfp4", "int8"],
        "blocks": [8, 16, "32"]}


def plan_file(place, text):
    (place / "plans").mkdir(exist_ok=True)
    path = place / "plans/p.json5"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


@case()
def a_plan_measures_what_its_flags_would():
    with folder() as place:
        model = weights(place)
        text = ("// blocks of one layer\n{version: 1, weights: ['../model.safetensors'],"
                " formats: ['nvfp4', 'mxfp4', 'int8'], blocks: [8, 16, '32'],}")
        sweep(place / "p.sqlite", "--plan", plan_file(place, text))
        sweep(place / "f.sqlite", place / "plans/../model.safetensors", *FORMATS)
        expect_equal(export(place / "p.sqlite"), export(place / "f.sqlite"), "results")
        expect(model.exists(), "the model")


@case(
    ({"formats": ["nvfp4", "nvpf4"]}, ["formats[1]", '"nvpf4"', '"nvfp4"']),
    ({"recipes": ["exakt"]}, ["recipes[0]", '"exakt"', '"exact"']),
    ({"products": [{"a": "a", "b": "b", "accumulators": ["exact", "hopper-fp9"]}]},
     ["products[0].accumulators[1]", '"hopper-fp9"', '"hopper-fp8"']),
    ({"products": [{"a": "a", "b": "b", "formats_b": ["mxfp5"]}]},
     ["products[0].formats_b[0]", '"mxfp5"', '"mxfp4"']),
    ({"blokcs": [8]}, ['"blokcs"', '"blocks"']),
    ({"products": [{"a": "a", "b": "b", "transposeb": True}]},
     ["products[0]", '"transposeb"', '"transpose_b"']),
    ({"products": [{"a": "a"}]}, ["products[0]", '"b"']),
    ({"blocks": [8, "16x"]}, ["blocks[1]", '"16x"', "RxC"]),
    ({"blocks": [0]}, ["blocks[0]"]),
    ({"roundings": ["nearest"]}, ["roundings[0]", "tiesToEven"]),
    ({"fraction": 0}, ["fraction"]),
    ({"seed": -1}, ["seed"]),
    ({"seed": 1.5}, ["seed: 1.5", "whole number"]),
    ({"axis": 0.5}, ["axis: 0.5", "whole number"]),
    ({"version": 1.5}, ["version"]),
    ({"weights": ["../model.safetensors"], "axis": 5}, ["axis 5"]),
    ({"weights": ["../model.safetensors"], "rotations": [256]}, ["256"]),
    ({"recipes": []}, ["recipes", "empty list"]),
    ({"products": [{"a": "a", "b": "b", "accumulators": []}]},
     ["products[0].accumulators", "empty list"]),
    ({"version": 2}, ["version", "expected 1"]),
    ({"formats": "nvfp4"}, ["formats"]),
    ("{version: 1, formats: [", ["not JSON5"]),
    ("[]", ["plan"]))
def a_plan_with_a_mistake_is_refused_before_anything_is_measured(change, mentions):
    with folder() as place:
        weights(place)
        text = change if isinstance(change, str) else {**PLAN, **change}
        plan = plan_file(place, text)
        fail(BAD_DATA, "sweep", "--plan", plan, "--store", place / "s.sqlite",
             mentions=[plan.name, *mentions])
        expect(not (place / "s.sqlite").exists(), "a store was made")


@case((["--format", "nvpf4"], ["--format", '"nvfp4"']),
      (["--format", "nvfp4", "--recipe", "exakt"], ["--recipe", '"exact"']),
      (["--format", "nvfp4", "--fraction", "2"], ["fraction"]),
      ([], ["format"]))
def flags_with_a_mistake_are_usage_errors(words, mentions):
    with folder() as place:
        fail(USAGE, "sweep", weights(place), *words, "--store", place / "s.sqlite",
             mentions=mentions)
        expect(not (place / "s.sqlite").exists(), "a store was made")


@case()
def plans_and_stores_that_are_missing_are_named():
    with folder() as place:
        fail(NO_INPUT, "sweep", "--plan", place / "no.json5", "--store", place / "s.sqlite",
             mentions=["no.json5"])
        fail(NO_INPUT, "sweep", place / "no.npy", *FORMATS, "--store", place / "s.sqlite",
             mentions=["no.npy"])
        fail(USAGE, "sweep", weights(place), *FORMATS, mentions=["--store"])
        fail(USAGE, "sweep", weights(place), *FORMATS, "--store", "", mentions=["--store"])
        fail(USAGE, "sweep", "--plan", place / "p", "--format", "nvfp4", "--store",
             place / "s.sqlite", mentions=["--format"])
        fail(NO_INPUT, "store", "export", place / "no.sqlite", "--as", "csv", mentions=["no.sqlite"])
        fail(CANNOT_WRITE, "sweep", weights(place), *FORMATS, "--store", place / "no/s.sqlite",
             mentions=["no/s.sqlite"])
