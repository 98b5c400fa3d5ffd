"""report: its answer again from the store's export and law plan, its files, and every refusal."""

import csv
import html
import io
import math
import os
import re
import shutil
import sqlite3
import subprocess
import xml.etree.ElementTree as ElementTree

import inputs
from files import write_safetensors
from harness import (BAD_DATA, CANNOT_WRITE, GOLDEN, NO_INPUT, PROGRAM, USAGE, case, expect, expect_equal,
                     fail, folder, strict_json, succeed)

SHAPES = {"enc.0.q": (24, 64), "enc.1.q": (8, 128)}
FORMATS = "nvfp4,mxint4,mxfp8_e4m3"
LOSS = ["--loss", GOLDEN / "laws/mixed-v1.csv", "--loss-where", "family=qwen1.5",
        "--loss-where", "assignment=matmul", "--loss-format", "mxint4:32"]


def store(place, *words, blocks="8,16,32,64"):
    """A store of two small layers."""
    weights = {f"{name}.weight": inputs.normal(shape, seed=index + 1)
               for index, (name, shape) in enumerate(SHAPES.items())}
    lefts = {f"{name}.input": inputs.normal((20, shape[1]), seed=index + 50)
             for index, (name, shape) in enumerate(SHAPES.items())}
    path = place / "results.sqlite"
    succeed("sweep", write_safetensors(place / "w.safetensors", weights), "--activations",
            write_safetensors(place / "a.safetensors", lefts), "--format", FORMATS, "--block",
            blocks, "--store", path, *words)
    return path


def report(path, *words):
    """The answers of a report as JSON."""
    page = path.parent / "report.html"
    return strict_json(succeed("report", path, "--output", page, "--as", "json", *words))


@case()
def answers_are_those_of_law_plan_on_the_exported_errors():
    with folder() as place:
        path = store(place)
        results = csv.DictReader(io.StringIO(succeed("store", "export", path, "--as", "csv")))
        errors = {(row["tensor"], row["format"], row["block"]): row for row in results}
        lines = ["format,block,q_b,nmse,bits_per_element"]
        means = {}
        for name in FORMATS.split(","):
            for block in ("8", "16", "32", "64"):
                total = bits = weight = 0.0
                for layer in SHAPES:
                    row = errors[f"{layer}.weight", name, block]
                    count = float(row["count"])
                    total += count * (float(row["nmse"])
                                      + float(errors[f"{layer}.input", name, block]["nmse"]))
                    bits += count * float(row["bits_per_element"])
                    weight += count
                means[name, float(block)] = total / weight
                lines.append(f"{name},{block},{block},{total / weight!r},{bits / weight!r}")
        curve = place / "curve.csv"
        curve.write_text("\n".join(lines) + "\n")
        sizes = ["--n", "7e9,70e9,400e9", "--loss-budget", "0.02"]
        plan = strict_json(succeed("law", "plan", "--curve", curve, *LOSS, *sizes, "--as", "json"))
        for words in ([], LOSS):
            found = report(path, *sizes, *words)
            expect_equal(found["errors_of"], "layers", "what the errors are of")
            wanted = {(row["n"], row["format"]): row for row in plan["plan"]}
            expect_equal(len(found["answers"]), len(wanted), "answers")
            measured = 0
            for row in found["answers"]:
                other = wanted[row["n"], row["format"]]
                # The page goes by the measured points; the plan by a law where one follows them.
                if other["uses"] == "measured":
                    measured += 1
                    for key in ("q_b", "q_b_low", "q_b_high"):
                        a, b = row[key], other[key]
                        expect(a == b or (a and b and abs(a - b) < 1e-6 * b),
                               f"{row['format']} at {row['n']}, {key}: {a} and {b}")
                size = row["q_b"] or 0
                if 8 <= size < 64:
                    delta = (row["delta"] * between(means, row["format"], size)
                             / means[row["format"], float(row["block"])])
                    expect(abs(delta - 0.02) < 1e-8, f"{row['format']} at {size}: delta {delta}")
                need = ("none suffices" if not size else
                        "not needed" if size > 16 * (1 + 1e-9) else "needed")
                expect_equal(row["needed"], need, f"{row['format']} at {row['n']}")
            expect(measured > 0, "no row of the plan goes by the measured points")


def between(means, name, size):
    """The error at a block size, by straight lines through the measured ones, log against log."""
    blocks = sorted(block for other, block in means if other == name)
    low = max(block for block in blocks if block <= size)
    high = min(block for block in blocks if block > size)
    share = math.log(size / low) / math.log(high / low)
    return means[name, low] * (means[name, high] / means[name, low]) ** share


