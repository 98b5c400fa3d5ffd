"""What kills, full disks, other programs and wrong stores do to a sweep."""

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

import inputs
from files import write_safetensors
from harness import (BAD_DATA, CANNOT_WRITE, OK, PROGRAM, case, expect, expect_equal, fail,
                     folder, small_disk, strict_json, succeed)
from sweeps import (ACTIVATIONS, FORMATS, KILLS, MANY, SLICE, SLOW, counts, execute, export, rows,
                    start, sweep, weights)

def overwrite_middle(store):
    data = bytearray(store.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 6000] = random.Random(1).randbytes(6000)
    store.write_bytes(data)


def truncate(store):
    store.write_bytes(store.read_bytes()[:10_000])


@case(("another version", lambda s: execute(s, "PRAGMA user_version = 99"), ["version 99"]),
      ("other numbers", lambda s: execute(s, "UPDATE meta SET value = '9' WHERE key = 'numerics'"),
       ["numerical version 9"]),
      ("another database", lambda s: execute(s, "PRAGMA application_id = 7"), ["not a store"]),
      ("some text", lambda s: s.write_text("no database\n" * 2000), ["not a store"]),
      ("a table gone", lambda s: execute(s, "DROP TABLE results"), ["damaged", '"results"']),
      ("a column gone", lambda s: execute(s, "ALTER TABLE results DROP COLUMN seed"),
       ["damaged", "no column", '"seed"']),
      ("a column more", lambda s: execute(s, "ALTER TABLE results ADD COLUMN mine TEXT"),
       ["damaged", "foreign column", '"mine"']),
      ("no JSON", lambda s: execute(
          s, "UPDATE results SET report = 'x' WHERE key = (SELECT max(key) FROM results)"),
       ["damaged", "the report of result"]),
      ("JSON that is no object", lambda s: execute(
          s, "UPDATE results SET report = '3' WHERE key = (SELECT max(key) FROM results)"),
       ["damaged", "the report of result"]),
      ("damage", overwrite_middle, ["damaged"]),
      ("its end cut off", truncate, ["damaged"]))
def a_wrong_store_is_refused_and_left_alone(what, change, mentions):
    with folder() as place:
        model, store = weights(place), place / "s.sqlite"
        sweep(store, model, *FORMATS)
        change(store)
        before = store.read_bytes()
        for words in (["sweep", model, *FORMATS, "--store", store],
                      ["store", "export", store, "--as", "csv"],
                      ["store", "export", store, "--as", "jsonl"], ["store", "show", store],
                      ["store", "inversions", store],
                      ["report", store, "--output", place / "r.html"],
                      ["store", "merge", place / "m.sqlite", store]):
            fail(BAD_DATA, *words, mentions=["s.sqlite", *mentions])
            expect_equal(store.read_bytes() == before, True, f"{words[0]} left the file as it was")
        expect(not (place / "m.sqlite").exists(), "a merged store was made")


@case()
def a_tensor_that_changed_is_never_mixed_with_the_earlier_one():
    with folder() as place:
        model, store = weights(place), place / "s.sqlite"
        sweep(store, model, *FORMATS)
        before = export(store)
        first = model.read_bytes()
        write_safetensors(model, {"x.weight": inputs.normal((24, 96), seed=0),
                                  "y.weight": inputs.normal((24, 96), seed=77),
                                  "z.weight": inputs.normal((24, 96), seed=2)})
        fail(BAD_DATA, "sweep", model, *FORMATS, "--format", "nvfp4", "--store", store,
             mentions=["y.weight", "SHA-256", "another store"])
        expect_equal(export(store), before, "the store after the refusal")
        model.write_bytes(first)
        expect_equal(counts(store, model, *FORMATS), (27, 0, 27), "with the earlier file")


@case()
def a_second_sweep_on_a_store_in_use_is_refused():
    with folder() as place:
        store = place / "s.sqlite"
        first = start(SLICE, *SLOW, "--store", store)
        try:
            wait_for_results(store, first)
            # It would end before a slow machine has started the second.
            first.send_signal(signal.SIGSTOP)
            fail(CANNOT_WRITE, "sweep", SLICE, *SLOW, "--store", store,
                 mentions=["s.sqlite", "in use"])
            fail(CANNOT_WRITE, "store", "export", store, "--as", "csv", mentions=["in use"])
            expect(first.poll() is None, "the first ended too early for this test")
        finally:
            first.send_signal(signal.SIGKILL)
            first.communicate()
        # The kernel let the lock go with the process.
        items, measured, kept = counts(store, SLICE, *MANY)
        expect_equal(measured + kept, items, "items")
        expect(kept > 0, "nothing was kept of the killed sweep")


