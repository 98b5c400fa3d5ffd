#!/usr/bin/env python3
"""Writes golden/laws/scipy-fits.json: fits by scipy to compare `blockscale law fit` with.

Needs the versions that the file records:

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 scipy==1.17.1
    venv/bin/python tools/golden/law-fits.py

Each law is written here a second time, by hand, and handed to scipy.optimize.least_squares (trust
region reflective) from many starts; the lowest cost is kept. Nothing comes from Blockscale but the
points in golden/laws.
"""

import csv
import json
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import least_squares

FOLDER = Path(__file__).resolve().parents[2] / "golden/laws"
STARTS = 60

# Parameters as scipy moves them (C by its logarithm), where starts are drawn, and bounds.
WEAK = {
    "symbols": ["C", "A", "gamma_N"],
    "start": [(-9, 0), (0, 12), (0, 1.5)],
    "bounds": [(-np.inf, np.inf), (-50, 50), (-5, 5)],
    "log": lambda p, v: p[0] + p[1] * v["q_r"] - p[2] * np.log(v["n"] / 1e9),
}
STRONG = {
    "symbols": ["C", "A", "gamma_N", "d", "gamma_c"],
    "start": [(-13, 0), (0, 12), (0, 1.5), (0, 200), (0, 1.5)],
    "bounds": [(-np.inf, np.inf), (-50, 50), (-5, 5), (0, 1e6), (-5, 5)],
    "log": lambda p, v: WEAK["log"](p, v) + p[4] * np.log(v["q_b"] + p[3]),
}
LAWS = {"weak": WEAK, "strong": STRONG}

QWEN = ("mixed-v1.csv", {"family": ["qwen1.5"], "assignment": ["matmul"]})
LLAMA = ("mixed-v1.csv", {"family": ["llama2"], "assignment": ["layer"]})
BLOCKS = ("mixed-v1-blocks.csv", {"q_b": ["16", "32", "64", "128", "256", "512"]})
# Law, space, Huber's scale or None for least squares, points.
CASES = [
    ("weak", "log", None, *QWEN),
    ("weak", "linear", None, *QWEN),
    ("weak", "log", 0.1, *QWEN),
    ("weak", "linear", 0.01, *QWEN),
    ("weak", "log", None, *LLAMA),
    ("strong", "log", None, *BLOCKS),
    ("strong", "linear", None, *BLOCKS),
    ("strong", "log", 0.1, *BLOCKS),
]


def read(name, where):
    """The columns of the rows that hold these texts and have a logarithm, as numbers."""
    lines = [line for line in (FOLDER / name).read_text().splitlines() if not line.startswith("#")]
    rows = [
        row for row in csv.DictReader(lines)
        if all(row[column] in texts for column, texts in where.items()) and float(row["delta"]) > 0
    ]
    return {
        column: np.array([float(row[column]) for row in rows])
        for column in ("n", "q_r", "q_b", "delta") if column in rows[0]
    }


def fit(law, values, space, huber):
    """The lowest cost of many starts; its sum is Σρ, twice scipy's."""
    low, high = zip(*law["bounds"])

    def residuals(p):
        logs = law["log"](p, values)
        if space == "log":
            return np.log(values["delta"]) - logs
        return values["delta"] - np.exp(logs)

    random = np.random.default_rng(1)
    best = None
    for _ in range(STARTS):
        start = [random.uniform(*ends) for ends in law["start"]]
        result = least_squares(
            residuals, start, bounds=(low, high), x_scale="jac", xtol=1e-15, ftol=1e-15,
            gtol=1e-15, max_nfev=4000, loss="linear" if huber is None else "huber",
            f_scale=huber or 1.0)
        if best is None or result.cost < best.cost:
            best = result
    numbers = best.x.copy()
    numbers[0] = np.exp(numbers[0])
    return {
        "cost": 2 * best.cost,
        "residual_sum_of_squares": float(np.sum(residuals(best.x) ** 2)),
        "parameters": dict(zip(law["symbols"], map(float, numbers))),
    }


def main():
    fits = []
    for name, space, huber, file, where in CASES:
        values = read(file, where)
        fits.append({
            "law": name, "file": file, "where": where, "space": space, "huber_scale": huber,
            "points": len(values["delta"]), **fit(LAWS[name], values, space, huber),
        })
    versions = {"scipy": scipy.__version__, "numpy": np.__version__}
    path = FOLDER / "scipy-fits.json"
    path.write_text(json.dumps({"versions": versions, "starts": STARTS, "fits": fits}, indent=1) + "\n")
    print(f"{path}: {len(fits)} fits")


main()
