/// Layouts and field positions as hardware and C sources; the cases are in the `.memh` files.
struct LayoutText {
  let spec: VectorSpec
  let count: Int

  private var name: String { spec.operation.rawValue }
  private var sides: [(String, WordLayout)] {
    [("inputs", spec.inputs), ("expected", spec.expected)]
  }

  /// The files of the kinds asked for, by name.
  func files(_ kinds: Set<VectorFileKind>) -> [(name: String, text: String)] {
    var files: [(name: String, text: String)] = []
    if kinds.contains(.sv) { files.append(("\(name)_pkg.sv", systemVerilog)) }
    if kinds.contains(.v) { files.append(("\(name).vh", verilog)) }
    if kinds.contains(.c) { files.append(("\(name).h", header)) }
    return files
  }

  private var remark: String {
    "blockscale \(name), format \(spec.quantization.format.name), block \(spec.block)"
  }

  /// Packed structs list the most significant field first.
  private var systemVerilog: String {
    var text = "// \(remark). Element 0 of a field is in its least significant bits.\n"
    // A user need not use them all.
    text += "package \(name)_pkg;\n  // verilator lint_off UNUSEDPARAM\n"
    text += "  localparam int COUNT = \(count);\n"
    for (side, layout) in sides {
      text += "  localparam int \(side.uppercased())_WIDTH = \(layout.width);\n"
    }
    text += "  // verilator lint_on UNUSEDPARAM\n"
    for (side, layout) in sides {
      text += "\n  typedef struct packed {\n"
      for field in layout.fields.reversed() {
        let lanes =
          (field.shape ?? (field.lanes > 1 ? [field.lanes] : []))
          .map { "[\($0 - 1):0]" }.joined()
        // Fields that SystemVerilog has a keyword for would not compile; none is one.
        text += "    logic \(lanes)[\(field.laneWidth - 1):0] \(field.name);\n"
      }
      text += "  } \(side)_t;\n"
    }
    return text + "endpackage\n"
  }

  private func constants(_ line: (String, Int) -> String) -> String {
    let prefix = name.uppercased()
    var text = line("\(prefix)_COUNT", count)
    for (side, layout) in sides {
      text += line("\(prefix)_\(side.uppercased())_WIDTH", layout.width)
      for field in layout.fields {
        let stem = "\(prefix)_\(side.uppercased())_\(field.name.uppercased())"
        text += line("\(stem)_MSB", field.msb) + line("\(stem)_LSB", field.lsb)
        text += line("\(stem)_LANES", field.lanes) + line("\(stem)_LANE_WIDTH", field.laneWidth)
      }
    }
    return text
  }

  private var verilog: String {
    "// \(remark). Element 0 of a field is in its least significant bits.\n"
      + constants { "localparam \($0) = \($1);\n" }
  }

  private var header: String {
    let guardName = "BLOCKSCALE_\(name.uppercased())_H"
    return "/* \(remark). Element 0 of a field is in its least significant bits. */\n"
      + "#ifndef \(guardName)\n#define \(guardName)\n"
      + constants { "#define \($0) \($1)\n" } + "#endif\n"
  }
}
