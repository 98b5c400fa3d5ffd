import FoundationEssentials
import GoldenVectors
import Measurement
import NumberFormats

/// One result to be measured: a tensor quantised in one way, or two multiplied in one way.
public struct WorkItem: Sendable, Hashable {
  /// Numbers count in ``WorkList/tensors``.
  public enum Kind: Sendable, Hashable {
    case tensor(Int, ErrorCase)
    /// A and B.
    case product(Int, Int, MatmulRequest)
  }
  public var kind: Kind
  /// About how long it takes, in nanoseconds of one core: only shares of it count.
  public var work: Double

  /// The tensors it reads.
  var tensors: [Int] {
    switch kind {
    case .tensor(let index, _): [index]
    case .product(let a, let b, _): a == b ? [a] : [a, b]
    }
  }
}

/// The version of the numbers that this program computes. It goes up with every entry under
/// "Numerical changes" in CHANGELOG.md: results of two versions never share a store.
public let numericsVersion = 1

/// Everything that decides a result, and nothing else; its hash is the result's key.
struct WorkIdentity: Encodable {
  var numerics = numericsVersion
  var kind: String
  var tensor: String
  var tensorHash: String
  var other: String?
  var otherHash: String?
  var transposesB: Bool?
  var formatHash: String?
  var formatBHash: String?
  var block: String
  var blockB: String?
  var axis: Int
  var recipeHash: String?
  var recipeBHash: String?
  var rounding: String?
  var roundingB: String?
  var tensorScale: String?
  var computeType: String?
  var accumulatorHash: String?
  var transform: String
  var fraction: String?
  var seed: UInt64?

  /// SHA-256 of the canonical JSON: keys in order, no white space, absent fields left out.
  var key: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      var hash = SHA256()
      hash.update([UInt8](try encoder.encode(self)))
      return hash.hexadecimal()
    }
  }
}

extension QuantizationSpec {
  /// Whether random numbers take part.
  var isRandom: Bool {
    if case .stochastic? = rounding { return true }
    return false
  }

  var seed: UInt64? {
    guard isRandom, case .philox(let seed) = randomBits else { return nil }
    return seed
  }

  var tensorScaleText: String {
    switch tensorScale {
    case .auto: "auto"
    case .none: "none"
    case .given(let factor): "\(factor)"
    }
  }
}
