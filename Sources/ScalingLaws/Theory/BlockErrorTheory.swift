import NumberFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The expected squared error of a block of independent numbers, over their variance, and its parts.
public struct BlockErrorParts: Sendable, Hashable {
  /// Of the numbers below the block's largest, where the scale is not 0.
  public var others: Double
  /// Of the block's largest number, where the scale is not 0.
  public var largest: Double
  /// Of blocks whose scale rounds to 0.
  public var zeroScale: Double
  /// The expected largest magnitude over the standard deviation: the crest factor κ.
  public var crest: Double

  /// All three together: the relative squared error.
  public var nmse: Double { others + largest + zeroScale }
  /// −10·log10(nmse), in decibels.
  public var qsnr: Double { -10 * log10(nmse) }
}

/// The error of a block format on numbers of a known distribution, without drawing any: the integral
/// over the block's largest magnitude a of its density K·f(a)·F(a)^(K−1) times the error given a.
///
/// Source: arXiv 2601.19026, the decomposition by block maximum. The scale as a function of a is the
/// engine's own, and elements are rounded to the nearest of the values that it decodes. Scales of 10
/// mantissa bits and more (FP16, FP32) count as unrounded.
public struct BlockErrorTheory: Sendable {
  private let spec: QuantizationSpec
  private let tensorScale: TensorScale
  private let engine: any QuantizationEngine
  private let sides: [ElementGrid]

  /// - Parameters:
  ///   - spec: A format and an exact recipe that rounds elements to nearest.
  ///   - tensorScale: What stands above the block scales; `.one` for none.
  /// - Throws: `usage` for other recipes and roundings, and for elements without a zero.
  public init(
    _ spec: QuantizationSpec, tensorScale: TensorScale = .one, engine: any QuantizationEngine
  ) throws(LawError) {
    guard case .exact = spec.recipe.steps else {
      throw .usage("recipe \(spec.recipe.name): expected an exact recipe")
    }
    guard (spec.rounding ?? .tiesToEven) == .tiesToEven else {
      throw .usage("expected rounding to nearest")
    }
    self.spec = spec
    self.tensorScale = tensorScale
    self.engine = engine
    sides = try ElementGrid.sides(of: spec.format.element, engine: engine)
  }

  /// The error of blocks of `count` numbers. Relative accuracy: 1e-6.
  ///
  /// - Parameters:
  ///   - count: Elements of a block, at least 1.
  ///   - source: What they come from.
  ///   - deviation: Their standard deviation, above 0.
  ///   - vanishing: Scales that would round to 0 are 0, as in the paper, and the block vanishes; an
  ///     exact recipe takes the smallest scale instead.
  public func error(
    count: Int, source: ValueSource, deviation: Double, vanishing: Bool = false
  ) throws(LawError) -> BlockErrorParts {
    guard count >= 1, deviation > 0, deviation.isFinite else {
      throw .usage("expected a block of 1 element or more and a deviation above 0")
    }
    // Everything from here on is in units of the deviation.
    let low = 1e-6
    var high = 8.0
    while Double(count) * source.tail(high) * high * high > 1e-12, high < 1e9 { high *= 1.25 }
    let scales = try ScaleSteps(
      ScaleRule(spec: spec, tensorScale: tensorScale, engine: engine), low: low * deviation,
      high: high * deviation, largest: sides.compactMap(\.magnitudes.last).max() ?? 1,
      vanishing: vanishing)
    var integral = BlockIntegral(sides: sides, source: source, count: count)
    if let steps = scales.steps {
      for (index, step) in steps.enumerated() {
        let next = index + 1 < steps.count ? steps[index + 1].from / deviation : high
        integral.add(from: step.from / deviation, to: next, scale: step.scale / deviation)
      }
    } else {
      integral.add(from: low, to: high, ratio: scales.ratio)
    }
    return integral.parts
  }
}

/// The integral, added up interval by interval of the largest magnitude.
private struct BlockIntegral {
  private let form: BlockIntegrand
  private var quadrature = Quadrature()

  init(sides: [ElementGrid], source: ValueSource, count: Int) {
    form = BlockIntegrand(sides: sides, source: source, count: count)
  }

  var parts: BlockErrorParts {
    BlockErrorParts(
      others: quadrature.total[0], largest: quadrature.total[1], zeroScale: quadrature.total[2],
      crest: quadrature.total[3])
  }

  /// Adds an interval under one scale.
  mutating func add(from low: Double, to high: Double, scale: Double) {
    guard low < high, form.matters(upTo: high) else { return }
    let grids = form.grids(scale: scale)
    let kinks = form.sides.flatMap(\.borders).map { $0 * scale }.filter { low < $0 && $0 < high }
    let ends = [low] + Set(kinks).sorted() + [high]
    for (start, end) in zip(ends, ends.dropFirst()) { add(pieces: start, end) { _ in grids } }
  }

  /// Adds an interval over which the scale is the magnitude times a ratio.
  mutating func add(from low: Double, to high: Double, ratio: Double) {
    let form = form
    add(pieces: low, high) { form.grids(scale: $0 * ratio) }
  }

  private mutating func add(
    pieces low: Double, _ high: Double, _ grids: (Double) -> [ScaledGrid]
  ) {
    let form = form
    let (start, end) = (log(low), log(high))
    let pieces = max(1, Int(((end - start) / 0.25).rounded(.up)))
    for piece in 0..<pieces {
      let left = start + (end - start) * Double(piece) / Double(pieces)
      let right = start + (end - start) * Double(piece + 1) / Double(pieces)
      guard form.matters(upTo: exp(right)) else { continue }
      quadrature.add(from: left, to: right) { logarithm in
        form.values(at: exp(logarithm), grids)
      }
    }
  }
}

/// What is integrated over the largest magnitude's logarithm.
private struct BlockIntegrand {
  let sides: [ElementGrid]
  let source: ValueSource
  let count: Int
  private let cells: CellErrors
  private let density: (Double) -> Double

  init(sides: [ElementGrid], source: ValueSource, count: Int) {
    (self.sides, self.source, self.count) = (sides, source, count)
    cells = CellErrors(source)
    density = source.densities()
  }

  func grids(scale: Double) -> [ScaledGrid] {
    sides.map { ScaledGrid($0, scale: scale, cells: cells) }
  }

  /// Whether a block's largest magnitude is ever below `high`, to double precision.
  func matters(upTo high: Double) -> Bool {
    Double(count - 1) * log1p(-source.tail(high)) > -60
  }

  /// The error of the others, of the largest, of blocks without a scale, and the largest itself.
  func values(at a: Double, _ grids: (Double) -> [ScaledGrid]) -> SIMD4<Double> {
    let below = log1p(-source.tail(a))
    let density = density(a) * a
    let forms = grids(a)
    let share = 1 / Double(forms.count)
    let ofLargest = forms.reduce(0) { $0 + $1.error(at: a) } * share
    let largest = density * exp(Double(count - 1) * below) * ofLargest
    var others = 0.0
    if count > 1 {
      let ofOthers = forms.reduce(0) { $0 + $1.error(below: a) } * share
      others = Double(count - 1) * density * exp(Double(count - 2) * below) * ofOthers
    }
    let crest = Double(count) * density * exp(Double(count - 1) * below) * a
    return forms.allSatisfy(\.isZero)
      ? SIMD4(0, 0, others + largest, crest) : SIMD4(others, largest, 0, crest)
  }
}
