import FastPath
import FormatCatalog
import Measurement
import NumberFormats
import Reference

/// How much is compared.
public enum VerificationLevel: String, Sendable, Hashable, CaseIterable {
  /// Seconds: every code, boundaries, small tensors.
  case smoke
  /// Minutes: every BF16 and FP16 number, every rounding, many tensors.
  case nightly
  /// Smoke, and every float32 number through E2M1, E4M3 and E8M0 encoding (or the formats named).
  case exhaustive
}

/// The checks of one run of `verify`: the fast path on every instruction set of this machine against
/// the reference.
public struct VerificationPlan: Sendable {
  /// One check; returns a report per instruction set.
  public struct Check: Sendable {
    /// Results compared on one instruction set, roughly: what progress counts.
    public var size: Int
    public var run: @Sendable () -> [VerificationReport]
  }

  /// What is checked.
  public var numbers: [NumberFormatRow]
  public var cases: [(format: BlockFormat, recipe: Recipe)]
  public var accumulators: [Accumulator]
  public var level: VerificationLevel
  /// Names of the instruction sets.
  public var targets: [String] { comparison.engines.map(\.name) }
  let comparison: NumberComparison
  let blocks: BlockComparison
  let matmuls: MatmulComparison
  private let isNarrowed: Bool
  private let catalog: FormatCatalog

  /// - Parameter name: An element, scale, block format, recipe or accumulator; nil for all.
  /// - Throws: `usage` for an unknown name.
  public init(
    _ catalog: FormatCatalog, name: String?, level: VerificationLevel
  ) throws(MeasurementError) {
    self.level = level
    self.catalog = catalog
    let engines = VectorTarget.available.compactMap { try? VectorEngine(target: $0) }
    comparison = NumberComparison(reference: MPFREngine(), engines: engines)
    blocks = BlockComparison(reference: MPFREngine(), engines: engines)
    matmuls = MatmulComparison(reference: MPFREngine(), engines: engines)
    isNarrowed = name != nil
    guard let name else {
      numbers = catalog.elements.map { .element($0) } + catalog.scales.map { .scale($0) }
      cases = catalog.blocks.flatMap { Self.cases(of: $0, catalog) }
      accumulators = catalog.accumulators + Self.registers
      return
    }
    numbers = []
    cases = []
    accumulators = catalog.accumulator(name).map { [$0] } ?? []
    if let element = catalog.element(name) { numbers.append(.element(element)) }
    if let scale = catalog.scale(name) { numbers.append(.scale(scale)) }
    if let block = catalog.block(name) { cases += Self.cases(of: block, catalog) }
    if let recipe = catalog.recipe(name) {
      cases += catalog.blocks.filter { recipe.isDefined(for: $0, block: $0.block) }
        .map { ($0, recipe) }
    }
    if numbers.isEmpty && cases.isEmpty && accumulators.isEmpty {
      throw .usage(
        "no format, recipe or accumulator is called \"\(name)\" (see: blockscale formats)")
    }
  }

  /// Every recipe of a format; the alternatives of the exact scale rule where they differ.
  private static func cases(
    of format: BlockFormat, _ catalog: FormatCatalog
  ) -> [(format: BlockFormat, recipe: Recipe)] {
    catalog.recipes.filter { recipe in
      guard recipe.isDefined(for: format, block: format.block) else { return false }
      guard case .exact(let rule) = recipe.steps else { return true }
      return rule == .floor || format.scale.isPowerOfTwo
    }.map { (format, $0) }
  }

  /// An architect's own adders, which are no rows.
  private static let registers = [
    fixedAccumulator(named: "fixed(24,-8,wrap)"), fixedAccumulator(named: "fixed(32,-20,saturate)"),
  ].compactMap { $0 }

  /// All checks but the sweep over float32.
  public func checks() -> [Check] {
    numbers.flatMap(numberChecks) + cases.flatMap(blockChecks)
      + accumulators.flatMap { matmulChecks($0, catalog) }
  }

  /// The formats that the exhaustive level sweeps over all float32 numbers.
  public func sweptFormats(_ catalog: FormatCatalog) -> [NumberFormatRow] {
    guard level == .exhaustive else { return [] }
    if isNarrowed { return numbers }
    return [
      catalog.element("e2m1").map { .element($0) }, catalog.element("e4m3").map { .element($0) },
      catalog.scale("e8m0").map { .scale($0) },
    ].compactMap { $0 }
  }

  /// The sweep over all float32 numbers.
  public func sweep(
    _ row: NumberFormatRow, parallel: Parallel, progress: @escaping @Sendable (Int) -> Void
  ) -> [VerificationReport] {
    let reports = Float32Sweep(comparison: comparison, parallel: parallel)
      .run(row, progress: progress)
    return reports.map { report in
      var named = report
      named.check = "all float32: \(report.check)"
      return named
    }
  }

  private func numberChecks(_ row: NumberFormatRow) -> [Check] {
    var checks: [Check] = []
    let comparison = comparison
    if row.bits <= 19 {
      let codes = (0..<(UInt32(1) << UInt32(row.bits))).map { $0 }
      checks.append(Check(size: codes.count) { comparison.decode(codes, of: row) })
    }
    let values = inputs(row)
    guard case .element = row else {
      checks.append(Check(size: values.count) { comparison.encode(values, to: row) })
      return checks
    }
    for options in encodeOptions(values.count) {
      checks.append(
        Check(size: values.count) { comparison.encode(values, to: row, options: options) })
    }
    // A NaN where the format has none must be refused, and at the same place.
    let withNaN: [Float] = [1, .nan, 2, .nan]
    checks.append(Check(size: 4) { comparison.encode(withNaN, to: row) })
    return checks
  }

  private func inputs(_ row: NumberFormatRow) -> [Float] {
    let isAll = level == .nightly
    var values = VerificationInputs.halfPrecision(withNaN: row.takesNaN, every: isAll ? 1 : 61)
    if row.codeCount <= 1 << 12 || isAll, row.bits <= 19 {
      let codes = (0..<UInt32(row.codeCount)).map { $0 }
      values += VerificationInputs.boundaries(of: row.decode(codes, engine: comparison.reference))
    }
    return values
  }

  private func encodeOptions(_ count: Int) -> [EncodeOptions] {
    let stochastic: [Rounding] =
      level == .nightly
      ? [1, 2, 8, 16, 31, 32].map { .stochastic(bits: $0) } : [.stochastic(bits: 8)]
    return (Rounding.deterministic + stochastic).flatMap { rounding in
      Overflow.allCases.map { EncodeOptions(rounding: rounding, overflow: $0) }
    } + [EncodeOptions(overflow: .nonFinite, nan: .mlDtypes)]
  }
}
