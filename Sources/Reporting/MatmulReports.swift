import ErrorStatistics
import Measurement
import NumberFormats

/// What `blockscale matmul` and `blockscale mma` print.
public enum MatmulReports {
  public static func report(_ results: [MatmulResult], run: RunFields) -> Report {
    var sections = [Section("", title: title(results[0]), table: people(results))]
    for result in results {
      let name = result.request.accumulator.name
      sections.append(
        Section("", title: "Where the error of \(name) comes from", table: parts([result])))
      sections.append(
        Section("", title: "Rows and columns by SQNR", table: lineQuantiles(result)))
      sections.append(
        Section("", title: "Outputs by |error|", table: peopleHistogram(result)))
      if !result.report.worst.isEmpty {
        sections.append(Section("", title: "Worst outputs", table: worst([result])))
      }
    }
    sections += [
      Section("results", table: data(results), isShown: false),
      Section("parts", table: parts(results), isShown: false),
      Section("output_rows", table: lines(results, \.rows), isShown: false),
      Section("output_columns", table: lines(results, \.columns), isShown: false),
      Section("histogram", table: histogram(results), isShown: false),
      Section("worst", table: worst(results), isShown: false),
    ]
    return Report(fields: run.json, sections: sections, notes: notes(results, run))
  }

  private static func notes(_ results: [MatmulResult], _ run: RunFields) -> [String] {
    var notes = run.notes
    let first = results[0]
    for (name, side) in [("A", first.a), ("B", first.b)] {
      let format = side.request.spec?.format
      if let format, side.element != format.element.name {
        notes.append(
          "\(name): \(format.element.name) codes were rewritten to \(side.element), which"
            + " holds every value exactly.")
      } else if format == nil, side.element != "fp32" {
        notes.append("\(name): rounded to \(side.element) by tiesToEven.")
      }
    }
    for result in results {
      guard let place = result.report.firstNonFinite else { continue }
      let report = result.report
      notes.append(
        "\(result.request.accumulator.name): \(report.nonFinite) of \(report.count) outputs are NaN or"
          + " infinite, the first at row \(place.row), column \(place.column)"
          + " (\(report.nonFiniteExact) of them in A·B already); every figure is of the others.")
    }
    if let rotation = first.request.transform.rotation {
      notes.append(
        "Both sides are rotated along k by a Hadamard matrix of \(rotation.size); errors are against the"
          + " product of the operands as they are.")
    }
    if first.request.fraction < 1 {
      notes.append(
        "A sample: \(first.sampledRows) rows and \(first.sampledColumns) columns of each matrix, seed"
          + " \(first.request.seed); every figure is of these outputs.")
    }
    for result in results where !result.request.accumulator.note.isEmpty {
      notes.append("\(result.request.accumulator.name): \(result.request.accumulator.note).")
    }
    return notes
  }

  private static func title(_ result: MatmulResult) -> String {
    let m = result.shape.dropLast().map(String.init).joined(separator: "x")
    return "\(name(result.a)) x \(name(result.b)): m = \(m.isEmpty ? "1" : m),"
      + " n = \(result.shape.last ?? 0), k = \(result.depth)"
  }

  /// A tensor's name, or its file's where an .npy file's only tensor has none of its own.
  private static func name(_ side: MatmulResult.Side) -> String {
    guard side.tensor == "tensor" else { return side.tensor }
    return side.file.split(separator: "/").last.map(String.init) ?? side.file
  }

  private static func side(_ side: MatmulResult.Side) -> String {
    guard let spec = side.request.spec else { return "none" }
    let recipe = spec.recipe.name == "exact" ? "" : " \(spec.recipe.name)"
    return "\(spec.format.name) \(side.request.block)\(recipe)"
  }

  private static func people(_ results: [MatmulResult]) -> Table {
    var table = Table(columns: [
      Column("accumulator"), Column("a", title: "A"), Column("b", title: "B"),
      .number("outputs"), .number("sqnr", title: "SQNR dB", .fixed(2)),
      .number("nmse", .scientific(4)), .number("mean", title: "mean error", .scientific(3)),
      .number("largest", title: "largest |error|", .significant(4)),
      .number("rms", title: "rms of A·B", .significant(4)),
    ])
    table.rows = results.map { result in
      let report = result.report
      return [
        .string(result.request.accumulator.name), .string(side(result.a)), .string(side(result.b)),
        .int(report.count), JSONValue(report.total.sqnrDecibels), JSONValue(report.total.nmse),
        JSONValue(report.total.meanError), JSONValue(report.total.maxAbsoluteError),
        JSONValue(report.rms),
      ]
    }
    return table
  }

