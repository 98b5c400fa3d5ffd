/// M × N outputs of K terms each.
public struct TileShape: Sendable, Hashable, CustomStringConvertible {
  /// M, 1 to 64.
  public var rows: Int
  /// N, 1 to 64.
  public var columns: Int
  /// K, at least 1.
  public var depth: Int

  public init(rows: Int, columns: Int, depth: Int) {
    self.rows = rows
    self.columns = columns
    self.depth = depth
  }

  /// Reads `MxNxK`; nil otherwise, and for sizes below 1.
  public init?(_ text: String) {
    let parts = text.lowercased().split(separator: "x", omittingEmptySubsequences: false)
      .map { Int($0) }
    guard parts.count == 3, let rows = parts[0], let columns = parts[1], let depth = parts[2],
      min(rows, columns, depth) >= 1
    else { return nil }
    self.init(rows: rows, columns: columns, depth: depth)
  }

  public var description: String { "\(rows)x\(columns)x\(depth)" }

  /// Codes of both operands that a word may hold.
  static let mostCodes = 1 << 16

  /// - Throws: `usage` for a tile that is no small one.
  func check() throws(VectorsError) {
    guard (1...64).contains(rows), (1...64).contains(columns), depth >= 1,
      depth <= Self.mostCodes / (rows + columns)
    else {
      throw .usage(
        "--tile \(self): expected at most 64 rows, 64 columns and \(Self.mostCodes) codes of both"
          + " operands")
    }
  }
}
