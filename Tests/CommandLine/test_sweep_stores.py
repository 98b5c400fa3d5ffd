"""What kills, full disks, other programs and wrong stores do to a sweep."""

import os
import random
import resource
import shutil
import signal
import subprocess
import time

import inputs
from files import write_safetensors
from harness import (BAD_DATA, CANNOT_WRITE, OK, case, expect, expect_equal, fail, folder,
                     small_disk, strict_json, succeed)
from sweeps import (ACTIVATIONS, FORMATS, KILLS, MANY, SLICE, SLOW, counts, execute, export, start,
                    sweep, weights)

def overwrite_middle(store):
    data = bytearray(store.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 6000] = random.Random(1).randbytes(6000)
    store.write_bytes(data)


def truncate(store):
    store.write_bytes(store.read_bytes()[:10_000])


@case(("another version", lambda s: execute(s, "PRAGMA user_version = 2"), ["version 2"]),
      ("other numbers", lambda s: execute(s, "UPDATE meta SET value = '9' WHERE key = 'numerics'"),
       ["numerical version 9"]),
      ("another database", lambda s: execute(s, "PRAGMA application_id = 7"), ["not a store"]),
      ("some text", lambda s: s.write_text("no database\n" * 2000), ["not a store"]),
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
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))


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
            subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
            complete_after(disk / "s.sqlite", words, place)


def complete_after(store, words, place):
    items, measured, kept = counts(store, *words)
    expect(kept > 0, "nothing was kept")
    expect_equal(measured + kept, items, "items")
    sweep(place / "whole.sqlite", *words)
    expect_equal(export(store), export(place / "whole.sqlite"), "the store in the end")
