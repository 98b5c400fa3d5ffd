"""Cases for a block dot product, by class. Deterministic: integers and SplitMix64 only."""

from dataclasses import dataclass

from . import formats as f

MASK64 = (1 << 64) - 1
ONE = {"e2m1": 0x2, "e4m3": 0x38, "mxint8": 0x40, "int8": 1}
TOP = {"e2m1": (0x7, 0xF), "e4m3": (0x7E, 0xFE), "mxint8": (0x80, 0x7F),
       "int8": (0x80, 0x7F)}
POWER = {"e2m1": 0x6, "e4m3": 0x78, "mxint8": 0x80, "int8": 0x80}  # the largest power of two
SCALE_ONE = {"e8m0": 127, "ue4m3": 0x38}
SCALE_NANS = {"e8m0": (255,), "ue4m3": (0x7F, 0xFF)}
C_SPECIAL = (0, 0x80000000, 1, 0x80000001, 0x7FFFFF, 0x807FFFFF, 0x800000, 0x80800000, 0x3F800000,
             0xBF800000, f.LARGEST, f.LARGEST | 1 << 31)
C_HUGE = (f.INFINITY, f.INFINITY | 1 << 31, f.NAN, 0xFFC00000, 0x7F800001, 0xFF812345, 0x7FFFFFFF)


@dataclass
class Shape:
    """What the vectors are for. `dropped`: low bits lost of each product, 0 for an exact sum."""

    element: str
    scale: str
    block: int
    dropped: int = 0

    @property
    def codes(self):
        return 1 << f.ELEMENT_BITS[self.element]

    @property
    def integers(self):
        return f.ELEMENTS[self.element] == 2


@dataclass
class Case:
    kind: str
    a: list
    b: list
    scale_a: int
    scale_b: int
    c: int


class SplitMix64:
    def __init__(self, seed):
        self.state = seed & MASK64

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK64
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK64
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK64
        return z ^ z >> 31

    def below(self, bound):
        return self.next() % bound

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def pick(self, items):
        return items[self.below(len(items))]


def top(value):
    """The exponent of the highest bit of a non-zero (integer, exponent)."""
    return abs(value[0]).bit_length() - 1 + value[1]


def float_bits(negative, exponent, fraction):
    """A float32 with this exponent of its highest bit, subnormal where it must be; None beyond."""
    if not -149 <= exponent <= 127:
        return None
    significand, field = 1 << 23 | fraction, exponent + 127
    if field < 1:
        significand, field = significand >> 1 - field, 0
    return negative << 31 | field << 23 | significand & 0x7FFFFF


