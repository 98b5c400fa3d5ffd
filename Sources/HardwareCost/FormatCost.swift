import FormatCatalog
import NumberFormats

/// What a block format with a block size costs: storage, gates, traffic.
///
/// Gates are NAND2 equivalents of combinational logic for one multiply-accumulate each cycle. Neither
/// registers nor the quantiser, the memories or timing are in them: compare formats by them, do not
/// turn them into square millimetres.
public struct FormatCost: Sendable, Hashable {
  public var format: BlockFormat
  public var block: BlockShape
  /// Elements of one line along K that share a scale: Q_b.
  public var blockSize: Int
  /// Bits of a stored element with its share of the block scale. A tensor scale's 32 bits, and the
  /// tail of an axis that no block fills, vanish in a large tensor and are not in it.
  public var bitsPerElement: Double
  /// Bits of one exact signed product.
  public var productBits: Int
  /// Bits of the exact signed sum of a block's products.
  public var exactAccumulatorBits: Int
  /// Bits of the accumulator, and of the low bits that each product loses for it.
  public var accumulatorBits: Int
  public var droppedBits: Int
  /// Per multiply-accumulate: multiplier, aligner, sign and the share of the adder tree.
  public var laneGates: Double
  /// Per multiply-accumulate: the share of multiplying by both scales.
  public var scaleGates: Double
  /// Per multiply-accumulate: the share of adding to FP32, with alignment and rounding.
  public var accumulatorGates: Double
  /// Bits of element codes of both operands that one multiply-accumulate fetches.
  public var elementTraffic: Double
  /// Bits of block scales likewise.
  public var scaleTraffic: Double
  public var calibration: CalibrationStatus

  /// NAND2 equivalents per multiply-accumulate.
  public var gates: Double { laneGates + scaleGates + accumulatorGates }
  /// Bits that one multiply-accumulate fetches.
  public var traffic: Double { elementTraffic + scaleTraffic }
}

/// A gate model, and the synthesis results that say how far it can be trusted.
public struct CostModel: Sendable {
  public var gates: GateModel
  public var calibration: Calibration

  public init(_ gates: GateModel, points: [SynthesisPoint]) {
    self.gates = gates
    calibration = Calibration(gates, points: points)
  }

  /// The parameters and the synthesis results compiled in.
  ///
  /// - Parameter catalog: Must have the rows that the results name: e2m1, e4m3, mxint8, e8m0, ue4m3.
  public static func standard(_ catalog: FormatCatalog) throws(HardwareCostError) -> CostModel {
    CostModel(try GateModel.standard(), points: try SynthesisPoint.standard(catalog))
  }

  /// The cost of a format; `block` takes the place of the format's own.
  ///
  /// Of an R×C tile, C elements lie along K. A scale that is always a power of two costs an addition
  /// of exponents, whatever it is stored as.
  public func cost(
    _ format: BlockFormat, block: BlockShape, _ query: CostQuery = CostQuery()
  ) throws(HardwareCostError) -> FormatCost {
    let (size, elementsPerScale) = Self.sizes(block, length: query.length)
    var scale = format.scale.layout
    if format.powerOfTwoScale { scale.mantissaBits = 0 }
    var unit = DotUnit(
      element: ElementGeometry(format.element), scale: scale, blockSize: size, lanes: query.lanes)
    let exact = unit.accumulatorBits
    if case .bits(let bits) = query.accumulator, bits < exact {
      let least = exact - unit.element.productBits + 2
      guard bits >= least else {
        throw .narrowAccumulator(format: format.name, block: size, bits: bits, least: least)
      }
      unit.droppedBits = exact - bits
    }
    let fetches = 1 / Double(query.tile.rows) + 1 / Double(query.tile.columns)
    // C.1 without the tensor scale, which vanishes in a large tensor.
    var stored = format
    stored.hasTensorScale = false
    let bitsPerElement = stored.bitsPerElement(elements: elementsPerScale, blocks: 1)
    let elementBits = Double(format.element.bits)
    return FormatCost(
      format: format, block: block, blockSize: size,
      bitsPerElement: bitsPerElement,
      productBits: unit.element.productBits, exactAccumulatorBits: exact,
      accumulatorBits: unit.accumulatorBits, droppedBits: unit.droppedBits,
      laneGates: gates.area(unit.lane) + gates.area(unit.adderTree) / Double(unit.lanes),
      scaleGates: gates.area(unit.scaling) / Double(size),
      accumulatorGates: gates.area(unit.accumulator) / Double(size),
      elementTraffic: elementBits * fetches,
      scaleTraffic: (bitsPerElement - elementBits) * fetches,
      calibration: status(unit, format))
  }

  /// Elements along K that share a scale, and all that do.
  private static func sizes(_ block: BlockShape, length: Int) -> (along: Int, all: Int) {
    func product(_ rows: Int, _ columns: Int) -> Int {
      let (value, overflow) = rows.multipliedReportingOverflow(by: columns)
      return overflow ? .max : value
    }
    switch block {
    case .line(let size): return (size, size)
    case .tile(let rows, let columns): return (columns, product(rows, columns))
    case .axis: return (length, length)
    case .tensor: return (length, product(length, length))
    }
  }

  private func status(_ unit: DotUnit, _ format: BlockFormat) -> CalibrationStatus {
    let comparisons = calibration.comparisons
    if let same = comparisons.first(where: { $0.point.unit == unit }) {
      return .synthesised(error: same.error)
    }
    let units = comparisons.compactMap(\.point.unit)
    var missing: [String] = []
    if !units.contains(where: { $0.element == unit.element }) {
      missing.append("element \(format.element.name)")
    }
    if !units.contains(where: { $0.scale == unit.scale }) {
      missing.append("scale \(format.scale.name)")
    }
    let alike = units.filter { $0.element == unit.element }
    if !alike.isEmpty {
      let sizes = alike.filter { $0.scale == unit.scale }.map(\.blockSize)
      if unit.lanes < unit.blockSize {
        missing.append("several steps a block")
      } else if !sizes.isEmpty, !Self.encloses(sizes, unit.blockSize) {
        missing.append("blocks of \(unit.blockSize)")
      }
      if !Self.encloses(alike.map(\.droppedBits), unit.droppedBits) {
        missing.append("\(unit.droppedBits) bits dropped")
      }
    }
    return missing.isEmpty ? .between : .outside(missing.joined(separator: ", "))
  }

  private static func encloses(_ values: [Int], _ value: Int) -> Bool {
    guard let least = values.min(), let largest = values.max() else { return false }
    return (least...largest).contains(value)
  }
}
