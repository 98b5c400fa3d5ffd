import NumberFormats

/// A code and the value it stands for.
public struct CodeValue: Sendable, Hashable {
  public var code: UInt32
  public var value: Float

  public init(code: UInt32, value: Float) {
    self.code = code
    self.value = value
  }
}

/// What kind of value a code is.
public enum ValueClass: String, Sendable, Hashable {
  case zero, subnormal, normal, infinity, nan
}

/// The values of an element or scale format, in order.
public struct FormatValues: Sendable {
  public let format: NumberFormatRow
  /// Finite codes by rising value, negative zero left out; nil for 32-bit formats, whose neighbours
  /// are float32's.
  private let ordered: [CodeValue]?
  private let engine: any QuantizationEngine

  public init(_ format: NumberFormatRow, engine: any QuantizationEngine) {
    self.format = format
    self.engine = engine
    guard format.codeCount <= 1 << 19 else {
      ordered = nil
      return
    }
    let codes = (0..<UInt32(format.codeCount)).map { $0 }
    ordered = zip(codes, format.decode(codes, engine: engine))
      .map { CodeValue(code: $0, value: $1) }
      .filter { $0.value.isFinite && !($0.value == 0 && $0.value.sign == .minus) }
      .sorted { $0.value < $1.value }
  }

  public func value(_ code: UInt32) -> Float { format.decode([code], engine: engine)[0] }

  /// The next finite value below, and above; a value between two is what they enclose.
  public func below(_ value: Float) -> CodeValue? {
    guard let ordered else { return float32(value.nextDown) }
    let index = ordered.partitioningIndex { $0.value >= value }
    return index > 0 ? ordered[index - 1] : nil
  }

  public func above(_ value: Float) -> CodeValue? {
    guard let ordered else { return float32(value.nextUp) }
    let index = ordered.partitioningIndex { $0.value > value }
    return index < ordered.count ? ordered[index] : nil
  }

  private func float32(_ value: Float) -> CodeValue? {
    value.isFinite ? CodeValue(code: value.bitPattern, value: value) : nil
  }

  public func valueClass(_ code: UInt32) -> ValueClass {
    let value = value(code)
    if value.isNaN { return .nan }
    if value.isInfinite { return .infinity }
    if value == 0 { return .zero }
    guard let layout = format.layout, layout.zeroExponentIsSubnormal else { return .normal }
    return layout.fields(of: code).exponent == 0 ? .subnormal : .normal
  }
}

extension FloatLayout {
  /// The sign, exponent and mantissa fields of a pattern.
  public func fields(of code: UInt32) -> (sign: UInt32, exponent: UInt32, mantissa: UInt32) {
    let mantissa = code & (1 << UInt32(mantissaBits) - 1)
    let exponent = code >> UInt32(mantissaBits) & (1 << UInt32(exponentBits) - 1)
    let sign = signBits == 0 ? 0 : code >> UInt32(exponentBits + mantissaBits) & 1
    return (sign, exponent, mantissa)
  }
}

extension Array {
  /// The first index from which on `isIncluded` holds, for elements sorted by it.
  func partitioningIndex(_ isIncluded: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isIncluded(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
