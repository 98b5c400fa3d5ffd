"""The Python module against the command line, bit for bit."""

import os
import subprocess
import sys

from harness import Skipped, case, expect, expect_equal, folder, succeed
from library import LIBRARY, MODULE, need_library, python_module


def same_bits(observed, expected, what):
    """Two arrays of one shape and type with the same bits."""
    import numpy

    expect_equal((observed.shape, observed.dtype), (expected.shape, expected.dtype), what)
    size = observed.dtype.itemsize
    words = [numpy.ascontiguousarray(x).reshape(-1).view(f"u{size}") for x in (observed, expected)]
    differ = numpy.flatnonzero(words[0] != words[1])
    first = "; ".join(f"[{i}] expected {words[1][i]:#x} {words[1][i]:b}, observed "
                      f"{words[0][i]:#x} {words[0][i]:b}" for i in differ[:3])
    expect(differ.size == 0, f"{what}: {differ.size} of {words[0].size} differ: {first}")


def numbers(numpy, shape, seed):
    """Ordinary numbers, wide ranges, ties and zeros."""
    source = numpy.random.default_rng(seed)
    x = source.standard_normal(shape).astype(numpy.float32)
    x *= numpy.exp2(source.integers(-12, 13, shape)).astype(numpy.float32)
    flat = x.reshape(-1)
    flat[::7] = source.integers(-96, 97, flat[::7].shape) / 16
    flat[5::31] = 0
    flat[6::37] = -0.0
    return x


def stored_scales(numpy, path):
    """The codes, scales and tensor scale that the command wrote."""
    import files

    tensors, _ = files.read_safetensors(path)
    codes, scales = (tensors[f"tensor.{part}"] for part in ("codes", "scales"))
    factor = tensors.get("tensor.tensor_scale")
    unsigned = {"U8": "u1", "U16": "<u2", "U32": "<u4", "F16": "<u2", "BF16": "<u2", "F32": "<u4"}

    def patterns(tensor):
        data = numpy.frombuffer(tensor.data.tobytes(), unsigned.get(tensor.dtype, "u1"))
        return data.reshape(tensor.shape)

    return (patterns(codes), patterns(scales).astype(numpy.uint32),
            numpy.float32(1.0 if factor is None else factor.data[0]))


@case(
    ("nvfp4", None, "exact", (6, 100), -1, []),
    ("nvfp4", "5", "exact", (3, 4, 33), 1, []),
    ("nvfp4", "24", "exact", (5, 70), -1, ["--tensor-scale", "none"]),
    ("nvfp4", "16", "exact", (5, 70), -1, ["--rounding", "towardZero"]),
    ("nvfp4", "16", "exact", (5, 70), 0, ["--rounding", "stochastic:5", "--seed", "9"]),
    ("nvfp4_16x16", None, "exact", (3, 40, 37), -1, []),
    ("mxfp4", "32", "exact-even", (4, 100), -1, []),
    ("mxfp6_e2m3", "32", "exact-rceil", (4, 100), -1, []),
    ("mxfp8_e4m3", "32", "torchao-floor", (8, 96), -1, []),
    ("mxfp8_e5m2", None, "exact", (100,), -1, []),
    ("mxint8", "8", "exact", (7, 33), 0, []),
    ("int8", "axis", "exact", (9, 50), -1, []),
    ("int8_fp16", "tensor", "exact", (3, 5, 7), -1, []),
    ("fp8_128x128", None, "exact", (200, 150), -1, []),
    ("fp8_1x128_pow2", None, "te-fp8-block", (4, 300), -1, []),
    ("nvfp4", "16", "te-2.15", (8, 96), -1, []),
    ("nvfp4", "16", "te-4over6", (8, 96), -1, []),
    ("nvfp4", "16", "torchao-nvfp4", (8, 96), -1, []),
    ("nvfp4", "16", "ct-nvfp4", (8, 96), -1, []),
    ("nvfp4", "16", "modelopt-nvfp4", (8, 96), -1, []),
    ("nvfp4", "16", "flashinfer-fast", (8, 96), -1, []),
    ("nvfp4", "16", "vllm-ref", (8, 96), -1, []),
    ("mxfp4", "32", "quark-even", (8, 96), -1, []),
    ("int8_fp16", "32", "ggml-q8_0", (8, 96), -1, []),
)
def test_quantize_and_dequantize(name, block, recipe, shape, axis, options):
    blockscale = python_module()
    import numpy

    x = numbers(numpy, shape, sum(map(ord, name + recipe)))
    named = dict(zip(options[::2], options[1::2]))
    with folder() as place:
        numpy.save(place / "x.npy", x)
        block_options = [] if block is None else ["--block", block]
        succeed("quantize", place / "x.npy", "--format", name, "--recipe", recipe, "--axis", axis,
                "--unpacked", *block_options, *options, "--output", place / "q.safetensors")
        succeed("dequantize", place / "q.safetensors", "--output", place / "y.npy")
        wanted = stored_scales(numpy, place / "q.safetensors")
        wanted_values = numpy.load(place / "y.npy")
    codes, scales, factor = blockscale.quantize(
        x, name, block, recipe, axis=axis, rounding=named.get("--rounding"),
        seed=int(named.get("--seed", 1)),
        tensor_scale=1 if named.get("--tensor-scale") == "none" else None)
    same_bits(codes, wanted[0], "codes")
    same_bits(scales, wanted[1], "scales")
    same_bits(numpy.array([factor]), numpy.array([wanted[2]]), "tensor scale")
    expect(len(numpy.unique(codes)) > 4, "almost all codes are the same")
    values = blockscale.dequantize(codes, scales, name, block, recipe, factor, axis)
    same_bits(values, wanted_values, "values")


