#!/usr/bin/env python3
"""Turns the manifest of dot vectors into the include file of the benches.

    tools/rtl/bench_include.py DIR        reads DIR/manifest.json, writes DIR/dot_fields.vh
"""

import json
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from vectors.formats import ELEMENTS, SCALES  # noqa: E402

INPUTS = ["a", "b", "scale_a", "scale_b", "c"]


def positions(part, names):
    """Definitions for the fields of a packed word; a missing field is an error."""
    table = {field["name"]: field for field in part["fields"]}
    for name in names:
        if name not in table:
            sys.exit(f"bench_include: the manifest has no field '{name}'")
        label = re.sub(r"\W", "_", name).upper()
        yield f"`define DOT_{label}_LSB {table[name]['lsb']}"
        yield f"`define DOT_{label}_MSB {table[name]['msb']}"


def definitions(manifest):
    yield "// Field positions and sizes, from manifest.json; made by bench_include.py."
    yield f"`define DOT_ELEMENT {ELEMENTS[manifest['element']]}"
    yield f"`define DOT_SCALE {SCALES[manifest['scale']]}"
    yield f"`define DOT_Q_B {manifest['block']}"
    yield f"`define DOT_DROPPED {manifest.get('dropped', 0)}"
    yield f"`define DOT_COUNT {manifest['count']}"
    for part, names in (("inputs", INPUTS), ("expected", ["d"])):
        yield f"`define DOT_{part.upper()}_WIDTH {manifest[part]['width']}"
        yield f"`define DOT_{part.upper()}_FILE \"{manifest[part]['file']}\""
        yield from positions(manifest[part], names)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: bench_include.py DIR")
    folder = Path(sys.argv[1])
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "dot_fields.vh").write_text("".join(f"{line}\n" for line in definitions(manifest)))


if __name__ == "__main__":
    main()
