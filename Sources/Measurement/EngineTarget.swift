import FastPath
import NumberFormats
import Reference

/// Which engine computes: the values of `--target`.
public enum EngineTarget: String, Sendable, Hashable, CaseIterable {
  /// The best instruction set of this machine.
  case auto
  case avx512, avx2, baseline
  /// MPFR: slow, and the definition of every result.
  case reference

  /// The vectorised engine's instruction set; nil for the reference.
  var vector: VectorTarget? {
    switch self {
    case .auto: .auto
    case .avx512: .avx512
    case .avx2: .avx2
    case .baseline: .baseline
    case .reference: nil
    }
  }
}

/// The engine for a target.
///
/// - Throws: `MeasurementError.usage` where the machine lacks the instruction set.
public func makeEngine(target: EngineTarget) throws(MeasurementError) -> any QuantizationEngine {
  guard let vector = target.vector else { return MPFREngine() }
  do throws(UnavailableTarget) {
    return try VectorEngine(target: vector)
  } catch {
    throw .usage("--target \(target.rawValue): \(error)")
  }
}

/// The engine that defines every result.
public func makeReferenceEngine() -> any QuantizationEngine { MPFREngine() }
