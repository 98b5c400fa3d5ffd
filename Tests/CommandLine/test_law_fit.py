"""law fit and law compare: numbers, JSON, pictures, refusals."""

import math
import xml.etree.ElementTree as xml

from harness import (BAD_DATA, CANNOT_WRITE, GOLDEN, NO_INPUT, USAGE, case, expect, expect_equal,
                     fail, folder, strict_json, succeed)

LAWS = GOLDEN / "laws"
QWEN = [LAWS / "mixed-v1.csv", "--where", "family=qwen1.5", "--where", "assignment=matmul"]
BLOCKS = [LAWS / "mixed-v1-blocks.csv", "--where", "q_b=16,32,64,128,256,512"]
POINTS = [(n, q, 0.005 * math.exp(4.5 * q) * n ** -0.5 * (1 + 0.1 * math.sin(i)))
          for i, (n, q) in enumerate((n, q) for n in (0.5, 4, 14, 32) for q in (0.5, 0.9, 0.95))]


def table(place, rows=None, heading="n,q_r,delta", name="points.csv"):
    rows = rows or [f"{n * 1e9},{q},{delta}" for n, q, delta in POINTS]
    path = place / name
    path.write_text("\n".join([heading, *rows]) + "\n")
    return path


def fit(*words):
    return strict_json(succeed("law", "fit", *words, "--as", "json"))


@case()
def the_json_holds_every_parameter_with_an_interval_and_r_squared():
    found = fit(*QWEN, "--law", "weak")
    expect_equal(list(found["parameters"]), ["C", "A", "gamma_N"], "parameters")
    for symbol, row in found["parameters"].items():
        expect(row["low"] < row["value"] < row["high"], f"{symbol}: {row}")
        expect(row["bootstrap_low"] < row["value"] < row["bootstrap_high"], f"{symbol}: {row}")
    expect(abs(found["parameters"]["A"]["value"] - 4.49) < 0.02, found["parameters"])
    expect(found["r_squared"] >= 0.96, found["r_squared"])
    expect_equal((found["law"], found["space"], found["points"]), ("weak", "log", 30), "request")
    expect_equal(found["covariance"]["symbols"], ["C", "A", "gamma_N"], "covariance")
    matrix = found["covariance"]["matrix"]
    expect(all(abs(matrix[i][j] - matrix[j][i]) <= 1e-12 * abs(matrix[i][j])
               for i in range(3) for j in range(3)), f"not symmetric: {matrix}")
    error = found["parameters"]["A"]["standard_error"]
    expect(abs(matrix[1][1] ** 0.5 - error) < 1e-12, f"{matrix[1][1]} is not {error} squared")
    expect_equal(len(found["residuals"]), 30, "residuals")
    expect_equal(found["held_out"]["name"], "n = 32e9", "held out")
    expect_equal(found["fitted_range"]["n"], [5e8, 3.2e10], "range of n")
    for key in ("tool_version", "engine", "seed", "rms", "aicc", "condition", "warnings"):
        expect(key in found, f"no {key}")


@case()
def residuals_follow_from_the_parameters():
    found = fit(*QWEN, "--law", "weak", "--bootstrap", "0")
    c, a, gamma = (row["value"] for row in found["parameters"].values())
    total = 0
    for row in found["residuals"]:
        law = c * math.exp(a * row["q_r"]) * (row["n"] / 1e9) ** -gamma
        expect(abs(law / row["fitted"] - 1) < 1e-12, f"{row}: law {law}")
        residual = math.log(row["observed"]) - math.log(law)
        expect(abs(residual - row["residual"]) < 1e-12, f"{row}: residual {residual}")
        total += residual ** 2
    expect(abs(total / found["residual_sum_of_squares"] - 1) < 1e-9, f"sum {total}")
    expect(abs((total / 30) ** 0.5 - found["rms"]) < 1e-12, f"rms {found['rms']}")


