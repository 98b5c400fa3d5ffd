"""law list, law predict and law theory: what they print and what they refuse."""

import csv
import io
import json
import math

from harness import (BAD_DATA, GOLDEN, NO_INPUT, USAGE, case, expect, expect_equal, fail, folder,
                     strict_json, succeed)

FORMS = ["table", "markdown", "csv", "json", "jsonl"]
REPORTS = {
    "list": ["law", "list"],
    "list weak": ["law", "list", "weak"],
    "predict": ["law", "predict", "--law", "strong", "--n", "7e9,14e9", "--q-r", "0.5",
                "--q-b", "16,32"],
    "theory": ["law", "theory", "--format", "nvfp4", "--block", "8,16"],
}
FAMILIES = """weak strong size v1-ratio v1-block block-error precision precision-loss
 precision-training precision-unified qat floating-point undertrained loss16 task capacity
 quartet""".split()

OWN = """{ version: 1, laws: [{ name: "mine", title: "t", expression: "a*X + b",
  variables: [{ symbol: "X", column: "x", meaning: "x", factor: 10 }],
  parameters: [{ symbol: "a", meaning: "slope", start: [0, 1] },
               { symbol: "b", meaning: "offset", start: [0, 1] }],
  target: { column: "y", meaning: "y", factor: 2 }, source: "me", status: "own-fit",
  sets: [{ name: "first", values: { a: 3, b: 1 }, status: "own-fit", source: "me",
           validity: { x: [0, 100] } }] }] }"""

FIT = {
    "law": "weak", "expression": "C*exp(A*Q_r)*N^(-gamma_N)", "parameters": {"C": {"value": 0.01, "low": 0.009, "high": 0.011},
                                  "A": {"value": 4.0, "low": 3.5, "high": 4.5},
                                  "gamma_N": {"value": 0.5, "low": 0.4, "high": 0.6}},
    "covariance": {"symbols": ["C", "A", "gamma_N"],
                   "matrix": [[1e-6, 0, 0], [0, 0.04, 0], [0, 0, 0.0025]]},
    "degrees_of_freedom": 10, "confidence": 0.95, "space": "log",
    "fitted_range": {"n": [1e9, 14e9], "q_r": [0.5, 0.9]}, "warnings": ["made up"],
}
BLOCK_SETS = {f"qwen1.5-{n}b-{round(100 * q)}": (n * 1e9, q) for n in (7, 14) for q in (0.5, 0.9, 0.95)}
T10 = 2.228138851964939  # Student's t, 10 degrees of freedom, 0.975


def predict(*words):
    return strict_json(succeed("law", "predict", *words, "--as", "json"))


@case(*[(report, form) for report in REPORTS for form in FORMS])
def every_form(report, form):
    text = succeed(*REPORTS[report], "--as", form)
    expect(text.strip(), "nothing on stdout")
    if form == "json":
        expect("tool_version" in strict_json(text), "no tool version")
    elif form == "jsonl":
        for line in text.splitlines():
            strict_json(line)
    elif form == "csv":
        rows = list(csv.reader(io.StringIO(text)))
        expect(len(rows) > 1 and all(len(row) == len(rows[0]) for row in rows), f"{rows[:3]}")


@case()
def every_family_is_listed_with_its_sources():
    laws = {law["name"]: law for law in strict_json(succeed("law", "list", "--as", "json"))["laws"]}
    expect_equal(sorted(laws), sorted(FAMILIES), "families")
    for name, law in laws.items():
        expect(law["expression"] and law["source"] and law["validity"], f"{name}: {law}")
        for item in law["coefficient_sets"]:
            expect(item["status"] in ("verified", "second-hand", "own-fit"), f"{name}: {item}")
    statuses = {item["status"] for name in ("weak", "strong")
                for item in laws[name]["coefficient_sets"]}
    expect_equal(statuses, {"own-fit"}, "weak and strong")
    one = strict_json(succeed("law", "list", "BLOCK-LAW", "--as", "json"))["laws"]
    expect_equal(one, [laws["strong"]], "one law")


