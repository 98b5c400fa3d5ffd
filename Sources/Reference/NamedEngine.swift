import NumberFormats

extension MPFREngine {
  func namedTensorScale(
    amax: Float, spec: QuantizationSpec, steps: NamedRecipe
  ) throws(QuantizeError) -> TensorScale { TensorScale(decode: 1) }
  func quantizeNamed(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    steps: NamedRecipe, tensorScale: TensorScale, firstElement: Int, codes: CodeBuffer,
    scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts { QuantizeCounts() }
  func dequantizeNamed(
    _ codes: CodeReader, scales: UnsafeBufferPointer<UInt32>, grid: BlockGrid,
    spec: QuantizationSpec, steps: NamedRecipe, tensorScale: TensorScale,
    into output: UnsafeMutableBufferPointer<Float>
  ) {}
}