@case()
def page_and_drawings_are_written_whole():
    with folder() as place:
        path = store(place, "--product", f"{place}/a.safetensors:*.input={place}/w.safetensors:*.weight",
                     "--transpose-b", "--accumulator", "exact")
        page, plots = place / "p.html", place / "plots" / "deep"
        expect_equal(succeed("report", path, "--output", page, "--plots", plots), "", "stdout")
        text = page.read_text()
        expect(text.startswith("<!DOCTYPE html>") and text.rstrip().endswith("</html>"), "the ends")
        names = sorted(file.stem for file in plots.iterdir())
        for name in ("budget", "curves", "curves-activations", "curves-weights", "layers",
                     "pareto-bits", "pareto-gates", "scales-e8m0", "scales-ue4m3", "tensors"):
            expect(name in names, f"{name} is not in {names}")
        for file in plots.iterdir():
            root = ElementTree.parse(file).getroot()
            expect(root.tag.endswith("svg"), f"{file.name} is no SVG")
        expect("measured products of activations and weights" in text, "products are used")
        again = place / "again.html"
        succeed("report", path, "--output", again, "--plots", plots)
        expect_equal(again.read_text().replace("again.html", "p.html"), text, "the page made again")


def pasted(page):
    """The commands of a page, as a shell gets them when they are pasted."""
    found = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page.read_text(), re.S)
    expect_equal(len(found), 1, "lists of commands")
    return html.unescape(found[0])


@case()
def commands_of_the_page_make_it_again():
    with folder() as outer:
        place = outer / "it's a folder"
        place.mkdir()
        own = place / "own formats.json5"
        own.write_text("{version: 1, blocks: [{name: 'own4', element: 'e2m1', scale: 'e8m0', "
                       "block: '16', aliases: [], source: 'this test', checked: 'no'}]}")
        path = store(place, "--formats", own, "--rounding", "tiesToEven,stochastic", "--seed", "5")
        weights, lefts = place / "w.safetensors", place / "a.safetensors"
        # A second command into the same store, then two shards of a third, merged.
        succeed("sweep", weights, "--format", "own4", "--formats", own, "--block", "16,32,axis",
                "--recipe", "exact", "--axis", "-2", "--tensor-scale", "0.5", "--store", path)
        parts = [place / f"part{number}.sqlite" for number in (1, 2)]
        third = ["--product", f"{lefts}:*.input={weights}:*.weight", "--transpose-b", "--format",
                 "nvfp4", "--accumulator", "exact,fp32-sequential", "--rotate", "0,16", "--outliers",
                 "values:0.01", "--fraction", "0.5"]
        for number, part in enumerate(parts, 1):
            succeed("sweep", *third, "--shard", f"{number}/2", "--store", part)
        merged, page = place / "all of it.sqlite", place / "p.html"
        succeed("store", "merge", merged, path, *parts)
        succeed("report", merged, "--output", page, "--formats", own, "--small", "8", "--n", "2e9",
                "--loss-budget", "0.05", *LOSS)
        commands, first = pasted(page), page.read_text()
        expect_equal(commands.count("blockscale sweep"), 3, f"sweeps in {commands}")
        expect_equal(commands.count("blockscale report"), 1, f"reports in {commands}")
        wanted = succeed("store", "export", merged, "--as", "jsonl")
        for file in (merged, page, path, *parts):
            file.unlink()
        program = outer / "bin"
        program.mkdir()
        (program / "blockscale").symlink_to(PROGRAM)
        done = subprocess.run(["bash", "-e"], input=commands.encode(), capture_output=True, cwd=place,
                              env={**os.environ, "PATH": f"{program}:{os.environ['PATH']}"})
        expect_equal(done.returncode, 0, f"{commands}: {done.stderr.decode()[:400]}")
        expect_equal(succeed("store", "export", merged, "--as", "jsonl"), wanted, "the store")
        expect_equal(page.read_text(), first, "the page")


