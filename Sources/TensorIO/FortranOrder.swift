/// Reads an array stored with the first axis fastest as if it were row-major.
enum FortranOrder {
  /// Copies the elements at row-major indices `range` to `output`, one after the other.
  ///
  /// - Parameters:
  ///   - shape: at least one axis, none empty when `range` is not.
  ///   - width: bytes per element: 1, 2, 4 or 8.
  static func gather(
    _ source: UnsafeRawBufferPointer, shape: [Int], width: Int, range: Range<Int>,
    into output: UnsafeMutableRawBufferPointer
  ) {
    switch width {
    case 1: gather(source, shape, range, output, UInt8.self)
    case 2: gather(source, shape, range, output, UInt16.self)
    case 4: gather(source, shape, range, output, UInt32.self)
    default: gather(source, shape, range, output, UInt64.self)
    }
  }

  private static func gather<T: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawBufferPointer, _ shape: [Int], _ range: Range<Int>,
    _ output: UnsafeMutableRawBufferPointer, _: T.Type
  ) {
    guard let base = source.baseAddress, let result = output.baseAddress, let last = shape.last,
      !range.isEmpty
    else { return }
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in 1..<max(1, shape.count) { strides[axis] = strides[axis - 1] * shape[axis - 1] }
    var position = [Int](repeating: 0, count: shape.count)
    var rest = range.lowerBound
    for axis in shape.indices.reversed() {
      (rest, position[axis]) = rest.quotientAndRemainder(dividingBy: shape[axis])
    }
    let width = MemoryLayout<T>.size
    let step = strides[shape.count - 1] * width
    var done = 0
    while done < range.count {
      let run = min(last - position[shape.count - 1], range.count - done)
      var offset = zip(position, strides).reduce(0) { $0 + $1.0 * $1.1 } * width
      for index in 0..<run {
        result.storeBytes(
          of: base.loadUnaligned(fromByteOffset: offset, as: T.self),
          toByteOffset: (done &+ index) &* width, as: T.self)
        offset &+= step
      }
      done += run
      advance(&position, by: run, shape: shape)
    }
  }

  /// Moves a position on by `run` elements that do not leave the last axis's line.
  private static func advance(_ position: inout [Int], by run: Int, shape: [Int]) {
    var axis = shape.count - 1
    position[axis] += run
    while axis > 0, position[axis] == shape[axis] {
      position[axis] = 0
      axis -= 1
      position[axis] += 1
    }
  }
}
