"""Tests of tools/activations: on a small model anywhere, on the real one if it is in .demo."""

import hashlib
import json
import resource
import struct
import subprocess
import sys

import tiny_bert
from harness import (BAD_DATA, CANNOT_WRITE, NO_INPUT, OK, ROOT, USAGE, Outcome, Skipped, case,
                     expect, expect_equal, expect_same_list, folder)
from minilm.numpy_setup import FOLDER as OWN_NUMPY
from minilm.tensors import TensorReader
from minilm.tokenizer import Tokenizer

GOLDEN = ROOT / "golden/activations"
CHECKPOINT = [ROOT / ".demo" / name for name in ("model.safetensors", "config.json", "vocab.txt")]
TEXT = "Blocks, a scale of [MASK] block! A café."


def activations(tools, *arguments, **options):
    done = subprocess.run([sys.executable, tools / "tools/activations", *map(str, arguments)],
                          capture_output=True, timeout=300, **options)
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def need_numpy():
    here = subprocess.run([sys.executable, "-c", "import numpy"], capture_output=True)
    if here.returncode and not OWN_NUMPY.is_dir():
        raise Skipped("no numpy here; tools/activations installs it")


def need_checkpoint():
    need_numpy()
    if not all(path.is_file() for path in CHECKPOINT):
        raise Skipped("the checkpoint has not been fetched; tools/minilm/fetch does it")


def expect_close(observed, expected, what, tolerance=1e-6):
    """Nested lists of one shape; the tolerance is relative beyond 1."""
    if isinstance(expected, list):
        expect_equal(len(observed), len(expected), f"{what}: length")
        for index, (o, e) in enumerate(zip(observed, expected)):
            expect_close(o, e, f"{what}[{index}]", tolerance)
    else:
        expect(abs(observed - expected) <= tolerance * max(1, abs(expected)),
               f"{what}: expected {expected!r}, observed {observed!r}")


@case(("missing.txt", NO_INPUT, "No such file"), (".", NO_INPUT, "directory"),
      ("empty.txt", BAD_DATA, "empty"), ("blank.txt", BAD_DATA, "empty"),
      ("binary.txt", BAD_DATA, "byte 2 is not UTF-8"),
      ("text.txt --output file/a.safetensors", CANNOT_WRITE, "file/a.safetensors"),
      ("text.txt --output absent/absent/a.safetensors", CANNOT_WRITE, "No such file"),
      ("text.txt --sequence-length 2", USAGE, "at least 3"),
      ("text.txt --unknown", USAGE, "--unknown"),
      ("text.txt --output new", NO_INPUT, "golden/activations"))
def errors_have_their_codes_and_leave_nothing(arguments, code, message):
    with folder() as place:
        copy = tiny_bert.copy_with_model(place)
        (copy / "tools/minilm/fetch").write_text("#!/bin/sh\nexit 1\n")
        for name, content in (("empty.txt", b""), ("blank.txt", b" \n\t"), ("text.txt", b"a"),
                              ("binary.txt", b"ab\xff"), ("file", b"")):
            (place / name).write_bytes(content)
        before = sorted(place.rglob("*"))
        outcome = activations(copy, *arguments.split(), cwd=place)
        expect_equal(outcome.code, code, f"exit code, {outcome.stderr}")
        expect(message in outcome.stderr and "Traceback" not in outcome.stderr, outcome.stderr)
        expect_equal((outcome.stdout, sorted(place.rglob("*"))), ("", before), "what is left")


@case(("--only nothing", "", USAGE, "nothing"), ("", "\x00\x07", BAD_DATA, "no word"),
      ("--sequence-length 17", "", USAGE, "at most 16"),
      ("", "", BAD_DATA, "encoder.layer.1.output.dense.weight"))
def a_failed_run_keeps_the_older_file(arguments, text, code, message):
    need_numpy()
    with folder() as place:
        copy = tiny_bert.copy_with_model(place, without="encoder.layer.1.output.dense.weight")
        (place / "text.txt").write_text(text or TEXT)
        output = place / "out"
        output.mkdir()
        (output / "activations.safetensors").write_text("older")
        outcome = activations(copy, place / "text.txt", "--output", output, *arguments.split())
        expect_equal(outcome.code, code, f"exit code, {outcome.stderr}")
        expect(message in outcome.stderr and "Traceback" not in outcome.stderr, outcome.stderr)
        expect_equal([path.read_text() for path in output.iterdir()], ["older"], "the folder")


