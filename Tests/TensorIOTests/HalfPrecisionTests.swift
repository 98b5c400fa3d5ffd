import TensorIO
import Testing

@Suite struct HalfPrecisionTests {
  @Test("Every binary16 pattern widens to the float32 of the same fields")
  func everyHalf() {
    for half in UInt16.min...UInt16.max {
      let sign: UInt32 = half & 0x8000 == 0 ? 0 : 0x8000_0000
      let exponent = Int(half >> 10 & 31)
      let fraction = UInt32(half & 0x3FF)
      let expected: UInt32
      if exponent == 31 {
        expected = sign | 0x7F80_0000 | fraction << 13
      } else {
        let significand = exponent == 0 ? fraction : fraction | 0x400
        let magnitude = Float(
          sign: .plus, exponent: max(exponent, 1) - 25, significand: Float(significand))
        expected = sign | magnitude.bitPattern
      }
      let observed = Float32Conversion.halfToFloat(half).bitPattern
      #expect(
        observed == expected,
        "\(String(half, radix: 16)): \(String(expected, radix: 16)), \(String(observed, radix: 16))"
      )
    }
  }
}
