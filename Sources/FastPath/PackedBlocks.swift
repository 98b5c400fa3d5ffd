import CBlockKernels
import KernelDescriptors
import NumberFormats

extension VectorEngine {
  /// Quantises by an exact recipe with tiesToEven and stores 4-bit codes two a byte, low nibble
  /// first, each row starting at a byte: what a stack writes to memory.
  ///
  /// - Parameters:
  ///   - spec: an exact recipe of a format with 4-bit elements.
  ///   - packed: room for rows × ⌈columns/2⌉ bytes.
  ///   - scales: room for `grid.blockCount` scales.
  public func quantizePacked(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, packed: UnsafeMutableRawBufferPointer,
    scales: UnsafeMutableBufferPointer<UInt32>
  ) -> QuantizeCounts {
    precondition(spec.format.element.bits == 4 && spec.recipe.isExact)
    let job = KernelJob(spec, tensorScale: tensorScale.decode)
    var grid = kernelGrid(grid)
    return withExtendedLifetime(job) {
      let result = withUnsafePointer(to: job.raw) {
        bk_quantize_packed(
          target.raw, $0, &grid, values.baseAddress, packed.baseAddress, scales.baseAddress)
      }
      return QuantizeCounts(clampedScales: Int(result.clamped_scales))
    }
  }

  /// The inverse of `quantizePacked`: code·s·T rounded once to float32.
  public func dequantizePacked(
    _ packed: UnsafeRawBufferPointer, scales: UnsafeBufferPointer<UInt32>, grid: BlockGrid,
    spec: QuantizationSpec, tensorScale: TensorScale, into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(spec.format.element.bits == 4)
    let job = KernelJob(spec, tensorScale: tensorScale.decode)
    var grid = kernelGrid(grid)
    withExtendedLifetime(job) {
      withUnsafePointer(to: job.raw) {
        bk_dequantize_packed(
          target.raw, $0, &grid, packed.baseAddress, scales.baseAddress, output.baseAddress)
      }
    }
  }
}