  private static func parts(_ results: [MatmulResult]) -> Table {
    var table = Table(columns: [
      Column("accumulator", isShown: false), Column("part"),
      .number("mean_error", title: "mean error", .scientific(3)), .number("mse", .scientific(4)),
      .number("nmse", .scientific(4)), .number("sqnr_db", title: "SQNR dB", .fixed(2)),
      .number("max_abs_error", title: "largest |error|", .significant(4)),
      .number("mse_contribution", title: "adds to mse", .scientific(4)),
      .number("share", title: "share", .fixed(4)),
    ])
    table.rows = results.flatMap { result in
      (result.report.parts + [result.report.total]).map { part in
        [.string(result.request.accumulator.name), .string(part.part.rawValue)]
          + [
            part.meanError, part.mse, part.nmse, part.sqnrDecibels, part.maxAbsoluteError,
            part.contribution, part.share,
          ].map { JSONValue($0) }
      }
    }
    return table
  }

  private static func data(_ results: [MatmulResult]) -> Table {
    let keys = [
      "accumulator", "a", "b", "shape", "k", "fraction", "sampled_rows", "sampled_columns", "count",
      "non_finite", "non_finite_exact", "exact_outputs", "mean_error", "mse", "nmse", "sqnr_db",
      "max_abs_error",
      "output_rms", "reference_error_bound", "parts",
    ]
    let isTransformed = results.contains { $0.request.transform != .none }
    var table = Table(
      columns: (keys + (isTransformed ? ["transform"] : [])).map { Column($0) })
    table.rows = results.map { result in
      let transform: [JSONValue] =
        isTransformed ? [.string(result.request.transform.description)] : []
      let report = result.report
      let total = report.total
      let values: [JSONValue] = [
        .string(result.request.accumulator.name), json(result.a), json(result.b),
        .array(result.shape.map { .int($0) }), .int(result.depth),
        .number(result.request.fraction), .int(result.sampledRows), .int(result.sampledColumns),
        .int(report.count), .int(report.nonFinite), .int(report.nonFiniteExact),
        .int(report.exactOutputs),
        JSONValue(total.meanError), JSONValue(total.mse), JSONValue(total.nmse),
        JSONValue(total.sqnrDecibels), JSONValue(total.maxAbsoluteError), JSONValue(report.rms),
        .number(result.referenceBound), .object(report.parts.map(json)),
      ]
      return values + transform
    }
    return table
  }

  /// One result with every digit, as it stands in `results` of the JSON.
  public static func json(_ result: MatmulResult) -> JSONValue {
    let table = data([result])
    return .object(table.object(table.rows[0]))
  }

  private static func json(_ part: ProductErrorReport.Part) -> JSONField {
    JSONField(
      part.part.rawValue,
      .object([
        JSONField("mean_error", JSONValue(part.meanError)), JSONField("mse", JSONValue(part.mse)),
        JSONField("nmse", JSONValue(part.nmse)),
        JSONField("max_abs_error", JSONValue(part.maxAbsoluteError)),
        JSONField("mse_contribution", JSONValue(part.contribution)),
        JSONField("share", JSONValue(part.share)),
      ]))
  }

  private static func json(_ side: MatmulResult.Side) -> JSONValue {
    .object([
      JSONField("file", .string(side.file)), JSONField("tensor", .string(side.tensor)),
      JSONField("shape", .array(side.shape.map { .int($0) })),
      JSONField("format", .string(side.request.formatName)),
      JSONField(
        "block", side.request.spec.map { _ in ErrorReports.blockValue(side.request.block) } ?? .null
      ),
      JSONField("recipe", JSONValue(side.request.spec?.recipe.name)),
      JSONField("element", .string(side.element)),
      JSONField("tensor_scale", tensorScale(side)),
      JSONField("clamped_scales", .int(side.clampedScales)),
      JSONField("narrowed", .int(side.narrowed)),
    ])
  }

  /// A number, or one for each matrix of a batch.
  private static func tensorScale(_ side: MatmulResult.Side) -> JSONValue {
    let scales = side.tensorScales.map { JSONValue.number(Double($0)) }
    return scales.count > 1 ? .array(scales) : scales.first ?? .null
  }

  private static func lines(
    _ results: [MatmulResult], _ path: KeyPath<ProductErrorReport, [ProductErrorReport.Line]>
  ) -> Table {
    var table = Table(columns: [
      Column("accumulator"), .number("index"), .number("mean_error"), .number("mse"),
      .number("nmse"), .number("sqnr_db"), .number("max_abs_error"),
    ])
    table.rows = results.flatMap { result in
      result.report[keyPath: path].map { line in
        [.string(result.request.accumulator.name), .int(line.index)]
          + [line.meanError, line.mse, line.nmse, line.sqnrDecibels, line.maxAbsoluteError]
          .map { JSONValue($0) }
      }
    }
    return table
  }

