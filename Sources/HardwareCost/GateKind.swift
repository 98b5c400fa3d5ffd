/// The gates that a synthesis result is counted in: two inputs, an inverter, a multiplexer.
public enum GateKind: String, Sendable, CaseIterable {
  case not, nand, nor, and, or, xor, xnor, mux
}
