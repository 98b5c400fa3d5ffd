"""law measure, law assign and law plan: their numbers again from other verbs, and every refusal."""

import csv
import io
import itertools
import json
import math

import inputs
from files import float32, write_npy, write_safetensors
from harness import (BAD_DATA, CANNOT_WRITE, NO_INPUT, USAGE, case, expect, expect_equal, fail,
                     folder, strict_json, succeed)

SHAPES = {"enc.0.q": (24, 64), "enc.0.k": (16, 64), "enc.1.q": (24, 40), "enc.1.k": (8, 64),
          "head": (12, 64)}
ALPHA = {"enc.0.q": 2.0, "enc.0.k": 0.5, "enc.1.q": 1.0, "enc.1.k": 3.0, "head": 0.25}


def model(place):
    """Weights and activations of five small layers."""
    weights = {f"{name}.weight": inputs.normal(shape, seed=index + 1)
               for index, (name, shape) in enumerate(SHAPES.items())}
    lefts = {f"{name}.input": inputs.normal((20, shape[1]), seed=index + 50)
             for index, (name, shape) in enumerate(SHAPES.items())}
    return ["--weights", write_safetensors(place / "w.safetensors", weights),
            "--activations", write_safetensors(place / "a.safetensors", lefts)]


def alpha_file(place, ending="csv"):
    path = place / f"alpha.{ending}"
    if ending == "csv":
        rows = [f"{name}.weight,{value},{value / 2}\n" for name, value in ALPHA.items()]
        path.write_text("tensor,alpha,alpha_weight\n" + "".join(rows))
    else:
        path.write_text(json.dumps({"observable": "what was seen", "layers": [
            {"tensor": f"{name}.weight", "alpha": value, "alpha_weight": value / 2}
            for name, value in ALPHA.items()]}))
    return path


def loss_file(place, ratios=(0.5, 0.7, 0.9, 0.95), sizes=(0.5, 1.8, 4, 7, 14), name="loss.csv"):
    rows = [f"{n * 1e9},{q},{0.005 * math.exp(4.5 * q + 0.02 * (-1) ** (i + j)) * n ** -0.5}\n"
            for i, n in enumerate(sizes) for j, q in enumerate(ratios)]
    path = place / name
    path.write_text("n,q_r,delta\n" + "".join(rows))
    return path


def csv_rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def close(observed, expected, what, tolerance=1e-12):
    expect(abs(observed - expected) <= tolerance * max(abs(expected), 1e-300),
           f"{what}: expected {expected!r}, observed {observed!r}")


def products(place, words, format_name, block):
    """t² of every layer by the verb matmul."""
    weights, lefts = words[1], words[3]
    found = {}
    for name in SHAPES:
        report = strict_json(succeed(
            "matmul", f"{lefts}:{name}.input", f"{weights}:{name}.weight", "--transpose-b",
            "--format", format_name, "--block", block, "--as", "json"))
        parts = {part["part"]: part for part in report["parts"]}
        found[name] = parts["total"]["nmse"] if "total" in parts else report["total"]["nmse"]
    return found


def size(name):
    return SHAPES[name][0] * SHAPES[name][1]


