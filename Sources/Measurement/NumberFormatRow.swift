import NumberFormats

/// An element or a scale: what `explain` and `formats` show the same way.
public enum NumberFormatRow: Sendable, Hashable {
  case element(ElementFormat)
  case scale(ScaleFormat)

  public var name: String {
    switch self {
    case .element(let format): format.name
    case .scale(let format): format.name
    }
  }
  public var checked: String {
    switch self {
    case .element(let format): format.checked
    case .scale(let format): format.checked
    }
  }
  public var rowText: RowText {
    switch self {
    case .element(let format): RowText(format)
    case .scale(let format): RowText(format)
    }
  }

  /// Bits that a code may use; patterns with other bits set are no codes.
  public var bits: Int {
    switch self {
    case .element(let format): format.bits
    case .scale(let format): format.storedBits
    }
  }

  /// How many codes there are; bit 7 of UE4M3, written 0 and ignored, does not double them.
  public var codeCount: Int {
    switch self {
    case .element(let format): format.codeCount
    case .scale(let format): 1 << format.layout.bits
    }
  }

  /// The fields, where the format is a float.
  public var layout: FloatLayout? {
    switch self {
    case .element(let format):
      if case .float(let layout) = format.kind { return layout }
      return nil
    case .scale(let format): return format.layout
    }
  }

  /// The values of some codes, by the given engine.
  public func decode(_ codes: [UInt32], engine: any QuantizationEngine) -> [Float] {
    switch self {
    case .element(let format): decodeElements(codes, format, engine: engine)
    case .scale(let format):
      [Float](unsafeUninitializedCapacity: codes.count) { output, count in
        count = codes.count
        codes.withUnsafeBufferPointer {
          engine.decodeScales(
            $0, format: format, into: UnsafeMutableBufferPointer(rebasing: output[..<codes.count]))
        }
      }
    }
  }

  /// The codes of some values, each by itself.
  public func encode(
    _ values: [Float], options: EncodeOptions, engine: any QuantizationEngine
  ) throws(QuantizeError) -> [UInt32] {
    switch self {
    case .element(let format):
      return try encodeElements(values, format, options: options, engine: engine)
    case .scale(let format):
      return [UInt32](unsafeUninitializedCapacity: values.count) { output, count in
        count = values.count
        values.withUnsafeBufferPointer {
          engine.encodeScales(
            $0, format: format, into: UnsafeMutableBufferPointer(rebasing: output[..<values.count]))
        }
      }
    }
  }
}

/// Codes of 1, 2 or 4 bytes as the engines store them, from and to UInt32.
public struct CodeStorage: Sendable {
  public var bytes: [UInt8]
  public var width: Int

  public init(count: Int, width: Int) {
    bytes = [UInt8](repeating: 0, count: count * width)
    self.width = width
  }

  public init(_ codes: [UInt32], width: Int) {
    self.init(count: codes.count, width: width)
    for (index, code) in codes.enumerated() {
      for byte in 0..<width {
        bytes[index * width + byte] = UInt8(truncatingIfNeeded: code >> UInt32(8 * byte))
      }
    }
  }

  public subscript(index: Int) -> UInt32 {
    (0..<width).reduce(0) { $0 | UInt32(bytes[index * width + $1]) << UInt32(8 * $1) }
  }
}

private func decodeElements(
  _ codes: [UInt32], _ format: ElementFormat, engine: any QuantizationEngine
) -> [Float] {
  let storage = CodeStorage(codes, width: format.codeBytes)
  return [Float](unsafeUninitializedCapacity: codes.count) { output, count in
    count = codes.count
    storage.bytes.withUnsafeBytes {
      engine.decode(
        codes: $0, element: format,
        into: UnsafeMutableBufferPointer(rebasing: output[..<codes.count]))
    }
  }
}

private func encodeElements(
  _ values: [Float], _ format: ElementFormat, options: EncodeOptions,
  engine: any QuantizationEngine
) throws(QuantizeError) -> [UInt32] {
  var storage = CodeStorage(count: values.count, width: format.codeBytes)
  let outcome = storage.bytes.withUnsafeMutableBytes { codes in
    values.withUnsafeBufferPointer { values in
      Result { () throws(QuantizeError) in
        try engine.encode(values, element: format, options: options, into: codes)
      }
    }
  }
  try outcome.get()
  return (0..<values.count).map { storage[$0] }
}
