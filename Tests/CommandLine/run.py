#!/usr/bin/env python3
"""Runs the command-line tests: every test_*.py in the folders given, or in this folder.

    Tests/CommandLine/run.py [-k WORD] [FOLDER...]

-k runs only the cases whose name holds WORD. The environment variable BLOCKSCALE names another
program than .build/release/blockscale. Ends with `N passed, N failed`; exit code 1 after a failure.
"""

import argparse
import importlib
import sys
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import harness  # noqa: E402


def load(folders):
    for folder in folders:
        sys.path.insert(0, str(folder))
        for path in sorted(folder.glob("test_*.py")):
            importlib.import_module(path.stem)


def run(case):
    """One case's verdict and, unless it passed, the reason."""
    try:
        case.function(*case.row)
    except harness.Skipped as reason:
        return "skipped", str(reason)
    except AssertionError as error:
        return "failed", str(error) or traceback.format_exc(limit=-1)
    except Exception:
        return "failed", traceback.format_exc(limit=-3)
    return "passed", ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-k", metavar="WORD", default="")
    parser.add_argument("folders", nargs="*", type=Path, default=[HERE])
    arguments = parser.parse_args()
    load([folder.resolve() for folder in arguments.folders])
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for case in harness.CASES:
        if arguments.k not in case.name:
            continue
        verdict, reason = run(case)
        count[verdict] += 1
        if verdict != "passed":
            print(f"{verdict}: {case.name}\n    {reason.strip()}".replace("\n", "\n    "))
            sys.stdout.flush()
    skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
    print(f"{count['passed']} passed, {count['failed']} failed{skipped}")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
