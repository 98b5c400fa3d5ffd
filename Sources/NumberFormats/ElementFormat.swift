/// An integer element: `code · 2^(−fractionBits)`.
public struct IntegerLayout: Sendable, Hashable {
  public enum Encoding: String, Sendable, Hashable, Codable {
    case twosComplement, signMagnitude
  }
  /// Width of the pattern, 2 to 19 bits, the sign included.
  public var bits: Int
  /// Binary digits after the point: MXINT8 has 6.
  public var fractionBits: Int
  public var encoding: Encoding
  /// Whether the most negative two's complement value (−2^(bits−1)) is used when quantising.
  /// It decodes either way.
  public var fullRange: Bool

  public init(bits: Int, fractionBits: Int, encoding: Encoding, fullRange: Bool) {
    self.bits = bits
    self.fractionBits = fractionBits
    self.encoding = encoding
    self.fullRange = fullRange
  }
}

/// The NaN patterns a conversion produces, for inputs with the sign bit clear and set.
public struct NaNCodes: Sendable, Hashable {
  public var positive: UInt32
  public var negative: UInt32
  public init(positive: UInt32, negative: UInt32) {
    self.positive = positive
    self.negative = negative
  }
}

/// One row of `formats/elements.json5`: the format of a single number inside a block.
public struct ElementFormat: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case float(FloatLayout)
    case integer(IntegerLayout)
    /// Strictly increasing values, the code being the index. Every value is exact in float32.
    case codebook([Float])
  }

  /// Canonical lower-case name (`e4m3`).
  public var name: String
  /// Other accepted names, such as ml_dtypes' `float8_e4m3fn`.
  public var aliases: [String]
  /// Document and section that define the format.
  public var source: String
  /// What the format was checked against, or `no`.
  public var checked: String
  public var kind: Kind
  /// The NaN this project writes (spec/exact.md, "Canonical NaN"); nil where the format has none.
  public var canonicalNaN: UInt32?
  /// What ml_dtypes' `astype` writes for NaN; nil where ml_dtypes lacks the type.
  public var mlDtypesNaN: NaNCodes?

  public init(
    name: String, aliases: [String] = [], source: String = "", checked: String = "no", kind: Kind,
    canonicalNaN: UInt32? = nil, mlDtypesNaN: NaNCodes? = nil
  ) {
    self.name = name
    self.aliases = aliases
    self.source = source
    self.checked = checked
    self.kind = kind
    self.canonicalNaN = canonicalNaN
    self.mlDtypesNaN = mlDtypesNaN
  }

  /// Width of a code in bits: the number of patterns is `2^bits` except for a codebook, whose
  /// number of patterns is its count.
  public var bits: Int {
    switch kind {
    case .float(let layout): return layout.bits
    case .integer(let layout): return layout.bits
    case .codebook(let values):
      return max(1, Int.bitWidth - (values.count - 1).leadingZeroBitCount)
    }
  }

  /// IEEE 754 binary32, which an unquantised operand of a matmul is. Not a row: nothing is encoded
  /// to it.
  public static let float32 = ElementFormat(
    name: "fp32", source: "IEEE 754-2019 section 3.6", checked: "no",
    kind: .float(
      FloatLayout(signBits: 1, exponentBits: 8, mantissaBits: 23, bias: 127, nonFinite: .ieee)),
    canonicalNaN: 0x7FC0_0000)

  /// How many codes decode to something.
  public var codeCount: Int {
    if case .codebook(let values) = kind { return values.count }
    return 1 << bits
  }

  /// The unsigned storage of one unpacked code: 1, 2 or 4 bytes.
  public var codeBytes: Int { bits <= 8 ? 1 : bits <= 16 ? 2 : 4 }
}
