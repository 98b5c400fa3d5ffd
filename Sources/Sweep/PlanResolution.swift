import FormatCatalog
import Measurement
import NumberFormats

/// A plan whose names have been looked up: every way of quantising, every way of multiplying.
public struct ResolvedPlan: Sendable {
  public let plan: SweepPlan
  public let catalog: FormatCatalog
  /// How weights and activations are quantised.
  public private(set) var cases: [ErrorCase] = []
  /// How each of the plan's products is multiplied.
  public private(set) var requests: [[MatmulRequest]] = []
  /// Combinations that a recipe is not defined for.
  public private(set) var skipped: [SkippedItem] = []

  /// Looks every name up before anything is measured.
  ///
  /// - Parameters:
  ///   - catalog: the compiled-in rows and the user's; the plan's own `formatFiles` are added here.
  ///   - engine: is asked whether it can quantise so.
  public init(
    _ plan: SweepPlan, catalog: FormatCatalog, engine: any QuantizationEngine
  ) throws {
    var catalog = catalog
    for file in plan.formatFiles { catalog = try catalog.adding(file: file) }
    self.plan = plan
    self.catalog = catalog
    try checkNumbers()
    let names = PlanNames(plan: plan, catalog: catalog)
    if !(plan.weights + plan.activations).isEmpty {
      let combined = try combine(
        names.blocks(plan.formats, plan.field("formats")), plan.blocks,
        names.recipes(plan.recipes, plan.field("recipes")), engine)
      cases = tensorTransforms().flatMap { rotation in
        combined.map { errorCase in
          var errorCase = errorCase
          errorCase.rotation = rotation
          return errorCase
        }
      }
    }
    for (index, product) in plan.products.enumerated() {
      requests.append(try resolve(product, index, names, engine))
    }
    guard cases.isEmpty, requests.allSatisfy(\.isEmpty) else { return }
    let reason = skipped.first.map { "\($0.name): \($0.reason)" }
    throw SweepError.plan(
      file: plan.file, field: "",
      problem: reason ?? "nothing to measure (expected weights, activations or products)")
  }

  /// What is done to every operand of every product.
  private var transforms: [OperandTransform] {
    var seen: Set<OperandTransform> = []
    let all = plan.transforms.isEmpty ? [.none] : plan.transforms
    return all.filter { seen.insert($0).inserted }
  }

  /// The rotations of single tensors, nil for none; a split of outliers needs a product.
  private mutating func tensorTransforms() -> [HadamardRotation?] {
    transforms.compactMap { transform in
      switch transform {
      case .none: return .some(nil)
      case .hadamard(let rotation): return .some(rotation)
      case .outliers:
        skipped.append(
          SkippedItem(
            file: nil, name: "weights and activations, \(transform)",
            reason:
              "a split of outliers is measured in products (expected --product, or products in"
              + " the plan)"))
        return nil
      }
    }
  }

  private func checkNumbers() throws(SweepError) {
    guard plan.seed <= UInt64(Int64.max) else {
      throw .plan(
        file: plan.file, field: plan.field("seed"), problem: "expected at most \(Int64.max)")
    }
    let fractions = [plan.fraction] + plan.products.compactMap(\.fraction)
    guard fractions.allSatisfy({ $0 > 0 && $0 <= 1 }) else {
      throw .plan(
        file: plan.file, field: plan.field("fraction"),
        problem: "expected a number above 0, at most 1")
    }
    if !plan.weights.isEmpty || !plan.activations.isEmpty, plan.formats.isEmpty {
      throw .plan(
        file: plan.file, field: plan.field("formats"), problem: "expected at least one block format"
      )
    }
    try checkLists()
  }

  /// An empty list of names leaves nothing to measure.
  private func checkLists() throws(SweepError) {
    var lists: [(field: String, names: [String]?)] = [(plan.field("recipes"), plan.recipes)]
    if !plan.products.isEmpty { lists.append((plan.field("accumulators"), plan.accumulators)) }
    for (index, product) in plan.products.enumerated() {
      let place = plan.field("products", index)
      lists += [
        ("\(place).formats", product.formats), ("\(place).formats_b", product.formatsB),
        ("\(place).recipes", product.recipes), ("\(place).accumulators", product.accumulators),
      ]
    }
    guard let empty = lists.first(where: { $0.names?.isEmpty == true }) else { return }
    throw .plan(
      file: plan.file, field: empty.field, problem: "an empty list (expected at least one name)")
  }

  /// Formats × recipes × roundings × blocks, each once, in that order.
  private mutating func combine(
    _ formats: [String], _ blocks: [BlockShape], _ recipes: [String],
    _ engine: any QuantizationEngine
  ) throws -> [ErrorCase] {
    let roundings = plan.roundings.isEmpty ? [nil] : plan.roundings.map(Optional.some)
    var result: [ErrorCase] = []
    var seen: Set<ErrorCase> = []
    for format in formats {
      for recipe in recipes {
        for rounding in roundings {
          let request = CaseRequest(
            formats: [format], blocks: blocks, recipes: [recipe], axis: plan.axis,
            rounding: rounding, tensorScale: plan.tensorScale, computeType: plan.computeType,
            randomBits: .philox(seed: plan.seed))
          for errorCase in defined(request) where seen.insert(errorCase).inserted {
            if let reason = engine.refusal(of: errorCase) {
              skip(errorCase, reason)
            } else {
              result.append(errorCase)
            }
          }
        }
      }
    }
    return result
  }