@case()
def the_table_warns_where_parameters_cannot_be_told_apart():
    text = succeed("law", "fit", *BLOCKS, "--law", "strong", "--bootstrap", "40")
    for part in ("d and gamma_c can hardly be told apart", "Column n has two different numbers",
                 "cannot be held out", "Largest residuals", "Student's t"):
        expect(part in text, f"{part!r} is not in\n{text}")


@case(("table",), ("markdown",), ("csv",), ("json",), ("jsonl",))
def the_same_request_prints_the_same_bytes(form):
    words = ["law", "fit", *QWEN, "--law", "weak", "--bootstrap", "60", "--as", form]
    expect_equal(succeed(*words), succeed(*words), form)


@case()
def csv_holds_one_line_a_point():
    lines = succeed("law", "fit", *QWEN, "--law", "weak", "--as", "csv").splitlines()
    expect_equal(lines[0], "line,n,q_r,observed,fitted,residual,leverage", "heading")
    expect_equal(len(lines), 31, "lines")


@case()
def losses_and_spaces_differ_and_a_fixed_parameter_stays():
    base = fit(*QWEN, "--law", "weak", "--bootstrap", "0")
    linear = fit(*QWEN, "--law", "weak", "--bootstrap", "0", "--space", "linear")
    huber = fit(*QWEN, "--law", "weak", "--bootstrap", "0", "--loss", "huber", "--huber-scale", "0.1")
    fixed = fit(*QWEN, "--law", "weak", "--bootstrap", "0", "--fix", "gamma_N=0.5")
    values = [found["parameters"]["C"]["value"] for found in (base, linear, huber, fixed)]
    expect_equal(len(set(values)), 4, f"values of C {values}")
    expect_equal(huber["huber_scale"], 0.1, "Huber's scale")
    expect_equal(huber["aicc"], None, "AICc of Huber's loss")
    gamma = fixed["parameters"]["gamma_N"]
    expect_equal((gamma["value"], gamma["low"], gamma["is_fixed"]), (0.5, None, True), "gamma_N")
    expect_equal(fixed["covariance"]["symbols"], ["C", "A"], "covariance")
    bound = fit(*QWEN, "--law", "weak", "--bootstrap", "0", "--bounds", "gamma_N=0.6:,A=:")
    expect(abs(bound["parameters"]["gamma_N"]["value"] - 0.6) < 1e-6, bound["parameters"])
    expect_equal(bound["parameters"]["gamma_N"]["is_at_bound"], True, "at its bound")


@case()
def a_narrower_confidence_gives_narrower_intervals():
    wide, narrow = (fit(*QWEN, "--law", "weak", "--confidence", share)["parameters"]["A"]
                    for share in ("0.99", "0.5"))
    for kind in ("", "bootstrap_"):
        expect(wide[kind + "low"] < narrow[kind + "low"] < narrow[kind + "high"]
               < wide[kind + "high"], f"{kind}: {wide}, {narrow}")


@case()
def pictures_are_svg_with_a_mark_and_a_text_for_every_point():
    with folder() as place:
        files = [place / "fit.svg", place / "residuals.svg"]
        succeed("law", "fit", *QWEN, "--law", "weak", "--plot", files[0], "--plot-residuals",
                files[1])
        for file in files:
            root = xml.fromstring(file.read_text())
            marks = [item for item in root.iter() if item.get("class", "").startswith("mark")
                     and len(item)]
            expect_equal(len(marks), 30, f"marks in {file.name}")
            expect(all("line " in mark[0].text for mark in marks), "hover texts")
            expect("script" not in file.read_text(), "a script")
        expect_equal(sorted(path.name for path in place.iterdir()), ["fit.svg", "residuals.svg"],
                     "files")


