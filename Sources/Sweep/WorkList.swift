import Measurement
import NumberFormats
import TensorIO

/// A tensor of a sweep, and what it is to it.
public struct SweepTensor: Sendable {
  public enum Role: String, Sendable {
    case weight, activation
    /// Read by products only.
    case operand
  }
  public var input: InputTensor
  public var role: Role
}

/// Everything that a plan measures, in a fixed order that the files' headers alone decide.
public struct WorkList: Sendable {
  public private(set) var tensors: [SweepTensor] = []
  public private(set) var items: [WorkItem] = []
  /// Tensors and combinations left out, with the reason.
  public private(set) var skipped: [SkippedItem]
  private var places: [String: Int] = [:]

  /// Opens the plan's files and lists the work.
  ///
  /// - Throws: `TensorIOError` for files, `SweepError.plan` for products that nothing meets in.
  public init(_ resolved: ResolvedPlan, experiment: MatmulExperiment) throws {
    skipped = resolved.skipped
    let plan = resolved.plan
    let inputs: [(arguments: [String], role: SweepTensor.Role)] = [
      (plan.weights, .weight), (plan.activations, .activation),
    ]
    for (arguments, role) in inputs where !arguments.isEmpty && !resolved.cases.isEmpty {
      var selection = try InputSelection(arguments)
      try selection.leaveOutMisfits(resolved.cases)
      skipped += selection.skipped
      for tensor in selection.tensors { add(tensor, role, resolved.cases) }
    }
    for (index, product) in plan.products.enumerated() {
      try add(product, plan.field("products", index), resolved, index, experiment)
    }
  }

  /// How many tensors some items read.
  public func tensorCount(of items: [Int]) -> Int {
    Set(items.flatMap { self.items[$0].tensors }).count
  }

  /// What the items quantise by and add by.
  public var rows: (specs: [QuantizationSpec], accumulators: [Accumulator]) {
    var specs: [QuantizationSpec] = []
    var accumulators: [Accumulator] = []
    for item in items {
      switch item.kind {
      case .tensor(_, let errorCase): specs.append(errorCase.spec)
      case .product(_, _, let request):
        specs += [request.a.spec, request.b.spec].compactMap { $0 }
        accumulators.append(request.accumulator)
      }
    }
    return (Self.once(specs), Self.once(accumulators))
  }

  private static func once<Value: Hashable>(_ values: [Value]) -> [Value] {
    var seen: Set<Value> = []
    return values.filter { seen.insert($0).inserted }
  }

  private mutating func add(
    _ tensor: InputTensor, _ role: SweepTensor.Role, _ cases: [ErrorCase]
  ) {
    guard places["\(tensor.path)\n\(tensor.name)"] == nil else { return }
    let place = place(of: tensor, role)
    for errorCase in cases where errorCase.fits(tensor) {
      items.append(
        WorkItem(
          kind: .tensor(place, errorCase),
          work: WorkEstimate.tensor(tensor.info.count, errorCase.spec)))
    }
  }

  private mutating func place(of tensor: InputTensor, _ role: SweepTensor.Role) -> Int {
    let name = "\(tensor.path)\n\(tensor.name)"
    if let place = places[name] { return place }
    places[name] = tensors.count
    tensors.append(SweepTensor(input: tensor, role: role))
    return tensors.count - 1
  }

  private mutating func add(
    _ product: ProductPlan, _ field: String, _ resolved: ResolvedPlan, _ index: Int,
    _ experiment: MatmulExperiment
  ) throws {
    let left = try InputSelection([product.a])
    let right = try InputSelection([product.b])
    skipped += left.skipped + right.skipped
    let pairs = Self.pairs(product, left.tensors, right.tensors)
    guard !pairs.isEmpty else {
      throw SweepError.plan(
        file: resolved.plan.file, field: field,
        problem: "nothing meets: no tensor of \(product.a) has in the place of its wildcards what"
          + " one of \(product.b) has there")
    }
    skipped += Self.lonely(left.tensors, pairs.map(\.0), product.b)
    skipped += Self.lonely(right.tensors, pairs.map(\.1), product.a)
    for (a, b) in pairs {
      for request in resolved.requests[index] {
        if let reason = try experiment.misfit(a, b, request) {
          skipped.append(
            SkippedItem(
              file: nil,
              name: "\(a.name) x \(b.name): \(request.a.formatName) \(request.a.block)"
                + " \(request.accumulator.name)" + request.transform.suffix,
              reason: "\(reason)"))
          continue
        }
        let places = (place(of: a, .operand), place(of: b, .operand))
        items.append(
          WorkItem(
            kind: .product(places.0, places.1, request),
            work: WorkEstimate.product(
              try experiment.work(a, b, request), a.info.count + b.info.count,
              request.accumulator)))
      }
    }
  }

  /// Tensors of one side that meet none of the other's.
  private static func lonely(
    _ tensors: [InputTensor], _ met: [InputTensor], _ other: String
  ) -> [SkippedItem] {
    let names = Set(met.map { "\($0.path)\n\($0.name)" })
    return tensors.filter { !names.contains("\($0.path)\n\($0.name)") }.map {
      SkippedItem(file: nil, name: $0.name, reason: "meets nothing of \(other)")
    }
  }

  /// Tensors whose names put the same text in the place of the patterns' wildcards.
  private static func pairs(
    _ product: ProductPlan, _ left: [InputTensor], _ right: [InputTensor]
  ) -> [(InputTensor, InputTensor)] {
    let patterns = (InputSelection.pattern(of: product.a), InputSelection.pattern(of: product.b))
    let isOpen = [patterns.0, patterns.1].contains { $0?.contains { "*?".contains($0) } ?? false }
    if left.count == 1, right.count == 1, !isOpen { return [(left[0], right[0])] }
    func texts(_ tensor: InputTensor, _ pattern: String?) -> [String]? {
      pattern.flatMap { wildcardTexts(tensor.name, $0) }
    }
    return left.flatMap { a -> [(InputTensor, InputTensor)] in
      guard let own = texts(a, patterns.0), !own.isEmpty else { return [] }
      return right.filter { texts($0, patterns.1) == own }.map { (a, $0) }
    }
  }
}

/// What stands in a name for each `*` and `?` of a pattern, the earlier taking as little as they can;
/// nil where it does not match.
func wildcardTexts(_ name: String, _ pattern: String) -> [String]? {
  func match(_ name: Substring, _ pattern: Substring) -> [String]? {
    guard let first = pattern.first else { return name.isEmpty ? [] : nil }
    let rest = pattern.dropFirst()
    switch first {
    case "?":
      guard let character = name.first else { return nil }
      return match(name.dropFirst(), rest).map { [String(character)] + $0 }
    case "*":
      for end in name.indices + [name.endIndex] {
        if let texts = match(name[end...], rest) { return [String(name[..<end])] + texts }
      }
      return nil
    default:
      guard name.first == first else { return nil }
      return match(name.dropFirst(), rest)
    }
  }
  return match(name[...], pattern[...])
}
