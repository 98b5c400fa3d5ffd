/// Turns stored numbers into float32.
///
/// F16, BF16, the 8-bit floats, 8- and 16-bit integers and booleans (0 or 1) are exact, NaN
/// payloads of F16 and BF16 included. F64 and wider integers are rounded once, by tiesToEven.
package enum Float32Conversion {
  /// - Parameters:
  ///   - source: the elements' bytes, of any alignment.
  ///   - output: as many numbers as there are elements.
  /// - Returns: how many values float32 could not hold and were rounded.
  static func convert(
    _ dtype: TensorDType, bigEndian: Bool, _ source: UnsafeRawBufferPointer,
    into output: UnsafeMutableBufferPointer<Float>
  ) -> Int {
    guard bigEndian else { return littleEndian(dtype, source, into: output) }
    let width = dtype.bits / 8
    let chunk = 2048
    return withUnsafeTemporaryAllocation(byteCount: chunk * width, alignment: 8) { staging in
      var rounded = 0
      var done = 0
      while done < output.count {
        let count = min(chunk, output.count - done)
        for byte in 0..<(count * width) {
          let (element, place) = (byte / width, byte % width)
          staging[element * width + width - 1 - place] = source[done * width + byte]
        }
        rounded += littleEndian(
          dtype, UnsafeRawBufferPointer(rebasing: staging[..<(count * width)]),
          into: UnsafeMutableBufferPointer(rebasing: output[done..<(done + count)]))
        done += count
      }
      return rounded
    }
  }

  private static func littleEndian(
    _ dtype: TensorDType, _ source: UnsafeRawBufferPointer,
    into output: UnsafeMutableBufferPointer<Float>
  ) -> Int {
    switch dtype {
    case .f32: widen(source, output, UInt32.self) { Float(bitPattern: $0) }
    case .bf16: widen(source, output, UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .f16: widen(source, output, UInt16.self, halfToFloat)
    case .bool: widen(source, output, UInt8.self) { $0 == 0 ? 0 : 1 }
    case .u8: widen(source, output, UInt8.self) { Float($0) }
    case .i8: widen(source, output, Int8.self) { Float($0) }
    case .u16: widen(source, output, UInt16.self) { Float($0) }
    case .i16: widen(source, output, Int16.self) { Float($0) }
    case .f8e4m3, .f8e5m2, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz:
      SmallFloatTable.of(dtype).withUnsafeBufferPointer { table in
        widen(source, output, UInt8.self) { table[Int($0)] }
      }
    case .u32: return round(source, output, UInt32.self) { ($0 &>> 24) == 0 || fits(UInt64($0)) }
    case .i32:
      return round(source, output, Int32.self) { fits(UInt64($0.magnitude)) }
    case .u64: return round(source, output, UInt64.self) { fits($0) }
    case .i64: return round(source, output, Int64.self) { fits($0.magnitude) }
    case .f64: return roundDoubles(source, output)
    case .f4, .f6e2m3, .f6e3m2, .c64: break
    }
    return 0
  }

  @inline(__always)
  private static func widen<T: BitwiseCopyable>(
    _ source: UnsafeRawBufferPointer, _ output: UnsafeMutableBufferPointer<Float>, _: T.Type,
    _ value: (T) -> Float
  ) {
    guard let base = source.baseAddress, let result = output.baseAddress else { return }
    for index in 0..<output.count {
      let offset = index &* MemoryLayout<T>.size
      result[index] = value(base.loadUnaligned(fromByteOffset: offset, as: T.self))
    }
  }

  @inline(__always)
  private static func round<T: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawBufferPointer, _ output: UnsafeMutableBufferPointer<Float>, _: T.Type,
    _ isExact: (T) -> Bool
  ) -> Int {
    var rounded = 0
    widen(source, output, T.self) { (value: T) in
      if !isExact(value) { rounded &+= 1 }
      return Float(value)
    }
    return rounded
  }

  private static func roundDoubles(
    _ source: UnsafeRawBufferPointer, _ output: UnsafeMutableBufferPointer<Float>
  ) -> Int {
    var rounded = 0
    widen(source, output, UInt64.self) { bits in
      let value = Double(bitPattern: bits)
      let result = Float(value)
      if Double(result) != value, !value.isNaN { rounded &+= 1 }
      return result
    }
    return rounded
  }

  /// Whether an integer's significant bits fit the 24 of float32.
  @inline(__always)
  private static func fits(_ value: UInt64) -> Bool {
    value.leadingZeroBitCount + value.trailingZeroBitCount >= 40
  }

  /// IEEE binary16 to binary32, by bits: exponent and fraction move 13 places, and a product with
  /// 2^112 corrects the bias and makes subnormals normal, exactly.
  @inline(__always)
  package static func halfToFloat(_ half: UInt16) -> Float {
    let magnitude = UInt32(half & 0x7FFF) << 13
    let sign = UInt32(half & 0x8000) << 16
    let finite = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    let bits = magnitude >= 0x0F80_0000 ? magnitude | 0x7F80_0000 : finite
    return Float(bitPattern: bits | sign)
  }
}
