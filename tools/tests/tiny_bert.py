"""A BERT of two layers and eight features for tests, and its results again in plain Python."""

import json
import math
import random
import shutil
import struct
import sys

from harness import ROOT

sys.path.insert(0, str(ROOT / "tools"))

from minilm.tensors import TensorReader, TensorWriter  # noqa: E402

LAYERS, WIDTH, HEADS, INNER, POSITIONS = 2, 8, 2, 12, 16
EPSILON = 1e-3  # large enough to be seen when it is forgotten
CONFIG = {"model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": LAYERS,
          "num_attention_heads": HEADS, "hidden_size": WIDTH, "intermediate_size": INNER,
          "layer_norm_eps": EPSILON, "max_position_embeddings": POSITIONS}
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "block", "##s", "scale", "a", ".",
              "##d", "of", "cafe", "##sd", "!", "$", "漢", "字", "ο", "##σ"]


def shapes():
    linear = {f"encoder.layer.{index}.{name}": shape for index in range(LAYERS) for name, shape in {
        "attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH),
        "attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH),
        "intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER)}.items()}
    linear["pooler.dense"] = (WIDTH, WIDTH)
    norms = ["embeddings"] + [f"encoder.layer.{index}{part}" for index in range(LAYERS)
                              for part in (".attention.output", ".output")]
    tables = {"word": len(VOCABULARY), "position": POSITIONS, "token_type": 2}
    return ({f"{name}.weight": shape for name, shape in linear.items()}
            | {f"{name}.bias": shape[:1] for name, shape in linear.items()}
            | {f"{name}.LayerNorm.{part}": (WIDTH,)
               for name in norms for part in ("weight", "bias")}
            | {f"embeddings.{name}_embeddings.weight": (rows, WIDTH)
               for name, rows in tables.items()})


def copy_with_model(place, without=""):
    """A copy of the tools whose cache holds the small model, but for the tensor `without`."""
    copy = place / "copy"
    shutil.copytree(ROOT / "tools", copy / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    fetch = copy / "tools/minilm/fetch"
    fetch.write_text("#!/bin/sh\nexit 0\n")
    cache = copy / ".demo"
    cache.mkdir()
    if (ROOT / ".demo/python").is_dir():
        (cache / "python").symlink_to(ROOT / ".demo/python")
    (cache / "config.json").write_text(json.dumps(CONFIG))
    (cache / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    generator = random.Random(1)
    tensors = {name: shape for name, shape in shapes().items() if name != without}
    with TensorWriter(cache / "model.safetensors") as writer:
        writer.declare([(name, "F32", shape) for name, shape in tensors.items()], {})
        for name, shape in tensors.items():
            count = math.prod(shape)
            writer.put(name, struct.pack(f"<{count}f", *(generator.gauss(0, 1)
                                                         for _ in range(count))))
    return copy


def load(path):
    """A file's float32 tensors as nested lists by name, and its metadata."""
    reader = TensorReader(path)

    def nested(values, shape):
        if len(shape) == 1:
            return list(values)
        step = len(values) // shape[0]
        return [nested(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]

    return {name: nested(struct.unpack(f"<{math.prod(entry['shape'])}f", reader.raw(name)),
                         entry["shape"])
            for name, entry in reader.entries.items() if entry["dtype"] == "F32"}, reader.metadata


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def linear(rows, weight, bias):
    """rows times weight transposed, plus bias."""
    return [[dot(row, w) + b for w, b in zip(weight, bias, strict=True)] for row in rows]


def layer_norm(row, weight, bias):
    mean = math.fsum(row) / len(row)
    deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in row) / len(row) + EPSILON)
    return [(x - mean) / deviation * w + b for x, w, b in zip(row, weight, bias, strict=True)]


def softmax(scores):
    exponentials = [math.exp(score - max(scores)) for score in scores]
    return [x / math.fsum(exponentials) for x in exponentials]


def attention_rows(q, k):
    """softmax(q k^T / sqrt(d)) of one head."""
    return [softmax([dot(row, key) / math.sqrt(len(row)) for key in k]) for row in q]


def gelu(x):
    return x * (1 + math.erf(x / math.sqrt(2))) / 2


class Model:
    """Runs one sequence; `seen` holds each tensor under the names of tools/activations."""

    def __init__(self, path):
        self.parameters, _ = load(path)

    def linear(self, rows, name):
        self.seen[f"{name}.input"] = rows
        return linear(rows, self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"])

    def norm(self, rows, others, name):
        scale, shift = (self.parameters[f"{name}.LayerNorm.{part}"] for part in ("weight", "bias"))
        return [layer_norm([a + b for a, b in zip(row, other, strict=True)], scale, shift)
                for row, other in zip(rows, others, strict=True)]

    def run(self, ids):
        self.seen = {}
        word, position, kind = (self.parameters[f"embeddings.{name}_embeddings.weight"]
                                for name in ("word", "position", "token_type"))
        x = self.norm([word[token] for token in ids],
                      [[a + b for a, b in zip(position[i], kind[0])] for i in range(len(ids))],
                      "embeddings")
        for index in range(LAYERS):
            layer = f"encoder.layer.{index}"
            heads = self.attend(x, layer)
            x = self.norm(x, self.linear(heads, f"{layer}.attention.output.dense"),
                          f"{layer}.attention.output")
            inner = self.linear(x, f"{layer}.intermediate.dense")
            inner = [[gelu(value) for value in row] for row in inner]
            x = self.norm(x, self.linear(inner, f"{layer}.output.dense"), f"{layer}.output")
        self.seen["last_hidden_state"] = x
        self.seen["pooler.dense.input"] = x[:1]
        return self.seen

    def attend(self, x, layer):
        size, merged = WIDTH // HEADS, [[] for _ in x]
        parts = {part[0]: self.linear(x, f"{layer}.attention.self.{part}")
                 for part in ("query", "key", "value")}
        for head in range(HEADS):
            q, k, v = ([row[head * size : (head + 1) * size] for row in parts[letter]]
                       for letter in "qkv")
            p = attention_rows(q, k)
            for letter, tensor in (("q", q), ("k", k), ("v", v), ("p", p)):
                self.seen.setdefault(f"{layer}.attention.{letter}", []).append(tensor)
            for row, weights in zip(merged, p, strict=True):
                row += [dot(weights, column) for column in zip(*v)]
        return merged
