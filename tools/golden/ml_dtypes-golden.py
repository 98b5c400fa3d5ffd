#!/usr/bin/env python3
"""Writes golden/ml_dtypes: what ml_dtypes makes of every FP16 and BF16 input.

Needs ml_dtypes 0.6.0 and numpy 2.4.6, the versions that the manifest records:

    python3 -m venv venv && venv/bin/pip install ml_dtypes==0.6.0 numpy==2.4.6
    venv/bin/python tools/golden/ml_dtypes-golden.py [FOLDER]

One TYPE.npz per float type of ml_dtypes holds three arrays:
    from_fp16[i]  the code that FP16 bit pattern i becomes by astype(float32).astype(TYPE)
    from_bf16[i]  likewise for BF16 bit pattern i
    decode[c]     the float32 bits of code c, by view(TYPE).astype(float32)
Codes are uint8, uint16 for bfloat16. The integer types are left out: their astype truncates and
leaves NaN undefined, so it is no rounding to a number format.
"""

import hashlib
import io
import json
import platform
import sys
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np

PINNED = {"ml_dtypes": "0.6.0", "numpy": "2.4.6"}
CODE_BITS = {
    "float4_e2m1fn": 4,
    "float6_e2m3fn": 6,
    "float6_e3m2fn": 6,
    "float8_e3m4": 8,
    "float8_e4m3": 8,
    "float8_e4m3b11fnuz": 8,
    "float8_e4m3fn": 8,
    "float8_e4m3fnuz": 8,
    "float8_e5m2": 8,
    "float8_e5m2fnuz": 8,
    "float8_e8m0fnu": 8,
    "bfloat16": 16,
}
PATTERNS = np.arange(1 << 16, dtype=np.uint16)
# A finite value beyond the range of every type below but bfloat16 and float8_e8m0fnu.
BEYOND = {"bfloat16": 0x7F7FFFFF, "float8_e8m0fnu": 0x7F7FFFFF}
BEYOND_OTHERS = 0x49800000  # 2^20


def code_type(bits):
    return np.uint8 if bits <= 8 else np.uint16


def encode(values, name):
    """Codes of float32 values; the cast of NaN and of large values warns, and that is expected."""
    with np.errstate(all="ignore"):
        cast = values.astype(np.float32).astype(getattr(ml_dtypes, name))
    return cast.view(code_type(CODE_BITS[name]))


def encode_bits(bits, name):
    return int(encode(np.array([bits], dtype=np.uint32).view(np.float32), name)[0])


def decode(name):
    bits = CODE_BITS[name]
    codes = np.arange(1 << bits, dtype=code_type(bits))
    with np.errstate(all="ignore"):
        return codes.view(getattr(ml_dtypes, name)).astype(np.float32).view(np.uint32)


def save(path, arrays):
    """np.savez_compressed with a fixed date, so that the same content is the same file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for key, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, member.getvalue())


def facts(name):
    """What the type does with the inputs that formats disagree about."""
    beyond = BEYOND.get(name, BEYOND_OTHERS)
    cases = {
        "nan": 0x7FC00000,
        "negative_nan": 0xFFC00000,
        "nan_with_payload": 0x7FA00001,
        "inf": 0x7F800000,
        "negative_inf": 0xFF800000,
        "overflow": beyond,
        "negative_overflow": beyond | 0x80000000,
        "zero": 0x00000000,
        "negative_zero": 0x80000000,
        "tiny": 0x00000001,
        "negative_tiny": 0x80000001,
    }
    digits = (CODE_BITS[name] + 3) // 4
    return {key: f"0x{encode_bits(bits, name):0{digits}X}" for key, bits in cases.items()}


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "golden/ml_dtypes")
    found = {"ml_dtypes": ml_dtypes.__version__, "numpy": np.__version__}
    if found != PINNED:
        sys.exit(f"expected {PINNED}, found {found}; see the head of this file")
    fp16 = PATTERNS.view(np.float16).astype(np.float32)
    bf16 = (PATTERNS.astype(np.uint32) << 16).view(np.float32)
    types = {}
    for name, bits in CODE_BITS.items():
        path = folder / f"{name}.npz"
        arrays = {"from_fp16": encode(fp16, name), "from_bf16": encode(bf16, name)}
        save(path, arrays | {"decode": decode(name)})
        types[name] = {
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "code_bits": bits,
            "encodes": facts(name),
        }
    manifest = {
        "what": "ml_dtypes casts of all FP16 and all BF16 bit patterns, through float32",
        "generator": "tools/golden/ml_dtypes-golden.py",
        "versions": found,
        "machine": platform.machine(),
        "arrays": {
            "from_fp16": "code of FP16 bit pattern i",
            "from_bf16": "code of BF16 bit pattern i",
            "decode": "float32 bits of code c",
        },
        "licence": "outputs of ml_dtypes (Apache-2.0), computed",
        "types": types,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