  /// Worst, quartiles and best of rows and of columns, each with the line it is.
  private static func lineQuantiles(_ result: MatmulResult) -> Table {
    var table = Table(columns: [
      Column("lines", title: ""), .number("worst", title: "worst dB", .fixed(2)),
      .number("worst_index", title: "index"), .number("q25", title: "25 %", .fixed(2)),
      .number("median", .fixed(2)), .number("q75", title: "75 %", .fixed(2)),
      .number("best", title: "best dB", .fixed(2)), .number("best_index", title: "index"),
    ])
    for (name, lines) in [("rows", result.report.rows), ("columns", result.report.columns)] {
      let known = lines.filter { $0.sqnrDecibels?.isNaN == false }
        .sorted { ($0.sqnrDecibels ?? 0, $0.index) < ($1.sqnrDecibels ?? 0, $1.index) }
      guard let worst = known.first, let best = known.last else { continue }
      func quantile(_ share: Double) -> JSONValue {
        JSONValue(known[Int((Double(known.count - 1) * share).rounded())].sqnrDecibels)
      }
      table.rows.append([
        .string(name), JSONValue(worst.sqnrDecibels), .int(worst.index), quantile(0.25),
        quantile(0.5), quantile(0.75), JSONValue(best.sqnrDecibels), .int(best.index),
      ])
    }
    return table
  }

  private static func histogram(_ results: [MatmulResult]) -> Table {
    var table = Table(columns: [Column("accumulator"), .number("exponent"), .number("count")])
    table.rows = results.flatMap { result in
      result.report.histogram.map {
        [.string(result.request.accumulator.name), .int($0.exponent), .int($0.count)]
      }
    }
    return table
  }

  private static func peopleHistogram(_ result: MatmulResult) -> Table {
    var table = Table(columns: [
      Column("from", title: "|error| from"), .number("outputs"), Column("bar", title: ""),
    ])
    let bins = result.report.histogram
    let most = max(1, bins.map(\.count).max() ?? 1, result.report.exactOutputs)
    func bar(_ count: Int) -> JSONValue {
      .string(String(repeating: "#", count: (count * 40 + most - 1) / most))
    }
    if result.report.exactOutputs > 0 {
      table.rows.append([
        .string("0"), .int(result.report.exactOutputs), bar(result.report.exactOutputs),
      ])
    }
    // The thin lower tail is one line.
    let shown = bins.suffix(12)
    let below = bins.dropLast(12).reduce(0) { $0 + $1.count }
    if below > 0, let first = shown.first {
      table.rows.append([.string("below 2^\(first.exponent)"), .int(below), bar(below)])
    }
    for bin in shown {
      table.rows.append([.string("2^\(bin.exponent)"), .int(bin.count), bar(bin.count)])
    }
    return table
  }

  private static func worst(_ results: [MatmulResult]) -> Table {
    var table = Table(columns: [
      Column("accumulator", isShown: false), .number("row"), .number("column"),
      .number("exact", .compact(7)), .number("observed", .compact(7)),
      .number("error", .scientific(4)), .number("weight", .scientific(3)),
      .number("activation", .scientific(3)), .number("interaction", .scientific(3)),
      .number("accumulation", .scientific(3)),
    ])
    table.rows = results.flatMap { result in
      result.report.worst.map { output in
        [.string(result.request.accumulator.name), .int(output.row), .int(output.column)]
          + [
            output.exact, output.observed, output.error, output.weight, output.activation,
            output.interaction, output.accumulation,
          ].map { JSONValue.number($0) }
      }
    }
    return table
  }

  /// What `mma` says of the file it wrote.
  public static func written(_ problem: MatmulProblem, to path: String, run: RunFields) -> Report {
    var table = Table(columns: [
      Column("accumulator"), .number("m"), .number("n"), .number("k"), Column("type"),
    ])
    table.rows = [
      [
        .string(problem.accumulator.name), .int(problem.rows), .int(problem.columns),
        .int(problem.depth), .string(problem.outputType.rawValue),
      ]
    ]
    var notes = run.notes
    if !problem.accumulator.note.isEmpty {
      notes.append("\(problem.accumulator.name): \(problem.accumulator.note).")
    }
    return Report(
      fields: run.json + [JSONField("output", .string(path))],
      sections: [Section("products", title: "Written to \(path)", table: table)], notes: notes)
  }
}
