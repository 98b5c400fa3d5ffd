import NumberFormats

/// A unit with one rule changed.
struct UnitVariants {
  var name: String
  var unit: Accumulator

  static func of(_ unit: Accumulator) -> [UnitVariants] {
    var variants: [UnitVariants] = []
    for rounding in Rounding.deterministic where rounding != unit.output.rounding {
      var other = unit
      other.output.rounding = rounding
      variants.append(UnitVariants(name: "output rounding \(rounding)", unit: other))
    }
    var flushed = unit
    flushed.output.flushesSubnormals.toggle()
    let word = flushed.output.flushesSubnormals ? "flushed" : "kept"
    variants.append(UnitVariants(name: "subnormal results \(word)", unit: flushed))
    switch unit.datapath {
    case .fused(let step): variants += fused(unit, step)
    case .integer(var register):
      register.overflow = register.overflow == .wrap ? .saturate : .wrap
      var other = unit
      other.datapath = .integer(register)
      variants.append(
        UnitVariants(name: "a register that would \(register.overflow.rawValue)", unit: other))
    case .fixed(let register):
      var turned = register
      turned.overflow = register.overflow == .wrap ? .saturate : .wrap
      var other = unit
      other.datapath = .fixed(turned)
      variants.append(
        UnitVariants(name: "a register that would \(turned.overflow.rawValue)", unit: other))
      for rounding in Rounding.deterministic where rounding != register.rounding {
        var cut = register
        cut.rounding = rounding
        other.datapath = .fixed(cut)
        variants.append(UnitVariants(name: "products cut by \(rounding)", unit: other))
      }
    case .float32(let steps): variants += float32(unit, steps)
    case .exact: break
    }
    return variants
  }

  private static func float32(_ unit: Accumulator, _ steps: Float32Steps) -> [UnitVariants] {
    var variants: [UnitVariants] = []
    func add(_ name: String, _ change: (inout Float32Steps) -> Void) {
      var turned = steps
      change(&turned)
      guard turned != steps else { return }
      var other = unit
      other.datapath = .float32(turned)
      variants.append(UnitVariants(name: name, unit: other))
    }
    if case .chains = steps.order, !steps.scalesProducts {
      let name =
        steps.fusedMultiplyAdd ? "products rounded before they are added" : "fused multiply-add"
      add(name) { $0.fusedMultiplyAdd.toggle() }
    }
    // Only chains have fused operations.
    for (name, order) in [
      ("terms added one after the other", Float32Steps.Order.sequential),
      ("terms added in pairs", .pairwise),
    ] where order != steps.order {
      add(name) {
        $0.order = order
        $0.fusedMultiplyAdd = false
      }
    }
    add("subnormal operands kept") { $0.inputSubnormals = .keep }
    add("subnormal operands read as zeros") { $0.inputSubnormals = .flushToSignedZero }
    add("subnormal sums \(steps.flushesResults ? "kept" : "flushed")") {
      $0.flushesResults.toggle()
    }
    return variants
  }

  private static func fused(_ unit: Accumulator, _ step: FusedStep) -> [UnitVariants] {
    var variants: [UnitVariants] = []
    func add(_ name: String, _ change: (inout FusedStep) -> Void) {
      var turned = step
      change(&turned)
      guard turned != step, isSound(turned) else { return }
      var other = unit
      other.datapath = .fused(turned)
      variants.append(UnitVariants(name: name, unit: other))
    }
    if let alignment = step.alignment {
      for fraction in [alignment.fraction - 1, alignment.fraction + 1] {
        add("an alignment that keeps \(fraction) fraction bits, not \(alignment.fraction)") {
          $0.alignment?.fraction = fraction
        }
      }
      for rounding in [Rounding.towardZero, .towardNegative, .toOdd, .tiesToEven] {
        add("terms aligned by \(rounding), not \(alignment.rounding)") {
          $0.alignment?.rounding = rounding
        }
      }
      add("zero terms that take no part in the largest exponent") {
        $0.alignment?.zeroExponent = nil
      }
      add("an exact sum") { $0.alignment = nil }
    }
    if step.splitsEvenOdd {
      add("even and odd lanes aligned together") { $0.splitsEvenOdd = false }
    }
    if step.infiniteProducts {
      add("products beyond 2^128 that stay finite") { $0.infiniteProducts = false }
    }
    for (name, join) in joins(step) {
      add(name) {
        $0.join = join
        if case .late = join { return }
        $0.splitsEvenOdd = false
      }
    }
    return variants
  }

  /// Whether the engines have such a step, as the format tables demand it.
  private static func isSound(_ step: FusedStep) -> Bool {
    guard (-1...64).contains(step.alignment?.fraction ?? 0) else { return false }
    guard case .late(let late) = step.join else {
      return !step.splitsEvenOdd && (step.scaling == .none || step.join == .fused)
    }
    let widths = [late.sumFraction, late.addendFraction, late.resultFraction ?? 0]
    return step.alignment != nil && step.scaling == .none
      && widths.allSatisfy { (0...64).contains($0) }
  }

  /// Other ways in which c meets the products.
  private static func joins(_ step: FusedStep) -> [(String, FusedStep.Join)] {
    switch step.join {
    case .fused: return [("c added to the rounded sum of products", .add(.tiesToEven))]
    case .add(let mode):
      let modes = Rounding.deterministic.filter { $0 != mode }
      return modes.map { ("a sum of products rounded by \($0), not \(mode)", .add($0)) }
        + [("c as one more term of the sum", .fused)]
    case .late(let late): return lateJoins(late)
    }
  }

  /// A late join with one of its numbers changed.
  private static func lateJoins(_ late: FusedStep.LateJoin) -> [(String, FusedStep.Join)] {
    var joins: [(String, FusedStep.Join)] = [("c as one more term of the sum", .fused)]
    func add(_ name: String, _ change: (inout FusedStep.LateJoin) -> Void) {
      var turned = late
      change(&turned)
      if turned != late { joins.append((name, .late(turned))) }
    }
    for by in [-1, 1] {
      let (sum, addend) = (late.sumFraction + by, late.addendFraction + by)
      add("a sum of products that keeps \(sum) fraction bits when c joins, not \(late.sumFraction)")
      {
        $0.sumFraction = sum
      }
      add("a c that keeps \(addend) fraction bits, not \(late.addendFraction)") {
        $0.addendFraction = addend
      }
      if let result = late.resultFraction {
        add("a joined sum that keeps \(result + by) fraction bits, not \(result)") {
          $0.resultFraction = result + by
        }
      }
      if let drop = late.dropsBelow {
        add("a c that is dropped below 2^-\(drop + by) of the sum, not 2^-\(drop)") {
          $0.dropsBelow = drop + by
        }
      }
    }
    add("a joined sum that is not cut before it is rounded") { $0.resultFraction = nil }
    add("a small c that is not dropped") { $0.dropsBelow = nil }
    add("a small c that is dropped") { $0.dropsBelow = late.dropsBelow ?? late.sumFraction }
    return joins
  }
}
