import FormatCatalog
import NumberFormats
import Testing

/// SplitMix64: the tests' own numbers, the same on every machine.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Roughly normal, exact in float32.
  mutating func normal() -> Float {
    var sum: Float = 0
    for _ in 0..<4 { sum += Float(Int(next() >> 40)) / 16_777_216 - 0.5 }
    return sum * 1.7
  }
}

/// What fills a tensor.
enum Filling: String, CaseIterable, CustomTestStringConvertible {
  case normal, bf16, ties, wide, specials, subnormal, huge, powers
  var testDescription: String { rawValue }

  func values(_ count: Int, seed: UInt64) -> [Float] {
    var random = SplitMix(seed)
    return (0..<count).map { index in
      switch self {
      case .normal: return random.normal()
      case .bf16: return Float(bitPattern: random.normal().bitPattern & 0xffff_0000)
      case .ties:
        // Half steps of small grids, so that boundaries are hit whenever the scale allows.
        let step = Float(Int(random.next() % 65) - 32) / 8
        return step * Float(sign: .plus, exponent: Int(random.next() % 3), significand: 1)
      case .wide:
        let bits = UInt32(truncatingIfNeeded: random.next())
        let value = Float(bitPattern: bits)
        return value.isFinite ? value : 1
      case .specials:
        switch random.next() % 40 {
        case 0: return index % 3 == 0 ? .nan : 1
        case 1: return index % 5 == 0 ? .infinity : -2
        case 2: return index % 7 == 0 ? -.infinity : 0
        case 3...8: return -0.0
        case 9...14: return 0
        default: return random.normal()
        }
      case .subnormal:
        return Float(bitPattern: UInt32(truncatingIfNeeded: random.next()) & 0x80ff_ffff)
      case .powers:
        // Just below, at and just above a power of two, where float32 logarithms go wrong.
        let exponent = UInt32(random.next() % 254 + 1)
        let offset = UInt32(truncatingIfNeeded: random.next() % 160) &- 80
        return Float(bitPattern: (exponent << 23) &+ offset)
      case .huge:
        return Float(
          bitPattern: UInt32(truncatingIfNeeded: random.next()) | 0x7e00_0000 & 0xfeff_ffff)
      }
    }
  }
}

func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }

func described(_ value: Float) -> String {
  "\(value) \(hex(value.bitPattern)) 0b\(String(value.bitPattern, radix: 2))"
}

/// One code out of a buffer of `bytes` wide codes.
func code(_ buffer: [UInt8], _ index: Int, _ bytes: Int) -> UInt32 {
  buffer.withUnsafeBytes { raw in
    switch bytes {
    case 1: UInt32(raw[index])
    case 2: UInt32(raw.load(fromByteOffset: index * 2, as: UInt16.self))
    default: raw.load(fromByteOffset: index * 4, as: UInt32.self)
    }
  }
}

let catalog: FormatCatalog = {
  do { return try FormatCatalog.standard() } catch { fatalError("\(error)") }
}()
