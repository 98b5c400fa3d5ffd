import ErrorStatistics
import NumberFormats

/// Which relative squared error of a layer stands for t².
public enum LayerErrorKind: String, Sendable, Hashable, CaseIterable {
  /// Of the product, both sides quantised: ‖D − X·Wᵀ‖²/‖X·Wᵀ‖².
  case product
  /// Of the product, what the weight's quantisation alone adds: ‖X·dWᵀ‖²/‖X·Wᵀ‖².
  case weight
  /// Of the product, what the activations' quantisation alone adds: ‖dX·Wᵀ‖²/‖X·Wᵀ‖².
  case activation
  /// Of the weight tensor itself: ‖dW‖²/‖W‖², the `nmse` of `blockscale error`.
  case weightTensor = "weight_tensor"
  /// Of the activations themselves: ‖dX‖²/‖X‖².
  case activationTensor = "activation_tensor"

  /// Whether it needs activations.
  public var needsActivations: Bool { self != .weightTensor }
}

/// The errors of one layer under one case. All are relative squares, without unit; nil where not
/// measured, or where the denominator is zero.
public struct LayerErrors: Sendable, Hashable {
  /// The weight's name.
  public var tensor: String
  public var file: String
  public var parameters: Int
  /// The length k of the product's sums.
  public var depth: Int
  public var errorCase: ErrorCase
  /// Blocks that the weight is cut into.
  public var blocks: Int
  /// Stored bits per weight, scales included.
  public var bitsPerElement: Double
  public var product: Double?
  public var weight: Double?
  public var activation: Double?
  public var weightTensor: Double?
  public var activationTensor: Double?

  public func value(_ kind: LayerErrorKind) -> Double? {
    switch kind {
    case .product: product
    case .weight: weight
    case .activation: activation
    case .weightTensor: weightTensor
    case .activationTensor: activationTensor
    }
  }
}

/// Measures layers in several ways of quantising; a layer's tensors are read once for all of them.
public struct LayerExperiment: Sendable {
  public var matmul: MatmulExperiment
  public var accumulator: Accumulator
  /// Of the outputs, over 0 and at most 1: sampled rows and columns.
  public var fraction: Double
  public var seed: UInt64

  public init(
    matmul: MatmulExperiment, accumulator: Accumulator, fraction: Double = 1, seed: UInt64 = 1
  ) {
    self.matmul = matmul
    self.accumulator = accumulator
    self.fraction = fraction
    self.seed = seed
  }

  /// Multiply-accumulates and tensor elements of a run, for its progress.
  public func work(_ pairs: LayerPairs, cases: [ErrorCase]) throws -> Int {
    try pairs.pairs.reduce(0) { sum, pair in
      guard let activation = pair.activation, let first = cases.first else {
        return sum + pair.parameters * cases.count
      }
      let one = try matmul.work(activation, pair.weight, request(first, pair))
      return sum + (pair.parameters + activation.info.count + one) * cases.count
    }
  }

  /// Every layer under every case, layers first.
  ///
  /// - Parameters:
  ///   - cases: with blocks along the last axis.
  ///   - progress: called with the work done since the last call, and the layer's name.
  public func run(
    _ pairs: LayerPairs, cases: [ErrorCase],
    progress: @escaping @Sendable (Int, String) -> Void = { _, _ in }
  ) throws -> [LayerErrors] {
    try pairs.pairs.flatMap { pair in
      try run(pair, cases: cases) { progress($0, pair.name) }
    }
  }

  private func run(
    _ pair: LayerPair, cases: [ErrorCase], progress: @escaping @Sendable (Int) -> Void
  ) throws -> [LayerErrors] {
    let tensors = [pair.weight] + [pair.activation].compactMap { $0 }
    let experiment = ErrorExperiment(
      engine: matmul.quantizer, parallel: matmul.parallel, cases: cases)
    let (own, _) = try experiment.run(tensors) { done, _ in progress(done) }
    guard own.count == tensors.count * cases.count else {
      throw MeasurementError.badData(
        file: pair.weight.path, tensor: pair.name, "cannot be cut into every block asked for")
    }
    var products: [MatmulResult] = []
    if let activation = pair.activation {
      products = try matmul.run(
        activation, pair.weight, cases.map { request($0, pair) }, progress: progress)
    }
    return try cases.indices.map { index in
      let report = own[index].report
      let grid = try BlockGrid(
        shape: pair.weight.info.shape, axis: cases[index].axis, block: cases[index].block)
      var errors = LayerErrors(
        tensor: pair.name, file: pair.weight.path, parameters: pair.parameters,
        depth: pair.weight.info.shape[1], errorCase: cases[index], blocks: grid.blockCount,
        bitsPerElement: report.bitsPerElement ?? 0, weightTensor: Self.finite(report.nmse))
      if pair.activation != nil {
        errors.activationTensor = Self.finite(own[cases.count + index].report.nmse)
        let parts = products[index].report
        errors.product = Self.finite(parts.total.nmse)
        errors.weight = Self.finite(parts.parts.first { $0.part == .weight }?.nmse)
        errors.activation = Self.finite(parts.parts.first { $0.part == .activation }?.nmse)
      }
      return errors
    }
  }

  private func request(_ errorCase: ErrorCase, _ pair: LayerPair) -> MatmulRequest {
    let side = MatmulSideRequest(spec: errorCase.spec, block: errorCase.block)
    return MatmulRequest(
      a: side, b: side, transposesB: true, accumulator: accumulator, fraction: fraction,
      seed: seed, worstCount: 0)
  }

  private static func finite(_ value: Double?) -> Double? {
    value.flatMap { $0.isFinite ? $0 : nil }
  }
}
