import ErrorStatistics
import Measurement
import NumberFormats

/// What `blockscale error` prints.
public enum ErrorReports {
  /// - Parameter showsTensors: Whether people see a row per tensor, or totals only.
  public static func report(
    results: [ErrorResult], totals: [ErrorResult], skipped: [SkippedItem], run: RunFields,
    showsTensors: Bool
  ) -> Report {
    let tensors = Set(results.map { "\($0.file)\n\($0.tensor)" }).count
    let elements = Dictionary(
      results.map { ("\($0.file)\n\($0.tensor)", $0.report.count) },
      uniquingKeysWith: { first, _ in first }
    ).values.reduce(0, +)
    let people = PeopleTables(results: results, totals: totals)
    let what =
      tensors == 1
      ? "\(results[0].tensor) \(PeopleTables.shape(results[0]))," : "Total over \(tensors) tensors,"
    let title = "\(what) \(NumberStyle.grouped(elements)) elements"
    // The totals come last: that is where a terminal's reader ends up.
    var sections: [Section] = []
    if showsTensors, tensors > 1 {
      sections.append(Section("", title: "By tensor", table: people.tensors))
    }
    sections += [
      Section("", title: title, table: people.totals),
      Section("results", table: data(results, isTotal: false), isShown: false),
      Section("total", table: data(totals, isTotal: true), isShown: false),
    ]
    let list = JSONValue.array(skipped.map(json))
    return Report(
      fields: run.json + [JSONField("skipped", list)], sections: sections, notes: run.notes)
  }

  /// One result with every digit, as it stands in `results` of the JSON.
  public static func json(_ result: ErrorResult) -> JSONValue {
    let table = data([result], isTotal: false)
    return .object(table.object(table.rows[0]))
  }

  static func json(_ item: SkippedItem) -> JSONValue {
    .object([
      JSONField("file", JSONValue(item.file)), JSONField("name", .string(item.name)),
      JSONField("reason", .string(item.reason)),
    ])
  }

  /// Every digit of every statistic, under the contract's names.
  private static func data(_ results: [ErrorResult], isTotal: Bool) -> Table {
    let place = isTotal ? [] : ["file", "tensor", "shape"]
    let isTransformed = results.contains { $0.errorCase.transform != .none }
    let transform = isTransformed ? ["transform"] : []
    let keys =
      place + ["format", "block", "axis", "recipe", "rounding"] + transform
      + (isTotal ? [] : ["tensor_scale"]) + statisticNames
    var table = Table(columns: keys.map { Column($0) })
    table.rows = results.map { result in
      let spec = result.errorCase.spec
      let place: [JSONValue] =
        isTotal
        ? []
        : [
          .string(result.file), .string(result.tensor),
          .array(result.shape.map { .int($0) }),
        ]
      let how: [JSONValue] = [
        .string(spec.format.name), blockValue(result.errorCase.block), .int(result.errorCase.axis),
        .string(spec.recipe.name), JSONValue(result.rounding),
      ]
      let transform: [JSONValue] =
        isTransformed ? [.string(result.errorCase.transform.description)] : []
      let scale = isTotal ? [] : [JSONValue(result.tensorScale.map { Double($0) })]
      return place + how + transform + scale + statistics(result)
    }
    return table
  }

  private static let statisticNames = [
    "count", "mean_error", "mse", "nmse", "nmse_underflow", "nmse_clamped", "nmse_saturated",
    "nmse_flushed", "sqnr_db", "max_abs_error", "mean_relative_error", "max_relative_error",
    "max_ulp", "cosine", "saturated", "flushed", "nan", "non_finite", "narrowed",
    "scale_histogram", "clamped_scales", "crest_quantiles", "bits_per_element",
  ]

  private static func statistics(_ result: ErrorResult) -> [JSONValue] {
    let report = result.report
    return [
      .int(report.count), JSONValue(report.meanError), JSONValue(report.mse),
      JSONValue(report.nmse), JSONValue(report.nmseParts?.underflow),
      JSONValue(report.nmseParts?.clamped), JSONValue(report.nmseParts?.saturated),
      JSONValue(report.nmseParts?.flushed), JSONValue(report.sqnrDecibels),
      JSONValue(report.maxAbsoluteError), JSONValue(report.meanRelativeError),
      JSONValue(report.maxRelativeError), JSONValue(report.maxULP), JSONValue(report.cosine),
      .int(report.saturated),
      .int(report.flushed), .int(report.nan), .int(report.nonFinite), .int(result.narrowed),
      histogram(report.scaleHistogram), .int(report.clampedScales), quantiles(report),
      JSONValue(report.bitsPerElement),
    ]
  }

