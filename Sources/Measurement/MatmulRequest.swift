import FormatCatalog
import NumberFormats

/// How one side of a matmul is quantised; `spec` is nil for a side left as it is.
public struct MatmulSideRequest: Sendable, Hashable {
  public var spec: QuantizationSpec?
  public var block: BlockShape

  public init(spec: QuantizationSpec?, block: BlockShape) {
    self.spec = spec
    self.block = block
  }

  /// The format's name, or `none`.
  public var formatName: String { spec?.format.name ?? "none" }
}

/// A matmul to be measured.
public struct MatmulRequest: Sendable, Hashable {
  public var a: MatmulSideRequest
  public var b: MatmulSideRequest
  public var transposesB: Bool
  public var accumulator: Accumulator
  /// The share of outputs computed, over 0 and at most 1.
  public var fraction: Double
  /// Of the sample of rows and columns.
  public var seed: UInt64
  /// How many of the worst outputs are listed.
  public var worstCount: Int
  /// What both operands go through before they are quantised.
  public var transform: OperandTransform

  public init(
    a: MatmulSideRequest, b: MatmulSideRequest, transposesB: Bool, accumulator: Accumulator,
    fraction: Double = 1, seed: UInt64 = 1, worstCount: Int = 10,
    transform: OperandTransform = .none
  ) {
    self.a = a
    self.b = b
    self.transposesB = transposesB
    self.accumulator = accumulator
    self.fraction = fraction
    self.seed = seed
    self.worstCount = worstCount
    self.transform = transform
  }
}

extension CaseRequest {
  /// One side of a matmul: `none`, or the one format, block and recipe of this request.
  public func matmulSide(in catalog: FormatCatalog) throws(MeasurementError) -> MatmulSideRequest {
    guard formats != ["none"] else { return MatmulSideRequest(spec: nil, block: .tensor) }
    let (found, skipped) = try cases(in: catalog)
    guard let first = found.first else {
      throw .usage(skipped.first?.reason ?? "no format is given")
    }
    return MatmulSideRequest(spec: first.spec, block: first.block)
  }
}

extension FormatCatalog {
  /// An accumulator by name.
  ///
  /// - Throws: `usage` naming where the list is.
  public func requiredAccumulator(_ name: String) throws(MeasurementError) -> Accumulator {
    guard let found = accumulator(name) else {
      if name.lowercased().hasPrefix("fixed(") {
        throw .usage(
          "\"\(name)\": expected fixed(W,lsb,wrap|saturate) with W from 2 to 64 and lsb from -1000 to"
            + " 1000")
      }
      throw .usage(
        "no accumulator is called \"\(name)\" (see: blockscale formats; an adder of your own:"
          + " fixed(W,lsb,wrap|saturate))")
    }
    return found
  }
}

/// Distinct numbers below `count`, `size` of them, ascending: the ones whose random words are
/// smallest. The same for a seed on every machine.
func sample(_ size: Int, of count: Int, seed: UInt64) -> [Int] {
  guard size < count else { return Array(0..<count) }
  let order = (0..<count).map { index in
    (philox4x32Word0(seed: seed, index: UInt64(index)), index)
  }.sorted { $0 < $1 }
  return order.prefix(size).map(\.1).sorted()
}
