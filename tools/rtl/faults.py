"""The faulty devices: parameter FAULT, what is wrong, and on which vectors it must be caught."""

# Name: element, scale, block. The vectors of these run through the faulty devices.
CONFIGURATIONS = {
    "E2M1/UE4M3/16": ("e2m1", "ue4m3", 16),
    "E4M3/E8M0/32": ("e4m3", "e8m0", 32),
    "INT8/E8M0/32": ("mxint8", "e8m0", 32),
}
FP4, FP8, INT = CONFIGURATIONS

FAULTS = {
    1: ("alignment drops the sticky bit", (FP4, FP8, INT)),
    2: ("result truncated, not rounded", (FP4,)),
    3: ("ties rounded away from zero", (FP4,)),
    4: ("nibbles (neighbouring elements) of b swapped", (FP4,)),
    5: ("elements of b in reverse order", (FP4,)),
    6: ("E4M3 exponent 15 read as Inf or NaN, as IEEE would have it", (FP8,)),
    7: ("E8M0 NaN read as 2^128", (FP8, INT)),
    8: ("subnormal elements read as zero", (FP4, FP8)),
    9: ("subnormal results flushed to zero", (FP4, FP8)),
    10: ("alignment shift one too small", (FP4,)),
    11: ("alignment shift counter 6 bits wide, wraps at 64", (FP4,)),
    12: ("bit 7 of a UE4M3 scale taken for a sign", (FP4,)),
    13: ("E8M0 code 0 read as zero", (FP8,)),
    14: ("overflow gives the largest finite number", (FP8, INT)),
    15: ("block sum one bit too narrow", (FP4, INT)),
    16: ("a sum that cancels keeps a minus sign", (FP4,)),
    17: ("INT8 -128 read as -127", (INT,)),
    18: ("subnormal c decoded with half its value", (FP4,)),
    19: ("last element left out", (FP4,)),
    20: ("UE4M3 NaN read as 480", (FP4,)),
    21: ("subnormal UE4M3 scale given a hidden bit", (FP4,)),
    22: ("E4M3 NaN read as 480", (FP8,)),
    23: ("Inf and NaN in c read as numbers", (FP4,)),
    24: ("rounding's carry lost before the exponent", (FP4, FP8)),
    25: ("scale of b ignored", (FP4,)),
    26: ("block sum cut to 24 bits before c joins", (FP8,)),
    27: ("sticky bit lost where a result becomes subnormal", (FP8, INT)),
    28: ("sum of E8M0 codes kept in 8 bits", (FP8,)),
}

BEGIN, END = "<!-- faults: written by tools/rtl/test --write -->", "<!-- end of faults -->"


def wanted(configuration):
    """The mask of the faults to run on a configuration, and the right device."""
    return 1 | sum(1 << n for n, (_, places) in FAULTS.items() if configuration in places)


def table(counts):
    """The README's table. counts: configuration to (vectors, fault number to mismatches)."""
    head = [f"{name} ({counts[name][0]} vectors)" for name in CONFIGURATIONS]
    lines = ["| `FAULT` | what is wrong | " + " | ".join(head) + " |", "|---:|---|---:|---:|---:|"]
    for number, (text, _) in FAULTS.items():
        cells = [str(counts[name][1].get(number, "")) for name in CONFIGURATIONS]
        lines.append(f"| {number} | {text} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def in_readme(readme):
    """The parts of the README before, within and after the table."""
    before, rest = readme.split(BEGIN + "\n\n", 1)
    within, after = rest.split("\n\n" + END, 1)
    return before, within, after
