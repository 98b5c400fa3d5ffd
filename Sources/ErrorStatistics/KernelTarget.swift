import CBlockKernels

/// The instruction set of the statistics' inner loops. Every one gives the same bits; one that the
/// machine lacks is replaced by the best it has.
public enum KernelTarget: Sendable, CaseIterable {
  case automatic, avx512, avx2, baseline

  var code: Int32 {
    switch self {
    case .automatic: Int32(BK_ERROR_AUTO)
    case .avx512: Int32(BK_ERROR_AVX512)
    case .avx2: Int32(BK_ERROR_AVX2)
    case .baseline: Int32(BK_ERROR_BASELINE)
    }
  }

  /// Whether this machine runs the target's own loops.
  public var isSupported: Bool { bk_error_target_supported(code) != 0 }
}
