/// A sum in the order given, with the rounding errors of the additions collected beside it
/// (Neumaier's variant of Kahan's summation, ZAMM 54 (1974) 39–51).
struct CompensatedSum: Sendable, Equatable {
  private var sum = 0.0
  private var lost = 0.0

  var value: Double { sum + lost }

  mutating func add(_ term: Double) {
    let next = sum + term
    lost += abs(sum) >= abs(term) ? (sum - next) + term : (term - next) + sum
    sum = next
  }

  mutating func add(_ other: CompensatedSum) {
    add(other.sum)
    add(other.lost)
  }
}
