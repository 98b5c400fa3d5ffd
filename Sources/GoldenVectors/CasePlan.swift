import FastPath

/// Which cases are made: a number of each class, in the order of `CaseClass`.
struct CasePlan: Sendable {
  struct Part: Sendable {
    var kind: CaseClass
    var first: Int
    var count: Int
    /// The class's own case numbers, where an engine refuses some; nil: 0 up to `count`.
    var kept: [Int]?
  }

  private(set) var parts: [Part] = []
  var count: Int { parts.last.map { $0.first + $0.count } ?? 0 }

  /// A case for each output of operands from files.
  init(outputs: Int) { parts = [Part(kind: .operands, first: 0, count: outputs)] }

  /// - Parameters:
  ///   - maker: of the cases; says which classes mean something, and how many cases each needs.
  ///   - asked: the classes wanted; empty: all that apply.
  ///   - total: how many cases together, rather than the level's.
  init(
    _ maker: CaseMaker, asked: [CaseClass], level: VectorLevel, total: Int?
  ) throws(VectorsError) {
    let possible = maker.classes
    for kind in asked where !possible.contains(kind) {
      let names = possible.map(\.rawValue).joined(separator: ", ")
      throw .usage(
        "--class \(kind.rawValue): means nothing for these vectors (expected \(names))")
    }
    var kinds = possible.filter { asked.isEmpty || asked.contains($0) }
    let space = maker.spec.exhaustiveCount ?? 0
    if asked.isEmpty, space > min(level.exhausted, total ?? .max) {
      kinds.removeAll { $0 == .exhaustive }
    }
    let directed = kinds.filter { $0 != .exhaustive && $0 != .random }
    let hasRandom = kinds.contains(.random)
    var left = total.map { max(0, $0 - (kinds.contains(.exhaustive) ? space : 0)) } ?? 0
    for kind in kinds {
      let count: Int
      switch (kind, total) {
      case (.exhaustive, _): count = space
      case (.random, nil): count = level.random
      case (.random, _): count = left
      case (_, nil): count = max(level.directed, maker.cases(of: kind))
      case (_, let total?):
        let place = directed.firstIndex(of: kind) ?? 0
        count =
          hasRandom
          ? min(level.directed, total / (2 * directed.count))
          : left / (directed.count - place)
        left -= count
      }
      if count > 0 { parts.append(Part(kind: kind, first: self.count, count: count)) }
    }
    guard count > 0 else { throw .usage("--count: no cases are left") }
  }

  /// Leaves out the cases that the operation refuses, such as NaN under a recipe without a rule
  /// for it.
  mutating func removeRefused(_ maker: CaseMaker) {
    var first = 0
    for place in parts.indices {
      if parts[place].kind != .random {
        let part = parts[place]
        let kept = (0..<part.count).filter { maker.isTaken(part.kind, $0) }
        if kept.count < part.count {
          parts[place].kept = kept
          parts[place].count = kept.count
        }
      }
      parts[place].first = first
      first += parts[place].count
    }
    parts.removeAll { $0.count == 0 }
  }

  /// The class of a case, and its number within the class.
  func place(of index: Int) -> (kind: CaseClass, index: Int) {
    let part = parts.last { $0.first <= index } ?? parts[0]
    let own = index - part.first
    return (part.kind, part.kept?[own] ?? own)
  }
}
