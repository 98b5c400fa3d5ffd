import Dispatch
import NumberFormats
import Synchronization
import TensorIO

/// One run of `blockscale vectors`.
public struct VectorRequest: Sendable {
  public var spec: VectorSpec
  /// Empty: all that apply.
  public var classes: [CaseClass]
  public var level: VectorLevel
  /// Cases altogether; nil: the level's number of each class.
  public var count: Int?
  public var seed: UInt64
  public var kinds: Set<VectorFileKind>
  public var isDebug: Bool
  public var threads: Int
  public var toolVersion: String
  public var rows: [VectorManifest.Row]
  /// What makes the same vectors again.
  public var command: String
  /// Operands from files in place of generated cases, for dot, mma and matmul.
  public var operands: VectorOperands?
  /// Asked between pieces of work: whether to leave off, with nothing written.
  public var isStopped: @Sendable () -> Bool = { false }

  public init(
    spec: VectorSpec, classes: [CaseClass] = [], level: VectorLevel = .smoke, count: Int? = nil,
    seed: UInt64 = 1, kinds: Set<VectorFileKind> = [], isDebug: Bool = false, threads: Int = 1,
    toolVersion: String = "", rows: [VectorManifest.Row] = [], command: String = ""
  ) {
    self.spec = spec
    self.classes = classes
    self.level = level
    self.count = count
    self.seed = seed
    self.kinds = kinds
    self.isDebug = isDebug
    self.threads = threads
    self.toolVersion = toolVersion
    self.rows = rows
    self.command = command
  }

  /// Cases that are made and written together: fewer of long words, which bounds memory.
  private var chunk: Int {
    let terms = isDebug ? 4 * spec.rows * spec.columns * spec.depth : 0
    return max(1, min(1024, (1 << 18) / (spec.inputs.laneCount + terms)))
  }

  /// Makes every case, proves it on every instruction set of this machine and writes the folder.
  /// Nothing is left behind unless all of it succeeds.
  ///
  /// - Parameters:
  ///   - folder: a new folder, an empty one, or one of earlier vectors.
  ///   - engines: nil: the MPFR reference and every instruction set of this machine.
  /// - Throws: `VectorsError`, `difference` where two engines differ, and `TensorIOError` for what
  ///   cannot be written.
  public func write(
    to folder: String, engines: VectorEngines? = nil
  ) throws -> VectorManifest {
    let maker = try CaseMaker(
      spec, seed: seed, operands: operands, engines: engines ?? VectorEngines.standard())
    var plan: CasePlan
    if let operands {
      plan = CasePlan(outputs: try operands.count(of: spec))
    } else {
      plan = try CasePlan(maker, asked: classes, level: level, total: count)
    }
    if !spec.operation.isSum, spec.operation != .decode { plan.removeRefused(maker) }
    guard plan.count > 0 else { throw VectorsError.usage("the operation refuses every case") }
    let text = CaseText(spec: spec, kinds: kinds, isDebug: isDebug)
    let output = try OutputFolder(folder)
    let streams = try text.names.map { try output.file($0) }
    for (stream, header) in zip(streams, text.headers(count: plan.count)) {
      try stream.write(header)
    }
    var informative = [CaseClass: Int]()
    let chunks = (plan.count - 1) / chunk + 1
    for first in stride(from: 0, to: chunks, by: 4 * threads) {
      if isStopped() { throw VectorsError.stopped }
      let pieces = try pieces(first..<min(chunks, first + 4 * threads), plan, maker, text)
      for piece in pieces {
        for (stream, bytes) in zip(streams, piece.files) { try stream.write(bytes) }
        informative.merge(piece.informative, uniquingKeysWith: +)
      }
    }
    var files = try streams.map { try $0.finish() }
    for (name, text) in LayoutText(spec: spec, count: plan.count).files(kinds) {
      let stream = try output.file(name)
      try stream.write(Array(text.utf8))
      files.append(try stream.finish())
    }
    let manifest = manifest(plan, informative, files)
    let stream = try output.file("manifest.json")
    try stream.write(manifest.encoded())
    _ = try stream.finish()
    try output.finish()
    return manifest
  }

  /// A chunk's bytes for each file.
  private struct Piece: Sendable {
    var files: [[UInt8]]
    var informative: [CaseClass: Int] = [:]
  }