@case()
def a_curve_is_the_weighted_mean_of_matmuls_errors():
    with folder() as place:
        words = model(place)
        common = ["law", "measure", *words, "--format", "nvfp4,int8", "--block", "16,32"]
        plain = csv_rows(succeed(*common, "--as", "csv"))
        weighted = csv_rows(succeed(*common, "--as", "csv", "--alpha", alpha_file(place)))
        expect_equal([(row["format"], row["block"]) for row in plain],
                     [("nvfp4", "16"), ("nvfp4", "32"), ("int8", "16"), ("int8", "32")], "rows")
        total = sum(map(size, SHAPES))
        for row, other in zip(plain, weighted):
            squares = products(place, words, row["format"], row["block"])
            close(float(row["nmse"]), sum(size(n) * t for n, t in squares.items()) / total, "nmse")
            delta = sum(ALPHA[n] * t for n, t in squares.items())
            close(float(other["delta"]), delta, "delta")
            close(float(other["nmse"]), delta / sum(ALPHA.values()), "nmse by alpha")
            expect_equal((row["delta"], row["n"], row["q_r"]), ("", str(total), "1"), "columns")
            blocks = sum(n * -(-k // int(row["block"])) for n, k in SHAPES.values())
            close(float(row["q_b"]), total / blocks, "mean block size")


@case()
def alpha_is_read_from_json_too_and_names_its_observable():
    with folder() as place:
        words = ["law", "measure", *model(place), "--format", "mxfp4", "--block", "32", "--as"]
        first = strict_json(succeed(*words, "json", "--alpha", alpha_file(place)))
        second = strict_json(succeed(*words, "json", "--alpha", alpha_file(place, "json")))
        expect_equal(first["curves"], second["curves"], "curves")
        expect_equal(second["observable"], "what was seen", "observable")
        expect_equal(first["weighting"], "alpha", "weighting")


@case()
def without_activations_the_weights_own_error_is_measured():
    with folder() as place:
        weights = model(place)[:2]
        rows = csv_rows(succeed("law", "measure", *weights, "--format", "mxfp4", "--block", "32",
                                "--by-layer", "--as", "csv"))
        error = strict_json(succeed("error", weights[1], "--format", "mxfp4", "--block", "32",
                                    "--as", "json"))
        by_name = {row["tensor"]: row["nmse"] for row in error["results"]}
        expect_equal({row["tensor"]: float(row["weight_tensor"]) for row in rows}, by_name, "nmse")
        expect_equal({row["product"] for row in rows}, {""}, "products")


@case()
def fits_and_equivalent_blocks_are_reported():
    with folder() as place:
        report = strict_json(succeed(
            "law", "measure", *model(place), "--format", "int8,mxfp8_e4m3", "--block",
            "4,8,16,32,64", "--equivalent", "int8:16", "--as", "json"))
        fits = {fit["format"]: fit for fit in report["fits"]}
        expect_equal(fits["int8"]["trend"], "rises", "int8")
        gamma = fits["int8"]["parameters"]["gamma_c"]
        expect(gamma["low"] < gamma["value"] < gamma["high"] and gamma["value"] > 0, gamma)
        found = report["equivalents"][0]
        expect_equal((found["format"], found["as_block"], found["relation"]),
                     ("mxfp8_e4m3", "16", "more"), "equivalent")
        table = succeed("law", "measure", *model(place), "--format", "nvfp4", "--block", "8,16")
        expect("no law fitted" in table and "measured curve is used" in table, table)


@case(("matmul",), ("layer",))
def assignments_are_those_of_all_subsets(granularity):
    with folder() as place:
        words = model(place)
        options = ["--format", "mxfp4", "--block", "32", "--as"]
        layers = csv_rows(succeed("law", "measure", *words, *options, "csv", "--by-layer"))
        groups = {}
        for row in layers:
            name = row["tensor"]
            if granularity == "layer" and name.startswith("enc."):
                name = name[:5]
            parameters, error = groups.get(name, (0, 0.0))
            count = int(row["parameters"])
            groups[name] = (parameters + count, error + count * float(row["product"]))
        total = sum(count for count, _ in groups.values())
        shares = [0.0, 0.3, 0.5, 0.75, 0.9, 1.0]
        assign = ["law", "assign", *words, *options]
        rows = csv_rows(succeed(*assign, "csv", "--by", granularity, "--q-r",
                                ",".join(map(str, shares))))
        at = {(row["method"], float(row["q_r_wanted"])): row for row in rows}
        for share in shares:
            subsets = [[groups[name] for name in names] for count in range(len(groups) + 1)
                       for names in itertools.combinations(groups, count)]
            reaching = [subset for subset in subsets
                        if sum(count for count, _ in subset) >= share * total - 1e-6]
            best = min(sum(error for _, error in subset) for subset in reaching) / total
            close(float(at["knapsack", share]["nmse"]), best, f"knapsack at {share}", 1e-9)
            for method in ("greedy", "random"):
                row = at[method, share]
                expect(float(row["nmse"]) >= best * (1 - 1e-9), f"{method} at {share}: {row}")
                expect(float(row["q_r"]) >= share - 1e-9, f"{method} at {share}: {row}")
        for method in ("values", "columns"):
            close(float(at[method, 1.0]["nmse"]), float(at["knapsack", 1.0]["nmse"]), method, 1e-9)
            expect_equal(float(at[method, 0.0]["nmse"]), 0.0, f"{method} with nothing quantised")
        listed = csv_rows(succeed(*assign, "csv", "--by", granularity, "--method", "greedy",
                                  "--q-r", "1", "--list"))
        expect_equal([row["item"] for row in listed], list(groups), "items in low precision")


@case()
def one_seed_gives_one_assignment_whatever_the_threads():
    with folder() as place:
        words = ["law", "assign", *model(place), "--format", "nvfp4", "--method", "random", "--q-r",
                 "0.5,0.7", "--as", "json", "--list"]
        first = succeed(*words, "--seed", "7", "--threads", "1")
        expect_equal(succeed(*words, "--seed", "7", "--threads", "3"), first, "threads")
        other = strict_json(succeed(*words, "--seed", "8", "--trials", "1"))
        expect(other["low_precision"] != strict_json(first)["low_precision"], "another seed")


@case()
def a_plan_is_the_loss_law_times_the_errors_ratio():
    with folder() as place:
        words = model(place)
        curve = place / "curve.csv"
        curve.write_text(succeed("law", "measure", *words, "--format", "int8,mxfp4,mxint4",
                                 "--block", "4,8,16,32,64", "--as", "csv"))
        plan = ["law", "plan", "--loss", loss_file(place), "--loss-format", "mxint4:32",
                "--loss-budget", "0.02", "--n", "1e9,7e9,70e9", "--as", "json"]
        report = strict_json(succeed(*plan, "--curve", curve))
        constants = {name: value["value"] for name, value in report["loss_parameters"].items()}
        close(constants["A"], 4.5, "A", 0.05)
        errors = {(row["format"], row["block"]): float(row["nmse"])
                  for row in csv_rows(curve.read_text())}
        close(report["loss_nmse"], errors["mxint4", "32"], "the loss data's own error")
        expect_equal([row["n"] for row in report["plan"]][::3], [1e9, 7e9, 70e9], "sizes")
        for row in report["plan"]:
            ratio = errors[row["format"], "32"] / errors["mxint4", "32"]
            exponent = math.log(0.02 / (ratio * constants["C"]
                                        * (row["n"] / 1e9) ** -constants["gamma_N"]))
            expected = min(1, max(0, exponent / constants["A"]))
            expect(abs(row["q_r_at_own_block"] - expected) < 1e-6, f"{row}: expected {expected}")
            expect(row["q_r_low"] <= row["q_r_at_own_block"] <= row["q_r_high"], row)
        measured = strict_json(succeed(
            *plan, *words, "--format", "int8,mxfp4", "--block", "4,8,16,32,64"))
        kept = [row for row in report["plan"] if row["format"] != "mxint4"]
        expect_equal(measured["plan"], kept, "measured now, and from a file")


@case()
def loss_at_one_ratio_plans_blocks_only():
    with folder() as place:
        words = ["law", "plan", "--loss", loss_file(place, ratios=(1,)), "--loss-format", "mxfp4",
                 "--loss-budget", "0.5", "--n", "7e9", *model(place), "--format", "mxfp4,int8",
                 "--block", "16,32,64"]
        report = strict_json(succeed(*words, "--as", "json"))
        expect("A" not in report["loss_parameters"], report["loss_parameters"])
        expect_equal({row["q_r_at_own_block"] for row in report["plan"]}, {None}, "ratios")
        expect("A is unknown" in succeed(*words), "the table says so")
        rows = loss_file(place, ratios=(1,)).read_text().replace(",1,", ",").replace("q_r,", "")
        (place / "bare.csv").write_text(rows)
        words[words.index("--loss") + 1] = place / "bare.csv"
        expect_equal(strict_json(succeed(*words, "--loss-q-r", "1", "--as", "json"))["plan"],
                     report["plan"], "the ratio given by an option")


@case()
def loss_data_with_blocks_give_the_rows_of_the_loss_formats_own():
    with folder() as place:
        words = model(place)
        loss = loss_file(place)
        rows = loss.read_text().splitlines()
        several = [rows[0] + ",q_b"] + [f"{row},32" for row in rows[1:]]
        several += [f"{n}e9,{q},0.5,64" for n in (1, 7) for q in (0.5, 0.9)]
        (place / "several.csv").write_text("\n".join(several) + "\n")
        plan = ["--loss-format", "mxint4:32", "--loss-budget", "0.02", "--n", "7e9", *words,
                "--format", "mxfp4", "--block", "16,32,64", "--as", "json"]
        one = strict_json(succeed("law", "plan", "--loss", loss, *plan))
        other = strict_json(succeed("law", "plan", "--loss", place / "several.csv", *plan))
        expect_equal(other["loss_parameters"], one["loss_parameters"], "the loss law")
        plan[1] = "mxint4:128"
        fail(BAD_DATA, "law", "plan", "--loss", place / "several.csv", *plan, mentions=["q_b = 128", "32, 64"])


@case()
def the_bits_of_a_planned_block_are_those_of_its_size():
    with folder() as place:
        curve = place / "curve.csv"
        curve.write_text("format,block,q_b,nmse,bits_per_element\n" + "".join(
            f"mxint4,{b},{b},{1e-3 * b ** 0.5},{4 + 8 / b}\n" for b in (8, 16, 32, 64, 128, 256)))
        words = ["law", "plan", "--loss", loss_file(place), "--loss-format", "mxint4:32",
                 "--loss-budget", "0.15", "--n", "1.1e9,2e9,3e9,4e9", "--curve", curve]
        rows = strict_json(succeed(*words, "--as", "json"))["plan"]
        between = [row for row in rows if row["q_b"] not in (None, 8, 16, 32, 64, 128, 256)]
        expect(len(between) >= 2, f"blocks between those measured: {rows}")
        for row in between:
            close(row["bits_per_element"], 4 + 8 / row["q_b"], f"bits at {row['q_b']}")
        shown = succeed(*words)
        for row in between:
            whole = int(row["q_b"])
            expect(f"{4 + 8 / whole:.3f}" in shown, f"bits of {whole} are not in\n{shown}")


@case()
def a_loss_in_percent_and_pooled_rows_are_told():
    with folder() as place:
        loss = loss_file(place)
        head, *rows = loss.read_text().splitlines()
        cells = [row.split(",") for row in rows]
        loss.write_text(f"{head},family\n" + "".join(
            f"{n},{q},{100 * float(delta)},{'ab'[i % 2]}\n"
            for i, (n, q, delta) in enumerate(cells)))
        words = ["law", "plan", "--loss", loss, "--loss-format", "mxfp4", "--loss-budget", "2",
                 "--n", "7e9", *model(place), "--format", "mxfp4", "--block", "16,32,64"]
        found = strict_json(succeed(*words, "--as", "json"))["warnings"]
        expect_equal(len(found), 2, f"warnings {found}")
        for part in ("is it in percent?", "differ in family"):
            expect(any(part in text for text in found), f"{part!r} is not in {found}")
            expect(part in succeed(*words), f"the table says {part!r}")


@case()
def a_law_whose_exponent_lies_at_its_bound_is_not_planned_by():
    with folder() as place:
        curve = place / "curve.csv"
        curve.write_text("format,block,q_b,nmse,bits_per_element\n" + "".join(
            f"mxint4,{b},{b},{1e-14 * b ** 4.02},{4 + 8 / b}\n" for b in (8, 16, 32, 64, 128)))
        words = ["law", "plan", "--loss", loss_file(place), "--loss-format", "mxint4:32",
                 "--loss-budget", "0.1", "--n", "7e9", "--curve", curve]
        expect_equal(strict_json(succeed(*words, "--as", "json"))["plan"][0]["uses"], "measured",
                     "what the plan goes by")
        expect("gamma_c lies at its bound (4)" in succeed(*words), succeed(*words))


@case()
def plots_are_drawn_whole_or_not_at_all():
    with folder() as place:
        words = model(place)
        small = ["--format", "int8,mxfp4", "--block", "8,16,32,64"]
        loss = ["--loss", loss_file(place), "--loss-format", "mxfp4", "--loss-budget", "0.02",
                "--n", "1e9,70e9"]
        for verb, options in (("measure", []), ("plan", loss),
                              ("assign", ["--q-r", "0.5,1", "--method", "greedy,values"])):
            path = place / f"{verb}.svg"
            succeed("law", verb, *words, *small, *options, "--plot", path)
            text = path.read_text()
            expect(text.startswith("<svg") and text.rstrip().endswith("</svg>"), text[:80])
            expect("int8" in text or verb == "assign", "the formats are named")
        one = place / "one.svg"
        succeed("law", "plan", *words, "--format", "int8", "--block", "8,16,32,64", *loss,
                "--plot", one)
        expect("cell" in one.read_text(), "one format's map has cells")
        fail(CANNOT_WRITE, "law", "measure", *words, *small, "--plot", place / "absent/a.svg",
             mentions=["absent"])


@case((1.1, "nothing in these rows depends on d"), (1, "row 1: 0.0 has no logarithm"))
def a_curve_without_a_law_is_told_with_no_option_of_other_verbs(number, reason):
    with folder() as place:
        weights = write_safetensors(place / "w.safetensors", {
            "a.weight": float32([number * (-1) ** (i % 3) for i in range(2048)], (8, 256))})
        shown = succeed("law", "measure", "--weights", weights, "--format", "mxfp4", "--block",
                        "8,16,32,64,128,256")
        expect(f"mxfp4: no law fitted ({reason}" in shown, shown)
        for option in ("--fix", "--drop-nonpositive"):
            expect(option not in shown, f"law measure has no {option}: {shown}")


def measure(*options):
    return ["law", "measure", "W", "A", "--format", "mxfp4", *options]


def plan(*options, loss="LOSS", form="mxfp4", budget="0.02", n="7e9"):
    return ["law", "plan", "--loss", loss, "--loss-format", form, "--loss-budget", budget, "--n", n,
            *options]


MEASURED = ["W", "A", "--format", "mxfp4", "--block", "8,32"]


@case(
    (USAGE, measure("--block", "0"), "--block"),
    (USAGE, measure("--fraction", "0"), "--fraction"),
    (USAGE, measure("--equivalent", "int8:16"), "int8:16"),
    (USAGE, measure("--equivalent", "nothing"), "nothing"),
    (USAGE, measure("--accumulator", "nothing"), "nothing"),
    (USAGE, measure("--plot", "a.png"), ".svg"),
    (NO_INPUT, measure("--alpha", "absent.csv"), "absent.csv"),
    (BAD_DATA, measure("--alpha", "WRONG"), "alpha"),
    (BAD_DATA, measure("--alpha", "OTHER"), "names none of the weights"),
    (BAD_DATA, measure("--alpha", "NEGATIVE"), "-1"),
    (BAD_DATA, measure("--alpha", "TWICE"), "twice"),
    (BAD_DATA, measure("--alpha", "LIST"), "layers"),
    (USAGE, ["law", "measure", "--format", "mxfp4"], "--weights"),
    (USAGE, ["law", "measure", "W", "--format", "mxfp4", "--error", "product"], "--activations"),
    (USAGE, ["law", "measure", "W", "--format", "nothing"], "nothing"),
    (BAD_DATA, ["law", "measure", "W", "--activations", "UNRELATED", "--format", "mxfp4"],
     "NAME.input"),
    (USAGE, ["law", "assign", "W", "A", "--format", "mxfp4", "--q-r", "1.5"], "1.5"),
    (USAGE, ["law", "assign", "W", "A", "--format", "mxfp4", "--q-r", "nan"], "nan"),
    (USAGE, ["law", "assign", "W", "A", "--format", "mxfp4", "--trials", "0"], "--trials"),
    (USAGE, ["law", "assign", "W", "A", "--format", "mxfp4", "--method", "best"], "best"),
    (USAGE, ["law", "assign", "W", "A", "--format", "mxfp4", "--error", "weight"], "weight_tensor"),
    (USAGE, ["law", "assign", "W", "A", "--format", "mxfp4", "--fraction", "0.5"], "--fraction"),
    (USAGE, plan(*MEASURED, budget="0"), "--loss-budget"),
    (USAGE, plan(*MEASURED, budget="-1"), "--loss-budget"),
    (USAGE, plan(*MEASURED, n="-7e9"), "--n"),
    (USAGE, plan(*MEASURED, n="many"), "--n"),
    (USAGE, plan(*MEASURED, n="7"), "1e5 to 1e15"),
    (USAGE, plan(*MEASURED, n="7e9,7e15"), "1e5 to 1e15"),
    (BAD_DATA, plan(*MEASURED, loss="BILLIONS"), "1e5 to 1e15"),
    (USAGE, plan(*MEASURED, "--loss-q-r", "100"), "--loss-q-r"),
    (USAGE, plan(*MEASURED, form="nothing"), "nothing"),
    (USAGE, plan(), "--curve"),
    (USAGE, plan("--curve", "CURVE", "W"), "--curve"),
    (USAGE, plan("--curve", "CURVE", form="mxfp4:16"), "mxfp4:16"),
    (NO_INPUT, plan(*MEASURED, loss="absent.csv"), "absent.csv"),
    (USAGE, plan(*MEASURED, "--loss-where", "n"), "COLUMN=TEXT"),
    (BAD_DATA, plan(*MEASURED, "--loss-where", "n=5"), "no row"),
    (BAD_DATA, plan(*MEASURED, loss="ALPHA"), 'no column "n"'),
    (BAD_DATA, plan(*MEASURED, loss="ONE"), "one model size"),
    (BAD_DATA, plan(*MEASURED, loss="NAN"), "nan"),
    (BAD_DATA, plan(*MEASURED, loss="PERCENT"), "q_r"),
    (BAD_DATA, plan("--curve", "ALPHA"), "format"),
    (BAD_DATA, plan("--curve", "BADCURVE"), "nmse"))
def wrong_requests_are_refused(code, words, mention):
    with folder() as place:
        weights = model(place)
        unrelated = write_npy(place / "u.npy", float32([1] * 64, (4, 16)))
        texts = {
            "WRONG": "tensor,beta\nx,1\n", "OTHER": "tensor,alpha\nx.weight,1\n",
            "NEGATIVE": "tensor,alpha\nhead.weight,-1\n",
            "TWICE": "tensor,alpha\nhead.weight,1\nhead.weight,2\n",
            "ONE": "n,q_r,delta\n1e9,0.5,0.1\n1e9,0.9,0.2\n1e9,1,0.3\n1e9,0.7,0.1\n",
            "BILLIONS": "n,q_r,delta\n1,0.5,0.1\n2,0.9,0.2\n4,1,0.3\n8,0.7,0.1\n",
            "NAN": "n,q_r,delta\n1e9,0.5,nan\n2e9,0.9,0.2\n",
            "PERCENT": "n,q_r,delta\n1e9,50,0.1\n2e9,90,0.2\n",
            "CURVE": "format,block,q_b,nmse,bits_per_element\nmxfp4,32,32,0.01,4.25\n",
            "BADCURVE": "format,block,q_b,nmse,bits_per_element\nmxfp4,32,32,much,4.25\n",
        }
        names = {name: place / f"{name}.csv" for name in texts}
        for name, text in texts.items():
            names[name].write_text(text)
        (place / "list.json").write_text("[1, 2]")
        names |= {"LIST": place / "list.json", "LOSS": loss_file(place),
                  "ALPHA": alpha_file(place), "UNRELATED": unrelated}
        expanded = []
        for word in words:
            expanded += {"W": weights[:2], "A": weights[2:]}.get(word, [names.get(word, word)])
        before = sorted(place.rglob("*"))
        fail(code, *expanded, mentions=[mention], cwd=place)
        expect_equal(sorted(place.rglob("*")), before, "what is left")