@case()
def a_prediction_is_its_formula():
    found = predict("--law", "strong", "--coefficients", "qwen1.5-blocks", "--n", "7e9,14e9",
                    "--q-r", "0.9", "--q-b", "16,1024")
    values = {key: item["value"] for key, item in found["parameters"].items()}
    expect_equal(len(found["predictions"]), 4, "places")
    for row in found["predictions"]:
        expected = (values["C"] * math.exp(values["A"] * row["q_r"])
                    * (row["n"] / 1e9) ** -values["gamma_N"]
                    * (row["q_b"] + values["d"]) ** values["gamma_c"])
        expect(abs(row["delta"] / expected - 1) < 1e-12, f"{row}: {expected}")
        expect_equal(row["outside"], ["q_b"] if row["q_b"] > 512 else [], "outside")
    expect(any("2 of 4" in text for text in found["warnings"]), f"{found['warnings']}")
    expect_equal(found["coefficients"]["status"], "own-fit", "status")


@case()
def a_fit_gives_intervals():
    with folder() as place:
        (place / "fit.json").write_text(json.dumps(FIT))
        found = predict("--fit", place / "fit.json", "--n", "4e9", "--q-r", "0.7")
        row = found["predictions"][0]
        value = 0.01 * math.exp(4 * 0.7) * 4 ** -0.5
        spread = T10 * math.sqrt(1e-6 / 0.01 ** 2 + 0.04 * 0.7 ** 2 + 0.0025 * math.log(4) ** 2)
        for key, expected in [("delta", value), ("low", value * math.exp(-spread)),
                              ("high", value * math.exp(spread))]:
            expect(abs(row[key] / expected - 1) < 1e-9, f"{key}: {expected}, {row[key]}")
        expect("Warning of the fit: made up" in found["warnings"], f"{found['warnings']}")
        expect_equal(found["parameters"]["A"], {"value": 4.0, "low": 3.5, "high": 4.5}, "A")
        replaced = predict("--fit", place / "fit.json", "--set", "A=3", "--n", "4e9", "--q-r", "0.7")
        expect_equal(replaced["predictions"][0]["low"], None, "interval after a replacement")
        expect_equal(replaced["parameters"]["A"], {"value": 3.0, "low": None, "high": None}, "A")
        outside = predict("--fit", place / "fit.json", "--n", "70e9", "--q-r", "0.95")
        expect_equal(outside["predictions"][0]["outside"], ["n", "q_r"], "outside")
        fail(USAGE, "law", "predict", "--fit", place / "fit.json", "--law", "strong", "--n", "4e9",
             "--q-r", "0.7", "--q-b", "16", mentions=["a fit of weak"])
        for text in ["{", "[]", "{}", json.dumps(FIT | {"covariance": {"symbols": ["C"],
                                                                       "matrix": []}})]:
            (place / "bad.json").write_text(text)
            fail(BAD_DATA, "law", "predict", "--fit", place / "bad.json", "--n", "4e9", "--q-r",
                 "0.7", mentions=["bad.json", "not a fit"])
        fail(NO_INPUT, "law", "predict", "--fit", place / "none.json", "--n", "4e9", "--q-r", "0.7",
             mentions=["none.json"])