@case()
def comparison_ranks_by_aicc_and_by_the_held_out_error():
    found = strict_json(succeed("law", "compare", *BLOCKS, "--law", "weak,strong", "--hold-out",
                                "each:q_r", "--as", "json"))
    expect_equal((found["best_aicc"], found["best_held_out"]), ("strong", "strong"), "best")
    rows = {row["law"]: row for row in found["results"]}
    expect_equal(rows["strong"]["delta_aicc"], 0, "the best is 0 above the best")
    expect(rows["weak"]["delta_aicc"] > 40, rows)
    expect(rows["weak"]["held_out_rms_log"] > rows["strong"]["held_out_rms_log"], rows)


@case()
def a_law_that_the_points_do_not_determine_is_listed_with_the_reason():
    with folder() as place:
        rows = [f"{n * 1e9},{q},32,{delta}" for n, q, delta in POINTS]
        path = table(place, rows, "n,q_r,q_b,delta")
        found = strict_json(succeed("law", "compare", path, "--law", "weak,strong", "--as", "json"))
        strong = found["results"][1]
        expect_equal(strong["aicc"], None, "AICc")
        expect("tell" in strong["problem"] or "depends on" in strong["problem"], strong)


@case(
    (["5e8,0.5,0.01", "7e9,0.5,0.02", "7e9,0.9,0.1"], ["3 rows for 3", "at least 4"]),
    (["7e9,0.5,0.02", "7e9,0.9,0.1", "7e9,0.95,0.2", "7e9,0.99,0.3"], ["C and gamma_N", "--fix"]),
    (["1e9,0.5,0.02", "2e9,0.5,0.01", "4e9,0.5,0.005", "8e9,0.5,0.003"], ["C and A"]),
    (["5e8,0.5,0.01", "7e9,0.5,-0.02", "7e9,0.9,0.1", "9e9,0.9,0.1"], ["line 3", "delta", "-0.02"]),
    (["5e8,0.5,0.01", "7e9,nan,0.02", "7e9,0.9,0.1", "9e9,0.9,0.1"], ["line 3", "q_r", "nan"]),
    (["5e8,0.5,0.01", "7,0.9,0.02", "7e9,0.9,0.1", "9e9,0.9,0.1"], ["line 3", "n", "7"]),
    (["5e8,0.5,0.01", "7e9,90,0.02", "7e9,0.9,0.1", "9e9,0.9,0.1"], ["line 3", "q_r", "90"]),
    (["5e8,0.5,0.01", "7e9,0.9", "7e9,0.9,0.1", "9e9,0.9,0.1"], ["line 3", "2 fields"]))
def data_that_determine_nothing_are_refused_by_name(rows, words):
    with folder() as place:
        path = table(place, rows)
        plot = place / "fit.svg"
        fail(BAD_DATA, "law", "fit", path, "--law", "weak", "--plot", plot,
             mentions=["points.csv", *words])
        expect(not plot.exists(), "a picture of nothing")


@case()
def what_makes_a_fit_doubtful_is_told():
    with folder() as place:
        same = fit(table(place, [f"{n * 1e9},{q},0.05" for n, q, _ in POINTS]), "--law", "weak",
                   "--bootstrap", "0")
        expect_equal((same["r_squared"], same["r_squared_linear"]), (None, None), "R²")
        expect(any("does not vary" in text for text in same["warnings"]), same["warnings"])
        rows = [f"{n * 1e9},{q},{100 * delta},{'ab'[i % 2]},{i}"
                for i, (n, q, delta) in enumerate(POINTS)]
        path = table(place, rows, "n,q_r,delta,family,id")
        found = fit(path, "--law", "weak", "--bootstrap", "0")["warnings"]
        for part in ("is it in percent?", "differ in family, which"):
            expect(any(part in text for text in found), f"{part!r} is not in {found}")
        one = fit(path, "--law", "weak", "--bootstrap", "0", "--where", "family=a")["warnings"]
        expect(not any("differ in" in text for text in one), one)
        expect(any("differ in q_b" in text for text in
                   fit(*BLOCKS, "--law", "weak", "--bootstrap", "0")["warnings"]), "pooled blocks")