class Maker:
    def __init__(self, shape, seed):
        self.shape, self.random = shape, SplitMix64(seed)
        self.cases = []
        self.one, self.scale_one = ONE[shape.element], SCALE_ONE[shape.scale]
        self.finite = [code for code in range(shape.codes)
                       if f.element(shape.element, code) is not None]

    # Parts of a case

    def add(self, kind, a, b, scales=None, c=0):
        scale_a, scale_b = scales or (self.scale_one, self.scale_one)
        self.cases.append(Case(kind, list(a), list(b), scale_a, scale_b, c))

    def block(self):
        """Finite codes: all over the range, or sparse, or small numbers only."""
        style = self.random.below(4)
        if style == 0:
            picks = [0] * self.shape.block
            for _ in range(self.random.between(1, 3)):
                picks[self.random.below(self.shape.block)] = self.random.pick(self.finite)
            return picks
        return [self.random.pick(self.finite) for _ in range(self.shape.block)]

    def scales(self):
        if self.shape.scale == "ue4m3":
            return self.random.between(1, 126), self.random.between(1, 126)
        return self.random.between(119, 135), self.random.between(119, 135)

    def scales_to(self, value_top, wanted):
        """Scales that move a block sum's highest bit near (E8M0: to) an exponent."""
        if self.shape.scale == "ue4m3":
            return self.scales()
        total = max(0, min(508, wanted - value_top + 254))
        low, high = max(0, total - 254), min(254, total)
        first = self.random.between(low, high)
        return first, total - first

    def value(self, a, b, scales=None):
        scale_a, scale_b = scales or (self.scale_one, self.scale_one)
        return f.term(self.shape, Case("", a, b, scale_a, scale_b, 0))

    def nonzero(self):
        """A block pair whose sum is not zero."""
        while True:
            a, b = self.block(), self.block()
            if self.value(a, b)[0]:
                return a, b

    def sums(self):
        """Blocks with telling sums: a power of two, with a tail above and below it, and any."""
        small, minus = 1, 0xFF if self.shape.integers else self.shape.codes // 2 | 1
        for big in (self.one, POWER[self.shape.element]):
            for tail in (0, small, minus):
                a, b = [0] * self.shape.block, [0] * self.shape.block
                a[0], b[0] = big, big
                a[-1], b[-1] = tail, small
                yield a, b
        yield self.nonzero()

    # Classes

    def zeros(self):
        zero, minus = [0] * self.shape.block, [self.shape.codes // 2] * self.shape.block
        if self.shape.integers:
            minus = zero
        for a in (zero, minus):
            for b in (zero, minus, self.block()):
                for c in (0, 1 << 31, 0x3F800000, 1):
                    self.add("zeros", a, b, c=c)
        if self.shape.scale == "ue4m3":
            for scales in ((0, 0x38), (0x38, 0), (0x80, 0x38), (0, 0), (0, 0x7F)):
                for c in (0, 1 << 31, 0xBF800000):
                    self.add("zeros", *self.nonzero(), scales, c)

    def nan_elements(self):
        if self.shape.element != "e4m3":
            return
        for lane in range(self.shape.block):
            for side in (0, 1):
                pair = self.block(), self.block()
                pair[side][lane] = 0x7F if (lane + side) % 2 else 0xFF
                self.add("nan_elements", *pair, self.scales(), self.random.pick(C_SPECIAL))
        for c in C_HUGE:
            pair = self.block(), self.block()
            pair[0][self.random.below(self.shape.block)] = 0x7F
            self.add("nan_elements", *pair, self.scales(), c)

    def nan_scales(self):
        for nan in SCALE_NANS[self.shape.scale]:
            for other in (self.scale_one, nan, 0):
                for scales in ((nan, other), (other, nan)):
                    for c in (0, 0x3F800000, f.INFINITY):
                        self.add("nan_scales", *self.nonzero(), scales, c)
                    self.add("nan_scales", [0] * self.shape.block, self.block(), scales)

    def special_c(self):
        for c in (*C_SPECIAL, *C_HUGE):
            self.add("special_c", *self.nonzero(), self.scales(), c)
            self.add("special_c", [0] * self.shape.block, self.block(), None, c)
        for _ in range(40):
            self.add("special_c", [0] * self.shape.block, self.block(), None,
                     self.random.below(2) << 31 | self.random.below(1 << 23))

    def maximum(self):
        plus, minus = TOP[self.shape.element]
        for a in (plus, minus):
            for b in (plus, minus):
                for c in (0, *C_SPECIAL[-4:]):
                    self.add("maximum", [a] * self.shape.block, [b] * self.shape.block, None, c)
        mixed = [plus if lane % 2 else minus for lane in range(self.shape.block)]
        self.add("maximum", mixed, mixed)
        self.add("maximum", mixed, [plus] * self.shape.block)

    def codes(self):
        """Every code on each side, alone and against random ones."""
        for code in range(self.shape.codes):
            for side in (0, 1):
                lane = self.random.below(self.shape.block)
                pair = [0] * self.shape.block, [self.one] * self.shape.block
                pair[0][lane] = code
                self.add("codes", pair[side], pair[1 - side])
                pair = self.block(), self.block()
                pair[side][lane] = code
                self.add("codes", *pair, self.scales())

    def scale_codes(self):
        for code in range(256):
            self.add("scale_codes", *self.nonzero(), (code, self.scale_one))
            self.add("scale_codes", *self.nonzero(), (self.scale_one, code))
        for _ in range(64):
            self.add("scale_codes", *self.nonzero(), (self.random.below(256), self.random.below(256)))

    def walking(self):
        """One element at a time against a block whose elements tell the lane."""
        half = len(self.finite) // 2
        telling = [self.finite[1 + lane * 5 % (half - 1)] for lane in range(self.shape.block)]
        for lane in range(self.shape.block):
            single = [0] * self.shape.block
            single[lane] = self.one
            self.add("walking", single, telling)
            self.add("walking", telling, single)

    def cancellation(self):
        for _ in range(40):
            a, b = self.nonzero()
            scales = self.scales()
            value = self.value(a, b, scales)
            exact = f.round_to_float32(-value[0], value[1])
            for step in (0, 1, -1):
                self.add("cancellation", a, b, scales, exact + step)
        mirrored = [self.one if lane % 2 else self.shape.codes // 2 | self.one
                    for lane in range(self.shape.block // 2 * 2)]
        mirrored += [0] * (self.shape.block - len(mirrored))
        if not self.shape.integers:
            for c in C_SPECIAL:
                self.add("cancellation", mirrored, [self.one] * self.shape.block, None, c)

    def ladder(self):
        """The addend at every distance above and below the block's term, with both signs."""
        blocks = list(self.sums())
        for distance in range(-80, 81):
            a, b = blocks[distance % len(blocks)]
            self.align(a, b, distance, (0, 1, 0x7FFFFF))

    def align(self, a, b, distance, fractions):
        scales = self.scales()
        value = self.value(a, b, scales)
        for negative in (0, 1):
            c = float_bits(negative, top(value) + distance, self.random.pick(fractions))
            if c is not None:
                self.add("ladder", a, b, scales, c)

    def ties(self):
        """The term's highest bit near the guard bit of c: ties, and tails on both sides of them."""
        for distance in range(22, 29):
            for a, b in self.sums():
                for fraction in (0, 1, 2, 0x7FFFFF, self.random.below(1 << 23)):
                    value = self.value(a, b)
                    c = float_bits(self.random.below(2), top(value) + distance, fraction)
                    self.add("ties", a, b, None, c)

    def long_sums(self):
        """E4M3: the sum itself ends on a tie of FP32; c, far below, decides."""
        if self.shape.element != "e4m3":
            return
        for offset in (23, 24, 25):
            for low_sign in (0, 0x80):
                a, b = [0] * self.shape.block, [0] * self.shape.block
                a[0], b[0] = 0x78, 0x58  # 2^8 x 2^4
                exponent = 12 - offset
                a[1], b[1] = low_sign | 0x08, (exponent + 6 + 7) << 3  # 2^-6 x the rest
                a[2], b[2] = (0x38, 0x08) if self.random.below(2) else (0, 0)
                for c_exponent in (-17, -20, -40, -80, -149):
                    for negative in (0, 1):
                        self.add("long_sums", a, b, None, float_bits(negative, c_exponent, 0))
                self.add("long_sums", a, b)

    def overflow(self):
        if self.shape.scale != "e8m0":
            return
        for _ in range(60):
            a, b = self.nonzero()
            scales = self.scales_to(top(self.value(a, b)), self.random.between(124, 130))
            c = self.random.pick((0, f.LARGEST, f.LARGEST | 1 << 31, 0x7F000000, 0xFF000000))
            self.add("overflow", a, b, scales, c)
        for a, b in list(self.sums()):
            for wanted in range(101, 106):
                for c in (f.LARGEST, f.LARGEST | 1 << 31, f.LARGEST - 1):
                    self.add("overflow", a, b, self.scales_to(top(self.value(a, b)), wanted), c)
        for scales in ((254, 254), (254, 253), (254, 128)):
            self.add("overflow", *self.nonzero(), scales, self.random.pick(C_SPECIAL))

    def subnormal(self):
        if self.shape.scale != "e8m0":
            return
        for wanted in range(-158, -120):
            for a, b in self.sums():
                scales = self.scales_to(top(self.value(a, b)), wanted)
                self.add("subnormal", a, b, scales)
                c = self.random.pick((1, 0x80000001, 0x800000, 0x807FFFFF,
                                      self.random.below(1 << 24)))
                self.add("subnormal", a, b, scales, c)
        for a, b in self.sums():  # half of the smallest subnormal, and a tail
            for c in (0, 2, 0x80000002, 0x7FFFFE):
                scales = self.scales_to(top(self.value(a, b)), -150)
                self.add("subnormal", a, b, scales, c)
        for scales in ((0, 0), (0, 1), (1, 126), (0, 127)):
            self.add("subnormal", *self.nonzero(), scales, self.random.pick(C_SPECIAL))

    def any(self, count):
        """Weighted random: mostly finite results to which both addends contribute."""
        for _ in range(count):
            a, b = self.nonzero()
            scales, style = self.scales(), self.random.below(8)
            value = self.value(a, b, scales)
            if style == 0:
                c = 0
            elif style == 1:
                c = self.random.next() >> 32
            else:
                c = float_bits(self.random.below(2), top(value) + self.random.between(-28, 28),
                               self.random.below(1 << 23))
            self.add("random", a, b, scales, c)


CLASSES = ("zeros nan_elements nan_scales special_c maximum codes scale_codes walking cancellation "
           "ladder ties long_sums overflow subnormal").split()
ROUNDS = {"smoke": 1, "nightly": 8}
RANDOM = {"smoke": 400, "nightly": 12000}


def make(shape, level, seed):
    maker = Maker(shape, seed)
    for _ in range(ROUNDS[level]):
        for name in CLASSES:
            getattr(maker, name)()
    maker.any(RANDOM[level])
    return maker.cases
