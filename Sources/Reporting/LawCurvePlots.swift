import ScalingLaws
import Sweep

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Drawings of `law measure`, `law assign` and `law plan`.
public enum LawCurvePlots {
  /// Error against Q_b: points as measured, a line for the fitted law, a dashed one between the
  /// points where the law is not used.
  public static func curves(_ curves: [JudgedCurve]) -> Plot {
    var layers: [PlotLayer] = []
    for (color, judged) in curves.enumerated() {
      let points = judged.curve.points.map { point in
        PlotPoint(
          point.blockSize, point.error,
          title:
            "\(judged.curve.format) \(point.block): \(NumberStyle.scientific(4).text(point.error))")
      }
      layers.append(.points(points, name: judged.curve.format, color: color))
      guard case .law(let law, _) = judged.planned else {
        layers.append(.line(points, color: color, isDashed: true))
        continue
      }
      let line = spaced(law.range).map { PlotPoint($0, law.error(at: $0)) }
      layers.append(.line(line, color: color))
    }
    return Plot(
      title: "Error against block size", x: PlotAxis("Q_b, elements per scale", scale: .log),
      y: PlotAxis("relative squared error", scale: .log), layers: layers,
      notes: ["Lines: K (Q_b + d)^gamma_c; dashed where the measured curve is used instead."])
  }

  /// Error against Q_r, a line for each way of choosing.
  public static func ratios(_ points: [RatioPoint]) -> Plot {
    var order: [String] = []
    var lines: [String: [PlotPoint]] = [:]
    let formats = Set(points.map { "\($0.errorCase.spec.format.name) \($0.errorCase.block)" })
    for point in points {
      let format = "\(point.errorCase.spec.format.name) \(point.errorCase.block)"
      let name = formats.count > 1 ? "\(format) \(point.method.rawValue)" : point.method.rawValue
      if lines[name] == nil { order.append(name) }
      lines[name, default: []].append(PlotPoint(point.reached, point.error))
    }
    let layers = order.enumerated().flatMap { color, name -> [PlotLayer] in
      let points = lines[name] ?? []
      return [.points(points, name: name, color: color), .line(points, color: color)]
    }
    let title =
      formats.count == 1 ? "Error against Q_r: \(formats.first ?? "")" : "Error against Q_r"
    return Plot(
      title: title, x: PlotAxis("Q_r, share of weights in low precision"),
      y: PlotAxis("relative squared error", scale: .log), layers: layers)
  }

  /// The largest Q_b within the budget against N, every weight quantised; with one format, delta beneath it.
  public static func budgetMap(
    _ plan: BudgetPlan, _ curves: [JudgedCurve], sizes: [Double]
  ) -> Plot {
    let models = spaced((sizes.min() ?? 1e9) / 2...(sizes.max() ?? 1e9) * 2)
    var layers: [PlotLayer] = []
    if curves.count == 1, let only = curves.first { layers.append(heat(plan, only, models)) }
    for (color, judged) in curves.enumerated() {
      let line = models.map { n in
        let row = plan.row(judged.planned, n: n, ownBlock: "")
        return PlotPoint(n, row.block.value.blockSize ?? .nan)
      }
      layers.append(.line(line, name: judged.curve.format, color: color))
    }
    layers += sizes.map { .rule(x: $0) }
    return Plot(
      title: "The largest Q_b with delta of at most \(NumberStyle.compact(4).text(plan.budget))",
      x: PlotAxis("N, parameters", scale: .log),
      y: PlotAxis("Q_b, elements per scale", scale: .log), layers: layers,
      notes: ["A line along the top: every measured Q_b is within the budget. No line: none is."])
  }

  private static func heat(
    _ plan: BudgetPlan, _ judged: JudgedCurve, _ models: [Double]
  ) -> PlotLayer {
    let sizes = judged.curve.points.map(\.blockSize)
    let blocks = spaced((sizes.min() ?? 1)...max(sizes.max() ?? 2, (sizes.min() ?? 1) * 1.01))
    let values = zip(blocks, blocks.dropFirst()).map { low, high in
      zip(models, models.dropFirst()).map { left, right in
        plan.delta(
          judged.planned, n: (left * right).squareRoot(), ratio: 1,
          blockSize: (low * high).squareRoot())?.value
      }
    }
    return .heat(
      PlotHeatMap(
        x: models, y: blocks, values: values, color: PlotAxis("delta", scale: .log)))
  }

  /// Forty steps of equal ratio.
  private static func spaced(_ range: ClosedRange<Double>) -> [Double] {
    let steps = 40
    let (low, high) = (range.lowerBound, range.upperBound)
    guard low > 0, high > low else { return [low] }
    return (0...steps).map { low * pow(high / low, Double($0) / Double(steps)) }
  }
}