  /// A recipe that no block of one format suits is no error where other formats have it.
  private mutating func defined(_ request: CaseRequest) -> [ErrorCase] {
    do throws(MeasurementError) {
      let (cases, skipped) = try request.cases(in: catalog)
      self.skipped += skipped
      return cases
    } catch {
      skipped.append(
        SkippedItem(
          file: nil, name: "\(request.formats[0]) \(request.recipes[0])",
          reason: "\(error)"))
      return []
    }
  }

  private mutating func skip(_ errorCase: ErrorCase, _ reason: String) {
    let spec = errorCase.spec
    skipped.append(
      SkippedItem(
        file: nil, name: "\(spec.format.name) \(errorCase.block) \(spec.recipe.name)",
        reason: reason))
  }

  private mutating func resolve(
    _ product: ProductPlan, _ index: Int, _ names: PlanNames, _ engine: any QuantizationEngine
  ) throws -> [MatmulRequest] {
    func field(_ name: String, isOwn: Bool) -> String {
      isOwn ? "\(plan.field("products", index)).\(name)" : plan.field(name)
    }
    let formats = try names.blocks(
      product.formats ?? plan.formats, field("formats", isOwn: product.formats != nil),
      takesNone: true)
    let formatsB = try product.formatsB.map {
      try names.blocks($0, field("formats_b", isOwn: true), takesNone: true)
    }
    let recipes = try names.recipes(
      product.recipes ?? plan.recipes, field("recipes", isOwn: product.recipes != nil))
    let accumulators = try names.accumulators(
      product.accumulators ?? plan.accumulators,
      field("accumulators", isOwn: product.accumulators != nil))
    let blocks = product.blocks ?? plan.blocks
    guard !formats.isEmpty else {
      throw SweepError.plan(
        file: plan.file, field: field("formats", isOwn: false), problem: "expected at least one")
    }
    let pairs = try sides((formats, blocks), (formatsB, product.blocksB), recipes, engine)
    if pairs.isEmpty, formatsB != nil || product.blocksB != nil {
      throw SweepError.plan(
        file: plan.file, field: field("formats_b", isOwn: true),
        problem: "no format of A and one of B are left with the same block and recipe (expected"
          + " blocks, and blocks_b where B's are others)")
    }
    return transforms.flatMap { transform in
      accumulators.flatMap { accumulator in
        pairs.map { a, b in
          MatmulRequest(
            a: a, b: b, transposesB: product.transposesB, accumulator: accumulator,
            fraction: product.fraction ?? plan.fraction, seed: plan.seed, worstCount: 0,
            transform: transform)
        }
      }
    }
  }

  /// What A and B are rounded to: equal formats and blocks unless B has its own, and B's own random
  /// numbers.
  private mutating func sides(
    _ ofA: (formats: [String], blocks: [BlockShape]),
    _ ofB: (formats: [String]?, blocks: [BlockShape]?), _ recipes: [String],
    _ engine: any QuantizationEngine
  ) throws -> [(MatmulSideRequest, MatmulSideRequest)] {
    let none = MatmulSideRequest(spec: nil, block: .tensor)
    func list(
      _ formats: [String], _ blocks: [BlockShape], _ plan: inout ResolvedPlan
    ) throws -> [MatmulSideRequest] {
      let quantised = try plan.combine(formats.filter { $0 != "none" }, blocks, recipes, engine)
      return quantised.map { MatmulSideRequest(spec: $0.spec, block: $0.block) }
        + (formats.contains("none") ? [none] : [])
    }
    let left = try list(ofA.formats, ofA.blocks, &self)
    guard ofB.formats != nil || ofB.blocks != nil else { return left.map { ($0, $0.ofB) } }
    let right = try list(ofB.formats ?? ofA.formats, ofB.blocks ?? ofA.blocks, &self)
    return left.flatMap { a in
      right.filter { b in
        guard ofB.formats != nil || a.formatName == b.formatName else { return false }
        // The same recipe and rounding, and the same block unless B has its own, wherever both sides
        // have one.
        guard let first = a.spec, let second = b.spec else { return a.spec != nil || b.spec != nil }
        return (ofB.blocks != nil || a.block == b.block)
          && first.recipe.name == second.recipe.name
          && first.rounding == second.rounding
      }.map { (a, $0.ofB) }
    }
  }
}

extension MatmulSideRequest {
  /// The same for B, which draws random numbers of its own: equal operands must not round alike.
  fileprivate var ofB: MatmulSideRequest {
    var side = self
    if case .philox(let seed)? = spec?.randomBits {
      side.spec?.randomBits = .philox(seed: seed ^ (1 << 63))
    }
    return side
  }
}

extension QuantizationEngine {
  /// Why no tensor can be quantised so, whatever its numbers.
  fileprivate func refusal(of errorCase: ErrorCase) -> String? {
    guard let grid = try? BlockGrid(shape: [1, 1], block: errorCase.block) else { return nil }
    let spec = errorCase.spec
    var codes = [UInt8](repeating: 0, count: 8)
    var scales: [UInt32] = [0]
    let outcome = [Float(1)].withUnsafeBufferPointer { values in
      codes.withUnsafeMutableBytes { codes in
        scales.withUnsafeMutableBufferPointer { scales in
          Result { () throws(QuantizeError) in
            _ = try quantize(
              values, grid: grid, spec: spec, tensorScale: tensorScale(amax: 1, spec: spec),
              firstElement: 0, scalesGiven: false, codes: codes, scales: scales)
          }
        }
      }
    }
    guard case .failure(let error) = outcome, !error.isAboutData else { return nil }
    return "\(error)"
  }
}
