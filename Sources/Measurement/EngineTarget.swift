import NumberFormats
import Reference

/// Which engine computes: the values of `--target`.
public enum EngineTarget: String, Sendable, Hashable, CaseIterable {
  /// The best instruction set of this machine.
  case auto
  case avx512, avx2, baseline
  /// MPFR: slow, and the definition of every result.
  case reference
}

/// The engine for a target.
///
/// - Throws: `MeasurementError.usage` where the machine lacks the instruction set.
public func makeEngine(target: EngineTarget) throws(MeasurementError) -> any QuantizationEngine {
  MPFREngine()
}

/// The engine that defines every result.
public func makeReferenceEngine() -> any QuantizationEngine { MPFREngine() }
