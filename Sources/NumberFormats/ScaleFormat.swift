/// One row of `formats/scales.json5`: the format of a block's shared scale.
///
/// A scale is written unsigned. Source: spec/exact.md ("Encoding one element").
public struct ScaleFormat: Sendable, Hashable {
  public var name: String
  public var aliases: [String]
  public var source: String
  public var checked: String
  /// The number's fields. `signBits` is 1 where the stored pattern has room for a sign that is
  /// honoured on reading (BF16, FP16, FP32) and 0 for E8M0, UE4M3 and UE5M3.
  public var layout: FloatLayout
  /// Bits of a stored scale: 8, 16 or 32. Bits above `layout.bits` are written 0 and ignored on
  /// reading (bit 7 of UE4M3).
  public var storedBits: Int
  /// The NaN this project writes.
  public var canonicalNaN: UInt32

  public init(
    name: String, aliases: [String] = [], source: String = "", checked: String = "no",
    layout: FloatLayout, storedBits: Int, canonicalNaN: UInt32
  ) {
    self.name = name
    self.aliases = aliases
    self.source = source
    self.checked = checked
    self.layout = layout
    self.storedBits = storedBits
    self.canonicalNaN = canonicalNaN
  }

  /// Whether the format holds powers of two only and takes the OCP exponent rule (E8M0).
  public var isPowerOfTwo: Bool { layout.mantissaBits == 0 && !layout.zeroExponentIsSubnormal }

  /// Bytes of one stored scale.
  public var codeBytes: Int { storedBits / 8 }
}
