"""Reads and writes the tensor files that the tests need: npy, npz and safetensors.

Standard library only, so that these readers share nothing with the program under test.
A tensor is a `Tensor`: its shape and its elements in row-major order.
"""

import ast
import io
import json
import struct
import zipfile
from array import array
from collections import namedtuple
from math import prod

Tensor = namedtuple("Tensor", "dtype shape data")

# safetensors name -> array type code; F16 and BF16 stay 16-bit patterns.
ARRAY_CODES = {
    "F64": "d", "F32": "f", "F16": "H", "BF16": "H", "U8": "B", "I8": "b", "U16": "H",
    "I16": "h", "U32": "I", "I32": "i", "I64": "q", "U64": "Q",
}
ITEM_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "U8": 1, "I8": 1, "U16": 2, "I16": 2,
              "U32": 4, "I32": 4, "I64": 8, "U64": 8}
NPY_NAMES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "U8": "|u1", "I8": "|i1", "U16": "<u2",
             "U32": "<u4", "I32": "<i4", "I64": "<i8"}


def float32(values, shape=None):
    """A float32 tensor of these values; one line unless a shape is given."""
    data = array("f", values)
    return Tensor("F32", tuple(shape or (len(data),)), data)


def bits_to_float(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def float_to_bits(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


def npy_header(descr, shape, fortran=False, version=1):
    text = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {tuple(shape)!r}, }}"
    prefix = 10 if version == 1 else 12
    text += " " * (-(prefix + len(text) + 1) % 64) + "\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text.encode()


def npy_bytes(tensor):
    return npy_header(NPY_NAMES[tensor.dtype], tensor.shape) + tensor.data.tobytes()


def npy_from_bytes(content):
    assert content[:6] == b"\x93NUMPY", "no npy magic"
    wide = content[6] > 1
    (length,) = struct.unpack_from("<I" if wide else "<H", content, 8)
    start = 12 if wide else 10
    header = ast.literal_eval(content[start : start + length].decode())
    assert not header["fortran_order"], "Fortran order"
    names = {text: name for name, text in NPY_NAMES.items()}
    dtype = names[header["descr"]]
    data = array(ARRAY_CODES[dtype], content[start + length :])
    assert len(data) == prod(header["shape"]), "npy data does not fill its shape"
    return Tensor(dtype, header["shape"], data)


def write_npy(path, tensor):
    path.write_bytes(npy_bytes(tensor))
    return path


def read_npy(path):
    return npy_from_bytes(path.read_bytes())


def write_npz(path, tensors, compressed=False):
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, tensor in tensors.items():
            archive.writestr(f"{name}.npy", npy_bytes(tensor))
    return path


def read_npz(path):
    with zipfile.ZipFile(path) as archive:
        return {n[:-4]: npy_from_bytes(archive.read(n)) for n in archive.namelist()}


def safetensors_bytes(header, data):
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def write_safetensors(path, tensors):
    header, data = {}, io.BytesIO()
    for name, tensor in tensors.items():
        start = data.tell()
        data.write(tensor.data.tobytes())
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape),
                        "data_offsets": [start, data.tell()]}
    path.write_bytes(safetensors_bytes(header, data.getvalue()))
    return path


def read_safetensors(path):
    """The tensors by name and the `__metadata__`; F8 tensors come back as bytes."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        start, stop = entry["data_offsets"]
        assert start == end, f"{name} starts at {start}, expected {end}: a gap or an overlap"
        end = stop
        piece = content[8 + length + start : 8 + length + stop]
        data = array(ARRAY_CODES.get(entry["dtype"], "B"), piece)
        size = ITEM_SIZES.get(entry["dtype"], 1)
        assert len(piece) == prod(entry["shape"]) * size, f"{name}: data does not fill its shape"
        tensors[name] = Tensor(entry["dtype"], tuple(entry["shape"]), data)
    assert 8 + length + end == len(content), "bytes after the last tensor"
    return tensors, metadata
