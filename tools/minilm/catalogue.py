"""Which tensors a run writes: their names and shapes, and where each reported tensor goes."""

from fnmatch import fnmatchcase

from .failure import USAGE, Failure


class Catalogue:
    """`layout` lists (name, dtype, shape) in the file's order.

    `targets[name, sequence]` lists, for a tensor that the encoder reports of a sequence, the names
    it is written under, each with the head it takes, or None for all of it.
    """

    def __init__(self, encoder, lengths, per_head=False, only=()):
        self.encoder, self.lengths = encoder, lengths
        self.per_head, self.only = per_head, only
        self.layout, self.targets = [], {}
        self.add_rows("input_ids", (), "I64")
        for index in range(encoder.layers):
            self.add_layer(f"encoder.layer.{index}")
        self.add_rows("last_hidden_state", (encoder.width,))
        self.add_rows("pooler.dense.input", (encoder.width,), rows=len(lengths))
        if not self.layout:
            raise Failure(USAGE, f"no tensor's name matches {' or '.join(only)}")

    def add_layer(self, layer):
        width, inner = self.encoder.width, self.encoder.inner
        for part in ("query", "key", "value"):
            self.add_rows(f"{layer}.attention.self.{part}.input", (width,))
        for letter in "qkvp":
            self.add_product(layer, letter)
        self.add_rows(f"{layer}.attention.output.dense.input", (width,))
        self.add_rows(f"{layer}.intermediate.dense.input", (width,))
        self.add_rows(f"{layer}.output.dense.input", (inner,))

    def add_rows(self, name, features, dtype="F32", rows=None):
        """A tensor that every sequence adds rows to, one a token unless told otherwise."""
        total = sum(self.lengths) if rows is None else rows
        for sequence in range(len(self.lengths)):
            self.link((name, sequence), name, None)
        self.add(name, dtype, (total, *features))

    def add_product(self, layer, letter):
        """One side of attention's products: a tensor of every sequence, or of every head of it."""
        heads = self.encoder.heads
        for sequence, tokens in enumerate(self.lengths):
            prefix = f"sequence.{sequence}." if len(self.lengths) > 1 else ""
            shape = (tokens, tokens if letter == "p" else self.encoder.head_width)
            source = (f"{layer}.attention.{letter}", sequence)
            if self.per_head:
                for head in range(heads):
                    name = f"{prefix}{layer}.attention.head.{head}.{letter}"
                    self.link(source, name, head)
                    self.add(name, "F32", shape)
            else:
                name = f"{prefix}{layer}.attention.{letter}"
                self.link(source, name, None)
                self.add(name, "F32", (heads, *shape))

    def wanted(self, name):
        return not self.only or any(fnmatchcase(name, glob) for glob in self.only)

    def link(self, source, name, head):
        if self.wanted(name):
            self.targets.setdefault(source, []).append((name, head))

    def add(self, name, dtype, shape):
        if self.wanted(name):
            self.layout.append((name, dtype, shape))