@case()
def a_file_written_to_meanwhile_stops_the_sweep():
    with folder() as place:
        model, store = place / "model.safetensors", place / "s.sqlite"
        shutil.copy(SLICE, model)
        process = start(model, *SLOW, "--store", store)
        wait_for_results(store, process)
        process.send_signal(signal.SIGSTOP)
        os.utime(model, (1, 1))
        process.send_signal(signal.SIGCONT)
        _, text = process.communicate(timeout=120)
        expect_equal(process.returncode, BAD_DATA, text.decode())
        expect(b"model.safetensors" in text and b"written to" in text, text.decode())
        # Its numbers are the same after all: what was stored is kept.
        items, measured, kept = counts(store, model, *MANY)
        expect(0 < kept < items and kept + measured == items, f"{kept} of {items} kept")


@case()
def a_file_rewritten_in_place_under_its_old_time_stops_the_sweep():
    with folder() as place:
        model, store = place / "model.safetensors", place / "s.sqlite"
        shutil.copy(SLICE, model)
        process = start(model, *SLOW, "--store", store)
        wait_for_results(store, process)
        process.send_signal(signal.SIGSTOP)
        stamp = os.stat(model)
        data = bytearray(model.read_bytes())
        data[-4000:] = bytes(4000)
        with open(model, "r+b") as file:
            file.write(data)
        os.utime(model, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        process.send_signal(signal.SIGCONT)
        _, text = process.communicate(timeout=120)
        expect_equal(process.returncode, BAD_DATA, text.decode())
        expect(b"written to" in text, text.decode())
        sweep(place / "whole.sqlite", SLICE, *MANY)
        wrong = set(export(store).splitlines()) - set(export(place / "whole.sqlite").splitlines())
        expect_equal(len(wrong), 0, "rows of other numbers")


@case()
def a_tensor_is_one_however_its_file_is_written():
    with folder() as place:
        model, store = weights(place), place / "s.sqlite"
        (place / "plans").mkdir()
        (place / "link").symlink_to(place)
        plan = place / "plans/p.json5"
        plan.write_text("{version: 1, weights: ['../model.safetensors'], formats: ['nvfp4']}")
        ways = [[model, "--format", "nvfp4"], ["model.safetensors", "--format", "nvfp4"],
                ["./model.safetensors", "--format", "nvfp4"],
                ["link/plans/../model.safetensors", "--format", "nvfp4"],
                ["--plan", "plans/p.json5"], ["--plan", plan]]
        for words in ways:
            sweep(store, *words, cwd=place)
        base = sqlite3.connect(store)
        expect_equal(base.execute("SELECT DISTINCT file FROM tensors").fetchall(),
                     [(str(model.resolve()),)], "files")
        base.close()
        write_safetensors(model, {"x.weight": inputs.normal((24, 96), seed=50)})
        for words in ways:
            fail(BAD_DATA, "sweep", *words, "--store", store, cwd=place, mentions=["x.weight"])
        # Another file of that name in another folder is another.
        (place / "other").mkdir()
        shutil.copy(model, place / "other/model.safetensors")
        expect_equal(counts(store, "model.safetensors", "--format", "nvfp4", cwd=place / "other"),
                     (1, 1, 0), "another folder")


@case()
def a_killed_sweep_into_the_name_of_a_merged_store_loses_nothing_of_the_merge():
    with folder() as place:
        model, merged = weights(place), place / "merged.sqlite"
        sweep(place / "a.sqlite", model, "--format", "mxfp4")
        sweep(place / "b.sqlite", model, "--format", "int8")
        process = start(SLICE, *SLOW, "--store", merged)
        wait_for_results(merged, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kept = len(export(merged).splitlines())
        expect(kept > 0, "the killed sweep has stored nothing")
        stores = [place / "a.sqlite", place / "b.sqlite"]
        succeed("store", "merge", merged, *stores, "--replace")
        expect_equal(sorted({row["format"] for row in rows(merged)}), ["int8", "mxfp4"], "formats")
        expect_equal(len(rows(merged)), 6, "results")
        expect(not (place / "merged.sqlite-wal").exists(), "a log is left")
        merged.rename(place / "old.sqlite")
        (place / "merged.sqlite-wal").write_bytes(b"a log")
        fail(CANNOT_WRITE, "store", "merge", merged, *stores, mentions=["merged.sqlite-wal", "gone"])
        expect(not merged.exists(), "a store was made beside a log")


@case()
def merges_killed_at_random_moments_leave_the_old_or_the_new_store():
    source = random.Random(7)
    with folder() as place:
        model, merged = weights(place), place / "merged.sqlite"
        inputs_ = [place / f"{name}.sqlite" for name in ("a", "b")]
        many = ["--block", "4,8,12,16,20,24,32,48,64,96,axis"]
        sweep(inputs_[0], model, "--format", "mxfp4,nvfp4,int4,nf4", *many)
        sweep(inputs_[1], model, "--format", "int8,mxint8,mxfp8_e4m3", *many)
        sweep(merged, model, "--format", "mxint4")
        old = export(merged)
        begin = time.monotonic()
        succeed("store", "merge", place / "new.sqlite", *inputs_)
        length = time.monotonic() - begin
        new = export(place / "new.sqlite")
        for _ in range(4 * KILLS):
            process = subprocess.Popen(
                [PROGRAM, "store", "merge", merged, *inputs_, "--replace"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(source.uniform(0, 1.2 * length))
            process.kill()
            process.wait()
            expect(export(merged) in (old, new), "neither the old store nor the new one")
        succeed("store", "merge", merged, *inputs_, "--replace")
        expect(export(merged) == new, "the store in the end")
        expect_equal([p.name for p in place.iterdir() if "partial" in p.name or "-" in p.name], [],
                     "what is left")


@case()
def results_do_not_depend_on_where_a_file_lies():
    with folder() as place:
        model = weights(place)
        sweep(place / "a.sqlite", model, *FORMATS)
        copy = shutil.copy(model, place / "copy.safetensors")
        sweep(place / "b.sqlite", copy, *FORMATS)
        expect_equal(export(place / "a.sqlite"), export(place / "b.sqlite"), "results")
        expect_equal(counts(place / "a.sqlite", copy, *FORMATS), (27, 0, 27), "a copy")
        expect_equal(strict_json(succeed("store", "show", place / "a.sqlite", "--as", "json"))[
            "tensors"], 6, "tensors")


def wait_for_results(store, process):
    log = store.with_name(store.name + "-wal")
    limit = time.monotonic() + 60
    while not (log.exists() and log.stat().st_size > 50_000):
        expect(process.poll() is None and time.monotonic() < limit, "no results came")
        time.sleep(0.005)


# Kills meet the first mostly while it measures, the second while it writes.
MEASURING = [SLICE, *SLOW]
WRITING = [SLICE, "--activations", ACTIVATIONS, "--format",
           "nvfp4,mxfp4,int8,mxfp8_e4m3,int4,mxint8", "--block", "4,8,16,32,64,128,256,axis"]


@case(("measuring", MEASURING, KILLS), ("writing", WRITING, KILLS))
def kills_at_random_moments_lose_and_repeat_nothing(what, words, kills):
    source = random.Random(kills)
    with folder() as place:
        begin = time.monotonic()
        sweep(place / "whole.sqlite", *words)
        length = time.monotonic() - begin
        expected = export(place / "whole.sqlite")
        done, finished, store = 0, 0, place / "0.sqlite"
        while True:
            process = start(*words, "--store", store)
            time.sleep(source.uniform(0, length))
            if done < kills and process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                done += 1
                continue
            _, text = process.communicate(timeout=300)
            expect_equal(process.returncode, OK, text.decode())
            expect(export(store) == expected, f"the store after {done} kills is another")
            finished += 1
            if done == kills:
                break
            store = place / f"{finished}.sqlite"


def limited_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@case()
def a_limit_on_files_keeps_what_was_stored():
    with folder() as place:
        store = place / "s.sqlite"
        words = [SLICE, *MANY]
        # Python ignores SIGXFSZ; the program must find it so too.
        done = start(*words, "--store", store, preexec_fn=limited_files, restore_signals=False)
        _, text = done.communicate(timeout=120)
        expect_equal(done.returncode, CANNOT_WRITE, text.decode())
        expect(b"s.sqlite" in text, text.decode())
        complete_after(store, words, place)


@case()
def a_full_disk_keeps_what_was_stored():
    with folder() as place:
        with small_disk(place, "200k") as disk:
            words = [SLICE, *MANY]
            outcome = fail(CANNOT_WRITE, "sweep", *words, "--store", disk / "s.sqlite",
                           mentions=["s.sqlite", "no room left"])
            expect("kept" in outcome.stderr, outcome.stderr)
            # Looking at it takes no room.
            kept = rows(disk / "s.sqlite")
            expect(len(kept) > 0, "nothing to be seen on the full disk")
            succeed("store", "show", disk / "s.sqlite")
            sweep(place / "t.sqlite", *words)
            outcome = fail(CANNOT_WRITE, "store", "merge", disk / "m.sqlite", place / "t.sqlite",
                           mentions=["m.sqlite: "])
            expect("partial" not in outcome.stderr, outcome.stderr)
            subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
            complete_after(disk / "s.sqlite", words, place)


def complete_after(store, words, place):
    items, measured, kept = counts(store, *words)
    expect(kept > 0, "nothing was kept")
    expect_equal(measured + kept, items, "items")
    sweep(place / "whole.sqlite", *words)
    expect_equal(export(store), export(place / "whole.sqlite"), "the store in the end")
