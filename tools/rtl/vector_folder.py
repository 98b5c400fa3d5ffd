"""A folder of vectors: its manifest, its words, their fields; and the device of this folder for it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from vectors.formats import ELEMENTS, INT_FRACTION, SCALES

SIDES = ("inputs", "expected")


class Damaged(Exception):
    """A folder that holds no vectors, or not those of its manifest."""


@dataclass(frozen=True)
class Field:
    """Lanes of a packed word, lane 0 in the least significant bits."""

    name: str
    lsb: int
    msb: int
    lanes: int
    lane_width: int

    def of(self, word):
        """The field's bits of a word, as one number."""
        return word >> self.lsb & (1 << self.msb - self.lsb + 1) - 1

    def lanes_of(self, word):
        bits, mask = self.of(word), (1 << self.lane_width) - 1
        return [bits >> lane * self.lane_width & mask for lane in range(self.lanes)]

    def placed(self, lanes):
        """The lanes' bits where they lie in a word."""
        return sum(code << self.lsb + i * self.lane_width for i, code in enumerate(lanes))


class VectorFolder:
    def __init__(self, path):
        self.path = Path(path)
        try:
            self.manifest = json.loads((self.path / "manifest.json").read_text())
            self.operation, self.count = self.manifest["operation"], self.manifest["count"]
            self.fields = {side: [Field(**{key: entry[key] for key in Field.__annotations__})
                                  for entry in self.manifest[side]["fields"]] for side in SIDES}
            self.width = {side: self.manifest[f"{side}_width"] for side in SIDES}
            self.rows = {row["kind"]: row["name"] for row in self.manifest["rows"]}
        except OSError as error:
            raise Damaged(f"{self.path}: no manifest.json of `blockscale vectors` in this folder "
                          f"({error.strerror})") from error
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged(f"{self.path / 'manifest.json'}: not a manifest of vectors "
                          f"({type(error).__name__}: {error})") from error

    def file(self, side):
        return f"{self.operation}.{side}.memh"

    def field(self, side, name):
        return next((field for field in self.fields[side] if field.name == name), None)

    def words(self, side):
        """All words, after a comparison of the file's checksum with the manifest's."""
        path = self.path / self.file(side)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Damaged(f"{path}: {error.strerror}") from error
        sums = {entry["name"]: entry["sha256"] for entry in self.manifest["files"]}
        seen = hashlib.sha256(data).hexdigest()
        if seen != sums.get(path.name):
            raise Damaged(f"{path}: the checksum is {seen}, expected {sums.get(path.name)}")
        lines = [line for line in data.decode("ascii").splitlines() if not line.startswith("//")]
        if len(lines) != self.count:
            raise Damaged(f"{path}: {len(lines)} words, expected {self.count}")
        return [int(line, 16) for line in lines]

    def device_parameters(self):
        """The parameters of bs_dot_unit for these vectors."""
        element, scale = self.rows.get("element"), self.rows.get("scale")
        fields = {field.name for field in self.fields["inputs"]}
        if element not in ELEMENTS or scale not in SCALES or not {"a", "scale_a"} <= fields:
            raise Damaged(f"{self.path}: bs_dot_unit takes no {self.operation} of {element} elements "
                          f"with {scale} scales")
        lanes = self.manifest.get("lanes", self.manifest["depth"])
        if self.manifest["accumulator"] != "exact" or lanes != self.manifest["depth"]:
            raise Damaged(f"{self.path}: bs_dot_unit adds one block exactly; these vectors are of "
                          f"{self.manifest['accumulator']}, {self.manifest['depth']} terms in blocks "
                          f"of {lanes}")
        return {"ELEMENT": ELEMENTS[element], "SCALE": SCALES[scale], "Q_B": lanes,
                "INT_FRACTION": INT_FRACTION.get(element, 0),
                "DROPPED": self.manifest.get("dropped", 0)}