@case(
    ("e2m1", "e2m1", "blackwell-fp4", "ue4m3", 16, None),
    ("e2m1", "e2m1", "blackwell-fp4", "e8m0", 24, None),
    ("e4m3", "e5m2", "blackwell-mx", "e8m0", 32, None),
    ("e4m3", "e4m3", "hopper-fp8", None, None, None),
    ("e4m3", "e4m3", "hopper-fp8-promoted", None, None, None),
    ("e5m2", "e4m3", "ada-fp8-f16", None, None, None),
    ("fp16", "fp16", "volta-fp16", None, None, None),
    ("bf16", "bf16", "cdna2-bf16", None, None, None),
    ("e4m3_fnuz", "e4m3_fnuz", "cdna3-fp8", None, None, None),
    ("int8", "int8", "int8-wrap", None, None, None),
    ("int8", "int8", "int8-saturate", "fp16", 32, None),
    ("e2m1", "e2m1", "fixed(30,-6,wrap)", None, None, None),
    ("e2m3", "e2m3", "fp32-sequential", "ue4m3", 7, None),
    ("e4m3", "e4m3", "fp32-pairwise", None, None, None),
    ("e2m1", "e2m1", "exact", "ue4m3", 16, None),
    ("e4m3", "e4m3", "exact", "e8m0", 32, 64),
    ("nf4", "int4", "exact", "fp32", 5, None),
)
def test_mma(element, element_b, accumulator, scale, block, block_b):
    blockscale = python_module()
    import numpy

    m, n, k = 9, 13, 150
    source = numpy.random.default_rng(sum(map(ord, accumulator + element)))
    unit = blockscale.MatrixUnit(element, accumulator, scale, block, element_b, block_b=block_b)
    sides = (blockscale.Format(element), blockscale.Format(element_b))
    a, b = (source.integers(0, 1 << side.code_bits, shape).astype(side.code_dtype)
            for side, shape in zip(sides, ((m, k), (k, n))))
    # NaN, infinity and what makes sums overflow stay in two rows and two columns, and out of registers that refuse them.
    clean = (slice(0, m - 2), slice(0, None)), (slice(0, None), slice(0, n - 2))
    for side, codes, part in zip(sides, (a, b), clean):
        most = 8 if element in ("bf16", "e5m2") else 1e9
        usual = numpy.abs(side.decode(codes[part])) <= most
        codes[part] = numpy.where(usual, codes[part], 1)
    few = {name: numpy.full(-(-k // width), 0x38, numpy.uint32) for name, width in
           (("a_scales", block), ("b_scales", block_b or block)) if width is not None}
    c_type = unit.dot(a[0], b[:, 0], **few).dtype
    c = source.integers(-50, 50, (m, n)).astype(c_type)
    options, scales = [], {}
    with folder() as place:
        for name, array in (("a", a), ("b", b), ("c", c)):
            numpy.save(place / f"{name}.npy", array)
            options += [f"--{name}", place / f"{name}.npy"]
        if scale is not None:
            stored = {"fp16": numpy.uint16, "fp32": numpy.uint32}.get(scale, numpy.uint8)
            low, high = {"fp16": (0x2000, 0x5000), "fp32": (0x3C000000, 0x44000000),
                         "e8m0": (110, 140)}.get(scale, (0x20, 0x60))
            shapes = {"a": (m, -(-k // block)), "b": (-(-k // (block_b or block)), n)}
            for name, shape in shapes.items():
                codes = source.integers(low, high, shape).astype(stored)
                scales[f"{name}_scales"] = codes
                numpy.save(place / f"s{name}.npy", codes)
                options += [f"--scale-{name}", place / f"s{name}.npy"]
            options += ["--scale", scale, "--block", block]
            options += [] if block_b is None else ["--block-b", block_b]
        succeed("mma", "--element", element, "--element-b", element_b, "--accumulator",
                accumulator, *options, "--output", place / "d.npy")
        wanted = numpy.load(place / "d.npy")
    d = unit.mma(a, b, c=c, **scales)
    same_bits(d, wanted, "D")
    expect(len(numpy.unique(d)) > 20, "almost all results are the same")
    again = blockscale.mma(a, b, element, accumulator, scale, block, c=c, element_b=element_b,
                           block_b=block_b, **scales)
    same_bits(again, wanted, "D by the function")
    line = {name: codes[2] if name[0] == "a" else codes[:, 4] for name, codes in scales.items()}
    one = unit.dot(a[2], b[:, 4], c=c[2, 4], **{n: s for n, s in line.items()})
    same_bits(numpy.array([one]), wanted[2:3, 4], "dot")


@case()
def test_steps_chain_to_the_whole_product():
    """A unit's fused steps, each taking the last one's result as c, give the product over all K."""
    blockscale = python_module()
    import numpy

    source = numpy.random.default_rng(4)
    unit = blockscale.MatrixUnit("e4m3", "hopper-fp8")
    a, b = (source.integers(0, 0x70, 4 * unit.step).astype(numpy.uint8) for _ in range(2))
    total = numpy.float32(0)
    for first in range(0, a.size, unit.step):
        part = slice(first, first + unit.step)
        total = unit.dot(a[part], b[part], c=total)
    same_bits(numpy.array([total]), numpy.array([unit.dot(a, b)]), "chained steps")


@case(("e2m1",), ("e4m3",), ("e5m2",), ("e3m4",), ("int4",), ("nf4",), ("mxint8",))
def test_decode_and_encode_every_code(name):
    """Decoding is what the command lists; encoding a value gives its code back."""
    blockscale = python_module()
    import json
    import numpy

    listed = json.loads(succeed("formats", name, "--as", "json"))
    codes = next(v for v in _lists(listed) if v and isinstance(v[0], dict) and "value" in v[0])
    wanted = [entry["value"] for entry in codes]
    values = blockscale.decode(numpy.arange(len(wanted)), name)
    expect_equal(len(values), len(wanted), "codes")
    for code, (value, text) in enumerate(zip(values, wanted)):
        if text is not None:
            expect(float(value) == float(text), f"{name} {code:#x}: {value}, expected {text}")
    # Symmetric integers read their most negative code and never write it.
    unwritten = {"int4": [0x8], "mxint8": [0x80]}.get(name, [])
    finite = numpy.setdiff1d(numpy.flatnonzero(numpy.isfinite(values)), unwritten)
    expect(finite.size > 10, "almost no finite codes")
    same_bits(blockscale.decode(blockscale.encode(values[finite], name), name), values[finite],
              "values encoded and decoded")


def _lists(node):
    if isinstance(node, dict):
        for value in node.values():
            yield from _lists(value)
    elif isinstance(node, list):
        yield node
        for value in node:
            yield from _lists(value)


@case()
def test_rows_of_a_user_s_file():
    blockscale = python_module()
    import numpy

    row = "blocks: [{ name: 'own', element: 'e2m1', scale: 'e8m0', block: '6' }]"
    with folder() as place:
        (place / "own.json5").write_text(f"{{ version: 1, {row} }}")
        x = numbers(numpy, (3, 20), 8)
        codes, scales, _ = blockscale.quantize(x, "own", formats=place / "own.json5")
        expected = blockscale.quantize(x, "mxfp4", block=6)
        same_bits(codes, expected[0], "codes")
        same_bits(scales, expected[1], "scales")
        (place / "bad.json5").write_text(f"{{ version: 7, {row} }}")
        refused(blockscale.BadFile, "expected version: 1", blockscale.quantize, x, "own",
                formats=place / "bad.json5")


def refused(kind, words, function, *arguments, **named):
    try:
        function(*arguments, **named)
    except kind as error:
        expect(words in str(error), f"{kind.__name__} says {str(error)!r}, not {words!r}")
    else:
        raise AssertionError(f"{kind.__name__} was not raised ({words})")


@case()
def test_refusals_are_exceptions():
    b = python_module()
    import numpy

    x = numpy.ones((4, 32), numpy.float32)
    codes, scales, _ = b.quantize(x, "mxfp4")
    refused(b.UnknownName, '"nvfp5"', b.quantize, x, "nvfp5")
    refused(b.UnknownName, '"sideways"', b.quantize, x, "nvfp4", rounding="sideways")
    refused(b.NotDefined, "ct-nvfp4", b.quantize, x, "mxfp4", recipe="ct-nvfp4")
    refused(b.NotDefined, "element format", b.quantize, x, "e2m1")
    refused(b.BadArgument, "expected N, RxC", b.quantize, x, "nvfp4", block="big")
    refused(b.BadArgument, "axis 2", b.quantize, x, "nvfp4", axis=2)
    refused(b.BadArgument, "expected above 0", b.quantize, x, "nvfp4", tensor_scale=0)
    refused(b.BadArgument, "last two axes", b.quantize, x[0], "nvfp4_16x16")
    refused(b.BadArgument, "shape (4, 1)", b.dequantize, codes, scales.T, "mxfp4")
    refused(b.BadArgument, "fit uint8", b.decode, [300], "e4m3")
    refused(b.NotFinite, "element 1", b.encode, [1, float("nan")], "e2m1")
    refused(b.NotDefined, "does not take", b.mma, codes, codes.T, "e2m1", "hopper-fp8")
    refused(b.BadArgument, "inner dimensions", b.mma, codes, codes, "e2m1", "exact")
    refused(b.BadArgument, "SA", b.mma, codes, codes.T, "e2m1", "exact", "e8m0", 32)
    refused(b.BadArgument, "block size", b.mma, codes, codes.T, "e2m1", "exact", "e8m0")
    refused(b.BadArgument, "does not fit float32", b.mma, codes, codes.T, "e2m1", "exact",
            c=numpy.full((4, 4), 0.1))
    refused(ValueError, "tensor scale of A", b.mma, codes, codes.T, "e2m1", "exact",
            a_tensor_scale=-1)


@case()
def test_a_missing_library_is_named():
    need_library()
    python_module()
    environment = dict(os.environ, BLOCKSCALE_LIBRARY="/nonexistent/lib.so",
                       PYTHONPATH=str(MODULE))
    done = subprocess.run([sys.executable, "-c", "import blockscale"], env=environment,
                          capture_output=True, text=True)
    expect("ImportError" in done.stderr and "/nonexistent/lib.so" in done.stderr,
           f"said {done.stderr[-300:]!r}")
    expect("BLOCKSCALE_LIBRARY" in done.stderr, "the message does not say what to do")


@case()
def test_version():
    blockscale = python_module()
    expect_equal(blockscale.__version__, succeed("--version").strip().split()[-1],
                 f"version of {LIBRARY}")
