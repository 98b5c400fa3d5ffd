import NumberFormats

/// The canonical text of a row of the format tables, and its 64-bit hash.
///
/// Every number of the row is in it and nothing else (neither aliases, sources nor remarks), so two
/// runs with equal hashes computed with equal rows, whatever file they came from.
public struct RowText: Sendable, Hashable {
  public var text: String

  /// A row of a table that this module does not know, its numbers already as text.
  package init(text: String) { self.text = text }

  public init(_ element: ElementFormat) {
    text =
      "element \(element.name) \(Self.kind(element.kind)) nan=\(Self.code(element.canonicalNaN))"
    if let nan = element.mlDtypesNaN { text += " ml_dtypes=\(nan.positive),\(nan.negative)" }
  }

  public init(_ scale: ScaleFormat) {
    text =
      "scale \(scale.name) \(Self.layout(scale.layout)) stored=\(scale.storedBits)"
      + " nan=\(scale.canonicalNaN)"
  }

  public init(_ block: BlockFormat) {
    text =
      "block \(block.name) [\(RowText(block.element).text)] [\(RowText(block.scale).text)]"
      + " pow2=\(block.powerOfTwoScale) block=\(block.block) tensor_scale=\(block.hasTensorScale)"
  }

  public init(_ recipe: Recipe) {
    text = "recipe \(recipe.name) version=\(recipe.version) formats=\(recipe.formats)"
    text += " blocks=\(recipe.blockSizes) one_level=\(recipe.withoutTensorScale ?? "") "
    switch recipe.steps {
    case .exact(let rule): text += "exact \(rule.rawValue)"
    case .named(let steps): text += Self.steps(steps)
    }
  }

  /// FNV-1a, 64 bits, of the text's UTF-8 bytes, as 16 hexadecimal digits.
  /// Source: RFC 9923, section 2 and 5 (offset basis and prime).
  public var hash: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func kind(_ kind: ElementFormat.Kind) -> String {
    switch kind {
    case .float(let layout): return "float \(self.layout(layout))"
    case .integer(let layout):
      return "integer bits=\(layout.bits) fraction=\(layout.fractionBits)"
        + " \(layout.encoding.rawValue) full=\(layout.fullRange)"
    case .codebook(let values):
      return "codebook " + values.map { String($0.bitPattern, radix: 16) }.joined(separator: ",")
    }
  }

  private static func layout(_ layout: FloatLayout) -> String {
    "s=\(layout.signBits) e=\(layout.exponentBits) m=\(layout.mantissaBits) bias=\(layout.bias)"
      + " subnormals=\(layout.zeroExponentIsSubnormal) nonfinite=\(layout.nonFinite.rawValue)"
  }

  private static func code(_ code: UInt32?) -> String { code.map { String($0) } ?? "none" }

  private static func steps(_ steps: NamedRecipe) -> String {
    let clamp = steps.scaleClamp.map { "\($0.low)..\($0.high)" } ?? "none"
    let exceptions = steps.reciprocal.exceptions.sorted { $0.key < $1.key }
      .map { "\($0.key)>\($0.value)" }.joined(separator: ",")
    return [
      "amax=\(steps.amax.rawValue)", "tensor=\(steps.tensorScale.rawValue)",
      "value=\(steps.scaleValue.rawValue)", "round=\(steps.scaleRounding.rawValue)",
      "m=\(steps.evenMantissaBits.map(String.init) ?? "own")", "clamp=\(clamp)",
      "over=\(steps.scaleOverflow.rawValue)", "nan=\(code(steps.nonFiniteScale.nan))",
      "inf=\(code(steps.nonFiniteScale.infinity))", "zero=\(steps.zeroScale)",
      "mult=\(steps.multiplier.rawValue)", "element=\(steps.elementRounding.rawValue)",
      "nanElement=\(steps.nanElement)", "minus0=\(steps.negativeZero.rawValue)",
      "search=\(steps.search.rawValue)", "rcp=[\(exceptions)]",
      "dequantize=\(steps.dequantize.rawValue)", "packing=\(steps.packing.rawValue)",
    ].joined(separator: " ")
  }
}
