import FoundationEssentials
import NumberFormats

extension SweepPlan {
  /// Reads a plan from a JSON or JSON5 file.
  ///
  /// - Throws: `SweepError.noPlan`, or `plan` that names the file and the field.
  public static func read(_ path: String) throws(SweepError) -> SweepPlan {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .noPlan(file: path)
    }
    return try SweepPlan(json: data, file: path)
  }

  /// - Parameter file: names it in errors; paths in the plan start from the file's folder.
  public init(json: Data, file: String) throws(SweepError) {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    let fields: PlanFields
    do {
      fields = try decoder.decode(PlanFields.self, from: json)
    } catch {
      throw Self.malformed(error, file: file)
    }
    self.init(file: file)
    let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    func place(_ name: String) -> String { name.hasPrefix("/") ? name : folder + name }
    weights = (fields.weights ?? []).map(place)
    activations = (fields.activations ?? []).map(place)
    products = (fields.products ?? []).map { $0.plan(place) }
    formatFiles = (fields.formatFiles ?? []).map(place)
    formats = fields.formats ?? []
    blocks = (fields.blocks ?? []).map(\.value)
    recipes = fields.recipes ?? recipes
    roundings = (fields.roundings ?? []).map(\.value)
    accumulators = fields.accumulators ?? accumulators
    transforms =
      (fields.rotations ?? []).map(\.value.transform)
      + (fields.outliers ?? []).map(\.value.transform)
    axis = fields.axis ?? axis
    tensorScale = fields.tensorScale?.value ?? tensorScale
    computeType = fields.asDtype?.value ?? computeType
    seed = fields.seed ?? seed
    fraction = fields.fraction ?? fraction
  }

  private static func malformed(_ error: any Error, file: String) -> SweepError {
    if let mistake = error as? PlanMistake {
      return .plan(file: file, field: fieldPath(mistake.path), problem: mistake.problem)
    }
    guard let error = error as? DecodingError else {
      return .plan(file: file, field: "", problem: "not a plan")
    }
    let (context, problem): (DecodingError.Context, String) =
      switch error {
      // Only the parser itself fails at no field.
      case .dataCorrupted(let context) where context.codingPath.isEmpty: (context, "not JSON5")
      case .dataCorrupted(let context): (context, context.debugDescription)
      case .keyNotFound(let key, let context): (context, "expected a field \"\(key.stringValue)\"")
      case .typeMismatch(_, let context), .valueNotFound(_, let context):
        (context, context.debugDescription)
      @unknown default: (.init(codingPath: [], debugDescription: ""), "\(error)")
      }
    return .plan(file: file, field: fieldPath(context.codingPath), problem: problem)
  }
}

/// `products[1].formats[2]`.
func fieldPath(_ path: [any CodingKey]) -> String {
  path.reduce(into: "") { text, key in
    if let index = key.intValue {
      text += "[\(index)]"
    } else {
      text += (text.isEmpty ? "" : ".") + key.stringValue
    }
  }
}

