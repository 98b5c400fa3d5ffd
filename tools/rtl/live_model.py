"""The calls of the C library that compute an operation's expected word, in SystemVerilog."""

BITS = 8192  # BS_BITS of tools/dpi/blockscale_pkg.sv
ONE = "32'h3F800000"


class Unsupported(Exception):
    """An operation that blockscale_pkg.sv has no call for."""


def live_model(folder):
    """The expression that opens the model, and the body of library_result(x, y)."""
    widest = max(field.lanes * field.lane_width
                 for side in folder.fields.values() for field in side)
    if widest > BITS:
        raise Unsupported(f"a field of {widest} bits is wider than BS_BITS of blockscale_pkg")
    if folder.operation in ("dot", "mma", "product"):
        return sums(folder)
    if folder.operation in ("decode", "encode"):
        return codes(folder)
    if folder.operation in ("quantize", "dequantize"):
        return blocks(folder)
    raise Unsupported(f"blockscale_pkg has no call for {folder.operation}")


def part(field, word="x"):
    return f"{word}[{field.msb}:{field.lsb}]"


def vector(field):
    return f"bs_vector'({part(field)})" if field else "'0"


def sums(folder):
    manifest = folder.manifest
    get = {name: folder.field("inputs", name) for name in ("a", "b", "scale_a", "scale_b", "c")}
    scale = folder.rows["scale"] if get["scale_a"] else ""
    block = manifest.get("lanes", manifest["depth"]) if scale else 0
    opened = (f'bs_mma_open(formats, "{folder.rows["element"]}", "{scale}", {block}, "", "{scale}", '
              f'{block}, "{manifest["accumulator"]}")')
    c = "64'd0"
    if get["c"]:
        extend = "$signed" if manifest.get("result_type") == "integer" else "$unsigned"
        c = f"longint'({extend}({part(get['c'])}))"
    return opened, "\n".join([
        "    longint d;",
        f"    int code = bs_dot(model, {manifest['depth']}, {vector(get['a'])}, {vector(get['scale_a'])},",
        f"                      32'd0, {vector(get['b'])}, {vector(get['scale_b'])}, 32'd0, {c}, d);",
        "    y = $bits(expected_t)'(d);",
        "    return code;"])


def rounding(folder):
    """What --rounding was; the library's default is the recipe's own too."""
    name = folder.manifest["rounding"]
    return "" if " " in name else name


def codes(folder):
    opened = f'bs_format_open(formats, "{folder.rows["element"]}", "", "", "{rounding(folder)}")'
    (field,) = folder.fields["inputs"]
    return opened, "\n".join([
        "    bs_vector result;",
        f"    int code = bs_{folder.operation}(model, {vector(field)}, 1, result);",
        "    y = $bits(expected_t)'(result);",
        "    return code;"])


def blocks(folder):
    manifest = folder.manifest
    if "x" in manifest["block"]:
        raise Unsupported("blockscale_pkg quantises runs, not tiles")
    opened = (f'bs_format_open(formats, "{manifest["format"]}", "{manifest["block"]}", '
              f'"{manifest["recipe"]}", "{rounding(folder)}")')
    factor = folder.field("inputs", "tensor_scale")
    factor = part(factor) if factor else ONE
    get = {field.name: field for field in folder.fields["inputs"]}
    if folder.operation == "dequantize":
        return opened, "\n".join([
            "    bs_vector values;",
            f"    int code = bs_dequantize(model, {vector(get['codes'])}, {vector(get['scale'])},",
            f"                             {manifest['lanes']}, {factor}, values);",
            "    y = $bits(expected_t)'(values);",
            "    return code;"])
    out = {field.name: field for field in folder.fields["expected"]}
    return opened, "\n".join([
        "    bs_vector codes, scales;",
        f"    int code = bs_quantize(model, {vector(get['values'])}, {manifest['lanes']}, {factor},",
        "                           codes, scales);",
        *(f"    {part(out[name], 'y')} = {source}[{out[name].msb - out[name].lsb}:0];"
          for name, source in (("codes", "codes"), ("scale", "scales"))),
        "    return code;"])