  /// Blocks by scale code, or by binary exponent for scales wider than 8 bits; empty bins left out.
  private static func histogram(_ histogram: ScaleHistogram?) -> JSONValue {
    switch histogram {
    case nil: return .null
    case .codes(let bins):
      return .object(
        bins.enumerated().filter { $1 > 0 }.map { JSONField(String($0), .int($1)) })
    case .exponents(let counts, let zeros, let nonFinite):
      var fields = counts.sorted { $0.key < $1.key }.map {
        JSONField(String($0.key), .int($0.value))
      }
      if zeros > 0 { fields.append(JSONField("zero", .int(zeros))) }
      if nonFinite > 0 { fields.append(JSONField("non_finite", .int(nonFinite))) }
      return .object(fields)
    }
  }

  /// Crest factors by the share of blocks below.
  private static func quantiles(_ report: ErrorReport) -> JSONValue {
    guard let values = report.crestQuantiles else { return .null }
    return .object(
      zip(CrestHistogram.reportedProbabilities, values).map {
        JSONField(NumberStyle.shortest.text($0), .number($1))
      })
  }

  /// A run's length is a number, other blocks are words.
  static func blockValue(_ block: BlockShape) -> JSONValue {
    if case .line(let size) = block { return .int(size) }
    return .string(block.description)
  }
}

/// The tables of `error` that people read: fewer columns, shares in percent.
private struct PeopleTables {
  var totals: Table
  var tensors: Table

  init(results: [ErrorResult], totals: [ErrorResult]) {
    let recipes = Set(totals.map(\.errorCase.spec.recipe.name))
    let showsRecipe = recipes != ["exact"]
    let showsTransform = totals.contains { $0.errorCase.transform != .none }
    let showsNaN = totals.contains { $0.report.nan > 0 }
    let how = [
      Column("format"), Column("block", align: .right), Column("recipe", isShown: showsRecipe),
      Column("transform", isShown: showsTransform),
    ]
    let numbers: [Column] = [
      .number("bits", title: "bits/elem", .fixed(3)),
      .number("sqnr", title: "SQNR dB", .fixed(2)), .number("nmse", title: "NMSE", .scientific(3)),
      .number("max", title: "max |e|", .significant(3)),
      .number("saturated", title: "saturated %", .fixed(3)),
      .number("flushed", title: "flushed %", .fixed(3)),
      .number("clamped", title: "clamped scales"),
      .number("nan", title: "NaN", isShown: showsNaN),
    ]
    self.totals = Table(columns: how + numbers, groupedColumns: 1)
    self.totals.rows = totals.map { Self.how($0) + Self.numbers($0.report) }
    tensors = Table(
      columns: [Column("tensor", shrinking: .middle), Column("shape")] + how + numbers)
    let files = FileLabels(results.map(\.file))
    // Names behind their files are long: a line of their own keeps them whole.
    if totals.count > 1 || !files.isEmpty {
      tensors.groupedColumns = 3
      tensors.headingColumns = 2
    }
    tensors.rows = results.map { result in
      let name = files.name(result.tensor, in: result.file)
      return [.string(name), .string(Self.shape(result))] + Self.how(result)
        + Self.numbers(result.report)
    }
  }

  static func shape(_ result: ErrorResult) -> String {
    result.shape.map(String.init).joined(separator: "×")
  }

  private static func how(_ result: ErrorResult) -> [JSONValue] {
    [
      .string(result.errorCase.spec.format.name),
      .string(result.errorCase.block.description),
      .string(result.errorCase.spec.recipe.name),
      .string(result.errorCase.transform.description),
    ]
  }

  private static func numbers(_ report: ErrorReport) -> [JSONValue] {
    func percent(_ count: Int) -> JSONValue {
      report.count > 0 ? .number(100 * Double(count) / Double(report.count)) : .null
    }
    return [
      JSONValue(report.bitsPerElement), JSONValue(report.sqnrDecibels), JSONValue(report.nmse),
      JSONValue(report.maxAbsoluteError), percent(report.saturated), percent(report.flushed),
      .int(report.clampedScales), .int(report.nan),
    ]
  }
}
