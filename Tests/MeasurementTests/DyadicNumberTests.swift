import Measurement
import Testing

@Suite("Exact numbers as text")
struct DyadicNumberTests {
  @Test(
    "Every digit, hexadecimal notation and product",
    arguments: [
      (0.0, "0", "0x0p+0", "0"), (-0.0, "-0", "-0x0p+0", "-0"), (1.0, "1", "0x1p+0", "1"),
      (-1.5, "-1.5", "-0x1.8p+0", "-3 · 2^-1"), (448, "448", "0x1.cp+8", "7 · 2^6"),
      (
        0.1, "0.1000000000000000055511151231257827021181583404541015625", "0x1.999999999999ap-4",
        "3602879701896397 · 2^-55"
      ),
      (0x1p-9, "0.001953125", "0x1p-9", "1 · 2^-9"),
      (0x1p127, "1.70141183460469231731687303715884105728e38", "0x1p+127", "1 · 2^127"),
      (
        0x1p-149,
        "1.40129846432481707092372958328991613128026194187651577175706828388979108268586060148663818836212158203125e-45",
        "0x1p-149", "1 · 2^-149"
      ),
    ] as [(Double, String, String, String)])
  func text(value: Double, decimal: String, hexadecimal: String, product: String) throws {
    let number = try #require(DyadicNumber(value))
    #expect(number.decimal == decimal)
    #expect(number.hexadecimal == hexadecimal)
    #expect(number.product == product)
  }

  @Test("Hexadecimal text reads back as the same float32")
  func hexadecimalReadsBack() throws {
    var bits: UInt32 = 1
    while bits < 0x7F80_0000 {
      let value = Float(bitPattern: bits)
      let text = try #require(DyadicNumber(value)).hexadecimal
      #expect(Float(text) == value, "\(String(bits, radix: 16)): \(text)")
      bits += 7_654_321
    }
  }

  @Test("NaN and infinities have no digits")
  func nonFinite() {
    #expect(DyadicNumber(Double.nan) == nil)
    #expect(DyadicNumber(-Float.infinity) == nil)
  }
}
