import NumberFormats

/// Step 10 of spec/recipes.md section 4: what the stack reads back from codes and a stored scale.
struct NamedDequantizer: ~Copyable {
  private let steps: NamedRecipe
  private let format: BlockFormat
  private let tensorScale: TensorScale
  private let arithmetic = Float32Arithmetic()
  private let exact: ExactDequantizer
  private let scale = Real()

  init(_ steps: NamedRecipe, format: BlockFormat, tensorScale: TensorScale) {
    self.steps = steps
    self.format = format
    self.tensorScale = tensorScale
    exact = ExactDequantizer(tensorScale: tensorScale.decode)
  }

  /// One block.
  func dequantize(
    _ codes: CodeReader, scale code: UInt32, elements: BlockElements,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    let s = decodeScale(code, format.scale)
    if steps.dequantize == .exact {
      // A stack whose bytes wrap has no NaN among them.
      if steps.scaleOverflow == .wrap, format.scale.isPowerOfTwo {
        scale.set(1, exponent: Int(code) - format.scale.layout.bias)
      } else {
        scale.set(s)
      }
      for index in elements { output[index] = exact.value(value(codes[index]), scale: scale) }
    } else {
      let factor = factor(s)
      for index in elements {
        output[index] = arithmetic.multiply(value(codes[index]), factor)
      }
    }
  }

  /// The element's value as the stack decodes it.
  private func value(_ code: UInt32) -> Float {
    let value = decodeElement(code, format.element)
    return value == 0 && steps.readNegativeZero == .unsigned ? 0 : value
  }

  /// The float32 number that a code is multiplied by.
  private func factor(_ s: Float) -> Float {
    let decode = tensorScale.decode
    switch steps.dequantize {
    case .exact, .scaleTimesPFirst: return arithmetic.multiply(s, decode)
    case .scaleTimesAmax:
      // Where only the factor is known, A is what gave it.
      let amax = tensorScale.amax ?? arithmetic.multiply(decode, 2688)
      return arithmetic.multiply(arithmetic.multiply(s, amax), arithmetic.reciprocal(2688))
    case .scaleOverG:
      return arithmetic.divide(s, tensorScale.encode ?? arithmetic.reciprocal(decode))
    }
  }
}
