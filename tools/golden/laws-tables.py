#!/usr/bin/env python3
"""Writes the data files of golden/laws from the tables below and mixedquant_v1_digitised.csv.

    tools/golden/laws-tables.py [FOLDER]

delta is ln(perplexity after / perplexity before), in nats; n counts parameters (nominal sizes).
golden/laws/README.md says where every table comes from.
"""

import csv
import math
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "golden/laws"

# arXiv 2410.06722 v1, figure 8, digitised: relative rise of the perplexity in %.
BLOCKS = [16, 32, 64, 128, 256, 512, 3580, 12.8e6]
FIGURE8 = {
    (7, 0.5): "1.09 1.26 1.67 3.39 4.45 6.24 4.96 99.9",
    (7, 0.9): "12.1 9.83 22.6 23.0 65.6 123.8 216.6 1.46e5",
    (7, 0.95): "25.6 21.5 51.1 55.2 75.9 256.5 486 2.39e5",
    (14, 0.5): "1.89 1.61 2.14 2.08 2.44 4.39 7.35 91.2",
    (14, 0.9): "11.0 8.1 13.9 19.3 16.0 32.7 404.7 9.2e5",
    (14, 0.95): "9.02 10.06 15.2 22.6 22.4 51.6 63.0 1.01e6",
}
# The same, figure 6, digitised: size in billions and share in high precision.
FIGURE6 = {
    5: "0.5 .44 1.8 .35 4 .35 7 .23 14 .21 32 .10",
    10: "0.5 .33 1.8 .25 4 .20 7 .15 14 .02 32 .005",
    20: "0.5 .20 1.8 .10 4 .02 7 .01",
}

# arXiv 2510.25602: perplexity on WikiText2, weights and activations cast directly.
QWEN3 = ["0.6B", "1.7B", "4B", "8B", "14B", "32B", "30B-A3B", "235B-A22B"]
LLAMA = ["3.2-1B", "3.2-3B", "3.1-8B", "3.1-70B"]
FORMATS = {"mxint8": 32, "mxfp8": 32, "mxint6": 32, "mxfp6": 32, "mxint4": 32, "mxfp4": 32,
           "nvint4": 16, "nvfp4": 16}
PERPLEXITY = {
    ("qwen3", "none"): """
 bf16   11.5868 8.7084 7.3368 6.5135 5.9498 7.0168 6.8178 4.0929
 mxint8 11.6377 8.7424 7.3511 6.5174 5.955 7.0185 6.8167 4.0959
 mxfp8  11.7494 8.7822 7.3813 6.5444 5.9711 7.0357 6.8335 4.1101
 mxint6 12.2297 9.2622 7.496 6.6499 6.0483 7.05 6.8745 4.1743
 mxfp6  11.9108 8.8961 7.4135 6.5825 5.9953 7.0285 6.8467 4.1662
 mxint4 48.6713 21.8749 11.9487 10.0423 16.7227 15.1619 9.3837 5.918
 mxfp4  20.4522 24.0766 9.1553 8.0135 7.2471 8.2047 7.8203 5.9007
 nvint4 15.9729 10.9128 8.3304 7.415 6.81 8.0161 7.2024 4.8916
 nvfp4  14.6818 9.9966 8.0144 7.0285 6.3129 7.3604 7.1874 4.8309""",
    ("qwen3", "hadamard"): """
 mxint4 28.6510 21.3032 9.8238 9.2029 7.3564 8.2083 7.8292 4.9891
 mxfp4  20.3684 15.9527 8.8148 8.1113 6.9521 7.7401 7.9673 4.7035
 nvint4 14.6052 10.7822 7.9824 7.1705 6.3702 7.3625 7.1557 4.3913
 nvfp4  16.5762 11.7541 8.2716 7.5084 6.5427 7.4522 7.3214 4.5918""",
    ("llama", "none"): """
 bf16 9.0625 7.2857 5.8402 2.637
 mxint8 9.0815 7.2944 5.8487 2.6674
 mxfp8 9.1695 7.3381 5.895 2.6674
 mxint6 9.3557 7.4184 5.9643 2.7298
 mxfp6 9.2209 7.3605 5.916 2.7298
 mxint4 21.9893 11.2715 8.7408 5.1894
 mxfp4 14.0516 9.2355 6.4845 4.9492
 nvint4 11.3987 8.225 6.5957 3.5502
 nvfp4 10.7473 8.0343 6.4917 3.492""",
    ("llama", "hadamard"): """
 mxint8 9.0715 7.2912 5.845 2.6428
 mxfp8 9.1932 7.3465 5.9001 2.7232
 mxint6 9.2622 7.3828 5.9276 2.7333
 mxfp6 9.2204 7.3703 5.9075 2.735
 mxint4 17.9797 10.3057 8.0745 1146.7
 mxfp4 13.3987 9.262 7.2318 1118.4
 nvint4 10.8399 8.1119 6.4701 4.9786
 nvfp4 11.7635 8.4693 6.7028 79.76""",
}
# The same paper: Kullback-Leibler divergence from the unquantised model, in 1e-6.
DIVERGENCE = {
    ("qwen3", "none"): """
 mxint8 191 209 112 168 96 118 160 276
 mxfp8 579 406 346 362 300 457 380 483
 mxint6 1944 2464 928 1104 804 1012 768 1333
 mxfp6 1030 874 539 592 467 627 606 1099
 mxint4 39936 30208 17408 15552 34304 27392 13248 16331
 mxfp4 17602 14614 8568 8228 8119 10302 6194 16238
 nvint4 10560 8320 4864 5120 5568 7968 3120 9702
 nvfp4 8104 4995 3844 3430 2835 3778 2443 9238""",
    ("qwen3", "hadamard"): """
 nvint4 7771 7236 3431 4026 3070 3647 2222 3931
 nvfp4 12031 10582 5065 5912 4214 4662 3200 5786
 mxint4 26488 26578 10498 12241 8459 9510 6080 9660
 mxfp4 17995 20443 7260 8562 6410 6536 5087 7058""",
    ("llama", "none"): """
 mxint8 111 77 82 191
 mxfp8 464 325 359 514
 mxint6 1133 743 776 1744
 mxfp6 651 457 491 1436
 mxint4 26153 14089 12380 22538
 mxfp4 14446 8251 7586 21372
 nvint4 7508 4312 4224 10970
 nvfp4 5691 3684 3718 10544""",
}

