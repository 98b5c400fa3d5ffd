"""What tools/rtl/test runs of make_bench, the live models, cocotb and the emitted sources."""

import shutil

import layout_checks
from make_vectors import program
from simulators import DEVICE, HERE, Failure, build, build_live, call, library, verdict
from vector_folder import SIDES, VectorFolder

SIMULATORS = ("icarus", "verilator")
RANDOM = 2000
INNER_PRODUCT = ["--top", "inner_product", "--clock", "ck", "--reset-low", "rst_n", "--tie", "enable=1'b1",
                 "--port", "a=x", "--port", "b=w", "--port", "scale_a=x_scale", "--port",
                 "scale_b=w_scale", "--port", "c=bias", "--port", "d=y"]
DECODER = ["--top", "e2m1_to_fp32", "--port", "value=fp32", "--latency", "0"]
# A line of bs_dot_unit.v and what a wrong device has in its place.
HANDSHAKES = {
    "a result one clock early": ("out_valid    <= held_valid && !reset;",
                                 "out_valid    <= in_valid && !reset;"),
    "operands taken without in_valid": ("held_valid   <= in_valid && !reset;",
                                        "held_valid   <= !reset;"),
    "a block lost in each four": ("held_a       <= a;", "if (a[1:0] != 2'b01) held_a <= a;"),
}
LIVE = [("nvfp4", 16, 12), ("mxfp8_e4m3", 32, 22), ("mxint8", 32, 17)]  # format, block, a fault
# Operations and units without a device here: the library against the files.
MODELS = [("quantize", "nvfp4", []), ("decode", "mxfp8_e4m3", []), ("encode", "mxfp6_e2m3", []),
          ("encode", "nvfp4", ["--rounding", "towardZero"]), ("quantize", "mxint8", []),
          ("quantize", "nvfp4", ["--recipe", "te-2.15"]), ("dequantize", "nvfp4", []),
          ("dequantize", "int8_fp16", ["--block", "7"]),
          ("product", "mxfp8_e5m2", ["--accumulator", "blackwell-fp8"]),
          ("mma", "nvfp4", ["--accumulator", "blackwell-fp4"]),
          ("mma", "int8", ["--accumulator", "int8-saturate"]),
          ("mma", "nvfp4", ["--accumulator", "fixed(20,-4,wrap)"]),
          ("mma", "mxfp8_e4m3", ["--accumulator", "blackwell-mx"])]


def must(command, folder=HERE):
    code, output = call([str(part) for part in command], folder)
    if code:
        raise Failure(f"{' '.join(map(str, command))}: exit code {code}\n{output[-3000:]}")
    return output


def maker(work, name):
    """A function that makes vectors in a folder of its own and returns the folder."""
    def make(operation, form, options=()):
        folder = work / f"benches-{name}"
        must([program(), "vectors", "--op", operation, "--format", form, *options, "--output", folder])
        return folder
    return make


def refuse(what, run, folder, count, *signs):
    """A run that must fail, and say one of these."""
    passed, output = verdict(run, folder, count)
    if passed or "FAIL" not in output or not all(sign in output for sign in signs):
        raise Failure(f"{what} is not refused as it should be:\n{output[-3000:]}")


def accept(what, run, folder, count):
    passed, output = verdict(run, folder, count)
    if not passed:
        raise Failure(f"{what} does not pass:\n{output[-3000:]}")
    return output


def live(make, form, block, fault):
    """The right device, damaged results and a wrong device, with the live model."""
    folder = make("mma", form, ["--block", block])
    count = VectorFolder(folder).count
    must([HERE / "make_bench", folder])
    run = [*build_live("mma_bench", folder), f"+random={RANDOM}"]
    output = accept(f"{form} with the live model", run, folder, count + RANDOM)
    if f"library: {count} vectors compared, 0 differ" not in output:
        raise Failure(f"{form}: not all vectors were compared with the library:\n{output}")
    path = folder / "mma.expected.memh"
    whole = path.read_text()
    path.write_text(whole[:-2] + ("1\n" if whole[-2] == "0" else "0\n"))
    refuse(f"{form}, a changed result", run, folder, count + RANDOM, " 1 differ")
    path.write_text(whole)
    must([HERE / "make_bench", folder, "--parameter", f"FAULT={fault}"])
    run = [*build_live("mma_bench", folder), f"+random={RANDOM}"]
    refuse(f"{form}, fault {fault}", run, folder, count + RANDOM, "first mismatch")
    return f"{count} vectors and {RANDOM} random operands pass, fault {fault} and a changed result fail"


def stub(folder):
    """A device with the ports of the vectors that answers 0: only the library is of interest."""
    ports = [f"{'input' if side == 'inputs' else 'output'} wire [{field.msb - field.lsb}:0] {field.name}"
             for side in SIDES for field in folder.fields[side]]
    zeros = "".join(f"  assign {field.name} = 0;\n" for field in folder.fields["expected"])
    return f"module stub ({', '.join(ports)});\n{zeros}endmodule\n"


def model(make, operation, form, options):
    """The library computes what the file says, for an operation without a device here."""
    folder = VectorFolder(make(operation, form, options))
    source = folder.path / "stub.v"
    source.write_text(stub(folder))
    must([HERE / "make_bench", folder.path, "--top", "stub", "--latency", "0"])
    run = [*build_live(f"{operation}_bench", folder.path, [str(source)]), f"+random={RANDOM}"]
    _, output = call(run, folder.path)
    line = next((line for line in output.splitlines() if line.startswith("library:")), output[-2000:])
    words = line.replace(",", "").split()
    if words[2:4] != ["vectors", "compared"] or int(words[1]) < folder.count / 2 or words[4] != "0":
        raise Failure(f"{operation} {form} {options}: {line}\n{output[:1000]}")
    return line


