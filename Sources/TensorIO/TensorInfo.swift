/// One tensor of a file, as its header describes it.
public struct TensorInfo: Sendable, Hashable {
  public let name: String
  public let dtype: TensorDType
  /// Lengths of the axes, row-major; empty for a single number.
  public let shape: [Int]
  /// Where its bytes lie, counted from the start of the file (of the uncompressed entry in .npz).
  public let byteRange: Range<Int>
  /// Whether the file stores the first axis fastest. Reading presents row-major order all the same.
  public let isFortranOrder: Bool
  /// Whether the file stores the most significant byte first.
  public let isBigEndian: Bool
  /// The number of elements.
  public let count: Int
  /// Which of the file's byte sources holds it.
  let source: Int

  init(
    name: String, dtype: TensorDType, shape: [Int], byteRange: Range<Int>,
    isFortranOrder: Bool = false, isBigEndian: Bool = false, count: Int, source: Int = 0
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.byteRange = byteRange
    self.isFortranOrder = isFortranOrder
    self.isBigEndian = isBigEndian
    self.count = count
    self.source = source
  }

  /// The same bytes seen as if the file were in row-major order: for passes that visit every
  /// element and ask nothing of their order.
  public var inStoredOrder: TensorInfo {
    TensorInfo(
      name: name, dtype: dtype, shape: shape, byteRange: byteRange, isBigEndian: isBigEndian,
      count: count, source: source)
  }

  func placed(inSource source: Int, named newName: String? = nil) -> TensorInfo {
    TensorInfo(
      name: newName ?? name, dtype: dtype, shape: shape, byteRange: byteRange,
      isFortranOrder: isFortranOrder, isBigEndian: isBigEndian, count: count, source: source)
  }
}

/// An entry of a file that is not offered as a tensor.
public struct SkippedEntry: Sendable, Hashable {
  public let name: String
  public let reason: String
}
