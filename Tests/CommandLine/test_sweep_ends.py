"""What stores show, how they are named, and how a sweep says that it ended."""

import inputs
from files import write_npy, write_safetensors
from harness import (BAD_DATA, NO_INPUT, OK, blockscale, case, expect, expect_equal, folder,
                     strict_json, succeed)
from sweeps import FORMATS, counts, rows, sweep, weights


@case()
def a_store_shows_tensors_of_one_name_apart_and_how_products_were_read():
    with folder() as place:
        store = place / "s.sqlite"
        for seed in (1, 2):
            (place / f"{seed}").mkdir()
            sweep(store, write_npy(place / f"{seed}/a.npy", inputs.normal((32, 32), seed=seed)),
                  "--format", "mxfp4")
        contents = strict_json(succeed("store", "show", store, "--as", "json"))["contents"]
        expect_equal([(row["tensors"], row["results"]) for row in contents], [(2, 2)], "contents")
        product = ["--product", f"{place}/1/a.npy={place}/2/a.npy", "--format", "mxfp4"]
        sweep(store, *product)
        sweep(store, *product, "--transpose-b")
        found = sorted((row["kind"], row["transpose_b"]) for row in rows(store)
                       if row["kind"] == "product")
        expect_equal(found, [("product", False), ("product", True)], "transpose_b")
        expect_equal({row["transpose_b"] for row in rows(store) if row["kind"] == "tensor"}, {None},
                     "transpose_b of tensors")


@case((":memory:",), ("file:s.sqlite",), ("a?b=1&c%20#x.sqlite",))
def every_name_of_a_store_is_a_path(name):
    with folder() as place:
        model = weights(place)
        expect_equal(counts(name, model, *FORMATS, cwd=place), (27, 27, 0), name)
        expect_equal(sorted(p.name for p in place.iterdir()), sorted([name, model.name]), "files")
        expect_equal(counts(place / name, model, *FORMATS), (27, 0, 27), "by its whole path")
        succeed("store", "merge", "file:m", name, cwd=place)
        expect((place / "file:m").exists(), "no merged store")


@case()
def a_status_file_tells_how_a_sweep_ended():
    with folder() as place:
        model, store, status = weights(place), place / "s.sqlite", place / "status.json"

        def ended(code, *words):
            outcome = blockscale("sweep", *words, "--store", store, "--status", status)
            expect_equal(outcome.code, code, outcome.stderr)
            found = strict_json(status.read_text())
            return found["status"], found["items"], found["measured"], found["kept"], found["failed"]
        expect_equal(ended(OK, model, *FORMATS), ("complete", 27, 27, 0, 0), "first")
        expect_equal(ended(OK, model, *FORMATS), ("complete", 27, 0, 27, 0), "second")
        special = write_npy(place / "special.npy", inputs.special())
        expect_equal(ended(BAD_DATA, special, "--format", "nvfp4", "--recipe",
                           "exact,torchao-nvfp4"), ("incomplete", 2, 1, 0, 1), "with infinities")
        expect_equal(ended(NO_INPUT, place / "no.npy", *FORMATS)[0], "error", "no file")
        write_safetensors(model, {"x.weight": inputs.normal((24, 96), seed=50)})
        expect_equal(ended(BAD_DATA, model, *FORMATS)[0], "tensor_changed", "another tensor")
