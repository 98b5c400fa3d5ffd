import FormatCatalog
import HardwareCost
import NumberFormats
import Testing

@Suite("Widths that follow from an element's fields")
struct GeometryTests {
  @Test("exact sums are as wide as the table of A.7 says")
  func widths() throws {
    let catalog = try FormatCatalog.standard()
    let expected: [(element: String, product: Int, sums: [Int])] = [
      ("e2m1", 9, [12, 13, 14, 15, 16]), ("e2m3", 13, [16, 17, 18, 19, 20]),
      ("int8", 16, [19, 20, 21, 22, 23]), ("mxint8", 16, [19, 20, 21, 22, 23]),
      ("e3m2", 19, [22, 23, 24, 25, 26]), ("e4m3", 37, [40, 41, 42, 43, 44]),
      ("e5m2", 65, [68, 69, 70, 71, 72]),
    ]
    for row in expected {
      let geometry = ElementGeometry(try #require(catalog.element(row.element)))
      #expect(geometry.productBits == row.product, "\(row.element)")
      for (terms, bits) in zip([8, 16, 32, 64, 128], row.sums) {
        let observed = geometry.exactSumBits(terms: terms)
        #expect(observed == bits, "\(row.element), \(terms) terms: \(observed), expected \(bits)")
      }
    }
  }

  @Test("no narrower accumulator is exact, whatever the element and the number of terms")
  func narrowest() {
    // The largest magnitude, in steps of the format, by hand.
    let elements: [(ElementFormat, largest: Int)] = [
      (integer(bits: 4), 8), (integer(bits: 8), 128), (integer(bits: 2), 2),
      (integer(bits: 4, .signMagnitude), 7), (float(exponent: 3, mantissa: 0), 64),
      (float(exponent: 1, mantissa: 2), 7), (float(exponent: 3, mantissa: 2), 448),
      (codebook([-1, 0, 0.5, 2]), 4), (codebook([-0.75, -0.125, 0.25]), 6),
    ]
    for (element, largest) in elements {
      let geometry = ElementGeometry(element)
      for terms in [1, 2, 3, 5, 9, 16, 100, 127, 128, 4096] {
        let bits = geometry.exactSumBits(terms: terms)
        let sum = terms * largest * largest
        #expect(
          sum >> (bits - 1) == 0 && sum >> (bits - 2) != 0,
          "\(element.name), \(terms) terms up to \(largest)²: \(bits) bits")
      }
    }
  }

  @Test("a codebook with subnormal values has a width, too")
  func wideCodebook() {
    // 2 and 2^-149: products from 2^-298 up to 2^2.
    let geometry = ElementGeometry(codebook([-2, 0, .leastNonzeroMagnitude]))
    #expect(geometry.productBits == 302)
    #expect(geometry.exactSumBits(terms: 2) == 303)
  }

  @Test("an adder tree counts every adder at its own width")
  func tree() throws {
    let catalog = try FormatCatalog.standard()
    let e2m1 = ElementGeometry(try #require(catalog.element("e2m1")))
    let scale = try #require(catalog.scale("e8m0")).layout
    // Products of 9 bits: pairs of 10 bits, fours of 11, ...
    let expected = [1: 0, 2: 10, 3: 10 + 11, 4: 2 * 10 + 11, 5: 2 * 10 + 11 + 12, 16: 161]
    for (lanes, bits) in expected {
      let unit = DotUnit(element: e2m1, scale: scale, blockSize: lanes)
      #expect(unit.adderTree[.adder] == bits, "\(lanes) lanes")
    }
    let steps = DotUnit(element: e2m1, scale: scale, blockSize: 64, lanes: 16)
    #expect(steps.adderTree[.adder] == 161 + 15)
    let narrow = DotUnit(element: e2m1, scale: scale, blockSize: 4, droppedBits: 2)
    #expect(narrow.adderTree[.adder] == 2 * 8 + 9)
    #expect(narrow.accumulatorBits == 9)
  }
}

func integer(bits: Int, _ encoding: IntegerLayout.Encoding = .twosComplement) -> ElementFormat {
  ElementFormat(
    name: "int\(bits)",
    kind: .integer(
      IntegerLayout(bits: bits, fractionBits: 0, encoding: encoding, fullRange: true)))
}

func float(exponent: Int, mantissa: Int) -> ElementFormat {
  ElementFormat(
    name: "e\(exponent)m\(mantissa)",
    kind: .float(
      FloatLayout(
        signBits: 1, exponentBits: exponent, mantissaBits: mantissa, bias: 1, nonFinite: .none)))
}

func codebook(_ values: [Float]) -> ElementFormat {
  ElementFormat(name: "codebook\(values)", kind: .codebook(values))
}
