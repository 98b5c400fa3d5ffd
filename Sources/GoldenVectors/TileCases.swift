/// Cases of tiles: lines of the sums' own cases, side by side.
///
/// Output (i, i) of a tile is a case of the class asked for, with its own c; the other outputs are
/// the same lines crossed.
struct TileCases {
  /// Of `matmul`.
  let spec: VectorSpec
  /// Of one output.
  let sums: SumCases

  /// Cases of one output in each tile.
  private var sides: Int { max(spec.rows, spec.columns) }

  func make(
    _ kind: CaseClass, _ index: Int, _ words: inout CaseRandom
  ) throws(VectorsError) -> [UInt64] {
    var lines: [[UInt64]] = []
    for side in 0..<sides { lines.append(try line(kind, index, side, &words)) }
    return numbers(lines, &words)
  }

  /// Case `side` of the tile's own.
  private func line(
    _ kind: CaseClass, _ index: Int, _ side: Int, _ words: inout CaseRandom
  ) throws(VectorsError) -> [UInt64] {
    switch kind {
    case .zeros, .signedZeros, .tailBlocks:
      // The whole tile has the same zeros.
      return try sums.make(kind, index, &words)
    case .permuted:
      return try sums.make(kind, 2 * (index / 2 * sides + side) + index % 2, &words)
    case .nanInfPerLane, .nanScales:
      // One row or column alone, so that its results are told from its neighbours'.
      let turn = index % sides == side
      return try sums.make(turn ? kind : .random, index / sides, &words)
    case .walkingElement:
      let made = try sums.make(kind, index / sides, &words)
      return index % sides == side ? made : cleared(made)
    default: return try sums.make(kind, index * sides + side, &words)
    }
  }

  /// A line without terms.
  private func cleared(_ line: [UInt64]) -> [UInt64] {
    let zeros = [UInt64](repeating: UInt64(sums.codes.plusZero), count: 2 * spec.depth)
    return zeros + line[(2 * spec.depth)...]
  }

  /// The lines in the order of the tile's fields.
  private func numbers(_ lines: [[UInt64]], _ words: inout CaseRandom) -> [UInt64] {
    let depth = spec.depth
    let blocks = sums.blocks
    var numbers: [UInt64] = []
    for line in lines.prefix(spec.rows) { numbers += line[..<depth] }
    for line in lines.prefix(spec.columns) { numbers += line[depth..<(2 * depth)] }
    if spec.isScaled {
      let start = 2 * depth
      for line in lines.prefix(spec.rows) { numbers += line[start..<(start + blocks)] }
      for line in lines.prefix(spec.columns) {
        numbers += line[(start + blocks)..<(start + 2 * blocks)]
      }
    }
    if spec.hasTensorScale { for _ in 0..<2 { numbers.append(tensorScale(&words)) } }
    for row in 0..<spec.rows {
      for column in 0..<spec.columns {
        let side = row == column ? row : (row + column) % sides
        numbers.append(lines[side].last ?? 0)
      }
    }
    return numbers
  }

  /// 1, a power of two near it, or any float32 of 2^-8 to 2^8.
  private func tensorScale(_ words: inout CaseRandom) -> UInt64 {
    let word = words.next()
    let exponent = UInt32(127 + words.within(-8...7))
    switch word & 3 {
    case 0: return 0x3F80_0000
    case 1: return UInt64(exponent << 23)
    default: return UInt64(exponent << 23 | word >> 9)
    }
  }
}