@case(([],), (["--bounds", "gamma_N=-50:50"],), (["--bounds", "gamma_N=-1e6:1e6"],),
      (["--bounds", "gamma_N=:"],))
def a_bound_does_not_hide_parameters_that_are_nearly_one(words):
    with folder() as place:
        observed = (0.1597, 0.10862, 0.092756, 0.072753, 0.047722)
        rows = [f"{1e9 * 2 ** i * (1 + 1e-6 * (i * i % 3))},{0.5 + 0.1 * i},{delta}"
                for i, delta in enumerate(observed)]
        fail(BAD_DATA, "law", "fit", table(place, rows), "--law", "weak", *words,
             mentions=["cannot tell", "gamma_N", "apart"])


@case()
def rows_without_a_logarithm_are_left_out_only_when_asked_and_counted():
    with folder() as place:
        rows = [f"{n * 1e9},{q},{delta}" for n, q, delta in POINTS] + ["7e9,0.5,-0.01", "2e9,0.5,0"]
        path = table(place, rows)
        fail(BAD_DATA, "law", "fit", path, "--law", "weak", mentions=["line 14"])
        found = fit(path, "--law", "weak", "--drop-nonpositive")
        expect_equal((found["points"], found["dropped"]), (12, 2), "points")
        expect(any("14, 15" in text for text in found["warnings"]), found["warnings"])
        linear = fit(path, "--law", "weak", "--space", "linear")
        expect_equal((linear["points"], linear["r_squared"]), (14, None), "linear")


@case(
    (["--law", "nosuch"], ["nosuch"]), (["--law", "weak", "--fix", "gamma=1"], ["gamma_N"]),
    (["--law", "weak", "--fix", "A"], ["SYMBOL=NUMBER"]),
    (["--law", "weak", "--fix", "A=x"], ["A=x"]),
    (["--law", "weak", "--fix", "C=1,A=1,gamma_N=1"], ["nothing to fit"]),
    (["--law", "weak", "--bounds", "A=3:2"], ["LOW:HIGH"]),
    (["--law", "weak", "--hold-out", "biggest"], ["largest:COLUMN"]),
    (["--law", "weak", "--hold-out", "each:q_b"], ["q_b"]),
    (["--law", "weak", "--hold-out", "n=3"], ["no row"]),
    (["--law", "weak", "--huber-scale", "1"], ["--loss huber"]),
    (["--law", "weak", "--loss", "huber", "--huber-scale", "-1"], ["above 0"]),
    (["--law", "weak", "--starts", "0"], ["--starts"]),
    (["--law", "weak", "--bootstrap", "3"], ["--bootstrap"]),
    (["--law", "weak", "--confidence", "1"], ["--confidence"]),
    (["--law", "weak", "--plot", "fit.png"], [".svg"]),
    (["--law", "weak", "--plot", "a.svg", "--plot-residuals", "a.svg"], ["two files"]),
    (["--law", "weak", "--where", "family"], ["COLUMN=TEXT"]))
def requests_that_make_no_sense_are_usage_errors(words, mentions):
    with folder() as place:
        fail(USAGE, "law", "fit", table(place), *words, mentions=mentions)


@case()
def missing_files_and_columns_are_named():
    with folder() as place:
        fail(NO_INPUT, "law", "fit", place / "none.csv", "--law", "weak", mentions=["none.csv"])
        fail(BAD_DATA, "law", "fit", table(place), "--law", "strong", mentions=["q_b", "n, q_r"])
        fail(BAD_DATA, "law", "fit", table(place), "--law", "weak", "--where", "family=x",
             mentions=["family"])
        fail(CANNOT_WRITE, "law", "fit", table(place), "--law", "weak", "--plot",
             place / "no" / "fit.svg", mentions=["fit.svg"])
        fail(USAGE, "law", "compare", table(place), "--law", "weak,weak", mentions=["twice"])
        fail(USAGE, "law", "compare", table(place), "--law", "weak,", mentions=["commas"])
