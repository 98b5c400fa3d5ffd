"""cost: bits per element, accumulator widths, gates, traffic, and the model against Yosys."""

import csv
import math
import statistics
from fractions import Fraction

from harness import (BAD_DATA, GOLDEN, NO_INPUT, OK, USAGE, blockscale, case, expect, expect_equal,
                     fail, folder, strict_json, succeed)


def costs(*arguments):
    return strict_json(succeed("cost", *arguments, "--as", "json"))["results"]


def calibration(*arguments):
    return strict_json(succeed("cost", "--calibration", *arguments, "--as", "json"))


def largest_on_the_grid(element):
    """The largest magnitude in units of the smallest step that all values of the element share."""
    codes = strict_json(succeed("formats", element, "--as", "json"))["codes"]
    values = [Fraction(row["value"]) for row in codes
              if row["format"] == element and row["value"] is not None]
    step = Fraction(1, math.lcm(*(value.denominator for value in values)))
    step *= math.gcd(*(int(value / step) for value in values))
    return max(abs(value) for value in values) / step


@case(("mxfp4", "e2m1"), ("mxfp6_e2m3", "e2m3"), ("mxfp6_e3m2", "e3m2"), ("mxfp8_e4m3", "e4m3"),
      ("mxfp8_e5m2", "e5m2"), ("mxint8", "mxint8"), ("nvint4", "int4"), ("msfp12", "e0m3"),
      ("nf4", "nf4"), ("mxint2", "int2"))
def an_accumulator_is_as_wide_as_the_largest_sum(name, element):
    sizes = [1, 2, 3, 7, 8, 16, 31, 32, 33, 128]
    largest = largest_on_the_grid(element)
    rows = costs("--format", name, "--block", ",".join(map(str, sizes)))
    for size, row in zip(sizes, rows):
        expected = int(size * largest ** 2).bit_length() + 1
        expect_equal(row["exact_accumulator_bits"], expected, f"{name}, {size}")
        expect_equal(row["accumulator_bits"], expected, f"{name}, {size}")
        expect_equal(row["product_bits"], rows[0]["accumulator_bits"], f"{name}: one product")


@case()
def a_cost_is_the_sum_of_its_shares():
    rows = costs("--format", "nvfp4,mxint8,mxfp8_e4m3", "--block", "8,12,16,32")
    expect_equal(len(rows), 12, "rows")
    for row in rows:
        shares = row["lane_gates"] + row["scale_gates"] + row["accumulator_gates"]
        expect(math.isclose(row["gates_per_mac"], shares), row)
        expect(row["calibrated"], row)
        traffic = row["element_bits_per_mac"] + row["scale_bits_per_mac"]
        expect(math.isclose(row["traffic_bits_per_mac"], traffic), row)
        expect(math.isclose(traffic, 2 * row["bits_per_element"] / 128), row)
    expect_equal([row["bits_per_element"] for row in rows[:4]], [5, 4 + 8 / 12, 4.5, 4.25], "nvfp4")


@case()
def the_block_is_the_formats_own_unless_given():
    rows = costs("--format", "NVFP4,mxint8,fp8_128x128,int8_channel")
    expect_equal([row["block"] for row in rows], [16, 32, "128x128", "axis"], "blocks")
    expect_equal([row["calibrated"] for row in rows], [True, True, False, False], "calibrated")
    short = costs("--format", "int8_channel", "--length", 64)[0]
    expect_equal(short["bits_per_element"], 8.5, "an axis of 64")


@case()
def accumulator_widths_are_a_dimension_of_the_table():
    rows = costs("--format", "mxfp8_e4m3", "--block", "16,32", "--accumulator-width", "exact,24,60")
    expect_equal([row["accumulator_bits"] for row in rows], [41, 24, 41, 42, 24, 42], "bits")
    expect_equal([row["dropped_bits"] for row in rows], [0, 17, 0, 0, 18, 0], "dropped")
    expect(rows[1]["gates_per_mac"] < rows[0]["gates_per_mac"], "a narrower one is cheaper")
    fail(USAGE, "cost", "--format", "mxfp8_e4m3", "--accumulator-width", 6,
         mentions=["mxfp8_e4m3", "6 bits", "7 or more"])


