import FastPath
import NumberFormats
import Testing

@Suite("Float64 products and their bound")
struct Float64ProductTests {
  private func product(
    _ a: [Double], _ b: [Double], depth: Int
  ) -> (values: [Double], product: Float64Product) {
    let (rows, columns) = (a.count / depth, b.count / depth)
    var values = [Double](repeating: .nan, count: rows * columns)
    let product = a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        values.withUnsafeMutableBufferPointer {
          Float64Product(a: a, b: b, rows: rows, columns: columns, depth: depth, into: $0)
        }
      }
    }
    return (values, product)
  }

  /// A double-double sum: error-free transformations, off by far less than the bound.
  private func careful(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double {
    var (high, low) = (0.0, 0.0)
    for (x, y) in zip(a, b) {
      let p = x * y
      let e = (-p).addingProduct(x, y)
      let s = high + p
      let t = s - high
      low += ((high - (s - t)) + (p - t)) + e
      high = s
    }
    return high + low
  }

  @Test("No error exceeds the bound, and the bound is no looser than norms make it")
  func bound() {
    var random = SplitMix(21)
    for (depth, wide) in [(1, false), (7, true), (64, false), (1000, true), (1000, false)] {
      func values(_ count: Int) -> [Double] {
        (0..<count).map { _ in
          let exponent = wide ? Int(random.next() % 60) - 30 : 0
          return Double(random.normal()) * Double(sign: .plus, exponent: exponent, significand: 1.1)
        }
      }
      let (a, b) = (values(9 * depth), values(11 * depth))
      let (c, product) = product(a, b, depth: depth)
      for row in 0..<9 {
        for column in 0..<11 {
          let (x, y) = (
            a[(row * depth)..<(row * depth + depth)], b[(column * depth)..<(column * depth + depth)]
          )
          let error = (c[row * 11 + column] - careful(x, y)).magnitude
          let bound = product.bound(row: row, column: column)
          #expect(error <= bound, "depth \(depth) at [\(row), \(column)]: \(error), bound \(bound)")
          let norms = zip([x, y], [1.0, 1]).map { line, _ in
            line.reduce(0) { $0 + $1 * $1 }.squareRoot()
          }
          let expected = Double(depth) * 0x1p-53 * norms[0] * norms[1]
          #expect(bound >= expected && bound <= expected * 1.001 + 0x1p-1000)
        }
      }
    }
  }

  @Test("Numbers at the ends of the range have a sound bound")
  func ends() {
    for scale in [0x1p-1060, 0x1p-540, 0x1p500, 0x1p1020] {
      let a = [scale, 0, -scale / 2]
      let (c, product) = product(a, [1.5, 0x1p-300, 0.25], depth: 3)
      #expect(c == [scale * 1.5 - scale / 8])
      let bound = product.bound(row: 0, column: 0)
      #expect(bound > 0 && bound <= scale * 0x1p-40 + 0x1p-1060, "\(scale): \(bound)")
    }
    let (zero, exact) = product([0, 0], [1, 2], depth: 2)
    #expect(zero == [0])
    #expect(exact.bound(row: 0, column: 0) <= 0x1p-1070)
    let (_, overflowing) = product([0x1p1000, 1], [0x1p1000, 1], depth: 2)
    #expect(overflowing.bound(row: 0, column: 0) == .infinity)
  }

  @Test("NaN and infinity reach their own row and column only")
  func specials() {
    let (rows, columns, depth) = (37, 29, 50)
    for special in [Double.nan, .infinity, -.infinity] {
      for place in [0, 49, 50 * 17 + 3, 50 * 36 + 49] {
        var a = [Double](repeating: 1, count: rows * depth)
        var b = [Double](repeating: 2, count: columns * depth)
        a[place] = special
        b[4 * depth + place % depth] = 0
        let (c, product) = product(a, b, depth: depth)
        for row in 0..<rows {
          for column in 0..<columns {
            let value = c[row * columns + column]
            let bound = product.bound(row: row, column: column)
            if row == place / depth {
              let expected = column == 4 ? special * 0 : special * 2
              #expect(value == expected || (value.isNaN && expected.isNaN))
              #expect(!bound.isFinite)
            } else {
              #expect(value == (column == 4 ? 98 : 100) && bound.isFinite)
            }
          }
        }
      }
    }
  }
}
