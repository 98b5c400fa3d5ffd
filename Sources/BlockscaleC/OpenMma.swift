import CBlockKernels
import CBlockscale
import FormatCatalog
import KernelDescriptors
import NumberFormats

/// One side of a matrix unit as its rows have it.
private struct Side {
  var element: ElementFormat
  var scale: ScaleFormat?
  var block: Int64

  init(
    _ letter: String, _ element: String, _ scale: String?, _ block: Int64, _ tables: FormatCatalog
  ) throws(OpenError) {
    if element.lowercased() == "fp32" {
      self.element = .float32
    } else if let row = tables.element(element) {
      self.element = row
    } else {
      throw .unknown("element", element)
    }
    self.block = 1
    guard let scale else { return }
    guard let row = tables.scale(scale) else { throw .unknown("scale", scale) }
    guard block >= 1 else {
      throw .argument("\(letter): the block is \(block), expected at least 1")
    }
    self.scale = row
    self.block = block
  }
}

/// `bs_mma_open` of blockscale.h.
@_cdecl("bs_mma_open")
public func openMma(
  _ file: UnsafePointer<CChar>?, _ elementA: UnsafePointer<CChar>?,
  _ scaleA: UnsafePointer<CChar>?, _ blockA: Int64, _ elementB: UnsafePointer<CChar>?,
  _ scaleB: UnsafePointer<CChar>?, _ blockB: Int64, _ accumulator: UnsafePointer<CChar>?,
  _ unit: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
  opening { () throws(OpenError) in
    guard let unit else { throw .argument("the place for the handle is NULL") }
    guard let elementA = text(elementA), let accumulator = text(accumulator) else {
      throw .argument("the element of A or the accumulator is NULL or empty")
    }
    let tables = try catalog(file: file)
    guard let row = tables.accumulator(accumulator) else {
      throw .unknown("accumulator", accumulator)
    }
    let a = try Side("A", elementA, text(scaleA), blockA, tables)
    let b = try Side("B", text(elementB) ?? elementA, text(scaleB), blockB, tables)
    unit.pointee = OpaquePointer(try handle(row, a, b))
  }
}

/// Checks what the accumulator takes and makes the handle.
private func handle(
  _ accumulator: Accumulator, _ a: Side, _ b: Side
) throws(OpenError) -> UnsafeMutablePointer<bs_mma> {
  let problem = MatmulProblem(a: empty(a), b: empty(b), accumulator: accumulator)
  do throws(MatmulError) {
    try problem.check()
  } catch {
    throw .undefined("\(error)")
  }
  var unit = bs_mma()
  unit.magic = UInt32(BS_MMA_MAGIC)
  unit.target = bk_best_target()
  unit.accumulator = kernelAccumulator(accumulator)
  unit.sums_runs = problem.sumsRuns ? 1 : 0
  store(accumulator.name, in: &unit.name)
  switch accumulator.output.format {
  case .float32: unit.output = BS_FLOAT32
  case .float16: unit.output = BS_FLOAT16
  case .int32: unit.output = BS_INT32
  case .int64: unit.output = BS_INT64
  }
  let elements = [KernelElement(a.element), KernelElement(b.element)]
  unit.element = (elements[0].raw, elements[1].raw)
  unit.code_bits = (Int32(a.element.bits), Int32(b.element.bits))
  unit.block = (a.block, b.block)
  if let scale = a.scale {
    unit.scale.0 = kernelScale(scale)
    (unit.has_scale.0, unit.scale_bits.0) = (1, Int32(scale.storedBits))
  }
  if let scale = b.scale {
    unit.scale.1 = kernelScale(scale)
    (unit.has_scale.1, unit.scale_bits.1) = (1, Int32(scale.storedBits))
  }
  do throws(OpenError) {
    unit.codebook.0 = try codebook(a.element)
    unit.codebook.1 = try codebook(b.element)
    unit.element.0.codebook = UnsafePointer(unit.codebook.0)
    unit.element.1.codebook = UnsafePointer(unit.codebook.1)
    guard let kept = try kept([unit]) else {
      throw OpenError(code: BS_NO_MEMORY, text: "not enough memory for a handle")
    }
    return kept
  } catch {
    bs_drop(unit.codebook.0)
    bs_drop(unit.codebook.1)
    throw error
  }
}

private func empty(_ side: Side) -> MatmulOperand {
  MatmulOperand(
    element: side.element, lines: 0, depth: 0, codes: [],
    scales: side.scale.map { .init(format: $0, block: Int(side.block), codes: []) })
}

private func codebook(_ element: ElementFormat) throws(OpenError) -> UnsafeMutablePointer<Float>? {
  guard case .codebook(let values) = element.kind else { return nil }
  return try kept(values)
}
