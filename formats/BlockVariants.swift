import NumberFormats

extension FormatCatalog {
  /// `ELEMENT+SCALE`, or `ELEMENT+SCALE+tensor` with a float32 tensor scale: any element with any scale,
  /// without a row for it. The default block is 32.
  ///
  /// `e2m1+ue4m3+tensor` quantises as `nvfp4` does, `e2m1+e8m0` as `mxfp4`.
  func blockVariant(named text: String) -> BlockFormat? {
    let parts = text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    let hasTensorScale = parts.count == 3 && parts[2].lowercased() == "tensor"
    guard parts.count == 2 || hasTensorScale, let element = element(parts[0]),
      let scale = scale(parts[1])
    else { return nil }
    return BlockFormat(
      name: "\(element.name)+\(scale.name)" + (hasTensorScale ? "+tensor" : ""),
      source: "the element \(element.name) with the scale \(scale.name)", element: element,
      scale: scale, block: .line(32), hasTensorScale: hasTensorScale)
  }
}
