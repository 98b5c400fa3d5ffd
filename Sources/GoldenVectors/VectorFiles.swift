/// A kind of file that vectors are written as.
public enum VectorFileKind: String, Sendable, Hashable, CaseIterable {
  /// `$readmemh`: one packed word a line.
  case memh
  /// Packed words, little-endian, whole bytes.
  case raw
  /// A hexadecimal column a field.
  case csv
  /// JSON lines, a list of hexadecimal numbers a field.
  case json
  /// As Berkeley TestFloat: upper-case hexadecimal fields between spaces, inputs first.
  case text
  /// A SystemVerilog package: layouts only.
  case sv
  /// A Verilog-2001 include: field positions only.
  case v
  /// A C header: field positions only.
  case c
}

/// Turns cases into the bytes of every file with cases in it.
struct CaseText: Sendable {
  let spec: VectorSpec
  let kinds: Set<VectorFileKind>
  /// Whether CSV and JSON say what each sum went through.
  let isDebug: Bool

  /// The names of the files with cases, in the order of `bytes`.
  var names: [String] {
    let name = spec.operation.rawValue
    var names = ["\(name).inputs.memh", "\(name).expected.memh"]
    if kinds.contains(.raw) { names += ["\(name).inputs.bin", "\(name).expected.bin"] }
    if kinds.contains(.csv) { names.append("\(name).csv") }
    if kinds.contains(.json) { names.append("\(name).jsonl") }
    if kinds.contains(.text) { names.append("\(name).txt") }
    return names
  }

  /// What stands before the first case, file by file.
  func headers(count: Int) -> [[UInt8]] {
    var result = [memh("inputs", spec.inputs, count), memh("expected", spec.expected, count)]
    if kinds.contains(.raw) { result += ["", ""] }
    if kinds.contains(.csv) {
      let fields = (spec.inputs.fields + spec.expected.fields).map(\.name)
      let debug = isDebug ? ["maximum_exponent", "aligned_terms", "sum_before_rounding"] : []
      result.append((["case", "class"] + fields + debug).joined(separator: ",") + "\n")
    }
    if kinds.contains(.json) { result.append("") }
    if kinds.contains(.text) { result.append("") }
    return result.map { Array($0.utf8) }
  }

  private func memh(_ what: String, _ layout: WordLayout, _ count: Int) -> String {
    var text = "// blockscale \(spec.operation.rawValue) \(what)\n"
    text += "// width: \(layout.width) bits\n// count: \(count) words, one a line\n"
    for field in layout.fields {
      text += "// \(field.name): [\(field.msb):\(field.lsb)]"
      if field.lanes > 1 {
        text +=
          ", \(field.lanes) x \(field.laneWidth) bits, element 0 in the least significant bits"
      }
      if let shape = field.shape { text += ", \(shape[0]) rows of \(shape[1])" }
      text += "\n"
    }
    return text
  }

  /// A case's bytes, appended file by file.
  func append(_ made: VectorCase, number: Int, to files: inout [[UInt8]]) {
    var inputs: [UInt8] = []
    var expected: [UInt8] = []
    spec.inputs.pack(made.inputs, into: &inputs)
    spec.expected.pack(made.expected, into: &expected)
    appendHexadecimal(inputs, digits: spec.inputs.digits, to: &files[0])
    files[0].append(0x0A)
    appendHexadecimal(expected, digits: spec.expected.digits, to: &files[1])
    files[1].append(0x0A)
    var place = 2
    if kinds.contains(.raw) {
      files[2].append(contentsOf: inputs)
      files[3].append(contentsOf: expected)
      place = 4
    }
    let debug = isDebug && spec.operation.isSum ? DebugColumns(spec, made.inputs) : nil
    if kinds.contains(.csv) {
      files[place].append(contentsOf: "\(number),\(made.kind.rawValue)".utf8)
      appendFields(made, separator: UInt8(ascii: ","), isLeading: true, to: &files[place])
      if let debug { files[place].append(contentsOf: debug.csv.utf8) }
      files[place].append(0x0A)
      place += 1
    }
    if kinds.contains(.json) {
      appendJSON(made, number, debug, to: &files[place])
      place += 1
    }
    if kinds.contains(.text) {
      appendFields(
        made, separator: UInt8(ascii: " "), isLeading: false, upper: true, to: &files[place])
      files[place].append(0x0A)
    }
  }

  /// Every field as one hexadecimal number.
  private func appendFields(
    _ made: VectorCase, separator: UInt8, isLeading: Bool, upper: Bool = false,
    to output: inout [UInt8]
  ) {
    var isFirst = !isLeading
    var bytes: [UInt8] = []
    for (layout, lanes) in [(spec.inputs, made.inputs), (spec.expected, made.expected)] {
      var start = 0
      for field in layout.fields {
        if !isFirst { output.append(separator) }
        isFirst = false
        let alone = WordLayout(fields: [
          VectorField(name: field.name, lsb: 0, lanes: field.lanes, laneWidth: field.laneWidth)
        ])
        alone.pack(Array(lanes[start..<(start + field.lanes)]), into: &bytes)
        appendHexadecimal(bytes, digits: alone.digits, upper: upper, to: &output)
        start += field.lanes
      }
    }
  }

  private func appendJSON(
    _ made: VectorCase, _ number: Int, _ debug: DebugColumns?, to output: inout [UInt8]
  ) {
    output.append(contentsOf: "{\"case\": \(number), \"class\": \"\(made.kind.rawValue)\"".utf8)
    for (layout, lanes) in [(spec.inputs, made.inputs), (spec.expected, made.expected)] {
      var start = 0
      for field in layout.fields {
        output.append(contentsOf: ", \"\(field.name)\": ".utf8)
        if field.lanes > 1 { output.append(UInt8(ascii: "[")) }
        for lane in 0..<field.lanes {
          if lane > 0 { output.append(contentsOf: ", ".utf8) }
          output.append(UInt8(ascii: "\""))
          let digits = (field.laneWidth + 3) / 4
          let value = lanes[start + lane]
          for digit in stride(from: digits - 1, through: 0, by: -1) {
            let nibble = UInt8(value >> UInt64(4 * digit) & 15)
            output.append(nibble < 10 ? 48 + nibble : 87 + nibble)
          }
          output.append(UInt8(ascii: "\""))
        }
        if field.lanes > 1 { output.append(UInt8(ascii: "]")) }
        start += field.lanes
      }
    }
    if let debug { output.append(contentsOf: debug.json.utf8) }
    output.append(contentsOf: "}\n".utf8)
  }
}
