/// The type of one stored number, under its safetensors name.
///
/// Source: the `Dtype` enumeration of the safetensors crate (safetensors/src/tensor.rs, 0.7).
public enum TensorDType: String, Sendable, Hashable, CaseIterable {
  case bool = "BOOL"
  case u8 = "U8"
  case i8 = "I8"
  case u16 = "U16"
  case i16 = "I16"
  case u32 = "U32"
  case i32 = "I32"
  case u64 = "U64"
  case i64 = "I64"
  case f16 = "F16"
  case bf16 = "BF16"
  case f32 = "F32"
  case f64 = "F64"
  /// OCP E4M3 (ml_dtypes `float8_e4m3fn`).
  case f8e4m3 = "F8_E4M3"
  case f8e5m2 = "F8_E5M2"
  case f8e8m0 = "F8_E8M0"
  case f8e4m3fnuz = "F8_E4M3FNUZ"
  case f8e5m2fnuz = "F8_E5M2FNUZ"
  /// E2M1, two per byte.
  case f4 = "F4"
  case f6e2m3 = "F6_E2M3"
  case f6e3m2 = "F6_E3M2"
  /// Complex numbers of two F32.
  case c64 = "C64"

  /// Storage of one element in bits: 4, 6, 8, 16, 32 or 64.
  public var bits: Int {
    switch self {
    case .f4: 4
    case .f6e2m3, .f6e3m2: 6
    case .bool, .u8, .i8, .f8e4m3, .f8e5m2, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz: 8
    case .u16, .i16, .f16, .bf16: 16
    case .u32, .i32, .f32: 32
    case .u64, .i64, .f64, .c64: 64
    }
  }

  /// Whether the elements are floating-point numbers, which is what a command takes by default.
  public var isFloating: Bool {
    switch self {
    case .f16, .bf16, .f32, .f64, .f8e4m3, .f8e5m2, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz, .f4,
      .f6e2m3, .f6e3m2:
      true
    case .bool, .u8, .i8, .u16, .i16, .u32, .i32, .u64, .i64, .c64: false
    }
  }

  /// What reading an element as float32 does.
  public enum Float32Reading: Sendable, Hashable {
    /// Every value is kept.
    case exact
    /// A value that float32 lacks is rounded once, by tiesToEven.
    case rounds
    /// Packed below a byte, or complex: only the raw bytes can be read.
    case unavailable
  }

  public var float32Reading: Float32Reading {
    switch self {
    case .f64, .u32, .i32, .u64, .i64: .rounds
    case .f4, .f6e2m3, .f6e3m2, .c64: .unavailable
    default: .exact
    }
  }

  /// The alignment a mapped tensor of this type wants, in bytes.
  var alignment: Int { max(1, min(8, bits / 8)) }

  /// NumPy's little-endian type string, for the types that .npy files written here may hold.
  var npyDescription: String? {
    switch self {
    case .bool: "|b1"
    case .u8: "|u1"
    case .i8: "|i1"
    case .u16: "<u2"
    case .i16: "<i2"
    case .u32: "<u4"
    case .i32: "<i4"
    case .u64: "<u8"
    case .i64: "<i8"
    case .f16: "<f2"
    case .f32: "<f4"
    case .f64: "<f8"
    default: nil
    }
  }
}

/// More elements than any file holds; a bound that keeps every later product of lengths, block
/// counts and paddings far below 2^63.
private let maximumElements = 1 << 48

/// What `elementCount` and `storageBytes` ask of a shape, for messages.
let possibleShape = "lengths from 0 up, at most 2^48 elements, whole bytes"

/// Bytes that `shape` elements of `dtype` take, or nil where the shape is impossible.
func storageBytes(shape: [Int], dtype: TensorDType) -> Int? {
  guard let count = elementCount(shape: shape), count * dtype.bits % 8 == 0 else { return nil }
  return count * dtype.bits / 8
}

/// The product of the lengths (1 for no axes), or nil where one is negative or the product of
/// those above 0 exceeds the bound. A zero excuses no other length.
func elementCount(shape: [Int]) -> Int? {
  var count = 1
  for length in shape where length != 0 {
    let (product, overflow) = count.multipliedReportingOverflow(by: length)
    guard length > 0, !overflow, product <= maximumElements else { return nil }
    count = product
  }
  return shape.contains(0) ? 0 : count
}
