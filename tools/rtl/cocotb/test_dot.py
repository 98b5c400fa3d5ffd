"""cocotb tests of bs_dot_unit: golden vectors, gaps and resets in the pipeline, the live model."""

import os
import random
from collections import deque

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

import blockscale
from vector_folder import VectorFolder

FOLDER = VectorFolder(os.environ["BLOCKSCALE_VECTORS"])
RANDOM = int(os.environ["BLOCKSCALE_RANDOM"])
INPUTS, EXPECTED = FOLDER.words("inputs"), FOLDER.words("expected")
FIELDS = {field.name: field for field in FOLDER.fields["inputs"]}
LATENCY = 2  # rising edges from operands to result
DRAIN = 16


class Model:
    """What the library computes of a word of inputs."""

    def __init__(self):
        self.unit = blockscale.MatrixUnit(
            FOLDER.rows["element"], "exact", scale=FOLDER.rows["scale"],
            block=FOLDER.manifest["depth"])

    def __call__(self, word):
        lanes = {name: field.lanes_of(word) for name, field in FIELDS.items()}
        c = np.array(lanes.get("c", [0]), np.uint32).view(np.float32)
        d = self.unit.dot(np.array(lanes["a"], np.uint8), np.array(lanes["b"], np.uint8),
                          np.array(lanes["scale_a"]), np.array(lanes["scale_b"]), c)
        return int(d.view(np.uint32))


class Bench:
    """Drives words into the device and compares what comes out with what was expected, in order."""

    def __init__(self, device):
        self.device, self.pending = device, deque()
        self.compared, self.wrong, self.clocks = 0, [], 0

    async def start(self):
        self.device.in_valid.value = 0
        self.drive(0)
        self.device.reset.value = 1
        Clock(self.device.clk, 10, "ns").start()
        cocotb.start_soon(self.monitor())
        for _ in range(3):
            await FallingEdge(self.device.clk)
        self.device.reset.value = 0

    def drive(self, word):
        for name, field in FIELDS.items():
            getattr(self.device, name).value = field.of(word)
        if "c" not in FIELDS:
            self.device.c.value = 0

    async def send(self, word, result):
        """One block in one clock; its result must stand LATENCY edges later."""
        self.drive(word)
        self.device.in_valid.value = 1
        self.pending.append((self.clocks + LATENCY, word, result))
        await FallingEdge(self.device.clk)
        self.device.in_valid.value = 0

    async def idle(self, clocks, word=0):
        """Operands that are not valid."""
        self.drive(word)
        for _ in range(clocks):
            await FallingEdge(self.device.clk)

    def drop(self):
        """Forgets what is in flight but for what stands at the output now; tells how many."""
        before = len(self.pending)
        self.pending = deque(entry for entry in self.pending if entry[0] <= self.clocks)
        return before - len(self.pending)

    async def monitor(self):
        while True:
            await RisingEdge(self.device.clk)
            self.clocks += 1
            await FallingEdge(self.device.clk)
            due = bool(self.pending) and self.pending[0][0] == self.clocks
            if str(self.device.out_valid.value) != str(int(due)):
                self.note(f"clock {self.clocks}: out_valid is {self.device.out_valid.value}, "
                          f"expected {int(due)}")
            if due:
                _, word, result = self.pending.popleft()
                self.compare(word, result)

    def compare(self, word, result):
        self.compared += 1
        observed = self.device.d.value
        if not observed.is_resolvable or int(observed) != result:
            operands = " ".join(f"{name} {field.of(word):x}" for name, field in FIELDS.items())
            self.note(f"{operands}: expected {result:032b}, observed {observed}")

    def note(self, text):
        if len(self.wrong) < 3:
            cocotb.log.error(text)
        self.wrong.append(text)

    async def finish(self, count):
        await self.idle(DRAIN)
        assert not self.wrong, f"{len(self.wrong)} mismatches, the first: {self.wrong[0]}"
        assert self.compared == count, f"{self.compared} results, expected {count}"


@cocotb.test()
async def vectors_back_to_back(device):
    """The golden vectors, a block each clock."""
    bench = Bench(device)
    await bench.start()
    for word, result in zip(INPUTS, EXPECTED):
        await bench.send(word, result)
    await bench.finish(FOLDER.count)


@cocotb.test()
async def gaps_and_resets(device):
    """Gaps with other operands between the blocks; a reset drops what is in flight."""
    bench, source = Bench(device), random.Random(cocotb.RANDOM_SEED)
    await bench.start()
    count = 0
    for index in source.sample(range(FOLDER.count), min(200, FOLDER.count)):
        await bench.send(INPUTS[index], EXPECTED[index])
        if source.random() < 0.5:
            await bench.idle(source.randrange(1, 4), source.choice(INPUTS))
        if source.random() < 0.05:
            device.reset.value = 1
            count -= bench.drop()
            await bench.idle(1)
            device.reset.value = 0
        count += 1
    await bench.finish(count)


@cocotb.test()
async def vectors_agree_with_the_live_model(device):
    """The files hold what the library computes: no device takes part."""
    model = Model()
    for index, (word, result) in enumerate(zip(INPUTS, EXPECTED)):
        computed = model(word)
        assert computed == result, f"vector {index}: the file has {result:x}, the library {computed:x}"


def drawn(source):
    """Fields of two vectors mixed and some lanes drawn anew; one time in eight, any bits."""
    if source.random() < 0.125:
        return source.getrandbits(FOLDER.width["inputs"])
    pair, word = source.choices(INPUTS, k=2), 0
    for field in FIELDS.values():
        lanes = field.lanes_of(source.choice(pair))
        for _ in range(source.choice((0, 0, 0, 1, 2))):
            lanes[source.randrange(field.lanes)] = source.getrandbits(field.lane_width)
        word |= field.placed(lanes)
    return word


@cocotb.test()
async def random_operands_against_the_live_model(device):
    """Constrained-random operands; the library gives each result while the device runs."""
    bench, source, model = Bench(device), random.Random(cocotb.RANDOM_SEED), Model()
    await bench.start()
    for _ in range(RANDOM):
        word = drawn(source)
        await bench.send(word, model(word))
        await bench.idle(source.choice((0, 0, 1)), word)
    await bench.finish(RANDOM)
