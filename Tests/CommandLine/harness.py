"""The small frame of the command-line tests: cases, expectations, and running the program."""

import json
import os
import subprocess
import tempfile
from collections import namedtuple
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("BLOCKSCALE", ROOT / ".build/release/blockscale")).absolute()
GOLDEN = ROOT / "golden"

OK, FAILED, USAGE, BAD_DATA, NO_INPUT, CANNOT_WRITE = 0, 1, 64, 65, 66, 74

Case = namedtuple("Case", "name function row")
Outcome = namedtuple("Outcome", "code stdout stderr")
CASES = []


class Skipped(Exception):
    """This machine cannot run the case; the message says why."""


def case(*rows):
    """Registers a test function: once, or once per row of its table (a row is a tuple)."""

    def register(function):
        for row in rows or [()]:
            label = " ".join(str(item) for item in row)[:100]
            name = f"{function.__module__}.{function.__name__} {label}".strip()
            CASES.append(Case(name, function, row))
        return function

    return register


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def expect_equal(observed, expected, what):
    if observed != expected:
        raise AssertionError(f"{what}: expected {expected!r}, observed {observed!r}")


def expect_same_list(observed, expected, what, show=hex):
    """Two lists of codes; names the first places that differ, in hex unless told otherwise."""
    observed, expected = list(observed), list(expected)
    expect_equal(len(observed), len(expected), f"{what}: length")
    differ = [i for i, (o, e) in enumerate(zip(observed, expected)) if o != e]
    first = ", ".join(
        f"[{i}] expected {show(expected[i])}, observed {show(observed[i])}" for i in differ[:5])
    expect(not differ, f"{what}: {len(differ)} of {len(expected)} differ: {first}")


def folder():
    """A temporary folder, removed when its `with` ends."""
    temporary = tempfile.TemporaryDirectory(prefix="blockscale-test-")
    return _PathFolder(temporary)


class _PathFolder:
    def __init__(self, temporary):
        self.temporary = temporary

    def __enter__(self):
        return Path(self.temporary.__enter__())

    def __exit__(self, *error):
        return self.temporary.__exit__(*error)


@contextmanager
def small_disk(place, size):
    """A disk of its own with room for `size`, mounted in `place` until its `with` ends."""
    disk = place / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        raise Skipped("a small disk cannot be mounted here: it takes root's rights")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def blockscale(*arguments, timeout=300, **options):
    """Runs the program; stdout and stderr come back as text."""
    done = subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=timeout, **options)
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def succeed(*arguments, **options):
    """Runs the program and expects exit code 0; returns stdout."""
    outcome = blockscale(*arguments, **options)
    expect(outcome.code == OK, f"{command(arguments)}: exit {outcome.code}: {outcome.stderr[:400]}")
    return outcome.stdout


def fail(code, *arguments, mentions=(), **options):
    """Runs the program and expects this exit code, silence on stdout and a message on stderr."""
    outcome = blockscale(*arguments, **options)
    seen = f"{command(arguments)}: {outcome.stderr[:400]}"
    codes = code if isinstance(code, tuple) else (code,)
    expect(outcome.code in codes, f"expected exit {code}, observed {outcome.code}: {seen}")
    expect(outcome.stdout == "", f"stdout of a failure holds {outcome.stdout[:200]!r}")
    expect(outcome.stderr.strip() != "", f"{command(arguments)}: no message")
    for word in mentions:
        expect(str(word) in outcome.stderr, f"the message does not name {word!r}: {seen}")
    return outcome


def command(arguments):
    return "blockscale " + " ".join(map(str, arguments))


def strict_json(text):
    """Parses JSON, refusing NaN, infinities and repeated keys."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    def unique(pairs):
        keys = [key for key, _ in pairs]
        expect(len(set(keys)) == len(keys), f"repeated keys in JSON: {keys}")
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