@case()
def the_calibration_is_that_of_the_golden_counts():
    report = calibration()
    with (GOLDEN / "cost/synthesis.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    points = report["points"]
    expect_equal([point["transistors"] for point in points],
                 [int(row["transistors"]) for row in rows], "transistors")
    areas = {gate["name"]: gate["area"] for gate in report["gates"]}
    for point, row in zip(points, rows):
        measured = sum(area * int(row[name]) for name, area in areas.items())
        expect(math.isclose(point["yosys"], measured), (point, measured))
        expect(math.isclose(point["error"], point["model"] / measured - 1, abs_tol=1e-12), point)
    for use, key in (("held out", "held_out"), ("fitted", "fitted")):
        errors = [abs(point["error"]) for point in points
                  if point["use"] == use and point["part"] == "unit"]
        expect_equal(report["model"][f"{key}_units"], len(errors), use)
        expect(math.isclose(report["model"][f"{key}_median_error"], statistics.median(errors)), use)
        expect(statistics.median(errors) < 0.15, f"{use}: {statistics.median(errors)}")
    expect({row["element"] for row in report["left_out"]} == {"e2m1", "e4m3", "mxint8"}, "left out")


@case()
def a_file_replaces_parameters():
    with folder() as place:
        path = place / "mine.json5"
        path.write_text('{ version: 1, structures: [{ name: "adder", area: 20.4, source: "mine" }] }')
        plain, mine = (costs("--format", "nvfp4", *more) for more in ([], ["--gates", path]))
        expect(mine[0]["gates_per_mac"] > plain[0]["gates_per_mac"], "adders twice as large")
        adder = next(row for row in calibration("--gates", path)["structures"]
                     if row["name"] == "adder")
        expect_equal((adder["area"], adder["source"]), (20.4, "mine"), "adder")
        expect(abs(adder["fitted"] - 20.4) > 5, "fitted to the points, not taken from the file")
        path.write_text('{ version: 1, structures: [{ name: "ader", area: 1 }] }')
        fail(BAD_DATA, "cost", "--format", "nvfp4", "--gates", path, mentions=["mine.json5", "ader"])
        fail(NO_INPUT, "cost", "--format", "nvfp4", "--gates", place / "absent.json5",
             mentions=["absent.json5", "no such file"])


@case((["--format", "nvfp5"], "nvfp5"), ([], "--format"), (["--format", "nvfp4", "--block", "0"], "0"),
      (["--format", "nvfp4", "--accumulator-width", "1"], "1"),
      (["--format", "nvfp4", "--accumulator-width", "wide"], "wide"),
      (["--format", "nvfp4", "--lanes", "0"], "--lanes"), (["--format", "nvfp4", "--tile", "0x8"], "0x8"),
      (["--format", "nvfp4", "--length", "-3"], "--length"),
      (["--format", "nvfp4", "--calibration"], "--calibration"))
def a_cost_that_makes_no_sense_exits_64(arguments, mention):
    fail(USAGE, "cost", *arguments, mentions=[mention])


@case()
def people_read_whether_a_cost_is_calibrated():
    text = succeed("cost", "--format", "nvfp4,mxfp6_e2m3")
    expect("no: element e2m3" in text and "yes" in text, text)
    expect("held out" in text and "median error" in text, text)
    expect(all(len(line) <= 118 for line in text.splitlines() if "mxfp6" in line), text)
    outcome = blockscale("cost", "--format", "int8", "--as", "csv")
    expect_equal(outcome.code, OK, "exit code")
    expect("Not checked" in outcome.stderr, outcome.stderr)
