"""Makes `import numpy` work: this Python's own, or one installed into .demo/python."""

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

from .failure import Failure

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".demo/python" / (sys.implementation.cache_tag or "python")
REQUIREMENT = "numpy>=1.26,<3"


def importable():
    try:
        importlib.import_module("numpy")
    except ImportError:
        return False
    return True


def ensure_numpy():
    if importable():
        return
    sys.path.insert(0, str(FOLDER))
    if not FOLDER.is_dir():
        install()
    importlib.invalidate_caches()
    if not importable():
        raise Failure(1, f"numpy in {FOLDER.relative_to(ROOT)} cannot be imported; remove that "
                      "folder and try again")


def install():
    """Into a folder of its own, which also works where the system's Python is managed."""
    print("activations: installing numpy", file=sys.stderr)
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode:
        subprocess.run([ROOT / "tools/setup", "pip"], stdout=sys.stderr)
    part = FOLDER.with_name(FOLDER.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    done = subprocess.run(
        [*pip, "install", "--quiet", "--only-binary", ":all:", "--no-cache-dir", "--retries", "1",
         "--timeout", "20", "--disable-pip-version-check", "--target", part, REQUIREMENT],
        capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(part, ignore_errors=True)
        raise Failure(1, f"numpy is missing and cannot be installed: {done.stderr.strip()[-500:]}")
    try:
        part.rename(FOLDER)
    except OSError as error:
        raise Failure(1, f"{FOLDER}: {error.strerror}") from error
