"""tools/slurm under a real Slurm on loopback: tasks killed in three ways, and the same results."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import inputs
from files import write_safetensors
from harness import GOLDEN, OK, PROGRAM, ROOT, USAGE, case, expect, expect_equal, folder, succeed
from slurm_cluster import SlurmCluster

SUBMIT = ROOT / "tools/slurm/submit"
KILLS = int(os.environ.get("BLOCKSCALE_KILLS", "5"))
# MPFR computes: slow enough to be killed in the middle.
SLOW = "--target reference --as jsonl"


def write_plan(place):
    plan = place / "plan.json5"
    plan.write_text(json.dumps({
        "version": 1,
        "weights": [str(GOLDEN / "demo/minilm-slice.safetensors")],
        "activations": [str(GOLDEN / "activations/minilm-slice.safetensors")],
        "formats": ["nvfp4", "mxfp4", "int8", "mxfp8_e4m3", "nf4"],
        "blocks": [8, 16, 32, 64, 128, "axis"],
    }))
    return plan


def submit(cluster, *words):
    done = subprocess.run([str(SUBMIT), *map(str, words)], env=cluster.environment,
                          capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    expect_equal(done.returncode, OK, f"submit: {done.stderr.decode()[:600]}")
    return dict(line.split() for line in done.stdout.decode().splitlines())


def sweeping(store):
    """The process that writes a store."""
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"sweep" in words[1:2] and str(store).encode() in words:
            return int(entry.name)
    return None


def has_begun(store):
    """Whether some results are in the log beside the store."""
    log = Path(f"{store}-wal")
    return log.exists() and log.stat().st_size > 60_000 and sweeping(store)


def kill(way, cluster, array, number, store):
    if way == "requeue":
        cluster.run("scontrol", "requeue", f"{array}_{number}")
    elif way == "cancel":
        cluster.run("scancel", f"{array}_{number}")
    else:
        os.kill(sweeping(store), signal.SIGKILL)


@case()
def slurm_tasks_that_are_killed_go_on_and_merge_to_the_same_store():
    ways = ["requeue", "kill -9", "cancel"] * (1 if KILLS <= 5 else 3)
    with folder() as place, SlurmCluster(place) as cluster:
        plan, output = write_plan(place), place / "out"
        jobs = submit(cluster, plan, output, "--tasks", len(ways), "--program", PROGRAM,
                      "--sweep", SLOW)
        left = dict(enumerate(ways, start=1))

        def kill_those_that_have_begun():
            for number, way in list(left.items()):
                store = output / f"shards/shard-{number}.sqlite"
                if has_begun(store):
                    kill(way, cluster, jobs["array"], number, store)
                    del left[number]
            return not left

        cluster.wait(kill_those_that_have_begun, "results of every shard", 240)
        merged = output / "merged.sqlite"
        cluster.wait(lambda: not cluster.jobs(), "end of all jobs", 240)
        expect(merged.exists(), (output / "logs/merge.log").read_text()[-800:])
        # The last attempt of a shard tells how much an earlier one had stored.
        for number, way in enumerate(ways, start=1):
            text = (output / f"logs/shard-{number}.log").read_text()
            rows = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
            last = [row for row in rows if row["section"] == "sweep"][-1]
            expect(0 < last["kept"] < last["items"],
                   f"shard {number} ({way}): {last['kept']} of {last['items']} stored before")
            expect_equal(last["kept"] + last["measured"], last["items"], f"shard {number}")
        succeed("sweep", "--plan", plan, "--store", place / "single.sqlite")
        for form in ("jsonl", "csv"):
            rows = [succeed("store", "export", store, "--as", form).splitlines()
                    for store in (merged, place / "single.sqlite")]
            expect_equal(len(rows[0]), len(rows[1]), f"{form}: rows")
            for merged_row, single_row in zip(*rows):
                expect_equal(merged_row, single_row, f"{form}: a row of the merged store")
        # Once more with the same folder: nothing is left to measure, and the merge is the same.
        before = succeed("store", "export", merged, "--as", "jsonl")
        submit(cluster, plan, output, "--tasks", len(ways), "--program", PROGRAM)
        cluster.wait(lambda: not cluster.jobs(), "end of all jobs", 120)
        expect_equal(succeed("store", "export", merged, "--as", "jsonl"), before, "second run")


@case()
def srun_gives_each_rank_its_shard():
    with folder() as place, SlurmCluster(place) as cluster:
        plan = write_plan(place)
        cluster.run("srun", "-n", "2", "--overcommit", PROGRAM, "sweep", "--plan", plan, "--store",
                    place / "rank-{shard}.sqlite", "--threads", "1")
        stores = [place / f"rank-{number}.sqlite" for number in (1, 2)]
        succeed("store", "merge", place / "merged.sqlite", *stores)
        succeed("sweep", "--plan", plan, "--store", place / "single.sqlite")
        expect_equal(succeed("store", "export", place / "merged.sqlite", "--as", "jsonl"),
                     succeed("store", "export", place / "single.sqlite", "--as", "jsonl"),
                     "merged ranks")
        # A batch script's own process is no rank, although its job has two tasks.
        script = place / "batch"
        script.write_text(f"#!/bin/sh\n'{PROGRAM}' sweep --plan '{plan}' --store '{place}/b.sqlite'\n")
        cluster.run("sbatch", "-n", "2", "--overcommit", f"--output={place}/batch.log", script)
        cluster.wait(lambda: not cluster.jobs(), "end of the batch job")
        expect_equal(succeed("store", "export", place / "b.sqlite", "--as", "jsonl"),
                     succeed("store", "export", place / "single.sqlite", "--as", "jsonl"),
                     f"batch script: {(place / 'batch.log').read_text()[:400]}")


class Run:
    """A run of a plan over a model of its own, and what its merge said."""

    def __init__(self, cluster, place, name):
        self.cluster = cluster
        self.output = place / name / "out"
        self.model = place / name / "model.safetensors"
        self.plan = place / name / "plan.json5"
        self.merged, self.page = self.output / "merged.sqlite", self.output / "report.html"
        self.plan.parent.mkdir()
        shutil.copy(GOLDEN / "demo/minilm-slice.safetensors", self.model)
        self.write_plan()

    def write_plan(self, **changes):
        self.plan.write_text(json.dumps({
            "version": 1, "weights": ["model.safetensors"], "blocks": [8, 16, 32, 64, 128, "axis"],
            "formats": ["nvfp4", "mxfp4", "int8", "mxfp8_e4m3", "nf4"], **changes}))

    def submit(self, *words):
        return submit(self.cluster, self.plan, self.output, "--tasks", "2", "--program", PROGRAM,
                      *words)

    def touch_while_measured(self):
        """Touches the model when a task has stored something."""
        stores = [self.output / f"shards/shard-{number}.sqlite" for number in (1, 2)]
        self.cluster.wait(lambda: any(map(has_begun, stores)), "results of a shard", 120)
        os.utime(self.model, (1, 1))

    def end(self):
        """Waits for all jobs; what the merge has said since the last time."""
        self.cluster.wait(lambda: not self.cluster.jobs(), "end of all jobs", 240)
        log = self.output / "logs/merge.log"
        text = log.read_text()
        log.write_text("")
        return text

    def rows(self):
        return succeed("store", "export", self.merged, "--as", "jsonl").splitlines()

    def single(self):
        store = self.plan.parent / "single.sqlite"
        succeed("sweep", "--plan", self.plan, "--store", store)
        return succeed("store", "export", store, "--as", "jsonl").splitlines()


@case()
def slurm_runs_whose_files_change_are_never_reported_in_part():
    with folder() as place, SlurmCluster(place) as cluster:
        touched = Run(cluster, place, "touched")
        touched.submit("--sweep", SLOW)
        touched.touch_while_measured()
        said = touched.end()
        expect("attempt 1; once more" in said, f"no second attempt: {said}")
        whole = touched.single()
        expect(f"done: {len(whole)} of {len(whole)} results" in said, said)
        expect(touched.rows() == whole and touched.page.exists(), "the merged store")

        # Another model under the same name: the earlier results stand, and nothing is made of them.
        touched.model.write_bytes(touched.model.read_bytes()[:-4000] + bytes(4000))
        touched.page.unlink()
        touched.submit()
        said = touched.end()
        expect("is not the one that" in said and "nothing was merged" in said, said)
        expect(touched.rows() == whole and not touched.page.exists(), "a report was made")

        # Without attempts left nothing is merged either.
        once = Run(cluster, place, "once")
        once.submit("--attempts", "1", "--sweep", SLOW)
        once.touch_while_measured()
        said = once.end()
        expect("failed in 1 attempts" in said and not once.merged.exists(), said)

        # What cannot be measured is counted, and no plan that went bad is tried again.
        special = Run(cluster, place, "special")
        write_safetensors(special.model, {"x.weight": inputs.normal((24, 96), seed=50),
                                          "y.weight": inputs.special()})
        special.write_plan(formats=["nvfp4"], recipes=["exact", "torchao-nvfp4"], blocks=[16])
        special.submit()
        said = special.end()
        expect_equal(len(special.rows()), 3, "results")
        expect("3 of 4 results; 1 cannot be measured" in said, said)
        special.write_plan(formats=["mxfp4"], blocks=[16])
        special.submit()
        said = special.end()
        expect("done: 2 of 2 results" in said and "3 more" in said, said)
        (special.output / "settings").write_text(
            (special.output / "settings").read_text().replace("plan.json5", "gone.json5"))
        cluster.run("sbatch", "--array=1-2", f"--output={place}/shard-%a.log",
                    ROOT / "tools/slurm/shard", special.output)
        special.end()
        cluster.run("sbatch", f"--output={special.output}/logs/merge.log", ROOT / "tools/slurm/merge",
                    special.output)
        said = special.end()
        expect("shards 1 2 failed for a reason that another attempt does not change" in said, said)


@case(([],), (["plan"],), (["plan", "out", "--tasks", "0"],), (["plan", "out", "--tasks"],),
      (["plan", "out", "--nodes", "3"],), (["plan", "out", "more"],))
def submit_refuses_what_it_cannot_read(words):
    with folder() as place:
        plan = write_plan(place)
        words = [str(plan) if word == "plan" else word for word in words]
        done = subprocess.run([str(SUBMIT), *words], capture_output=True, timeout=60, cwd=place)
        expect_equal(done.returncode, USAGE, done.stderr.decode())
        expect(b"submit:" in done.stderr, "no message")
        expect(not (place / "out").exists(), "a folder was made")


@case()
def submit_says_what_is_wrong_with_a_plan_before_any_job():
    with folder() as place:
        (place / "bin").mkdir()
        sbatch = place / "bin/sbatch"
        sbatch.write_text("#!/bin/sh\necho called >>\"$0.log\"\n")
        sbatch.chmod(0o755)
        plan = write_plan(place)
        plan.write_text(plan.read_text().replace("nvfp4", "nvpf4"))
        done = subprocess.run(
            [str(SUBMIT), str(plan), str(place / "out"), "--program", str(PROGRAM)],
            capture_output=True, timeout=60,
            env={**os.environ, "PATH": f"{place}/bin:{os.environ['PATH']}"})
        expect_equal(done.returncode, 65, done.stderr.decode())
        expect(b'formats[0]' in done.stderr and b'"nvfp4"' in done.stderr, done.stderr.decode())
        expect(not (place / "bin/sbatch.log").exists(), "a job was submitted")
        expect(not (place / "out").exists(), "a folder was made")
