"""Tests of tools/law-alpha on a small model: its slopes again from runs of the model, and refusals."""

import json
import subprocess
import sys

import tiny_bert
from harness import (BAD_DATA, NO_INPUT, OK, ROOT, USAGE, Outcome, case, expect, expect_equal, folder)
from test_activations import TEXT, need_numpy


def law_alpha(copy, *arguments, **options):
    done = subprocess.run([sys.executable, copy / "tools/law-alpha", *map(str, arguments)],
                          capture_output=True, timeout=300, **options)
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def made(place):
    copy = tiny_bert.copy_with_model(place)
    text = place / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    return copy, text


def estimate(copy, text, path, *options):
    outcome = law_alpha(copy, text, "--output", path, "--sequence-length", "16", *options)
    expect_equal(outcome.code, OK, outcome.stderr)
    return path.read_text()


@case()
def every_layer_gets_a_slope_and_a_seed_gives_the_same():
    need_numpy()
    with folder() as place:
        copy, text = made(place)
        first = estimate(copy, text, place / "a.json")
        expect_equal(estimate(copy, text, place / "b.json"), first, "the same seed")
        expect(estimate(copy, text, place / "c.json", "--seed", "2") != first, "another seed")
        document = json.loads(first)
        names = [layer["tensor"] for layer in document["layers"]]
        expect_equal(len(names), 12, "layers: six in each of two")
        expect("pooler.dense.weight" not in names, "the output does not depend on the pooler")
        expect("embeddings" in document["observable"], document["observable"])
        for layer in document["layers"]:
            expect(layer["alpha"] > 0 and layer["alpha_weight"] > 0, layer)
        rows = estimate(copy, text, place / "a.csv").splitlines()
        expect_equal(rows[0], "tensor,parameters,alpha,alpha_weight,misfit", "columns")
        expect_equal(rows[1].split(",")[2], str(document["layers"][0]["alpha"]), "alpha in CSV")


@case()
def a_small_change_of_one_layer_moves_the_output_by_its_slope():
    need_numpy()
    with folder() as place:
        copy, text = made(place)
        estimate(copy, text, place / "a.json")
        model = copy / ".demo/model.safetensors"
        words = [text, "--sequence-length", "16", "--alpha", place / "a.json", "--check"]
        same = json.loads(law_alpha(copy, *words, model).stdout)
        expect_equal(same, {"layers": 12, "observed": 0.0, "sum_alpha_weight": 0.0,
                            "sum_alpha": 0.0}, "unchanged weights")
        tensors, _ = tiny_bert.load(model)
        name = "encoder.layer.1.output.dense.weight"
        changed = [[value * (1.03 if (i + j) % 2 else 0.97) for j, value in enumerate(row)]
                   for i, row in enumerate(tensors[name])]
        from minilm.tensors import TensorWriter
        import struct
        with TensorWriter(place / "w.safetensors") as writer:
            writer.declare([(name, "F32", (len(changed), len(changed[0])))], {})
            flat = [value for row in changed for value in row]
            writer.put(name, struct.pack(f"<{len(flat)}f", *flat))
        found = json.loads(law_alpha(copy, *words, place / "w.safetensors").stdout)
        expect_equal(found["layers"], 1, "layers replaced")
        ratio = found["observed"] / found["sum_alpha"]
        expect(0.3 < ratio < 3, f"observed over predicted: {ratio}: {found}")


@case(("", USAGE, "--output"), ("--output a.txt", USAGE, ".json or .csv"),
      ("--check w.safetensors", USAGE, "--alpha"),
      ("--output a.json --sequence-length 2", USAGE, "at least 3"),
      ("--output a.json --sequence-length 17", USAGE, "at most 16"),
      ("absent.txt --output a.json", NO_INPUT, "absent.txt"),
      ("--check w.safetensors --alpha absent.json", NO_INPUT, "absent.json"),
      ("--check MODEL --alpha wrong.json", BAD_DATA, "wrong.json"))
def wrong_requests_have_their_codes(arguments, code, message):
    need_numpy()
    with folder() as place:
        copy, text = made(place)
        (place / "wrong.json").write_text("{}")
        words = arguments.replace("MODEL", str(copy / ".demo/model.safetensors")).split()
        if "absent.txt" not in arguments:
            words = [text, *words]
        if "--sequence-length" not in arguments:
            words += ["--sequence-length", "16"]
        outcome = law_alpha(copy, *words, cwd=place)
        expect_equal(outcome.code, code, outcome.stderr)
        expect(message in outcome.stderr and "Traceback" not in outcome.stderr, outcome.stderr)
        expect(not list(place.glob("a.*")), "nothing is written")


@case()
def the_demo_refuses_what_it_does_not_know():
    done = subprocess.run([ROOT / "tools/law-demo", "--beta"], capture_output=True, timeout=60)
    expect_equal(done.returncode, USAGE, "exit code")
    expect(b"usage: tools/law-demo" in done.stderr and not done.stdout, done.stderr)
