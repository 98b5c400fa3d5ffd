import NumberFormats

/// What Yosys made of a dot-product unit, or of one of its parts: a row of golden/cost.
public struct SynthesisPoint: Sendable, Hashable {
  /// What was synthesised: modules of tools/rtl/device.
  public enum Subject: Sendable, Hashable {
    case unit(ElementFormat, ScaleFormat, block: Int, droppedBits: Int)
    case lane(ElementFormat)
    case scale(ScaleFormat)
    case sum(terms: Int, bits: Int)
    /// Scaling a sum of `bits` and joining it with `c`.
    case join(bits: Int, ScaleFormat)
  }
  public var subject: Subject
  public var gates: [GateKind: Int]
  /// In static CMOS, as `stat -tech cmos` counts them.
  public var transistors: Int

  public init(subject: Subject, gates: [GateKind: Int], transistors: Int) {
    self.subject = subject
    self.gates = gates
    self.transistors = transistors
  }

  /// The whole unit; nil for a part.
  public var unit: DotUnit? {
    guard case .unit(let element, let scale, let block, let dropped) = subject else { return nil }
    return DotUnit(
      element: ElementGeometry(element), scale: scale.layout, blockSize: block,
      droppedBits: dropped)
  }

  /// The structures that the model sees in it.
  public var count: StructureCount {
    switch subject {
    case .unit(let element, let scale, let block, let dropped):
      DotUnit(
        element: ElementGeometry(element), scale: scale.layout, blockSize: block,
        droppedBits: dropped
      ).total
    case .lane(let element):
      DotUnit(element: ElementGeometry(element), scale: .powersOfTwo, blockSize: 1).lane
    case .scale(let scale): DotUnit.scaleProduct(scale.layout)
    case .sum(let terms, let bits): DotUnit.adderTree(terms: terms, width: bits)
    case .join(let bits, let scale):
      DotUnit.scaling(bits, by: scale.layout) + DotUnit.accumulator(bits, scale: scale.layout)
    }
  }
}

extension FloatLayout {
  /// A scale that multiplies nothing.
  fileprivate static let powersOfTwo = FloatLayout(
    signBits: 0, exponentBits: 8, mantissaBits: 0, bias: 127, zeroExponentIsSubnormal: false,
    nonFinite: .allOnesNaN)
}