def examples(work, simulator):
    """The devices of examples/, with names and timing of their own; and wrong ones."""
    decoder, product = (HERE / "examples" / name for name in ("e2m1_to_fp32.v", "inner_product.v"))
    for operation, sources, options, wrong in (
            ("decode", [str(decoder)], DECODER, DECODER),
            ("mma", [str(product), *DEVICE], [*INNER_PRODUCT, "--latency", "3"],
             [*INNER_PRODUCT, "--latency", "2"])):
        folder = maker(work, f"examples-{operation}-{simulator}")(operation, "nvfp4")
        count, bench = VectorFolder(folder).count, f"{operation}_bench"
        must([HERE / "make_bench", folder, *options])
        accept(f"{operation} in {simulator}", build(simulator, bench, folder, device=sources), folder,
               count)
        if operation == "decode":
            broken = folder / "broken.v"
            broken.write_text(decoder.read_text().replace("code[0] && !half", "code[0]"))
            sources = [str(broken)]
        must([HERE / "make_bench", folder, *wrong])
        refuse(f"a wrong {operation} in {simulator}", build(simulator, bench, folder, device=sources),
               folder, count, "first mismatch")
    return "a decoder and an inner product pass, wrong ones fail"


def mutated(folder, line, replacement):
    """A copy of the device with one line changed."""
    place = folder / "device"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(HERE / "device", place)
    path = place / "bs_dot_unit.v"
    text = path.read_text()
    if text.count(line) != 1:
        raise Failure(f"bs_dot_unit.v has no line '{line}'")
    path.write_text(text.replace(line, replacement))
    return place


def cocotb(folder, *options):
    """Runs the cocotb tests: the exit status and what they print."""
    library()
    return call([str(HERE / "cocotb/run"), str(folder), *map(str, options)], HERE)


def handshakes(make):
    """Devices that mistake the valid signals, in Icarus and in cocotb."""
    folder = make("mma", "nvfp4", ["--count", "400"])
    must([HERE / "make_bench", folder])
    for what, (line, replacement) in HANDSHAKES.items():
        place = mutated(folder, line, replacement)
        run = build("icarus", "mma_bench", folder, device=sorted(map(str, place.glob("*.v"))))
        refuse(what, run, folder, 400)
        code, output = cocotb(folder, "--device", place)
        if code != 1 or "AssertionError" not in output:
            raise Failure(f"{what}: cocotb ends with {code}:\n{output[-3000:]}")
    return f"{len(HANDSHAKES)} devices with a wrong handshake fail"


def cocotb_tests(make, operation, form, block, faults):
    folder = make(operation, form, ["--block", block])
    code, output = cocotb(folder)
    if code or "cocotb: 4 tests, 0 failed" not in output:
        raise Failure(f"cocotb ends with {code}:\n{output[-3000:]}")
    for fault in faults:
        code, output = cocotb(folder, "--fault", fault)
        if code != 1 or "AssertionError" not in output:
            raise Failure(f"cocotb, fault {fault}: ends with {code}:\n{output[-3000:]}")
    return f"4 tests pass, {len(faults)} faults fail"


def observed(make):
    """What a bench saw, given to `blockscale check`."""
    folder = make("mma", "nvfp4")
    count, result = VectorFolder(folder).count, folder / "observed.memh"
    for simulator in SIMULATORS:
        for fault, wanted in ((0, 0), (2, 1)):
            must([HERE / "make_bench", folder, "--parameter", f"FAULT={fault}"])
            run = [*build(simulator, "mma_bench", folder), f"+observed={result.name}"]
            (accept if fault == 0 else refuse)(f"{simulator}, fault {fault}", run, folder, count)
            code, output = call([program(), "check", str(folder), str(result)], folder)
            if code != wanted or (fault and "output rounding towardZero" not in output):
                raise Failure(f"{simulator}, fault {fault}: check ends with {code}:\n{output[-2000:]}")
    return "check explains what benches saw"


def jobs(work, nightly):
    """Titles and functions; a function returns a line or raises Failure."""
    def job(title, function, *arguments):
        name = title.replace(" ", "-").replace("/", "-").replace(",", "")
        return title, lambda: function(maker(work, name), *arguments)

    made = [job(f"live model, Verilator, {form}", live, form, block, fault)
            for form, block, fault in (LIVE if nightly else LIVE[:1])]
    made += [job(f"live model, {operation} {form} {' '.join(options)}".strip(), model, operation, form,
                 options) for operation, form, options in (MODELS if nightly else MODELS[:1])]
    made += [(f"other devices, {simulator}", lambda simulator=simulator: examples(work, simulator))
             for simulator in (SIMULATORS if nightly else SIMULATORS[:1])]
    made += [job("wrong handshakes", handshakes), job("cocotb nvfp4", cocotb_tests, "mma", "nvfp4", 16,
                                                      (1, 5, 20))]
    if nightly:
        made += [job("cocotb mxfp8_e4m3", cocotb_tests, "mma", "mxfp8_e4m3", 32, (6, 7)),
                 job("cocotb mxint8", cocotb_tests, "dot", "mxint8", 32, (17,)),
                 job("observed results", observed)]
    made += [job(f"emitted sources, {operation} {form} {' '.join(options)}".strip(), layout_checks.check,
                 (operation, form, options))
             for operation, form, options in (layout_checks.CASES if nightly else layout_checks.SMOKE)]
    return made
