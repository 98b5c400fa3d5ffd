/// How a matrix of 8-bit scales (rows × blocks along a row) lies in memory.
public enum ScaleLayout: String, Sendable, Hashable, CaseIterable {
  /// Row-major.
  case linear
  /// Tiles of 128 rows by 4 blocks, 512 bytes each, as the tensor cores' block-scaled products
  /// read them. Source: spec/recipes.md section 3.8 (SWIZZLED_128x4), the same as CUTLASS's
  /// scale-factor atom (section 3.10) and torchao's `to_blocked`.
  case swizzled128x4 = "128x4"

  /// Rows and columns of the stored matrix: padded to 128 and 4 when swizzled.
  public func storedShape(rows: Int, columns: Int) -> (rows: Int, columns: Int) {
    switch self {
    case .linear: (rows, columns)
    case .swizzled128x4: ((rows + 127) / 128 * 128, (columns + 3) / 4 * 4)
    }
  }

  /// Where the scale of `row` and `column` lies, given how many columns there are before padding.
  public func offset(row: Int, column: Int, columns: Int) -> Int {
    switch self {
    case .linear:
      return row * columns + column
    case .swizzled128x4:
      let tile = row / 128 * ((columns + 3) / 4) + column / 4
      return tile * 512 + row % 32 * 16 + row % 128 / 32 * 4 + column % 4
    }
  }

  /// Rearranges row-major scales; the padding is 0.
  public func arrange(_ scales: [UInt8], rows: Int, columns: Int) -> [UInt8] {
    guard self != .linear else { return scales }
    let stored = storedShape(rows: rows, columns: columns)
    var result = [UInt8](repeating: 0, count: stored.rows * stored.columns)
    for row in 0..<rows {
      for column in 0..<columns {
        result[offset(row: row, column: column, columns: columns)] = scales[row * columns + column]
      }
    }
    return result
  }

  /// The inverse of `arrange`: drops the padding.
  public func restore(_ stored: [UInt8], rows: Int, columns: Int) -> [UInt8] {
    guard self != .linear else { return stored }
    var result: [UInt8] = []
    result.reserveCapacity(rows * columns)
    for row in 0..<rows {
      for column in 0..<columns {
        result.append(stored[offset(row: row, column: column, columns: columns)])
      }
    }
    return result
  }
}
