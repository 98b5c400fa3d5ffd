import NumberFormats

/// A row of the `accumulators` table as it stands in the file.
struct AccumulatorRow: Decodable {
  var name: String
  var aliases: [String]?
  var source: String?
  var checked: String?
  var note: String?
  var operands: OperandsField
  var scales: [String]?
  var exact: Bool?
  var float32: Float32Field?
  var fused: FusedField?
  var integer: IntegerField?
  var fixed: FixedField?
  /// `fp32`, `e8mN` (N from 1 to 23) or `fp16`; absent for registers.
  var output: String?
  var rounding: String?
  var overflow: Accumulator.Output.Overflow?
  var flushSubnormals: Bool?
  var nan: UInt32?
  var promoteEvery: Int?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, aliases, source, checked, note, operands, scales, exact, float32, fused, integer,
      fixed, output, rounding, overflow, flushSubnormals, nan, promoteEvery
  }

  /// `any`, `integers` (at most 8 bits) or a list of elements.
  enum OperandsField: Decodable {
    case word(String)
    case names([String])
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let names = try? container.decode([String].self) {
        self = .names(names)
      } else {
        self = .word(try container.decode(String.self))
      }
    }
  }

  struct Float32Field: Decodable {
    var step: Int?
    var order: String
    var chains: Int?
    var fusedMultiplyAdd: Bool?
    var scalesProducts: Bool?
    var inputSubnormals: Float32Steps.Subnormals?
    var flushesResults: Bool?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case step, order, chains, fusedMultiplyAdd, scalesProducts, inputSubnormals,
        flushesResults
    }
  }

  struct FusedField: Decodable {
    var terms: Int
    var group: Int?
    /// F; absent where the sum is exact.
    var fraction: Int?
    var zero: Int?
    var alignRounding: String?
    var scaling: FusedStep.Scaling?
    var late: LateField?
    var addRounding: String?
    var splitsEvenOdd: Bool?
    var infiniteProducts: Bool?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case terms, group, fraction, zero, alignRounding, scaling, late, addRounding,
        splitsEvenOdd, infiniteProducts
    }
  }

  struct LateField: Decodable {
    var sumFraction: Int
    var addendFraction: Int
    var dropsBelow: Int?
    var resultFraction: Int?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case sumFraction, addendFraction, dropsBelow, resultFraction
    }
  }

  struct IntegerField: Decodable {
    var width: Int?
    var overflow: RegisterOverflow
    var step: Int?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case width, overflow, step
    }
  }

  struct FixedField: Decodable {
    var width: Int
    var lsb: Int
    var overflow: RegisterOverflow
    var terms: Int?
    var rounding: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case width, lsb, overflow, terms, rounding
    }
  }

  func resolve(in catalog: FormatCatalog, file: String) throws(CatalogError) -> Accumulator {
    let datapath = try datapath(file: file)
    let accumulator = Accumulator(
      name: name, aliases: aliases ?? [], source: source ?? "", checked: checked ?? "no",
      note: note ?? "", operands: try operandSet(in: catalog, file: file),
      scales: try scaleNames(in: catalog, file: file), datapath: datapath,
      output: try outputField(datapath, file: file), promoteEvery: promoteEvery)
    try check(accumulator, file: file)
    return accumulator
  }

  private func bad(_ reason: String, _ file: String) -> CatalogError {
    .badRow(file: file, row: name, reason: reason)
  }

  private func operandSet(
    in catalog: FormatCatalog, file: String
  ) throws(CatalogError) -> Accumulator.Operands {
    switch operands {
    case .word("any"): return .any
    case .word("integers"): return .integers(bits: 8)
    case .word(let word):
      throw bad("operands: \"\(word)\": expected any, integers or a list of elements", file)
    case .names(let names):
      var canonical: [String] = []
      for operand in names {
        guard let element = catalog.element(operand) else {
          throw .unknownReference(file: file, row: name, name: operand)
        }
        canonical.append(element.name)
      }
      guard !canonical.isEmpty else { throw bad("operands: the list is empty", file) }
      return .named(canonical)
    }
  }

  private func scaleNames(
    in catalog: FormatCatalog, file: String
  ) throws(CatalogError) -> [String] {
    var canonical: [String] = []
    for scale in scales ?? [] {
      guard let found = catalog.scale(scale) else {
        throw .unknownReference(file: file, row: name, name: scale)
      }
      canonical.append(found.name)
    }
    return canonical
  }

  private func roundingField(
    _ text: String?, default fallback: Rounding, _ field: String, file: String
  ) throws(CatalogError) -> Rounding {
    guard let text else { return fallback }
    guard let rounding = Rounding(text), Rounding.deterministic.contains(rounding) else {
      throw bad("\(field): \"\(text)\": expected a rounding other than stochastic", file)
    }
    return rounding
  }

  private func datapath(file: String) throws(CatalogError) -> Accumulator.Datapath {
    let given: [Any?] = [exact == true ? true : nil, float32, fused, integer, fixed]
    guard given.compactMap({ $0 }).count == 1 else {
      throw bad("expected one of exact, float32, fused, integer, fixed", file)
    }
    if let float32 { return .float32(try steps(float32, file: file)) }
    if let fused { return .fused(try step(fused, file: file)) }
    if let integer {
      return .integer(
        IntegerRegister(
          width: integer.width ?? 32, overflow: integer.overflow, step: integer.step))
    }
    if let fixed {
      return .fixed(
        FixedPointRegister(
          width: fixed.width, lsb: fixed.lsb, overflow: fixed.overflow, terms: fixed.terms ?? 1,
          rounding: try roundingField(
            fixed.rounding, default: .towardZero, "fixed.rounding", file: file)))
    }
    return .exact
  }

  private func steps(_ field: Float32Field, file: String) throws(CatalogError) -> Float32Steps {
    let order: Float32Steps.Order
    switch field.order {
    case "sequential": order = .sequential
    case "pairwise": order = .pairwise
    case "chains":
      guard let chains = field.chains, chains >= 1 else {
        throw bad("float32.chains: expected at least 1", file)
      }
      order = .chains(count: chains)
    default:
      throw bad("float32.order: \"\(field.order)\": expected sequential, pairwise or chains", file)
    }
    return Float32Steps(
      step: field.step, order: order, fusedMultiplyAdd: field.fusedMultiplyAdd ?? false,
      scalesProducts: field.scalesProducts ?? false,
      inputSubnormals: field.inputSubnormals ?? .keep,
      flushesResults: field.flushesResults ?? false)
  }

  private func step(_ field: FusedField, file: String) throws(CatalogError) -> FusedStep {
    var alignment: FusedStep.Alignment?
    if let fraction = field.fraction {
      alignment = FusedStep.Alignment(
        fraction: fraction,
        rounding: try roundingField(
          field.alignRounding, default: .towardZero, "fused.alignRounding", file: file),
        zeroExponent: field.zero)
    } else if field.zero != nil || field.alignRounding != nil {
      throw bad("fused.fraction: expected where zero or alignRounding is given", file)
    }
    var join = FusedStep.Join.fused
    if let late = field.late {
      join = .late(
        FusedStep.LateJoin(
          sumFraction: late.sumFraction, addendFraction: late.addendFraction,
          dropsBelow: late.dropsBelow, resultFraction: late.resultFraction))
    } else if let text = field.addRounding {
      join = .add(
        try roundingField(text, default: .tiesToEven, "fused.addRounding", file: file))
    }
    return FusedStep(
      terms: field.terms, group: field.group ?? 1, scaling: field.scaling ?? .none,
      alignment: alignment, join: join, splitsEvenOdd: field.splitsEvenOdd ?? false,
      infiniteProducts: field.infiniteProducts ?? false)
  }
}
