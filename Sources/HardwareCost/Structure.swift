/// The kinds of circuit that a dot-product unit is made of, each counted in bits.
///
/// Negating a product has none of its own: ABC folds its gates into the shifter's and the adder's.
public enum Structure: String, Sendable, CaseIterable {
  /// A bit of an adder in a multiplier, with the AND gates of its partial products.
  case multiplier
  /// A bit of one stage of a shifter: a multiplexer. Also a bit of a table.
  case shifter
  /// A bit of an adder: a full adder with its share of the carries.
  case adder
  /// A bit of the word that joins a block with `c`, outside its shifters: select, add, round.
  case joinWord = "join_word"
  /// What every joined block needs once: decoding `c`, exponents, infinities and NaN.
  case join
}

/// How many bits of each structure.
public struct StructureCount: Sendable {
  private var counts: [Structure: Int] = [:]

  public init() {}

  public subscript(structure: Structure) -> Int {
    get { counts[structure] ?? 0 }
    set { counts[structure] = newValue }
  }

  static func + (left: StructureCount, right: StructureCount) -> StructureCount {
    var sum = left
    for structure in Structure.allCases { sum[structure] += right[structure] }
    return sum
  }

  static func * (factor: Int, count: StructureCount) -> StructureCount {
    var product = count
    for structure in Structure.allCases { product[structure] *= factor }
    return product
  }
}
