import ScalingLaws

/// What `law fit` prints. Its JSON is what `law predict` reads.
public enum LawFitReports {
  public static func report(_ fit: LawFit, run: RunFields) -> Report {
    Report(
      fields: run.json + request(fit) + estimates(fit) + quality(fit),
      sections: [
        parameterTable(fit), qualityTable(fit), residuals(fit, isShown: false), largest(fit),
      ],
      notes: notes(fit))
  }

  private static func request(_ fit: LawFit) -> [JSONField] {
    var scale: Double?
    if case .huber(let value) = fit.curve.loss { scale = value }
    return [
      JSONField("law", .string(fit.law.name)),
      JSONField("expression", .string(fit.law.expression.text)),
      JSONField("file", .string(fit.points.file)),
      JSONField("target", .string(fit.law.target.column)),
      JSONField("points", .int(fit.points.targets.count)),
      JSONField("dropped", .int(fit.points.dropped.count)),
      JSONField("space", .string(fit.space.rawValue)),
      JSONField("loss", .string(scale == nil ? "squares" : "huber")),
      JSONField("huber_scale", JSONValue(scale)),
      JSONField("confidence", .number(fit.curve.confidence)),
      JSONField("fitted_range", .object(ranges(fit))),
    ]
  }

  /// By column, in the column's unit: what the fit has seen.
  private static func ranges(_ fit: LawFit) -> [JSONField] {
    fit.law.variablesOfFormula.map { place in
      let variable = fit.law.variables[place]
      let numbers = fit.points.variables.map { $0[place] * variable.factor }
      return JSONField(
        variable.column, .array([JSONValue(numbers.min()), JSONValue(numbers.max())]))
    }
  }

  private static func estimates(_ fit: LawFit) -> [JSONField] {
    let parameters = fit.parameters.map { parameter in
      JSONField(
        parameter.symbol,
        .object([
          JSONField("value", .number(parameter.value)), JSONField("low", JSONValue(parameter.low)),
          JSONField("high", JSONValue(parameter.high)),
          JSONField("standard_error", JSONValue(parameter.standardError)),
          JSONField("bootstrap_low", JSONValue(parameter.bootstrapLow)),
          JSONField("bootstrap_high", JSONValue(parameter.bootstrapHigh)),
          JSONField("is_fixed", .bool(parameter.isFixed)),
          JSONField("is_at_bound", .bool(parameter.isAtBound)),
        ]))
    }
    let symbols = fit.curve.parameters.map { JSONValue.string($0.symbol) }
    let matrix = fit.curve.covariance.map { JSONValue.array($0.map { .number($0) }) }
    return [
      JSONField("parameters", .object(parameters)),
      JSONField(
        "covariance",
        .object([JSONField("symbols", .array(symbols)), JSONField("matrix", .array(matrix))])),
      JSONField("degrees_of_freedom", .int(fit.curve.freedom)),
      JSONField(
        "bootstrap",
        fit.bootstrap.map {
          .object([
            JSONField("method", .string("residuals, percentiles")),
            JSONField("resamples", .int($0.resamples)), JSONField("failed", .int($0.failed)),
          ])
        } ?? .null),
    ]
  }

  private static func quality(_ fit: LawFit) -> [JSONField] {
    [
      JSONField("r_squared", JSONValue(fit.quality.rSquared)),
      JSONField("r_squared_linear", JSONValue(fit.quality.rSquaredLinear)),
      JSONField("rms", .number(fit.quality.rms)),
      JSONField("residual_sum_of_squares", .number(fit.curve.residualSumOfSquares)),
      JSONField("cost", .number(fit.curve.cost)), JSONField("aic", JSONValue(fit.quality.aic)),
      JSONField("aicc", JSONValue(fit.quality.aicc)),
      JSONField("condition", .number(fit.curve.condition)),
      JSONField("starts", .int(fit.curve.startsTried)),
      JSONField("starts_agreeing", .int(fit.curve.startsAgreeing)),
      JSONField("held_out", fit.heldOut.map(heldOut) ?? .null),
      JSONField("warnings", .array(fit.warnings.map { .string($0) })),
    ]
  }

  private static func heldOut(_ error: HeldOutError) -> JSONValue {
    .object([
      JSONField("name", .string(error.name)), JSONField("points", .int(error.rows.count)),
      JSONField("rms_log", JSONValue(error.rmsLog)),
      JSONField("in_sample_rms_log", JSONValue(error.inSampleRmsLog)),
      JSONField("mean_relative", JSONValue(error.meanRelative)),
      JSONField("largest_relative", JSONValue(error.largestRelative)),
      JSONField("in_sample_mean_relative", JSONValue(error.inSampleMeanRelative)),
      JSONField(
        "rows",
        .array(
          error.rows.map {
            .object([
              JSONField("line", .int($0.line)), JSONField("observed", .number($0.observed)),
              JSONField("predicted", .number($0.predicted)),
            ])
          })),
    ])
  }

