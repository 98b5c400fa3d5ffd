"""The faulty devices: parameter FAULT, what is wrong, and on which vectors it must be caught."""

# Name: element, scale, block. The vectors of these run through the faulty devices.
CONFIGURATIONS = {
    "E2M1/UE4M3/8": ("e2m1", "ue4m3", 8),
    "E2M1/UE4M3/16": ("e2m1", "ue4m3", 16),
    "E2M1/UE4M3/24": ("e2m1", "ue4m3", 24),
    "E2M1/UE4M3/32": ("e2m1", "ue4m3", 32),
    "E4M3/E8M0/32": ("e4m3", "e8m0", 32),
    "INT8/E8M0/32": ("mxint8", "e8m0", 32),
    "INT8/E8M0/128": ("mxint8", "e8m0", 128),
}
ALL = tuple(CONFIGURATIONS)
FP4, FP8, INT = ALL[:4], ALL[4:5], ALL[5:]

# Where the device is another one than the right one: not where it has the format's other parts only,
# and not where no operands reach the difference. E2M1 with UE4M3 neither overflows nor rounds twice,
# its sum and INT8's are never longer than FP32's 24 bits, and 24 lanes leave the sum a bit to spare.
FAULTS = {
    1: ("alignment drops the sticky bit", ALL),
    2: ("result truncated, not rounded", ALL),
    3: ("ties rounded away from zero", ALL),
    4: ("nibbles (neighbouring elements) of b swapped", ALL),
    5: ("elements of b in reverse order", ALL),
    6: ("E4M3 exponent 15 read as Inf or NaN, as IEEE would have it", FP8),
    7: ("E8M0 NaN read as 2^128", FP8 + INT),
    8: ("subnormal elements read as zero", FP4 + FP8),
    9: ("subnormal results flushed to zero", ALL),
    10: ("alignment shift one too small", ALL),
    11: ("alignment shift counter 6 bits wide, wraps at 64", ALL),
    12: ("bit 7 of a UE4M3 scale taken for a sign", FP4),
    13: ("E8M0 code 0 read as zero", FP8 + INT),
    14: ("overflow gives the largest finite number", FP8 + INT),
    15: ("block sum one bit too narrow", FP4[:2] + FP4[3:] + FP8 + INT),
    16: ("a sum that cancels keeps a minus sign", ALL),
    17: ("INT8 -128 read as -127", INT),
    18: ("subnormal c decoded with half its value", ALL),
    19: ("last element left out", ALL),
    20: ("UE4M3 NaN read as 480", FP4),
    21: ("subnormal UE4M3 scale given a hidden bit", FP4),
    22: ("E4M3 NaN read as 480", FP8),
    23: ("Inf and NaN in c read as numbers", ALL),
    24: ("rounding's carry lost before the exponent", ALL),
    25: ("scale of b ignored", ALL),
    26: ("block sum cut to 24 bits before c joins", FP8),
    27: ("sticky bit lost where a result becomes subnormal", FP8 + INT),
    28: ("sum of E8M0 codes kept in 8 bits", FP8 + INT),
}

# Icarus takes minutes for all of it. There each fault meets the first of these that shows it.
ICARUS = ("E2M1/UE4M3/8", "INT8/E8M0/32", "E4M3/E8M0/32")
# Verilator compiles for as long; the smoke test takes these.
SMOKE = ("E2M1/UE4M3/16", "E4M3/E8M0/32", "INT8/E8M0/32")


def runs(everywhere):
    """Simulator, configuration and the faults to run there."""
    for name in CONFIGURATIONS if everywhere else SMOKE:
        yield "verilator", name, [n for n, (_, places) in FAULTS.items() if name in places]
    for name in ICARUS:
        yield "icarus", name, [n for n, (_, places) in FAULTS.items()
                               if next(place for place in ICARUS if place in places) == name]


def mask(numbers):
    """The bench's mask of these faults and the right device."""
    return 1 | sum(1 << number for number in numbers)


def disagreements(cells, before):
    """What was seen (configuration and fault to mismatches) and is not what the table says."""
    for (name, number), count in cells.items():
        if before.get((name, number)) != count:
            yield f"{name}, fault {number}: {count} seen, {before.get((name, number))} in the table"


BEGIN, END = "<!-- faults: written by tools/rtl/test --write -->", "<!-- end of faults -->"


def table(counts, cells):
    """The README's table.

    counts: configuration to vectors. cells: configuration and fault number to mismatches.
    """
    head = [f"{name} ({counts[name]} vectors)" for name in CONFIGURATIONS]
    lines = ["| `FAULT` | what is wrong | " + " | ".join(head) + " |",
             "|---:|---|" + "---:|" * len(CONFIGURATIONS)]
    for number, (text, _) in FAULTS.items():
        row = [str(cells.get((name, number), "")) for name in CONFIGURATIONS]
        lines.append(f"| {number} | {text} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def from_table(text):
    """The counts and the cells of a table."""
    head, _, *lines = text.splitlines()
    counts = {}
    for cell in head.split("|")[3:-1]:
        name, words = cell.strip().split(" ", 1)
        counts[name] = int(words.strip("()").split()[0])
    cells = {}
    for line in lines:
        number, _, *row = (cell.strip() for cell in line.split("|")[1:-1])
        cells.update({(name, int(number)): int(cell) for name, cell in zip(counts, row) if cell})
    return counts, cells


def in_readme(readme):
    """The parts of the README before, within and after the table."""
    before, rest = readme.split(BEGIN + "\n\n", 1)
    within, after = rest.split("\n\n" + END, 1)
    return before, within, after