@case()
def a_law_of_ones_own_comes_from_a_file():
    with folder() as place:
        (place / "laws.json5").write_text(OWN)
        (place / "x.csv").write_text("x,label\n20,a\n200,b\n")
        found = predict("--laws", place / "laws.json5", "--law", "mine", "--data", place / "x.csv")
        expect_equal([row["y"] for row in found["predictions"]], [14.0, 122.0], "y")
        expect_equal([row["outside"] for row in found["predictions"]], [[], ["x"]], "outside")
        given = predict("--laws", place / "laws.json5", "--law", "mine", "--set", "a=1,b=0", "--at",
                        "x=-5")
        expect_equal(given["predictions"][0]["y"], -1.0, "y")
        expect("mine" in succeed("law", "list", "--laws", place / "laws.json5"), "not listed")
        (place / "x.csv").write_text("x\n20\nnan\n")
        fail(BAD_DATA, "law", "predict", "--laws", place / "laws.json5", "--law", "mine", "--data",
             place / "x.csv", mentions=["x.csv", "line 3", '"x"'])
        (place / "laws.json5").write_text(OWN.replace("a*X", "a*X*Z"))
        fail(BAD_DATA, "law", "list", "--laws", place / "laws.json5", mentions=["mine", '"Z"'])


@case()
def a_fit_of_real_points_is_predicted_from():
    with folder() as place:
        text = succeed("law", "fit", GOLDEN / "laws/mixed-v1.csv", "--where", "family=qwen1.5",
                       "--where", "assignment=matmul", "--law", "weak", "--bootstrap", "0", "--as",
                       "json")
        (place / "fit.json").write_text(text)
        fit = strict_json(text)
        values = {key: item["value"] for key, item in fit["parameters"].items()}
        row = predict("--fit", place / "fit.json", "--n", "7e9", "--q-r", "0.9")["predictions"][0]
        expected = values["C"] * math.exp(values["A"] * 0.9) * 7 ** -values["gamma_N"]
        expect(abs(row["delta"] / expected - 1) < 1e-12, f"{expected}, {row}")
        expect(row["low"] < row["delta"] < row["high"], f"{row}")


@case()
def the_error_of_a_format_feeds_the_capacity_law():
    numbers = ["--set", "A=2000,alpha=0.45,B=1500,beta=0.4,E=1.9,L=1,F=0.35,C=0.8"]
    rows = predict("--law", "capacity", *numbers, "--n", "1e8", "--d", "1e10", "--gmse-of",
                   "mxfp4,mxfp4:8,mxfp8_e4m3")["predictions"]
    theory = strict_json(succeed("law", "theory", "--format", "mxfp4", "--block", "32,8", "--as",
                                 "json"))["theory"]
    expect_equal([row["gmse"] for row in rows[:2]], [row["nmse"] for row in theory], "gmse")
    expect(rows[2]["rho"] > rows[0]["rho"] and rows[2]["loss"] < rows[0]["loss"], f"{rows}")
    for words, mention in [(["nothing"], "nothing"), (["mxfp4:x"], "mxfp4:x"),
                           (["int8_channel"], "block size"), (["mxfp4", "--at", "gmse=1"], "twice")]:
        fail(USAGE, "law", "predict", "--law", "capacity", *numbers, "--n", "1e8", "--d", "1e10",
             "--gmse-of", *words, mentions=[mention])


