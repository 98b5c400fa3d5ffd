import CMPFR

/// A GMP integer of any size. It does not change once an operation has made it, so it may be shared.
final class BigInteger: @unchecked Sendable {
  private let pointer: UnsafeMutablePointer<__mpz_struct>

  private init() {
    pointer = .allocate(capacity: 1)
    __gmpz_init(pointer)
  }

  init(_ value: Int) {
    pointer = .allocate(capacity: 1)
    __gmpz_init_set_si(pointer, value)
  }

  deinit {
    __gmpz_clear(pointer)
    pointer.deallocate()
  }

  static let zero = BigInteger(0)

  static func + (a: BigInteger, b: BigInteger) -> BigInteger {
    let sum = BigInteger()
    __gmpz_add(sum.pointer, a.pointer, b.pointer)
    return sum
  }

  static func * (a: BigInteger, b: BigInteger) -> BigInteger {
    let product = BigInteger()
    __gmpz_mul(product.pointer, a.pointer, b.pointer)
    return product
  }

  /// self · 2^bits
  func shiftedLeft(_ bits: Int) -> BigInteger {
    let result = BigInteger()
    __gmpz_mul_2exp(result.pointer, pointer, mp_bitcnt_t(bits))
    return result
  }

  /// self / 2^bits, cut toward zero.
  func truncated(_ bits: Int) -> BigInteger {
    let result = BigInteger()
    __gmpz_tdiv_q_2exp(result.pointer, pointer, mp_bitcnt_t(bits))
    return result
  }

  /// self modulo 2^bits as a two's complement number of that many bits.
  func wrapped(_ bits: Int) -> BigInteger {
    let low = BigInteger()
    __gmpz_fdiv_r_2exp(low.pointer, pointer, mp_bitcnt_t(bits))
    return low.bit(bits - 1) ? low + BigInteger(-1).shiftedLeft(bits) : low
  }

  var isZero: Bool { pointer.pointee._mp_size == 0 }
  var isNegative: Bool { pointer.pointee._mp_size < 0 }
  var isOdd: Bool { bit(0) }

  /// Bit `index` of the two's complement number; for a non-negative one, of its binary digits.
  private func bit(_ index: Int) -> Bool { __gmpz_tstbit(pointer, mp_bitcnt_t(index)) != 0 }

  /// Binary digits of the magnitude; only for a number other than 0.
  var bitWidth: Int { Int(__gmpz_sizeinbase(pointer, 2)) }

  /// How often 2 divides the number; only for a number other than 0.
  var trailingZeros: Int { Int(__gmpz_scan1(pointer, 0)) }

  func isLess(than other: BigInteger) -> Bool { __gmpz_cmp(pointer, other.pointer) < 0 }

  /// The number where Int64 holds it.
  var int: Int? { __gmpz_fits_slong_p(pointer) != 0 ? __gmpz_get_si(pointer) : nil }

  var decimal: String {
    var text = [CChar](repeating: 0, count: Int(__gmpz_sizeinbase(pointer, 10)) + 2)
    __gmpz_get_str(&text, 10, pointer)
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
