import CMPFR

/// A 700-bit MPFR number: enough to hold v·d − x exactly for every input of these tests.
final class Real {
  private let number: UnsafeMutablePointer<__mpfr_struct>

  private init() {
    number = .allocate(capacity: 1)
    mpfr_init2(number, 700)
  }

  convenience init(_ value: Double) {
    self.init()
    mpfr_set_d(number, value, MPFR_RNDN)
  }

  deinit {
    mpfr_clear(number)
    number.deallocate()
  }

  /// Rounded to double, to nearest even.
  var double: Double { mpfr_get_d(number, MPFR_RNDN) }

  var magnitude: Real { unary { mpfr_abs($0, $1, MPFR_RNDN) } }
  var squareRoot: Real { unary { mpfr_sqrt($0, $1, MPFR_RNDN) } }
  var log10: Real { unary { mpfr_log10($0, $1, MPFR_RNDN) } }

  static func + (a: Real, b: Real) -> Real { binary(a, b) { mpfr_add($0, $1, $2, MPFR_RNDN) } }
  static func - (a: Real, b: Real) -> Real { binary(a, b) { mpfr_sub($0, $1, $2, MPFR_RNDN) } }
  static func * (a: Real, b: Real) -> Real { binary(a, b) { mpfr_mul($0, $1, $2, MPFR_RNDN) } }
  static func / (a: Real, b: Real) -> Real { binary(a, b) { mpfr_div($0, $1, $2, MPFR_RNDN) } }
  static func < (a: Real, b: Real) -> Bool { mpfr_less_p(a.number, b.number) != 0 }
  static func <= (a: Real, b: Real) -> Bool { mpfr_lessequal_p(a.number, b.number) != 0 }

  static func larger(_ a: Real, _ b: Real) -> Real { a < b ? b : a }

  private typealias Pointer = UnsafeMutablePointer<__mpfr_struct>

  private func unary(_ operation: (Pointer, Pointer) -> Int32) -> Real {
    let result = Real()
    _ = operation(result.number, number)
    return result
  }

  private static func binary(
    _ a: Real, _ b: Real, _ operation: (Pointer, Pointer, Pointer) -> Int32
  ) -> Real {
    let result = Real()
    _ = operation(result.number, a.number, b.number)
    return result
  }
}
