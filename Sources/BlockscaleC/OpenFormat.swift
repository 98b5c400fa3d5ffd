import CBlockKernels
import CBlockscale
import FormatCatalog
import KernelDescriptors
import NumberFormats

/// `bs_format_open` of blockscale.h.
@_cdecl("bs_format_open")
public func openFormat(
  _ name: UnsafePointer<CChar>?, _ block: UnsafePointer<CChar>?, _ recipe: UnsafePointer<CChar>?,
  _ format: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
  openFormat(nil, name, block, recipe, nil, format)
}

/// `bs_format_open_file` of blockscale.h.
@_cdecl("bs_format_open_file")
public func openFormat(
  _ file: UnsafePointer<CChar>?, _ name: UnsafePointer<CChar>?, _ block: UnsafePointer<CChar>?,
  _ recipe: UnsafePointer<CChar>?, _ rounding: UnsafePointer<CChar>?,
  _ format: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
  opening { () throws(OpenError) in
    guard let format else { throw .argument("the place for the handle is NULL") }
    guard let name = text(name) else { throw .argument("the format's name is NULL or empty") }
    let tables = try catalog(file: file)
    var chosen: Rounding?
    if let rounding = text(rounding) {
      guard let known = Rounding(rounding) else { throw .unknown("rounding", rounding) }
      chosen = known
    }
    var handle = bs_format()
    handle.magic = UInt32(BS_FORMAT_MAGIC)
    handle.target = bk_best_target()
    if let row = tables.block(name) {
      try fill(&handle, row, tables, block: text(block), recipe: text(recipe), rounding: chosen)
    } else if let row = tables.element(name) {
      guard text(block) == nil, text(recipe) == nil else {
        throw .undefined("\(row.name) is an element format: it has neither block nor recipe")
      }
      handle.job.rounding = kernelRounding(chosen ?? .tiesToEven)
      if case .stochastic(let bits)? = chosen { handle.job.random_bits = Int32(bits) }
      store(row.name, in: &handle.name)
      try setElement(&handle, row)
    } else {
      throw .unknown("block format or element", name)
    }
    format.pointee = OpaquePointer(try keptHandle(handle))
  }
}

/// A block format's rows in the handle.
private func fill(
  _ handle: inout bs_format, _ row: BlockFormat, _ tables: FormatCatalog, block: String?,
  recipe recipeName: String?, rounding: Rounding?
) throws(OpenError) {
  var shape = row.block
  if let block {
    guard let read = BlockShape(block) else {
      throw .argument("block \"\(block)\": expected N, RxC, axis or tensor")
    }
    shape = read
  }
  guard let recipe = tables.recipe(recipeName ?? "exact") else {
    throw .unknown("recipe", recipeName ?? "exact")
  }
  let spec = QuantizationSpec(format: row, recipe: recipe, rounding: rounding)
  var job = KernelJob(spec, tensorScale: 1)
  store(row.name, in: &handle.name)
  store(recipe.name, in: &handle.recipe_name)
  handle.has_scale = 1
  handle.scale_bits = Int32(row.scale.storedBits)
  setBlock(&handle, shape)
  do throws(QuantizeError) {
    try recipe.checkScope(format: row, block: shape)
    if case .named(let named) = recipe.steps {
      var kernel = KernelRecipe(named, spec: spec, tensorScale: .one)
      job.setRounding(try recipe.elementRounding(named, override: rounding, in: &kernel))
      handle.has_recipe = 1
      handle.recipe = kernel.raw
      handle.tensor_rule = tensorRule(named)
    } else {
      handle.tensor_rule = Int32(row.hasTensorScale ? BS_FACTOR_EXACT : BS_FACTOR_ONE)
    }
  } catch {
    throw .undefined("\(error)")
  }
  handle.job = job.raw
  handle.tensor_job = tensorJob(row)
  if case .named(let named) = recipe.steps { try setReciprocals(&handle, named) }
  do throws(OpenError) {
    try setElement(&handle, row.element)
  } catch {
    bs_drop(handle.reciprocals)
    throw error
  }
}

/// The element's fields, with a codebook that belongs to the handle.
private func setElement(_ handle: inout bs_format, _ element: ElementFormat) throws(OpenError) {
  let kernel = KernelElement(element)
  handle.code_bits = Int32(element.bits)
  handle.job.element = kernel.raw
  handle.job.element.codebook = nil
  guard case .codebook(let values) = element.kind else { return }
  handle.codebook = try kept(values)
  handle.job.element.codebook = UnsafePointer(handle.codebook)
}

private func setReciprocals(_ handle: inout bs_format, _ named: NamedRecipe) throws(OpenError) {
  let pairs = named.reciprocal.exceptions.sorted { $0.key < $1.key }
  handle.reciprocals = try kept(pairs.map(\.key) + pairs.map(\.value))
  handle.recipe.reciprocal_count = Int32(pairs.count)
  handle.recipe.reciprocal_arguments = UnsafePointer(handle.reciprocals)
  handle.recipe.reciprocal_results = UnsafePointer(handle.reciprocals.map { $0 + pairs.count })
}

private func setBlock(_ handle: inout bs_format, _ shape: BlockShape) {
  (handle.block_rows, handle.block_columns) = (1, 1)
  switch shape {
  case .line(let size):
    handle.block_kind = BS_BLOCK_LINE
    handle.block_columns = Int64(size)
  case .tile(let rows, let columns):
    handle.block_kind = BS_BLOCK_TILE
    (handle.block_rows, handle.block_columns) = (Int64(rows), Int64(columns))
  case .axis: handle.block_kind = BS_BLOCK_AXIS
  case .tensor: handle.block_kind = BS_BLOCK_TENSOR
  }
}

private func tensorRule(_ named: NamedRecipe) -> Int32 {
  switch named.tensorScale {
  case .none: Int32(BS_FACTOR_REFUSED)
  case .decode2688: Int32(BS_FACTOR_DECODE_2688)
  case .encode2688: Int32(BS_FACTOR_ENCODE_2688)
  case .encode1536: Int32(BS_FACTOR_ENCODE_1536)
  case .encodePlain2688: Int32(BS_FACTOR_ENCODE_PLAIN_2688)
  case .encodeInputReciprocal2688: Int32(BS_FACTOR_ENCODE_INPUT_RECIPROCAL_2688)
  }
}

/// A/(maxS·maxE) rounded once: the rule of an FP32 block scale with maxS in the place of T.
private func tensorJob(_ row: BlockFormat) -> bk_job {
  var job = bk_job()
  job.element.max_value = KernelElement(row.element).raw.max_value
  job.tensor_scale = kernelFloat(row.scale.layout).max_value
  job.scale.kind = BK_SCALE_FLOAT
  job.scale.format = kernelFloat(
    FloatLayout(signBits: 0, exponentBits: 8, mantissaBits: 23, bias: 127, nonFinite: .ieee))
  return job
}

/// The handle in memory of its own; what it points to is freed where that cannot be had.
private func keptHandle(_ handle: bs_format) throws(OpenError) -> UnsafeMutablePointer<bs_format> {
  do throws(OpenError) {
    if let kept = try kept([handle]) { return kept }
    throw OpenError(code: BS_NO_MEMORY, text: "not enough memory for a handle")
  } catch {
    bs_drop(handle.codebook)
    bs_drop(handle.reciprocals)
    throw error
  }
}
