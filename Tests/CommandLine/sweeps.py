"""What the tests of sweep and store share: small checkpoints, running, reading stores."""

import os
import sqlite3
import subprocess

import inputs
from files import write_safetensors
from harness import GOLDEN, PROGRAM, strict_json, succeed

SLICE = GOLDEN / "demo/minilm-slice.safetensors"
ACTIVATIONS = GOLDEN / "activations/minilm-slice.safetensors"
FORMATS = ["--format", "nvfp4,mxfp4,int8", "--block", "8,16,32"]
MANY = ["--format", "nvfp4,mxfp4,int8,mxfp8_e4m3", "--block", "8,16,32,64"]
# MPFR computes: slow enough to be met in the middle.
SLOW = [*MANY, "--target", "reference"]
KILLS = int(os.environ.get("BLOCKSCALE_KILLS", "5"))


def weights(place, names=("x.weight", "y.weight", "z.weight"), shape=(24, 96)):
    return write_safetensors(place / "model.safetensors", {
        name: inputs.normal(shape, seed=seed) for seed, name in enumerate(names)})


def sweep(store, *words, **options):
    """Runs a sweep; the row of its report."""
    return strict_json(succeed("sweep", *words, "--store", store, "--as", "json", **options))


def counts(store, *words, **options):
    row = sweep(store, *words, **options)["sweep"][0]
    return row["items"], row["measured"], row["kept"]


def export(store, form="jsonl"):
    return succeed("store", "export", store, "--as", form)


def rows(store):
    return [strict_json(line) for line in export(store).splitlines()]


def start(*words, **options):
    return subprocess.Popen([str(PROGRAM), "sweep", *map(str, words)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)


def execute(store, *commands):
    """Changes a store behind the program's back."""
    base = sqlite3.connect(store)
    for command in commands:
        base.execute(command)
    base.commit()
    base.close()
