import NumberFormats

/// The row-major indices of one block's elements, in order (spec/exact.md, step 1: tiles clipped at
/// the right and bottom edges).
struct BlockElements: RandomAccessCollection {
  /// Index of the block's first element.
  private let origin: Int
  /// Length of a row of the tensor's matrices.
  private let stride: Int
  private let width: Int
  let endIndex: Int
  var startIndex: Int { 0 }

  init(block index: Int, of grid: BlockGrid) {
    let (line, blockColumn) = index.quotientAndRemainder(dividingBy: grid.blockColumns)
    let (matrix, blockRow) = line.quotientAndRemainder(dividingBy: grid.blockRows)
    let row = blockRow * grid.tileRows
    let column = blockColumn * grid.tileColumns
    origin = (matrix * grid.rows + row) * grid.columns + column
    stride = grid.columns
    width = Swift.min(grid.tileColumns, grid.columns - column)
    endIndex = width * Swift.min(grid.tileRows, grid.rows - row)
  }

  subscript(position: Int) -> Int {
    origin + position / width * stride + position % width
  }
}

/// Codes stored one per element in 1, 2 or 4 bytes, little-endian.
struct CodeBuffer {
  let bytes: UnsafeMutableRawBufferPointer
  let width: Int

  subscript(index: Int) -> UInt32 {
    nonmutating set {
      switch width {
      case 1: bytes[index] = UInt8(truncatingIfNeeded: newValue)
      case 2:
        bytes.storeBytes(
          of: UInt16(truncatingIfNeeded: newValue).littleEndian, toByteOffset: 2 * index,
          as: UInt16.self)
      default:
        bytes.storeBytes(of: newValue.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
      }
    }
    get { CodeReader(bytes: UnsafeRawBufferPointer(bytes), width: width)[index] }
  }
}

/// Reads what `CodeBuffer` stores.
struct CodeReader {
  let bytes: UnsafeRawBufferPointer
  let width: Int

  subscript(index: Int) -> UInt32 {
    switch width {
    case 1: UInt32(bytes[index])
    case 2:
      UInt32(
        UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
    default:
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
    }
  }
}

/// The random bits of stochastic rounding, checked; 0 for the other roundings.
struct RandomSource {
  let rounding: Rounding
  let bits: RandomBits

  /// The bits of the element at row-major `position` in the tensor.
  func value(at position: Int) throws(QuantizeError) -> UInt32 {
    guard case .stochastic(let width) = rounding else { return 0 }
    if case .given(let values) = bits {
      guard position < values.count, UInt64(values[position]) < UInt64(1) << UInt64(width) else {
        throw .badRandomBits(position: position)
      }
    }
    return bits.value(at: position, bits: width)
  }
}
