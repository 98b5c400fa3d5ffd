#!/usr/bin/env python3
"""Writes golden vectors of a block dot product for the benches in this folder.

    tools/rtl/make_vectors.py --element e2m1|e4m3|mxint8|int8 --scale e8m0|ue4m3 --block N
                              [--level smoke|nightly] [--seed N] [--dropped BITS] --output DIR

The expected results come from `blockscale mma --accumulator exact` (the program is named by
BLOCKSCALE, by default .build/release/blockscale) and are compared with an exact model of this
folder's own; if they differ anywhere, nothing is written. DIR receives dot.inputs.memh,
dot.expected.memh and manifest.json with the position of each field.

With --dropped the products lose that many low bits before the sum, as in a device with a narrower
SUM_WIDTH; those results come from this folder's model alone.
"""

import argparse
import collections
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).resolve().parent))

from vectors import cases, formats, npy  # noqa: E402

BATCH = 192  # a product gives every row times every column, of which the diagonal is wanted


def program():
    return os.environ.get("BLOCKSCALE", str(ROOT / ".build/release/blockscale"))


def multiply(shape, batch, folder):
    """Blockscale's results for some cases."""
    count, block = len(batch), shape.block
    columns = bytes(case.b[k] for k in range(block) for case in batch)
    addends = [0] * count * count
    for index, case in enumerate(batch):
        addends[index * count + index] = case.c
    inputs = {
        "a": ("|u1", (count, block), bytes(code for case in batch for code in case.a)),
        "b": ("|u1", (block, count), columns),
        "scale-a": ("|u1", (count, 1), bytes(case.scale_a for case in batch)),
        "scale-b": ("|u1", (1, count), bytes(case.scale_b for case in batch)),
        "c": ("<f4", (count, count), struct.pack(f"<{count * count}I", *addends)),
    }
    command = [program(), "mma", "--element", shape.element, "--scale", shape.scale,
               "--block", str(block), "--accumulator", "exact", "--output", str(folder / "d.npy")]
    for name, array in inputs.items():
        path = folder / f"{name}.npy"
        npy.write(path, *array)
        command += [f"--{name}", str(path)]
    subprocess.run(command, check=True)
    kind, dimensions, payload = npy.read(folder / "d.npy")
    if (kind, tuple(dimensions)) != ("<f4", (count, count)):
        sys.exit(f"make_vectors: blockscale wrote {kind} {dimensions}")
    return struct.unpack(f"<{count * count}I", payload)[:: count + 1]


def expected_results(shape, made):
    model = [formats.dot(shape, case) for case in made]
    if shape.dropped:
        return model
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for start in range(0, len(made), BATCH):
            results += multiply(shape, made[start : start + BATCH], Path(folder))
    for index, (case, ours, theirs) in enumerate(zip(made, model, results)):
        if ours != theirs:
            sys.exit(f"make_vectors: blockscale gives {theirs:08x}, the model {ours:08x} for case "
                     f"{index}: {case}")
    return results


def fields_of(shape):
    """Name, width and element width of each input field, from the least significant bit up."""
    bits = formats.ELEMENT_BITS[shape.element]
    return [("a", bits * shape.block, bits), ("b", bits * shape.block, bits),
            ("scale_a", 8, 8), ("scale_b", 8, 8), ("c", 32, 32)]


def pack(case, fields):
    word = position = 0
    for name, width, element in fields:
        content = getattr(case, name)
        for index, code in enumerate(content if isinstance(content, list) else [content]):
            word |= code << position + index * element
        position += width
    return word


def field_table(fields):
    table, position = [], 0
    for name, width, element in fields:
        table.append({"name": name, "lsb": position, "msb": position + width - 1,
                      "lane_width": element, "lanes": width // element})
        position += width
    return table


def write(path, lines):
    partial = path.with_name(path.name + ".partial")
    partial.write_text("".join(line + "\n" for line in lines))
    partial.replace(path)
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def informative(bits):
    return bits & 0x7FFFFFFF not in (0, formats.LARGEST) and bits >> 23 & 255 != 255


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--element", choices=formats.ELEMENTS, required=True)
    parser.add_argument("--scale", choices=formats.SCALES, required=True)
    parser.add_argument("--block", type=int, required=True)
    parser.add_argument("--level", choices=cases.ROUNDS, default="smoke")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dropped", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    if not 8 <= given.block <= 128:
        parser.error("--block must lie between 8 and 128")
    return given


def main():
    given = arguments()
    shape = cases.Shape(given.element, given.scale, given.block, given.dropped)
    made = cases.make(shape, given.level, given.seed)
    results = expected_results(shape, made)
    fields = fields_of(shape)
    width = sum(field[1] for field in fields)
    given.output.mkdir(parents=True, exist_ok=True)
    title = f"// {given.element} {given.scale} block {given.block}, {len(made)} cases"
    inputs = [f"{title}: scale_b and c above, element 0 lowest"]
    inputs += [f"{pack(case, fields):0{(width + 3) // 4}x}" for case in made]
    expected = [f"{title}: d"] + [f"{bits:08x}" for bits in results]
    classes = collections.Counter(case.kind for case in made)
    told = [informative(bits) for case, bits in zip(made, results) if case.kind == "random"]
    manifest = {
        "operation": "dot", "depth": given.block, "accumulator": "exact", "dropped": given.dropped,
        "rows": [{"kind": "element", "name": given.element}, {"kind": "scale", "name": given.scale}],
        "level": given.level, "seed": given.seed, "generator": "SplitMix64",
        "element_order": "element 0 in the least significant bits", "nan_policy": "7fc00000",
        "count": len(made), "classes": classes,
        "informative_ratio_random": round(sum(told) / len(told), 4),
        "inputs": {"fields": field_table(fields)}, "inputs_width": width,
        "expected": {"fields": field_table([("d", 32, 32)])}, "expected_width": 32,
        "files": [write(given.output / "dot.inputs.memh", inputs),
                  write(given.output / "dot.expected.memh", expected)],
    }
    write(given.output / "manifest.json", json.dumps(manifest, indent=2).splitlines())


if __name__ == "__main__":
    main()
