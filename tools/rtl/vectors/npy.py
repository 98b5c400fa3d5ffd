"""Arrays of codes in the .npy format, without numpy."""

import ast
import struct


def write(path, kind, shape, payload):
    """kind is numpy's, such as '|u1' or '<f4'; payload are the elements' bytes in C order."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) +
                     header.encode() + payload)


def read(path):
    """Kind, shape and payload."""
    data = path.read_bytes()
    size = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10 : 10 + size].decode())
    return header["descr"], header["shape"], data[10 + size :]
