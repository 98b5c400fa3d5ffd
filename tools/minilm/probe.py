"""How much the model's output changes when one layer's weights do: the noise-probe rule.

The linearity theorem (HIGGS, arXiv 2411.17525): a small error in layer l, of relative square t², adds
α_l·t² to the loss. With noise of relative norm t_j and the change Δ_j of the output that it makes,

    α_l = Σ_j Δ_j t_j² / Σ_j t_j⁴

The observable here is no loss but the model's own output: Δ is ‖h' − h‖²/‖h‖² over the final
embeddings h of all tokens (last_hidden_state).
"""

import numpy as np

from .encoder import Encoder

LEVELS = [round(0.01 * step, 2) for step in range(1, 16)]


def silent(name, array):
    """A report that nobody reads."""


class ProbedEncoder(Encoder):
    """An encoder some of whose weights are replaced."""

    replaced = {}

    def parameter(self, name):
        return self.replaced.get(name) if name in self.replaced else super().parameter(name)


def relative_square(changed, original):
    """‖changed − original‖²/‖original‖² over pairs of arrays."""
    difference = sum(float(((c - o) ** 2).sum()) for c, o in zip(changed, original))
    return difference / sum(float((o ** 2).sum()) for o in original)


class Probe:
    """The unperturbed run of some sequences, and runs that share its beginning."""

    def __init__(self, encoder, sequences):
        self.encoder = encoder
        self.inputs, self.lefts = [], {}
        for ids in sequences:
            x, before = encoder.embed(np.array(ids)), []
            for index in range(encoder.layers):
                before.append(x)
                x = encoder.run_layer(x, index, self.keep)
            self.inputs.append(before + [x])
        self.outputs = [states[-1] for states in self.inputs]

    def keep(self, name, array):
        if name.endswith(".input"):
            self.lefts.setdefault(name, []).append(array)

    def change(self, replaced, first=0):
        """Δ of the output with weights replaced, all of them in layer `first` or behind it."""
        self.encoder.replaced = replaced
        try:
            outputs = []
            for states in self.inputs:
                x = states[first]
                for index in range(first, self.encoder.layers):
                    x = self.encoder.run_layer(x, index, silent)
                outputs.append(x)
        finally:
            self.encoder.replaced = {}
        return relative_square(outputs, self.outputs)

    def layers(self):
        """Names of the linear layers that the output depends on, and each one's layer number."""
        names = [name.removesuffix(".input") for name in self.lefts]
        return [(name, int(name.split(".")[2])) for name in names]

    def product_change(self, name, difference, weight):
        """The relative square of the layer's product x·Wᵀ that a change of W makes."""
        left = self.lefts[f"{name}.input"]
        return relative_square([x @ (weight + difference).T for x in left],
                               [x @ weight.T for x in left])

    def alpha(self, name, layer, seed):
        """One layer's α for errors of its weights, and for errors of its product.

        `misfit` is the root mean square of (Δ_j − α t_j²)/Δ_j: how far from linear the output is.
        """
        weight = self.encoder.parameter(f"{name}.weight")
        generator = np.random.default_rng([seed, *name.encode()])
        weights, products, changes = [], [], []
        for level in LEVELS:
            noise = generator.standard_normal(weight.shape)
            noise *= level * np.linalg.norm(weight) / np.linalg.norm(noise)
            weights.append(level * level)
            products.append(self.product_change(name, noise, weight))
            changes.append(self.change({f"{name}.weight": weight + noise}, layer))
        by_weight, by_product = slope(weights, changes), slope(products, changes)
        misfit = [(change - by_product * square) / change
                  for change, square in zip(changes, products)]
        return {"tensor": f"{name}.weight", "parameters": weight.size, "alpha": by_product,
                "alpha_weight": by_weight,
                "misfit": (sum(m * m for m in misfit) / len(misfit)) ** 0.5}


def slope(squares, changes):
    return (sum(c * s for c, s in zip(changes, squares))
            / sum(s * s for s in squares))
