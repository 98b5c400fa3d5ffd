"""Safetensors files: a mapped reader, and a writer whose tensors arrive in pieces."""

import json
import math
import mmap
import os
import struct

from .failure import BAD_DATA, CANNOT_WRITE, NO_INPUT, Failure

ITEM_SIZE = {"F32": 4, "I64": 8}


class TensorReader:
    """The tensors of one file: `entries[name]` has dtype, shape and data_offsets."""

    def __init__(self, path):
        self.path = path
        try:
            with open(path, "rb") as file:
                self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise Failure(NO_INPUT, f"{path}: {error.strerror}") from error
        except ValueError as error:
            raise Failure(BAD_DATA, f"{path}: is empty") from error
        try:
            (length,) = struct.unpack_from("<Q", self.bytes)
            self.entries = json.loads(self.bytes[8 : 8 + length])
            self.metadata = self.entries.pop("__metadata__", {})
        except (struct.error, ValueError) as error:
            raise Failure(BAD_DATA, f"{path}: no safetensors header: {error}") from error
        self.start = 8 + length

    def shape(self, name):
        return tuple(self.entries[name]["shape"])

    def raw(self, name, dtype="F32"):
        """The tensor's bytes, little-endian and row-major; a view that keeps the file mapped."""
        entry = self.entries.get(name)
        if entry is None:
            raise Failure(BAD_DATA, f"{self.path}: has no tensor {name}")
        first, end = entry["data_offsets"]
        expected = math.prod(entry["shape"]) * ITEM_SIZE[dtype]
        if entry["dtype"] != dtype or end - first != expected:
            raise Failure(BAD_DATA, f"{self.path}: {name}: expected {dtype} of {entry['shape']}, "
                          f"found {entry['dtype']} in {end - first} bytes")
        if first < 0 or self.start + end > len(self.bytes):
            raise Failure(BAD_DATA, f"{self.path}: {name}: lies beyond the file's end")
        return memoryview(self.bytes)[self.start + first : self.start + end]


def header(layout, metadata):
    """The header's bytes, and for each tensor of [(name, dtype, shape)] its place in the file."""
    places, entries, offset = {}, {"__metadata__": metadata}, 0
    for name, dtype, shape in layout:
        size = math.prod(shape) * ITEM_SIZE[dtype]
        entries[name] = {"dtype": dtype, "shape": list(shape),
                         "data_offsets": [offset, offset + size]}
        places[name] = (offset, size)
        offset += size
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    start = 8 + len(text)
    return (struct.pack("<Q", len(text)) + text,
            {name: (start + first, size) for name, (first, size) in places.items()})


class TensorWriter:
    """Writes beside `path` and renames when the `with` block ends well; else leaves nothing.

    `declare` fixes names and shapes, `put` adds the next piece of a tensor. Every tensor must be
    complete at the end.
    """

    def __init__(self, path):
        self.path = path
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self.new_folder = None
        self.file = None

    def __enter__(self):
        try:
            if not self.path.parent.is_dir():
                self.path.parent.mkdir()
                self.new_folder = self.path.parent
            self.file = open(self.temporary, "xb")
        except OSError as error:
            self.discard()
            raise self.cannot_write(error) from error
        return self

    def cannot_write(self, error):
        return Failure(CANNOT_WRITE, f"{self.path}: cannot be written: {error.strerror}")

    def declare(self, layout, metadata):
        head, self.places = header(layout, metadata)
        self.written = dict.fromkeys(self.places, 0)
        self.at(0, head)

    def put(self, name, piece):
        piece = memoryview(piece).cast("B")
        place, size = self.places[name]
        if self.written[name] + len(piece) > size:
            raise ValueError(f"{name}: more than the {size} bytes declared")
        self.at(place + self.written[name], piece)
        self.written[name] += len(piece)

    def at(self, offset, content):
        try:
            self.file.seek(offset)
            self.file.write(content)
        except OSError as error:
            raise self.cannot_write(error) from error

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self.commit()
        except OSError as reason:
            raise self.cannot_write(reason) from reason
        finally:
            self.discard()

    def commit(self):
        short = [name for name, (_, size) in self.places.items() if self.written[name] != size]
        if short:
            raise ValueError(f"incomplete: {', '.join(short)}")
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        os.replace(self.temporary, self.path)
        self.new_folder = None

    def discard(self):
        """Removes what is left when the file did not get its name; nothing after a rename."""
        try:
            if self.file:
                self.file.close()
        except OSError:
            pass  # the content is thrown away
        if self.file:
            self.temporary.unlink(missing_ok=True)
        if self.new_folder:
            try:
                self.new_folder.rmdir()
            except OSError:
                pass  # something else has come to lie in it