@case()
def drawings_of_an_earlier_run_do_not_stay():
    with folder() as place:
        several, plots = store(place), place / "plots"
        page = place / "p.html"
        succeed("report", several, "--output", page, "--plots", plots)
        (plots / "curves-mine.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
        (plots / "notes.txt").write_text("kept")
        before = {file.name for file in plots.iterdir()}
        several.unlink()
        succeed("sweep", place / "w.safetensors", "--format", "nvfp4", "--block", "16", "--store",
                several)
        succeed("report", several, "--output", page, "--plots", plots)
        after = {file.name for file in plots.iterdir()}
        for name in ("budget.svg", "curves-weights.svg", "layers-larger.svg", "scales-e8m0.svg"):
            expect(name in before and name not in after, f"{name}: {before}, then {after}")
        for name in ("curves.svg", "curves-mine.svg", "notes.txt"):
            expect(name in after, f"{name} is gone: {after}")


@case()
def other_sizes_budgets_and_small_blocks_change_the_answer():
    with folder() as place:
        path = store(place)
        rows = report(path, "--n", "3e9", "--loss-budget", "5", "--small", "64")["answers"]
        expect_equal({row["needed"] for row in rows}, {"not measured"}, "all that was measured is small")
        sizes = [row["n"] for row in report(path, "--n", "7e9,3e9,7e9,7e9,3e9")["answers"]]
        expect_equal(sizes, [3e9] * 3 + [7e9] * 3, "repeated sizes count once")
        rows = report(path, "--n", "3e9", "--loss-budget", "1e-9")["answers"]
        expect_equal({row["needed"] for row in rows}, {"none suffices"}, "a budget of nothing")


@case()
def loss_data_with_blocks_give_the_rows_of_the_loss_formats_own():
    with folder() as place:
        path = store(place)
        head, *rows = (GOLDEN / "laws/mixed-v1.csv").read_text().splitlines()
        several = place / "several.csv"
        several.write_text("\n".join([head + ",q_b"] + [
            f"{row},{block}" for block in (32, 64) for row in rows]) + "\n")
        words = list(LOSS)
        words[1] = several
        expect_equal(report(path, *words)["answers"], report(path, *LOSS)["answers"], "answers")
        words[-1] = "mxint4:16"
        fail(BAD_DATA, "report", path, "--output", place / "p.html", *words, mentions=["q_b = 16"])


@case()
def limits_are_told():
    with folder() as place:
        path = store(place, blocks="16")
        page = place / "p.html"
        message = "No loss is predicted: the loss data are of mxint4, block 32"
        found = strict_json(succeed("report", path, "--output", page, "--as", "json"))
        expect_equal(found["answers"], [], "answers without the loss data's block")
        expect("cannot be told" in found["answer"], found["answer"])
        expect(message in succeed("report", path, "--output", page, "--as", "table"), message)
        expect("there is no curve to fit" in page.read_text(), "one block size")


@case()
def rows_of_one_name_stay_apart():
    with folder() as place:
        one = write_safetensors(place / "w.safetensors", {"w.weight": inputs.normal((16, 128), seed=3)})
        path = place / "results.sqlite"
        for block in ("8", "64"):
            book = place / "book.json5"
            succeed("codebook", one, "--block", block, "--name", "mine", "--output", book)
            succeed("sweep", one, "--formats", book, "--format", "mine", "--block", "16,32",
                    "--store", path)
        steps = strict_json(succeed("store", "inversions", path, "--as", "json"))["steps"]
        for step in steps:
            expect(step["larger_block"] != step["smaller_block"] if "larger_block" in step else
                   step["larger"] != step["smaller"], f"two codebooks in one step: {step}")
        page = place / "p.html"
        succeed("report", path, "--output", page)
        text = page.read_text()
        hashes = {row["format_hash"][:8] for row in csv.DictReader(
            io.StringIO(succeed("store", "export", path, "--as", "csv")))}
        expect_equal(len(hashes), 2, "codebooks")
        for start in hashes:
            expect(f"mine ({start})" in text, f"mine ({start}) is not on the page")


@case()
def what_is_no_store_is_refused():
    with folder() as place:
        page = place / "page.html"
        path = store(place)
        fail(NO_INPUT, "report", place / "none.sqlite", "--output", page, mentions=["none.sqlite"])
        text = place / "text.sqlite"
        text.write_text("not a database" * 100)
        fail(BAD_DATA, "report", text, "--output", page, mentions=["not a store"])
        for statement, words in [
                ("PRAGMA user_version = 99", "version 99"), ("DELETE FROM results", "no results"),
                ("UPDATE results SET report = '{'", "damaged"),
                ("UPDATE meta SET value = '77' WHERE key = 'numerics'", "77")]:
            other = place / "other.sqlite"
            shutil.copy(path, other)
            database = sqlite3.connect(other)
            database.execute(statement)
            database.commit()
            database.close()
            fail(BAD_DATA, "report", other, "--output", page, mentions=["other.sqlite", words])
        cut = place / "cut.sqlite"
        content = path.read_bytes()
        cut.write_bytes(content[:4096] + bytes(len(content) - 4096))
        fail(BAD_DATA, "report", cut, "--output", page, mentions=["cut.sqlite"])
        expect(not page.exists(), "a page was written")


@case()
def wrong_words_are_refused():
    with folder() as place:
        path = store(place)
        page = place / "page.html"
        for words, mention in [
                (["--output", place / "page.txt"], ".html"), (["--output", page, "--small", "0"], "--small"),
                (["--output", page, "--n", "-1"], "--n"),
                (["--output", page, "--n", "7"], "1e5 to 1e15"),
                (["--output", page, *LOSS, "--loss-where", "n"], "COLUMN=TEXT"),
                (["--output", page, "--loss-budget", "0"], "--loss-budget"),
                (["--output", page, "--loss", "x.csv"], "--loss-format"),
                (["--output", page, "--loss-format", "mxint4"], "--loss"),
                (["--output", page, *LOSS[:-1], "nothing"], "nothing")]:
            fail(USAGE, "report", path, *words, mentions=[mention])
        fail(NO_INPUT, "report", path, "--output", page, "--loss", place / "x.csv", "--loss-format",
             "mxint4", mentions=["x.csv"])
        fail(CANNOT_WRITE, "report", path, "--output", place / "no" / "page.html", mentions=["page.html"])
        (place / "file").write_text("")
        fail(CANNOT_WRITE, "report", path, "--output", page, "--plots", place / "file",
             mentions=["--plots"])
        expect(not page.exists(), "a page was written")
