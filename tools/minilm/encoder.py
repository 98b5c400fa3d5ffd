"""The BERT encoder in numpy, reporting what its matrix products multiply.

Computed in float64 from the checkpoint's float32 weights. Whoever gets a report rounds it to
float32 once, so that the result hardly depends on the order in which a BLAS adds.
A sequence is run alone and without padding, so every token may attend to every other and the
attention mask of a padded batch has nothing to mask.
"""

import math

import numpy as np

from .failure import BAD_DATA, Failure

EXPECTED = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}


def gelu(x):
    """x Φ(x) with the exact error function."""
    erf = np.fromiter(map(math.erf, (x.ravel() / math.sqrt(2)).tolist()), np.float64, x.size)
    return 0.5 * x * (1 + erf.reshape(x.shape))


def softmax(scores):
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


class Encoder:
    def __init__(self, reader, config):
        """`reader`: the checkpoint's TensorReader; `config`: its config.json, parsed."""
        for key, value in EXPECTED.items():
            if config.get(key, value) != value:
                raise Failure(BAD_DATA, f"config.json: {key} is {config[key]!r}, not {value!r}")
        self.reader = reader
        self.layers = config["num_hidden_layers"]
        self.heads = config["num_attention_heads"]
        self.width = config["hidden_size"]
        self.inner = config["intermediate_size"]
        self.head_width = self.width // self.heads
        self.epsilon = config["layer_norm_eps"]
        self.positions = config["max_position_embeddings"]

    def parameter(self, name):
        """A tensor of the checkpoint as float64; rows of an embedding are picked before."""
        return self.stored(name).astype(np.float64)

    def stored(self, name):
        raw = self.reader.raw(name)
        return np.frombuffer(raw, "<f4").reshape(self.reader.shape(name))

    def linear(self, x, name, report):
        report(f"{name}.input", x)
        return x @ self.parameter(f"{name}.weight").T + self.parameter(f"{name}.bias")

    def layer_norm(self, x, name):
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred * centred).mean(axis=-1, keepdims=True)
        normal = centred / np.sqrt(variance + self.epsilon)
        return normal * self.parameter(f"{name}.weight") + self.parameter(f"{name}.bias")

    def embed(self, ids):
        table = "embeddings.{}_embeddings.weight".format
        # A single text is all of token type 0.
        summed = (self.stored(table("word"))[ids].astype(np.float64)
                  + self.stored(table("position"))[: len(ids)].astype(np.float64)
                  + self.stored(table("token_type"))[0].astype(np.float64))
        return self.layer_norm(summed, "embeddings.LayerNorm")

    def attend(self, x, layer, report):
        """Attention of all heads, [tokens, width], before its output's linear layer."""
        parts = {}
        for part in ("query", "key", "value"):
            flat = self.linear(x, f"{layer}.attention.self.{part}", report)
            split = flat.reshape(len(x), self.heads, self.head_width)
            parts[part[0]] = split.transpose(1, 0, 2)
        q, k, v = parts["q"], parts["k"], parts["v"]
        p = softmax(q @ k.transpose(0, 2, 1) / math.sqrt(self.head_width))
        for name, tensor in (("q", q), ("k", k), ("v", v), ("p", p)):
            report(f"{layer}.attention.{name}", tensor)
        return (p @ v).transpose(1, 0, 2).reshape(len(x), self.width)

    def run_layer(self, x, index, report):
        """What layer `index` makes of its input, [tokens, width]."""
        layer = f"encoder.layer.{index}"
        attended = self.attend(x, layer, report)
        added = x + self.linear(attended, f"{layer}.attention.output.dense", report)
        x = self.layer_norm(added, f"{layer}.attention.output.LayerNorm")
        inner = gelu(self.linear(x, f"{layer}.intermediate.dense", report))
        added = x + self.linear(inner, f"{layer}.output.dense", report)
        return self.layer_norm(added, f"{layer}.output.LayerNorm")

    def run(self, ids, report):
        """Runs one sequence; `report(name, array)` gets each tensor in float64."""
        report("input_ids", ids)
        x = self.embed(ids)
        for index in range(self.layers):
            x = self.run_layer(x, index, report)
        report("last_hidden_state", x)
        # The pooler sees [CLS] alone.
        report("pooler.dense.input", x[:1])
