import NumberFormats

/// One number put into a format by itself, under every rounding.
public struct ValueExplanation: Sendable {
  public var format: NumberFormatRow
  /// The number as float32: what every input is.
  public var value: Float
  public var encodings: [Encoding]
  /// The finite values on both sides, the value itself not among them.
  public var below: CodeValue?
  public var above: CodeValue?

  public struct Encoding: Sendable {
    /// A rounding's name; `stochastic:8` has a row for each code it can give.
    public var rounding: String
    /// Of 256 random numbers, how many give this code; nil for roundings that use none.
    public var chances: Int?
    public var overflow: Overflow
    public var code: UInt32
    public var result: Float
    /// result − value in double; nil where one of them is not finite.
    public var error: Double?
  }

  /// - Throws: `QuantizeError` for a NaN in a format without NaN.
  public init(
    _ value: Float, in values: FormatValues, engine: any QuantizationEngine
  ) throws(QuantizeError) {
    format = values.format
    self.value = value
    below = value.isNaN ? nil : values.below(value)
    above = value.isNaN ? nil : values.above(value)
    encodings = []
    guard case .element = format else {
      let code = try format.encode([value], options: EncodeOptions(), engine: engine)[0]
      append(Self.scaleRule(format), nil, .saturate, code, values)
      return
    }
    for overflow in Overflow.allCases {
      for rounding in Rounding.deterministic {
        let options = EncodeOptions(rounding: rounding, overflow: overflow)
        let code = try format.encode([value], options: options, engine: engine)[0]
        append(rounding.description, nil, overflow, code, values)
      }
      try appendStochastic(overflow, values, engine)
    }
  }

  private static func scaleRule(_ format: NumberFormatRow) -> String {
    if case .scale(let scale) = format, scale.isPowerOfTwo { return "nearest, ties up" }
    return Rounding.tiesToEven.description
  }

  /// Under `nonFinite`, only what `saturate` does not give already.
  private mutating func append(
    _ rounding: String, _ chances: Int?, _ overflow: Overflow, _ code: UInt32,
    _ values: FormatValues
  ) {
    let known = encodings.contains {
      $0.rounding == rounding && $0.overflow == .saturate && $0.code == code
        && $0.chances == chances
    }
    guard overflow == .saturate || !known else { return }
    let result = values.value(code)
    let error = result.isFinite && value.isFinite ? Double(result) - Double(value) : nil
    encodings.append(
      Encoding(
        rounding: rounding, chances: chances, overflow: overflow, code: code, result: result,
        error: error))
  }

  private mutating func appendStochastic(
    _ overflow: Overflow, _ values: FormatValues, _ engine: any QuantizationEngine
  ) throws(QuantizeError) {
    let options = EncodeOptions(
      rounding: .stochastic(bits: 8), overflow: overflow, randomBits: .given((0..<256).map { $0 }))
    let copies = [Float](repeating: value, count: 256)
    let codes = try format.encode(copies, options: options, engine: engine)
    for code in Set(codes).sorted() {
      let chances = codes.count { $0 == code }
      append(Rounding.stochastic(bits: 8).description, chances, overflow, code, values)
    }
  }
}