# Sharify et al., PMLR v262: perplexity on WikiText-2, activations in MXINT8 of the same block.
METHODS = ["rtn", "gptq", "smoothquant", "awq", "smoothquant+gptq", "awq+gptq"]
BASELINE = {"llama2-7b": (7e9, 5.12), "llama2-13b": (13e9, 4.57), "llama3.1-8b": (8e9, 5.61)}
SHARIFY = {
    ("mxint4", 16): {"llama2-7b": "5.40 5.41 5.33 5.30 5.28 5.27",
                     "llama2-13b": "4.72 4.68 4.74 4.70 4.69 4.68",
                     "llama3.1-8b": "6.22 5.97 6.19 6.08 5.99 5.95"},
    ("mxint4", 128): {"llama2-7b": "5.55 5.45 5.60 5.43 5.48 5.37",
                      "llama2-13b": "4.82 4.76 4.93 4.77 4.84 4.73",
                      "llama3.1-8b": "6.99 6.39 7.01 6.40 6.50 6.21"},
    ("mxint3", 16): {"llama2-7b": "6.58 6.84 6.56 6.28 5.90 5.84",
                     "llama2-13b": "5.52 5.09 5.49 5.30 5.14 5.09",
                     "llama3.1-8b": "10.16 7.29 10.54 8.37 7.35 7.14"},
    ("mxint3", 128): {"llama2-7b": "9.89 8.49 23.54 7.14 7.61 6.87",
                      "llama2-13b": "6.32 5.66 8.26 5.93 6.21 5.53",
                      "llama3.1-8b": "124.48 12.87 2088 16.22 13.82 8.88"},
}

# Quartet, arXiv 2505.14669, table 3: loss on C4 of 30 M parameters.
TOKENS_PER_PARAMETER = [25, 50, 100, 200, 400]
QUARTET = {"quartet": "3.49 3.38 3.29 3.24 3.20", "luq-int4": "3.73 3.68 3.66 3.43 3.40"}

# arXiv 2411.17691, table 1: tokens in trillions to a rise of .2 | .3 | .4 | .5 at 2, 3 and 4 bits.
UNDERTRAINED = {
    1: ".0011 .1089 1.4424 .0025 .1990 2.6786 .0043 .3051 4.1556 .0066 .4251 5.8422",
    7: ".0026 .3038 4.5066 .0057 .5550 8.3689 .0099 .8512 12.9836 .0152 1.1860 18.2531",
    70: ".0071 1.0228 17.3499 .0154 1.8687 32.2192 .0267 2.8659 49.9854 .0409 3.9932 70.2723",
    405: ".0151 2.5807 48.4861 .0328 4.7151 90.0398 .0567 7.2311 139.6892 .0868 10.0754 196.3829",
}

# A reproduction of arXiv 2601.19026 (not the authors'): perplexity gap at blocks of 4 to 256.
FINER = {
    "llama-3.1-8b": "1.74 1.43 1.29 1.22 1.23 1.35 1.53",
    "granite-3.3-8b": "1.15 1.01 .93 .93 1.01 1.20 1.56",
    "qwen2.5-14b": "1.39 1.22 1.12 1.16 1.26 1.49 2.06",
    "deepseek-7b": "2.68 2.11 1.78 1.62 1.65 1.85 2.17",
}


