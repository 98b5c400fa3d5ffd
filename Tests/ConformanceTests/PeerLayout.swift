import Testing

/// Codes and scales of a case as its stack stores them, one per element and one per block.
struct PeerCodes {
  var codes: [UInt32]
  var scales: [UInt32]

  /// Reads the case's own layout; nil where it holds dequantised values only.
  init?(_ peer: PeerCase) throws {
    if peer.files["blocks"] != nil {
      (codes, scales) = try Self.ggml(peer)
    } else if peer.files["data"] != nil {
      let data = try peer.file("data").bytes()
      codes = peer.packing == "byte" ? data.map(UInt32.init) : Self.lowNibbleFirst(data)
      scales = try peer.file("scale").bytes().map(UInt32.init)
    } else {
      return nil
    }
  }

  /// Two codes a byte, the earlier in the low nibble.
  private static func lowNibbleFirst(_ bytes: [UInt8]) -> [UInt32] {
    bytes.flatMap { [UInt32($0 & 15), UInt32($0 >> 4)] }
  }

  /// ggml's blocks of 32 (spec/recipes.md section 3.9): the scale, then bytes or split nibbles,
  /// Q4_0 offset by 8.
  private static func ggml(_ peer: PeerCase) throws -> (codes: [UInt32], scales: [UInt32]) {
    let bytes = try peer.file("blocks").bytes()
    let wholeBytes = peer.format == "Q8_0"
    let scaleBytes = peer.format == "MXFP4" ? 1 : 2
    let blockBytes = scaleBytes + (wholeBytes ? 32 : 16)
    try #require(bytes.count % blockBytes == 0)
    var codes: [UInt32] = []
    var found: [UInt32] = []
    for start in stride(from: 0, to: bytes.count, by: blockBytes) {
      let low = UInt32(bytes[start])
      found.append(scaleBytes == 1 ? low : low | UInt32(bytes[start + 1]) << 8)
      let data = bytes[(start + scaleBytes)..<(start + blockBytes)].map(UInt32.init)
      var block = wholeBytes ? data : data.map { $0 & 15 } + data.map { $0 >> 4 }
      if peer.format == "Q4_0" { block = block.map { ($0 &- 8) & 15 } }
      codes += block
    }
    return (codes, found)
  }
}
