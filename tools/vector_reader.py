"""Reads folders of golden vectors and .npy files with nothing but Python: a witness of its own for
what `blockscale vectors` wrote. Fields are found by the manifest's bit positions alone.
"""

import ast
import hashlib
import json
import struct
from pathlib import Path


class Unreadable(Exception):
    """A file does not hold what it should; the message names it."""


class Array:
    """The bit patterns of a matrix, row by row; `width` is that of one number in bits."""

    def __init__(self, shape, width, patterns):
        self.shape, self.width, self.patterns = shape, width, patterns


def read_npy(path):
    """The numbers of a little-endian .npy file as bit patterns, whatever their type."""
    data = Path(path).read_bytes()
    if data[:6] != b"\x93NUMPY":
        raise Unreadable(f"{path}: no .npy file")
    wide = data[6] > 1
    (length,) = struct.unpack_from("<I" if wide else "<H", data, 8)
    start = 12 if wide else 10
    header = ast.literal_eval(data[start:start + length].decode("latin-1"))
    size = int(header["descr"][2:])
    count = 1
    for axis in header["shape"]:
        count *= axis
    body = data[start + length:]
    if header["descr"][0] not in "<|" or header["fortran_order"] or len(body) != count * size:
        raise Unreadable(f"{path}: expected {count} little-endian numbers row by row")
    return Array(header["shape"], 8 * size, [
        int.from_bytes(body[at:at + size], "little") for at in range(0, len(body), size)])


def read_memory(path, width):
    """The words of a $readmemh file: one a line, lower-case hexadecimal, behind a // header."""
    words = []
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        if line.startswith("//"):
            continue
        if len(line) != (width + 3) // 4 or set(line) - set("0123456789abcdef"):
            raise Unreadable(f"{path}: line {number}: {line[:80]!r} is no word of {width} bits")
        word = int(line, 16)
        if word >> width:
            raise Unreadable(f"{path}: line {number}: bits above {width} are set")
        words.append(word)
    return words


class Vectors:
    """A folder that `blockscale vectors` wrote, its sizes and checksums proved."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.manifest = json.loads((self.folder / "manifest.json").read_text())
        for entry in self.manifest["files"]:
            data = (self.folder / entry["name"]).read_bytes()
            if len(data) != entry["bytes"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
                raise Unreadable(f"{self.folder / entry['name']}: not the file of the manifest")
        self.inputs = self._words("inputs")
        self.expected = self._words("expected")

    def _words(self, side):
        path = self.folder / f"{self.manifest['operation']}.{side}.memh"
        words = read_memory(path, self.manifest[f"{side}_width"])
        if len(words) != self.manifest["count"]:
            raise Unreadable(f"{path}: {len(words)} words, expected {self.manifest['count']}")
        return words

    def field(self, name):
        """A field's numbers, a list for each case; nothing where there is no such field."""
        for side, words in (("inputs", self.inputs), ("expected", self.expected)):
            for field in self.manifest[side]["fields"]:
                if field["name"] == name:
                    return [self._lanes(word, field) for word in words]
        return None

    @staticmethod
    def _lanes(word, field):
        width = field["lane_width"]
        if field["msb"] - field["lsb"] + 1 != width * field["lanes"]:
            raise Unreadable(f"field {field['name']}: its bits are not those of its lanes")
        return [word >> field["lsb"] + lane * width & (1 << width) - 1
                for lane in range(field["lanes"])]

    def places(self, rows, columns):
        """(row, column) of every output of every case, in the order of the lanes of d; in pairs,
        the number of the pair and 0."""
        if self.manifest.get("operands") == "pairs":
            return [[(index, 0)] for index in range(self.manifest["count"])]
        tile = [int(size) for size in self.manifest.get("tile", "1x1x1").split("x")]
        across = columns // tile[1]
        return [[(index // across * tile[0] + row, index % across * tile[1] + column)
                 for row in range(tile[0]) for column in range(tile[1])]
                for index in range(self.manifest["count"])]