  private static func notes(_ fit: LawFit) -> [String] {
    let share = NumberStyle.compact(4).text(fit.curve.confidence * 100)
    var notes = ["low and high: \(share) % intervals from the covariance, Student's t."]
    if let bootstrap = fit.bootstrap {
      notes.append(
        "boot low and high: percentiles of \(bootstrap.resamples) fits to resampled residuals.")
    }
    if let error = fit.heldOut, let left = error.rmsLog, let seen = error.inSampleRmsLog {
      let style = NumberStyle.significant(3)
      notes.append(
        "Fitted without \(error.name) (\(error.rows.count) points), it errs there by"
          + " \(style.text(left)) rms in the logarithm, against \(style.text(seen)) on the points it"
          + " saw.")
    }
    return notes + fit.warnings.map { "Warning: \($0)" }
  }
}

// The tables.
extension LawFitReports {
  private static func parameterTable(_ fit: LawFit) -> Section {
    let hasBootstrap = fit.bootstrap != nil
    let columns = [
      Column("symbol", title: "parameter"), .number("value", .significant(5)),
      .number("low", .significant(4)), .number("high", .significant(4)),
      .number("bootstrap_low", title: "boot low", .significant(4), isShown: hasBootstrap),
      .number("bootstrap_high", title: "boot high", .significant(4), isShown: hasBootstrap),
      Column("remark", title: ""), Column("meaning", shrinking: .end),
    ]
    let rows = fit.parameters.map { parameter -> [JSONValue] in
      let meaning = fit.law.parameters.first { $0.symbol == parameter.symbol }?.meaning
      return [
        .string(parameter.symbol), .number(parameter.value), JSONValue(parameter.low),
        JSONValue(parameter.high), JSONValue(parameter.bootstrapLow),
        JSONValue(parameter.bootstrapHigh),
        .string(parameter.isFixed ? "fixed" : parameter.isAtBound ? "at bound" : ""),
        JSONValue(meaning),
      ]
    }
    let unknown = fit.space == .log ? "ln \(fit.law.target.column)" : fit.law.target.column
    let title =
      "\(fit.law.name): \(fit.law.target.column) = \(fit.law.expression.text), fitted to \(unknown)"
      + " of \(fit.points.targets.count) points of \(fit.points.file)"
    return Section("", title: title, table: Table(columns: columns, rows: rows))
  }

  private static func qualityTable(_ fit: LawFit) -> Section {
    let table = Table(
      columns: [
        .number("r_squared", title: "R² of ln", .significant(4)),
        .number("r_squared_linear", title: "R² linear", .significant(4)),
        .number("rms", title: "rms residual", .significant(4)),
        .number("aicc", title: "AICc", .fixed(2)),
        .number("condition", .significant(3)), .number("starts", title: "starts agreeing"),
        .number("held_out", title: "held-out rms", .significant(4)),
      ],
      rows: [
        [
          JSONValue(fit.quality.rSquared), JSONValue(fit.quality.rSquaredLinear),
          .number(fit.quality.rms), JSONValue(fit.quality.aicc), .number(fit.curve.condition),
          .string("\(fit.curve.startsAgreeing)/\(fit.curve.startsTried)"),
          JSONValue(fit.heldOut?.rmsLog),
        ]
      ])
    return Section("", table: table)
  }

  /// Each point with what the law gives there.
  private static func residuals(_ fit: LawFit, isShown: Bool) -> Section {
    let read = fit.law.variablesOfFormula.map { fit.law.variables[$0] }
    var columns = [Column.number("line")]
    columns += read.map { .number($0.column, .compact(6)) }
    columns += [
      .number("observed", .significant(4)), .number("fitted", .significant(4)),
      .number("residual", .fixed(4)), .number("leverage", .fixed(3)),
    ]
    return Section(
      "residuals", table: Table(columns: columns, rows: residualRows(fit)), isShown: isShown)
  }

  private static func residualRows(_ fit: LawFit) -> [[JSONValue]] {
    fit.points.targets.indices.map { row in
      let numbers = fit.law.variablesOfFormula.map { place in
        JSONValue.number(
          fit.points.variables[row][place] * fit.law.variables[place].factor)
      }
      let factor = fit.law.target.factor
      return [.int(fit.points.lines[row])] + numbers + [
        .number(fit.points.targets[row] * factor), .number(fit.curve.fitted[row] * factor),
        .number(fit.curve.residuals[row]), .number(fit.curve.leverages[row]),
      ]
    }
  }

  /// For people: the points that the law misses most.
  private static func largest(_ fit: LawFit) -> Section {
    var section = residuals(fit, isShown: true)
    section.key = ""
    let order = fit.curve.residuals.indices.sorted {
      abs(fit.curve.residuals[$0]) > abs(fit.curve.residuals[$1])
    }
    section.table.rows = order.prefix(5).map { section.table.rows[$0] }
    section.title = "Largest residuals (CSV and JSON hold all)"
    return section
  }
}