  /// Several chunks at a time; the error of the first one that fails.
  private func pieces(
    _ range: Range<Int>, _ plan: CasePlan, _ maker: CaseMaker, _ text: CaseText
  ) throws(VectorsError) -> [Piece] {
    let results = Mutex([Int: Result<Piece, VectorsError>]())
    let next = Atomic(range.lowerBound)
    DispatchQueue.concurrentPerform(iterations: min(threads, range.count)) { _ in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < range.upperBound else { return }
        let piece = Result { () throws(VectorsError) in try self.piece(index, plan, maker, text) }
        results.withLock { $0[index] = piece }
      }
    }
    let made = results.withLock { $0 }
    var pieces: [Piece] = []
    for index in range { if let piece = made[index] { pieces.append(try piece.get()) } }
    return pieces
  }

  private func piece(
    _ index: Int, _ plan: CasePlan, _ maker: CaseMaker, _ text: CaseText
  ) throws(VectorsError) -> Piece {
    var piece = Piece(files: [[UInt8]](repeating: [], count: text.names.count))
    for number in (index * chunk)..<min(plan.count, (index + 1) * chunk) {
      let place = plan.place(of: number)
      let made = try maker.makeCase(place.kind, place.index)
      if made.isInformative { piece.informative[place.kind, default: 0] += 1 }
      text.append(made, number: number, to: &piece.files)
    }
    return piece
  }

  private func manifest(
    _ plan: CasePlan, _ informative: [CaseClass: Int], _ files: [VectorManifest.File]
  ) -> VectorManifest {
    let classes = plan.parts.map {
      VectorManifest.ClassRange(
        name: $0.kind.rawValue, first: $0.first, count: $0.count,
        informative: informative[$0.kind] ?? 0)
    }
    let all: Int = classes.reduce(0) { $0 + $1.informative }
    let ratio = Double(all) / Double(plan.count)
    let random = classes.first { $0.name == CaseClass.random.rawValue }
    let randomRatio: Double? = random.map { Double($0.informative) / Double($0.count) }
    let format = spec.quantization.format.name
    let recipe = spec.quantization.recipe.name
    let rounding = spec.quantization.rounding?.description ?? "the recipe's own"
    return VectorManifest(
      schemaVersion: VectorManifest.currentSchema, tool: "blockscale vectors",
      toolVersion: toolVersion, operation: spec.operation,
      format: format, block: spec.block.description, lanes: spec.lanes,
      depth: spec.depth, tile: spec.tile?.description,
      isScaled: spec.operation.isSum ? spec.isScaled : nil,
      operands: operands?.meeting, recipe: recipe, rounding: rounding,
      accumulator: spec.accumulator.name, rows: rows, inputs: spec.inputs,
      inputsWidth: spec.inputs.width, expected: spec.expected, expectedWidth: spec.expected.width,
      elementOrder: "element 0 in the least significant bits; the first field lowest",
      nanPolicy: spec.nanPolicy, resultType: spec.resultType, seed: seed,
      generator: VectorManifest.generatorName, level: level, count: plan.count, classes: classes,
      informativeRatio: ratio, informativeRatioRandom: randomRatio,
      oracle: "the MPFR reference; equal on every instruction set of the machine that wrote it",
      crossChecked: plan.count, files: files, command: command)
  }
}

extension VectorSpec {
  var nanPolicy: VectorManifest.NaNPolicy {
    var pattern: UInt32?
    switch operation {
    case .decode, .dequantize: pattern = 0x7FC0_0000
    case .encode, .quantize: pattern = quantization.format.element.canonicalNaN
    case .scale: pattern = quantization.format.scale.canonicalNaN
    case .product, .dot, .mma, .matmul: if !isRegister { pattern = accumulator.output.nan }
    }
    return VectorManifest.NaNPolicy(
      rule: "a NaN has one pattern and every bit counts",
      pattern: pattern.map { String($0, radix: 16) })
  }

  /// How an expected word's lanes read.
  var resultType: String {
    switch operation {
    case .decode, .dequantize: "float32"
    case .encode, .quantize, .scale: "code"
    case .product, .dot, .mma, .matmul:
      isRegister ? "integer" : outputWidth == 16 ? "float16" : "float32"
    }
  }
}