def rise(after, before):
    return math.log(after / before)


def rows_of(text):
    for line in text.strip().splitlines():
        name, *numbers = line.split()
        yield name, [float(number) for number in numbers]


def cells(table, places):
    """Key, place and number of a table whose rows are texts with a number for each place."""
    for key, text in table.items():
        for place, number in zip(places, text.split(), strict=True):
            yield key, place, float(number)


def figures_v1(folder):
    heading = ["family", "assignment", "n", "q_r", "dppl", "delta"]
    rows = []
    with open(folder / "mixedquant_v1_digitised.csv", newline="") as file:
        for row in csv.DictReader(file):
            if float(row["Qr"]) == 0:
                continue
            percent = float(row["dppl_pct_figb"] or row["dppl_pct_figa"])
            assignment = row["granularity"].replace("(FP4)", "")
            rows.append([row["family"].lower(), assignment, float(row["N_B"]) * 1e9,
                         float(row["Qr"]), percent, math.log1p(percent / 100)])
    return heading, rows


def block_sizes_v1(_):
    rows = [[size * 1e9, ratio, block, percent, math.log1p(percent / 100)]
            for (size, ratio), block, percent in cells(FIGURE8, BLOCKS)]
    return ["n", "q_r", "q_b", "dppl", "delta"], rows


def budgets_v1(_):
    rows = []
    for budget, text in FIGURE6.items():
        numbers = [float(word) for word in text.split()]
        rows += [[budget, size * 1e9, 1 - high]
                 for size, high in zip(numbers[::2], numbers[1::2], strict=True)]
    return ["dppl", "n", "q_r"], rows


def int_vs_fp(_):
    rows = []
    for (family, rotation), text in PERPLEXITY.items():
        models = QWEN3 if family == "qwen3" else LLAMA
        before = dict(rows_of(PERPLEXITY[family, "none"]))["bf16"]
        divergence = dict(rows_of(DIVERGENCE.get((family, rotation), "")))
        for form, after in rows_of(text):
            if form == "bf16":
                continue
            kl = divergence.get(form, [None] * len(models))
            for model, x, y, z in zip(models, after, before, kl, strict=True):
                size = float(model.split("-")[-1 if family == "llama" else 0][:-1])
                kind = "" if family == "llama" else "base" if size <= 14 else "post-trained"
                rows.append([f"{family}-{model}", family, kind, size * 1e9, form,
                             rotation, FORMATS[form], y, x, rise(x, y),
                             "" if z is None else f"{z / 1e6:.6f}"])
    return ["model", "family", "checkpoint", "n", "format", "rotation", "q_b", "ppl_before", "ppl",
            "delta", "kl"], rows


def microscaling(_):
    rows = [[model, BASELINE[model][0], form, block, method, BASELINE[model][1], after,
             rise(after, BASELINE[model][1])]
            for (form, block), models in SHARIFY.items()
            for model, method, after in cells(models, METHODS)]
    return ["model", "n", "format", "q_b", "method", "ppl_before", "ppl", "delta"], rows


def quartet(_):
    rows = [[method, 30e6, 30e6 * ratio, loss]
            for method, ratio, loss in cells(QUARTET, TOKENS_PER_PARAMETER)]
    return ["method", "n", "d", "loss"], rows


def undertrained(_):
    rows = []
    for size, text in UNDERTRAINED.items():
        numbers = [float(word) * 1e12 for word in text.split()]
        rows += [[size * 1e9, bits, delta, numbers[3 * i + bits - 2]]
                 for i, delta in enumerate([0.2, 0.3, 0.4, 0.5]) for bits in [2, 3, 4]]
    return ["n", "bits", "delta", "d"], rows


def finer_blocks(_):
    rows = [list(cell) for cell in cells(FINER, [4, 8, 16, 32, 64, 128, 256])]
    return ["model", "q_b", "ppl_gap"], rows


FILES = {"mixed-v1.csv": figures_v1, "mixed-v1-blocks.csv": block_sizes_v1,
         "mixed-v1-budgets.csv": budgets_v1, "int-vs-fp.csv": int_vs_fp,
         "microscaling-ptq.csv": microscaling, "quartet.csv": quartet,
         "undertrained.csv": undertrained, "finer-blocks.csv": finer_blocks}


def text_of(value):
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name, make in FILES.items():
        heading, rows = make(FOLDER)
        lines = [",".join(heading)] + [",".join(map(text_of, row)) for row in rows]
        (folder / name).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
