#!/usr/bin/env python3
"""Turns the manifest of vectors into the include file of faults_bench.

The vectors are make_vectors.py's, or those of `blockscale vectors` with --op dot or mma,
--accumulator exact, and one block deep.

    tools/rtl/bench_include.py DIR        reads DIR/manifest.json, writes DIR/dot_fields.vh
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from vectors.formats import ELEMENTS, INT_FRACTION, SCALES  # noqa: E402

INPUTS = ["a", "b", "scale_a", "scale_b", "c"]
ABSENT = {"c": "32'b0"}  # the operation `dot` of blockscale has no addend


def part(field, what):
    """A macro that takes the field out of a packed word."""
    return f"`define DOT_{what.upper()}(word) word[{field['msb']}:{field['lsb']}]"


def fields(manifest, side, names):
    table = {field["name"]: field for field in manifest[side]["fields"]}
    for name in names:
        if name in table:
            yield part(table[name], name)
        elif name in ABSENT:
            yield f"`define DOT_{name.upper()}(word) {ABSENT[name]}"
        else:
            sys.exit(f"bench_include: the manifest has no field '{name}'")


def definitions(manifest):
    rows = {row["kind"]: row["name"] for row in manifest["rows"]}
    yield "// Field positions and sizes, from manifest.json; made by bench_include.py."
    yield f"`define DOT_ELEMENT {ELEMENTS[rows['element']]}"
    yield f"`define DOT_INT_FRACTION {INT_FRACTION.get(rows['element'], 0)}"
    yield f"`define DOT_SCALE {SCALES[rows['scale']]}"
    yield f"`define DOT_Q_B {manifest['depth']}"
    yield f"`define DOT_DROPPED {manifest.get('dropped', 0)}"
    yield f"`define DOT_COUNT {manifest['count']}"
    for side, names in (("inputs", INPUTS), ("expected", ["d"])):
        yield f"`define DOT_{side.upper()}_WIDTH {manifest[side + '_width']}"
        yield f"`define DOT_{side.upper()}_FILE \"{manifest['operation']}.{side}.memh\""
        yield from fields(manifest, side, names)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: bench_include.py DIR")
    folder = Path(sys.argv[1])
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "dot_fields.vh").write_text("".join(f"{line}\n" for line in definitions(manifest)))


if __name__ == "__main__":
    main()
