"""Tests of tools/rtl/synth and its table that need no Yosys; tools/rtl/test --nightly runs that."""

import csv
import json
import subprocess

from harness import GOLDEN, OK, ROOT, case, expect, expect_equal

# Transistors of a gate in static CMOS.
TRANSISTORS = {"not": 2, "nand": 4, "nor": 4, "and": 6, "or": 6, "xor": 12, "xnor": 12, "mux": 12}


def table():
    with (GOLDEN / "cost/synthesis.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@case()
def every_synthesised_point_is_one_that_the_tool_makes():
    done = subprocess.run([ROOT / "tools/rtl/synth", "--list"], capture_output=True, text=True,
                          timeout=60)
    expect_equal(done.returncode, OK, done.stderr)
    listed = {tuple(line.split(" ")) for line in done.stdout.splitlines()}
    names = ("part", "element", "scale", "terms", "bits", "dropped")
    rows = [tuple(row[name] for name in names) for row in table()]
    expect(len(rows) >= 60 and len(set(rows)) == len(rows), f"{len(rows)} rows")
    expect(set(rows) <= listed, f"not the tool's: {set(rows) - listed}")


@case()
def gates_add_up_to_cells_and_transistors():
    for row in table():
        counts = {name: int(row[name]) for name in TRANSISTORS}
        expect_equal(sum(counts.values()), int(row["cells"]), f"cells of {row}")
        transistors = sum(TRANSISTORS[name] * count for name, count in counts.items())
        expect_equal(transistors, int(row["transistors"]), f"transistors of {row}")


@case()
def the_table_says_where_it_comes_from():
    manifest = json.loads((GOLDEN / "cost/manifest.json").read_text())
    expect(manifest["yosys"].startswith("Yosys 0.23"), manifest["yosys"])
    for name, digest in manifest["device_sha256"].items():
        expect((ROOT / name).is_file() and len(digest) == 64, name)