@case()
def a_full_disk_leaves_nothing():
    need_numpy()
    with folder() as place:
        copy = tiny_bert.copy_with_model(place)
        (place / "text.txt").write_text(TEXT)
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        outcome = activations(copy, place / "text.txt", "--output", place / "new",
                              preexec_fn=limit)
        expect_equal(outcome.code, CANNOT_WRITE, f"exit code, {outcome.stderr}")
        expect("File too large" in outcome.stderr, outcome.stderr)
        expect(not (place / "new").exists(), "the new folder is left")


def run_tiny(place, copy, *arguments):
    (place / "text.txt").write_text(TEXT, encoding="utf-8")
    path = place / "a.safetensors"
    outcome = activations(copy, place / "text.txt", "--output", path, *arguments)
    expect_equal(outcome.code, OK, outcome.stderr)
    expect_equal(outcome.stdout, f"{path}\n", "stdout")
    return tiny_bert.load(path)


@case((16, [14]), (9, [9, 7]), (5, [5, 5, 5, 5]))
def every_tensor_equals_plain_python(length, lengths):
    need_numpy()
    with folder() as place:
        copy = tiny_bert.copy_with_model(place)
        tensors, metadata = run_tiny(place, copy, "--sequence-length", length)
        expect_equal(json.loads(metadata["sequence_lengths"]), lengths, "lengths")
        tokenizer = Tokenizer((copy / ".demo/vocab.txt").read_text(encoding="utf-8"))
        sequences = list(tokenizer.sequences(tokenizer.encode(TEXT), length))
        model = tiny_bert.Model(copy / ".demo/model.safetensors")
        expected = {}
        for index, ids in enumerate(sequences):
            prefix = f"sequence.{index}." if len(sequences) > 1 else ""
            for name, tensor in model.run(ids).items():
                if ".attention." in name and name[-2:] in (".q", ".k", ".v", ".p"):
                    expected[prefix + name] = tensor
                else:
                    expected[name] = expected.get(name, []) + tensor
        expect_equal(sorted(tensors), sorted(expected), "names")
        for name, tensor in expected.items():
            expect_close(tensors[name], tensor, name, 2e-6)


@case()
def every_linear_weight_meets_an_input_of_its_width():
    need_numpy()
    with folder() as place:
        copy = tiny_bert.copy_with_model(place)
        run_tiny(place, copy)
        written = TensorReader(place / "a.safetensors")
        weights = [name for name, shape in tiny_bert.shapes().items()
                   if len(shape) == 2 and "embeddings" not in name]
        expect_equal(len(weights), 13, "weights")
        for name in weights:
            features = written.shape(name.removesuffix("weight") + "input")[1]
            expect_equal(features, tiny_bert.shapes()[name][1], name)


@case((), ("--sequence-length", "9"))
def heads_apart_are_the_heads_together(*arguments):
    need_numpy()
    with folder() as place:
        copy = tiny_bert.copy_with_model(place)
        together, _ = run_tiny(place, copy, *arguments)
        apart, _ = run_tiny(place, copy, "--per-head", "--only", "*.attention.head.*", *arguments)
        count = 0
        for name, tensor in together.items():
            stem, _, letter = name.rpartition(".")
            for head, matrix in enumerate(tensor if letter in "qkvp" else []):
                expect_equal(apart[f"{stem}.head.{head}.{letter}"], matrix, name)
                count += 1
        expect_equal(len(apart), count, "tensors")


@case(("Blocks", "block ##s"), ("BLOCKSD a", "block ##sd a"), ("a.a", "a . a"),
      ("café", "cafe"), ("cafe\u0301", "cafe"), ("scaled xyz", "scale ##d [UNK]"), ("", ""),
      ("ΟΣ", "ο ##σ"), ("漢字a", "漢 字 a"), ("a\tof\u00a0a\u2028a", "a of a a"),
      ("bl\u200bock\x00\ufffd", "block"), ("a$!", "a $ !"), ("a" * 101, "[UNK]"),
      ("[MASK]s [mask]", "[MASK] [UNK] [UNK] [UNK] [UNK]"))
def words_fall_into_pieces(text, pieces):
    tokenizer = Tokenizer("\n".join(tiny_bert.VOCABULARY) + "\n")
    observed = [tokenizer.tokens[index] for index in tokenizer.encode(text)]
    expect_equal(observed, pieces.split(), repr(text))


@case((5, ["a block ##s", "scale ##d a"]), (4, ["a", "block ##s", "scale ##d", "a"]),
      (3, ["a", "block", "##s", "scale", "##d", "a"]), (8, ["a block ##s scale ##d a"]))
def sequences_keep_words_whole_where_they_can(length, expected):
    tokenizer = Tokenizer("\n".join(tiny_bert.VOCABULARY) + "\n")
    sequences = list(tokenizer.sequences(tokenizer.encode("a blocks scaled a"), length))
    named = [" ".join(tokenizer.tokens[index] for index in ids) for ids in sequences]
    expect_equal(named, [f"[CLS] {part} [SEP]" for part in expected], "sequences")


