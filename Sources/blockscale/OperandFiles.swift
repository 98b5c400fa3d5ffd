import FoundationEssentials
import GoldenVectors
import Measurement
import NumberFormats
import TensorIO

/// Operands of `vectors` from .npy files: A, B, and perhaps SA, SB and C.
struct OperandFiles {
  let operands: VectorOperands
  let depth: Int
  let isScaled: Bool
  /// For matmul: what was asked for, else all outputs as one tile.
  let tile: TileShape?

  private static func path(_ place: String, _ name: String) -> String {
    FileManager.default.fileExists(atPath: "\(place)/A.npy")
      ? "\(place)/\(name).npy" : "\(place).\(name).npy"
  }

  /// - Parameters:
  ///   - place: a folder, or what the files' names begin with.
  ///   - block: Q_b of SA and SB; nil: the format's own.
  ///   - pairs: whether row i of A meets row i of B. They do so unasked where B has A's shape, not
  ///     that of a product, and where C has one axis.
  init(
    _ place: String, operation: VectorOperation, format: BlockFormat, block: BlockShape?,
    tile: TileShape?, pairs: Bool, unit: Accumulator
  ) throws {
    func path(_ name: String) -> String { Self.path(place, name) }
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
    let bytes = format.element.codeBytes
    let types: [TensorDType] = [bytes == 1 ? .u8 : bytes == 2 ? .u16 : .u32]
    var product = CodeProduct(
      a: try CodeArray(path("A"), types: types), b: try CodeArray(path("B"), types: types), c: nil,
      elementA: format.element, elementB: format.element, scalesA: nil, scalesB: nil,
      accumulator: unit)
    isScaled = exists("SA") || exists("SB")
    if isScaled {
      guard case .line(let size) = block ?? format.block else {
        throw UsageError("--block: expected N with scales")
      }
      let stored: [TensorDType] =
        format.scale.storedBits == 8
        ? [.u8] : format.scale.storedBits == 16 ? [.u16, .f16] : [.u32, .f32]
      product.scalesA = (try CodeArray(path("SA"), types: stored), format.scale, size)
      product.scalesB = (try CodeArray(path("SB"), types: stored), format.scale, size)
      if operation == .dot, product.a.columns > size {
        throw UsageError(
          "--op dot: a dot is one block of \(size), and \(path("A")) has k ="
            + " \(product.a.columns) (expected --op mma or matmul)")
      }
    }
    var c: CodeArray?
    if exists("C") {
      let type = product.outputType().dtype
      c = try CodeArray(path("C"), types: [type], takesLine: true)
    }
    let (a, b) = (product.a, product.b)
    let isAlike = a.rows == b.rows && a.columns == b.columns
    let meet = pairs || isAlike && (a.columns != b.rows || c?.isLine == true)
    product.isPaired = meet
    if operation == .dot, let c {
      guard c.values.allSatisfy({ $0 == 0 }) else {
        throw UsageError("\(c.path): a dot adds no c (expected --op mma, or zeros)")
      }
    }
    if !meet { product.c = c }
    let problem = try product.problem()
    guard problem.depth > 0, problem.rows > 0, problem.columns > 0 else {
      throw UsageError("--operands: expected at least one term and one output")
    }
    if meet, let c, c.values.count != a.rows || c.columns != 1 {
      throw MeasurementError.badData(
        file: c.path, tensor: c.tensor,
        "shape [\(c.rows), \(c.columns)], expected one number for each of the \(a.rows) pairs")
    }
    operands = VectorOperands(
      problem, meeting: meet ? .pairs : .product, pairedC: meet ? c?.values : nil)
    depth = problem.depth
    guard operation == .matmul else {
      self.tile = nil
      return
    }
    let whole = TileShape(
      rows: meet ? 1 : problem.rows, columns: meet ? 1 : problem.columns, depth: depth)
    self.tile = tile ?? whole
    if let tile, tile.depth != depth {
      throw UsageError("--tile \(tile): \(a.path) has k = \(depth)")
    }
  }
}
