import FormatCatalog
import GoldenVectors
import NumberFormats
import Testing

/// Smoke cases against devices that differ in one rule of alignment, modelled in Double, which holds
/// every sum here exactly.
@Suite("Corners of alignment")
struct CornerTests {
  /// An unscaled fused unit of one step, its sum cut or rounded to `kept` bits.
  private struct Device {
    var exponentBits: Int
    var mantissaBits: Int
    var lanes: Int
    var fraction: Int
    var zero: Int?
    var normalises = false
    /// Bits below the leading one that a result keeps, cut; nil: float16, rounded.
    var kept: Int?

    func power(_ exponent: Int) -> Double {
      Double(sign: .plus, exponent: exponent, significand: 1)
    }

    /// A finite number's value and the exponent that it aligns by.
    func decoded(_ code: UInt64, exponentBits: Int, mantissaBits: Int) -> (Double, Int) {
      let bias = 1 << (exponentBits - 1) - 1
      let mantissa = Double(code & (1 << UInt64(mantissaBits) - 1)) * power(-mantissaBits)
      let field = Int(code >> UInt64(mantissaBits)) & (1 << exponentBits - 1)
      let isNegative = code >> UInt64(exponentBits + mantissaBits) & 1 == 1
      let value = (field == 0 ? mantissa : 1 + mantissa) * power(max(field, 1) - bias)
      let exponent = normalises && value != 0 ? Int(value.exponent) : max(field, 1) - bias
      return (isNegative ? -value : value, exponent)
    }

    func result(_ inputs: [UInt64]) -> UInt64 {
      let numbers = inputs.prefix(2 * lanes).map {
        decoded($0, exponentBits: exponentBits, mantissaBits: mantissaBits)
      }
      var terms = (0..<lanes).map { lane in
        let (a, b) = (numbers[lane], numbers[lanes + lane])
        return (a.0 * b.0, a.1 + b.1)
      }
      terms.append(
        decoded(
          inputs.last ?? 0, exponentBits: kept == nil ? 5 : 8, mantissaBits: kept == nil ? 10 : 23))
      let top = terms.compactMap { $0.0 == 0 ? zero : $0.1 }.max() ?? 0
      let unit = power(top - fraction)
      let sum = terms.map { ($0.0 / unit).rounded(.towardZero) * unit }.reduce(0, +)
      guard sum != 0 else { return 0 }
      guard let kept else {
        let unit = power(max(Int(sum.exponent), -14) - 10)
        let value = Float((sum / unit).rounded(.toNearestOrEven) * unit)
        // A negative sum that rounds to zero keeps its sign.
        let sign: UInt64 = value.sign == .minus ? 0x8000 : 0
        let isSubnormal = abs(value) < 0x1p-14
        let field = isSubnormal ? 0 : UInt64(Int(value.exponent) + 15) << 10
        let whole = UInt64(abs(value) / Float(power(max(Int(value.exponent), -14) - 10)))
        return sign | field | whole & (isSubnormal ? .max : 0x3FF)
      }
      let last = power(Int(sum.exponent) - kept)
      return UInt64(Float((sum / last).rounded(.towardZero) * last).bitPattern)
    }
  }

  /// How many cases of a class each device gets wrong.
  private func mistakes(
    _ devices: [Device], _ element: String, _ accumulator: String, _ kind: CaseClass
  ) throws -> [Int] {
    let catalog = try FormatCatalog.standard()
    let format = try BlockFormat(
      name: element, element: #require(catalog.element(element)),
      scale: #require(catalog.scale("e8m0")), block: .line(32))
    let spec = try VectorSpec(
      operation: .mma,
      quantization: QuantizationSpec(format: format, recipe: #require(catalog.recipe("exact"))),
      accumulator: #require(catalog.accumulator(accumulator)), scaled: false)
    var counts = [Int](repeating: 0, count: devices.count)
    try withFolder { folder in
      let manifest = try VectorRequest(spec: spec, classes: [kind], seed: 7).write(to: folder)
      let inputs = try words(folder, "mma.inputs.memh", manifest.inputs)
      let expected = try words(folder, "mma.expected.memh", manifest.expected)
      #expect(inputs.count >= 64)
      for (place, device) in devices.enumerated() {
        counts[place] = zip(inputs, expected).filter { device.result($0) != $1[0] }.count
      }
    }
    return counts
  }

  @Test(
    "a device that normalises subnormal elements is told by several cases",
    arguments: [("e4m3", 4, 3), ("e5m2", 5, 2)])
  func subnormals(element: String, exponentBits: Int, mantissaBits: Int) throws {
    let right = Device(
      exponentBits: exponentBits, mantissaBits: mantissaBits, lanes: 32, fraction: 13, zero: -133,
      kept: 13)
    var wrong = right
    wrong.normalises = true
    let counts = try mistakes([right, wrong], element, "hopper-fp8", .subnormalOperands)
    #expect(counts[0] == 0)
    #expect(counts[1] >= 16, "\(counts[1]) cases")
  }

  @Test("every other exponent of zeros is told by several cases")
  func zeros() throws {
    let right = Device(
      exponentBits: 5, mantissaBits: 10, lanes: 16, fraction: 25, zero: -22, kept: nil)
    let zeros: [Int?] = [-22, -23, -21, -20, -18, -14, nil]
    let devices = zeros.map { zero in
      var device = right
      device.zero = zero
      return device
    }
    let counts = try mistakes(devices, "fp16", "hopper-fp16-f16-mma", .zeroExponent)
    #expect(counts[0] == 0)
    for (zero, count) in zip(zeros, counts).dropFirst() {
      #expect(count >= 8, "\(zero.map(String.init) ?? "none"): \(count) cases")
    }
  }

  @Test("where inputs do not reach a corner its class is refused")
  func unreached() throws {
    for (format, accumulator, kind) in [
      ("mxfp8_e4m3", "exact", CaseClass.subnormalOperands), ("mxfp8_e4m3", "exact", .zeroExponent),
      ("nvfp4", "blackwell-fp4", .zeroExponent), ("mxint8", "exact", .subnormalOperands),
    ] {
      let spec = try vectorSpec(.mma, format, block: 16, accumulator: accumulator)
      #expect(throws: VectorsError.self) {
        try VectorRequest(spec: spec, classes: [kind]).write(to: "/nonexistent/vectors")
      }
    }
  }
}