@case()
def fetch_knows_its_files():
    done = subprocess.run([ROOT / "tools/minilm/fetch", "weights.bin"], capture_output=True)
    expect_equal(done.returncode, USAGE, "exit code")
    expect(b"weights.bin" in done.stderr, done.stderr)


@case(("manifest.json",), ("witness.json",))
def golden_activations_match_their_manifest(name):
    manifest = json.loads((GOLDEN / name).read_text())
    for file, key in ((manifest["file"], "sha256"), ("text.txt", "text_sha256")):
        digest = hashlib.sha256((GOLDEN / file).read_bytes()).hexdigest()
        expect_equal(digest, manifest[key], file)


@case()
def the_slice_agrees_with_itself_and_with_the_demos_weights():
    tensors, _ = tiny_bert.load(GOLDEN / "minilm-slice.safetensors")
    weights, _ = tiny_bert.load(ROOT / "golden/demo/minilm-slice.safetensors")
    head, query = "encoder.layer.0.attention.head.0", "encoder.layer.0.attention.self.query"
    q, k, p = (tensors[f"{head}.{letter}"] for letter in "qkp")
    size = len(q[0])
    made = tiny_bert.linear(tensors[f"{query}.input"], weights[f"{query}.weight"][:size],
                            tensors[f"{query}.bias"][:size])
    expect_close(q, made, "q")
    expect_close(p, tiny_bert.attention_rows(q, k), "p")
    for layer, part, source in ((0, "intermediate", tensors), (5, "output", weights)):
        name = f"encoder.layer.{layer}.{part}.dense"
        expect_equal(len(tensors[f"{name}.input"][0]), len(source[f"{name}.weight"][0]), name)


def ordered(raw):
    """float32 bytes as integers in the order of the numbers: neighbours differ by one."""
    return [i if i >= 0 else -(i & 0x7FFFFFFF) for i, in struct.iter_unpack("<i", raw)]


def expect_within_one_ulp(observed, expected, what):
    observed, expected = ordered(observed), ordered(expected)
    expect_equal(len(observed), len(expected), f"{what}: length")
    far = [i for i, (o, e) in enumerate(zip(observed, expected)) if abs(o - e) > 1]
    expect(not far, f"{what}: {len(far)} of {len(expected)} differ by more than 1 ULP; first "
           f"[{far[:1]}] expected {[hex(expected[i]) for i in far[:1]]}, "
           f"observed {[hex(observed[i]) for i in far[:1]]}")
    # Another BLAS may round a few numbers of millions the other way, not many.
    differ = sum(o != e for o, e in zip(observed, expected))
    expect(differ <= 2 + len(expected) // 10000, f"{what}: {differ} of {len(expected)} differ")


@case()
def tokens_equal_those_of_the_witness():
    if not CHECKPOINT[2].is_file():
        raise Skipped("the vocabulary has not been fetched; tools/minilm/fetch does it")
    witness = json.loads((GOLDEN / "witness.json").read_text())
    tokenizer = Tokenizer(CHECKPOINT[2].read_text(encoding="utf-8"))
    text = (GOLDEN / "text.txt").read_text(encoding="utf-8")
    expect_same_list(tokenizer.encode(text), witness["input_ids"][1:-1], "text.txt", str)
    for entry in witness["strings"]:
        expect_same_list(tokenizer.encode(entry["text"]), entry["ids"], repr(entry["text"]), str)


@case()
def the_real_model_equals_the_witness_and_the_slice():
    need_checkpoint()
    witness = json.loads((GOLDEN / "witness.json").read_text())
    with folder() as place:
        path = place / "a.safetensors"
        outcome = activations(ROOT, "--output", path, "--per-head")
        expect_equal(outcome.code, OK, outcome.stderr)
        run = TensorReader(path)
        ids = [index for index, in struct.iter_unpack("<q", run.raw("input_ids", "I64"))]
        expect_same_list(ids, witness["input_ids"], "input_ids", str)
        rows = TensorReader(GOLDEN / "witness.safetensors")
        expect_equal(len(rows.entries), 29, "tensors of the witness")
        for name in rows.entries:
            size = run.shape(name)[1] * 4
            observed = b"".join(run.raw(name)[row * size : (row + 1) * size]
                                for row in witness["rows"])
            expect_within_one_ulp(observed, rows.raw(name), f"{name} against the witness")
        cut = TensorReader(GOLDEN / "minilm-slice.safetensors")
        for name in set(cut.entries) & set(run.entries):
            expected = cut.raw(name)
            expect_within_one_ulp(run.raw(name)[: len(expected)], expected, f"{name} of the slice")