/// A plan as it stands in the file.
private struct PlanFields: Decodable {
  var weights: [String]?
  var activations: [String]?
  var products: [ProductFields]?
  var formats: [String]?
  var blocks: [Parsed<BlockShape>]?
  var recipes: [String]?
  var roundings: [Parsed<Rounding>]?
  var accumulators: [String]?
  var rotations: [Parsed<RotationWord>]?
  var outliers: [Parsed<OutlierWord>]?
  var axis: Int?
  var tensorScale: Parsed<TensorScaleChoice>?
  var asDtype: Parsed<ComputeType>?
  var seed: UInt64?
  var fraction: Double?
  var formatFiles: [String]?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case version, weights, activations, products, formats, blocks, recipes, roundings,
      accumulators, rotations, outliers, axis, seed, fraction
    case tensorScale = "tensor_scale"
    case asDtype = "as_dtype"
    case formatFiles = "format_files"
  }

  init(from decoder: any Decoder) throws {
    try refuseUnknownFields(decoder, CodingKeys.self)
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    guard let version = try fields.wholeNumber(.version) else {
      throw PlanMistake(path: [], problem: "expected a field \"version\"")
    }
    guard version == 1 else {
      throw PlanMistake(path: [CodingKeys.version], problem: "expected 1")
    }
    weights = try fields.decodeIfPresent([String].self, forKey: .weights)
    activations = try fields.decodeIfPresent([String].self, forKey: .activations)
    products = try fields.decodeIfPresent([ProductFields].self, forKey: .products)
    formats = try fields.decodeIfPresent([String].self, forKey: .formats)
    blocks = try fields.decodeIfPresent([Parsed<BlockShape>].self, forKey: .blocks)
    recipes = try fields.decodeIfPresent([String].self, forKey: .recipes)
    roundings = try fields.decodeIfPresent([Parsed<Rounding>].self, forKey: .roundings)
    accumulators = try fields.decodeIfPresent([String].self, forKey: .accumulators)
    rotations = try fields.decodeIfPresent([Parsed<RotationWord>].self, forKey: .rotations)
    outliers = try fields.decodeIfPresent([Parsed<OutlierWord>].self, forKey: .outliers)
    axis = try fields.wholeNumber(.axis)
    tensorScale = try fields.decodeIfPresent(Parsed<TensorScaleChoice>.self, forKey: .tensorScale)
    asDtype = try fields.decodeIfPresent(Parsed<ComputeType>.self, forKey: .asDtype)
    seed = try fields.wholeNumber(.seed).map { number in
      guard let seed = UInt64(exactly: number) else {
        throw PlanMistake(path: [CodingKeys.seed], problem: "\(number) (expected 0 or more)")
      }
      return seed
    }
    fraction = try fields.decodeIfPresent(Double.self, forKey: .fraction)
    formatFiles = try fields.decodeIfPresent([String].self, forKey: .formatFiles)
  }
}

private struct ProductFields: Decodable {
  var a: String
  var b: String
  var transposesB: Bool?
  var formats: [String]?
  var formatsB: [String]?
  var blocks: [Parsed<BlockShape>]?
  var blocksB: [Parsed<BlockShape>]?
  var recipes: [String]?
  var accumulators: [String]?
  var fraction: Double?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case a, b, formats, blocks, recipes, accumulators, fraction
    case transposesB = "transpose_b"
    case formatsB = "formats_b"
    case blocksB = "blocks_b"
  }

  init(from decoder: any Decoder) throws {
    try refuseUnknownFields(decoder, CodingKeys.self)
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    a = try fields.decode(String.self, forKey: .a)
    b = try fields.decode(String.self, forKey: .b)
    transposesB = try fields.decodeIfPresent(Bool.self, forKey: .transposesB)
    formats = try fields.decodeIfPresent([String].self, forKey: .formats)
    formatsB = try fields.decodeIfPresent([String].self, forKey: .formatsB)
    blocksB = try fields.decodeIfPresent([Parsed<BlockShape>].self, forKey: .blocksB)
    blocks = try fields.decodeIfPresent([Parsed<BlockShape>].self, forKey: .blocks)
    recipes = try fields.decodeIfPresent([String].self, forKey: .recipes)
    accumulators = try fields.decodeIfPresent([String].self, forKey: .accumulators)
    fraction = try fields.decodeIfPresent(Double.self, forKey: .fraction)
  }

  func plan(_ place: (String) -> String) -> ProductPlan {
    var plan = ProductPlan(a: place(a), b: place(b), transposesB: transposesB ?? false)
    plan.formats = formats
    plan.formatsB = formatsB
    plan.blocks = blocks?.map(\.value)
    plan.blocksB = blocksB?.map(\.value)
    plan.recipes = recipes
    plan.accumulators = accumulators
    plan.fraction = fraction
    return plan
  }
}