@case(
    (["--law", "nothing", "--n", "7e9"], ["nothing"]),
    (["--n", "7e9"], ["--law"]),
    (["--law", "weak", "--n", "7e9", "--q-r", "0.5"], ["which coefficients", "llama2-layer"]),
    (["--law", "weak", "--coefficients", "theirs", "--n", "7e9", "--q-r", "1"], ["theirs"]),
    (["--law", "strong", "--n", "7", "--q-r", "0.5", "--q-b", "16"], ["n = 7", "parameters"]),
    (["--law", "strong", "--n", "7e9", "--q-r", "50", "--q-b", "16"], ["q_r = 50", "0 to 1"]),
    (["--law", "strong", "--n", "7e9", "--q-r", "nan", "--q-b", "16"], ["q_r"]),
    (["--law", "strong", "--n", "7e9", "--q-r", "0.5"], ["needs q_b"]),
    (["--law", "strong", "--n", "7e9", "--q-r", "0.5", "--q-b", "16", "--d", "1e9"], ["read d"]),
    (["--law", "strong", "--n", "7e9", "--q-r", "0.5", "--q-b", "x"], ["q-b"]),
    (["--law", "strong", "--n", "7e9", "--at", "n=7e9", "--q-r", "1", "--q-b", "16"], ["twice"]),
    (["--law", "strong", "--set", "B=1", "--n", "7e9", "--q-r", "1", "--q-b", "16"], ['"B"']),
    (["--law", "strong", "--set", "C=-1", "--n", "7e9", "--q-r", "1", "--q-b", "16"], ["C = -1"]),
    (["--law", "strong", "--set", "C", "--n", "7e9", "--q-r", "1", "--q-b", "16"], ["--set C"]),
    (["--law", "task", "--coefficients", "general", "--n", "7e9", "--q-b", "32", "--at", "bits=4",
      "--at", "c_b=128"], ["no number for A"]),
    (["--law", "capacity", "--n", "7e9", "--d", "1e12", "--at", "gmse=0.01"], ["no published"]),
    (["--law", "strong", "--data", "x.csv", "--n", "7e9"], ["--data"]),
    (["--law", "weak", "--coefficients", "a", "--fit", "b"], ["one of them"]),
)
def what_cannot_be_predicted_is_a_usage_error(words, mentions):
    fail(USAGE, "law", "predict", *words, mentions=mentions)


@case()
def theory_shows_where_small_blocks_underflow():
    text = succeed("law", "theory", "--format", "nvfp4", "--block", "8,16", "--sigma", "0.01,1",
                   "--as", "json")
    rows = {(row["sigma"], row["block"]): row for row in strict_json(text)["theory"]}
    expect(rows[0.01, 8]["nmse"] > rows[0.01, 16]["nmse"], f"{rows}")
    expect(rows[1, 8]["nmse"] < rows[1, 16]["nmse"], f"{rows}")
    for row in rows.values():
        parts = row["others"] + row["largest"] + row["zero_scale"]
        expect(abs(parts / row["nmse"] - 1) < 1e-12, f"{row}")
        expect(abs(row["qsnr_db"] + 10 * math.log10(row["nmse"])) < 1e-9, f"{row}")
    people = succeed("law", "theory", "--format", "nvfp4", "--block", "8,16", "--sigma", "0.01")
    expect("block 8 errs more than block 16" in people, people)
    gone = succeed("law", "theory", "--format", "nvfp4", "--sigma", "0.0001", "--vanishing-scales",
                   "--as", "json")
    expect(abs(strict_json(gone)["theory"][0]["zero_scale"] - 1) < 1e-5, gone)


@case(
    (["--format", "nothing"], ["nothing"]), (["--format", "int8_channel"], ["block size"]),
    (["--format", "nvfp4", "--block", "0"], ["--block"]),
    (["--format", "nvfp4", "--sigma", "0"], ["--sigma"]),
    (["--format", "nvfp4", "--source", "cauchy"], ["cauchy"]),
    (["--format", "nvfp4", "--recipe", "nothing"], ["nothing"]),
    (["--format", "nvfp4", "--tensor-scale", "-1"], ["tensor-scale"]),
)
def theory_refuses(words, mentions):
    fail(USAGE, "law", "theory", *words, mentions=mentions)


@case()
def a_block_sets_range_ends_with_the_points_that_it_was_fitted_to():
    points = list(csv.DictReader((GOLDEN / "laws/mixed-v1-blocks.csv").open()))
    for name, place in BLOCK_SETS.items():
        fitted = [float(row["q_b"]) for row in points if float(row["dppl"]) < 100
                  and (float(row["n"]), float(row["q_r"])) == place]
        for block, inside in ((max(fitted), True), (max(fitted) * 1.01, False)):
            text = succeed("law", "predict", "--law", "v1-block", "--coefficients", name, "--q-b",
                           str(block))
            expect_equal("outside" not in text.lower(), inside, f"{name} at {block}:\n{text}\ninside")
