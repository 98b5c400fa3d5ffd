import NumberFormats
import Testing

@Suite("Matmul: rows of one's own equal the reference")
struct MatmulUserRowTests {
  @Test("Fused steps with c in the sum", arguments: fusedUserRows.indices)
  func fused(index: Int) throws { try compareEverything(fusedUserRows[index], seed: 11, every: 2) }

  @Test("Fused steps with scales", arguments: scaledUserRows.indices)
  func scaled(index: Int) throws {
    try compareEverything(scaledUserRows[index], seed: 12, every: 2)
  }

  @Test("Fused steps that c joins late", arguments: lateUserRows.indices)
  func late(index: Int) throws { try compareEverything(lateUserRows[index], seed: 13, every: 2) }

  @Test("Float32 steps", arguments: float32UserRows.indices)
  func float32(index: Int) throws {
    try compareEverything(float32UserRows[index], seed: 14, every: 2)
  }

  @Test("Registers", arguments: registerUserRows.indices)
  func registers(index: Int) throws {
    try compareEverything(registerUserRows[index], seed: 15, every: 2)
  }
}
