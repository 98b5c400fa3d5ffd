#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a reader of a fit must know before using its numbers.
enum FitWarnings {
  static func all(_ fit: LawFit) -> [String] {
    convergence(fit) + rows(fit) + columns(fit) + parameters(fit) + pairs(fit) + curvature(fit)
  }

  private static func convergence(_ fit: LawFit) -> [String] {
    var found: [String] = []
    let curve = fit.curve
    if !curve.hasConverged {
      found.append("The solver stopped at its limit before it met its tolerance.")
    }
    if curve.startsTried > 4, curve.startsAgreeing * 8 < curve.startsTried {
      found.append(
        "Only \(curve.startsAgreeing) of \(curve.startsTried) starts came to this minimum; there may"
          + " be a lower one.")
    }
    if let bootstrap = fit.bootstrap, bootstrap.failed > 0 {
      found.append("\(bootstrap.failed) of \(bootstrap.resamples) resamples could not be fitted.")
    }
    return found
  }

  private static func rows(_ fit: LawFit) -> [String] {
    let (rows, free) = (fit.points.targets.count, fit.curve.parameters.count)
    var found: [String] = []
    if rows < 3 * free {
      found.append(
        "\(rows) rows for \(free) free parameters are few: intervals rest on normal residuals.")
    }
    if !FitQuality.varies(fit.points.targets) {
      found.append(
        "\(fit.law.target.column) does not vary: it is the same in every row, so that R² is undefined"
          + " and nothing can be learned of what it depends on.")
    }
    let largest = (fit.points.targets.max() ?? 0) * fit.law.target.factor
    if fit.law.target.column == "delta" { found += LossUnit.warnings(largest: largest) }
    if !fit.points.pooled.isEmpty {
      found.append(LawData.pooledWarning(fit.points.pooled, option: "--where"))
    }
    if !fit.points.dropped.isEmpty {
      found.append(
        "\(fit.points.dropped.count) rows without a logarithm were left out (lines"
          + " \(fit.points.dropped.map(String.init).joined(separator: ", "))): what is left is"
          + " biased upwards.")
    }
    return found
  }

  /// Columns with too few different numbers to show a law's shape.
  private static func columns(_ fit: LawFit) -> [String] {
    fit.law.variablesOfFormula.compactMap { place in
      let levels = Set(fit.points.variables.map { $0[place] }).count
      let column = fit.law.variables[place].column
      if levels == 1 {
        return
          "Every row has the same \(column): the fit says nothing about how the law depends on it."
      }
      return levels == 2
        ? "Column \(column) has two different numbers: how the law depends on it cannot be checked."
        : nil
    }
  }

  private static func parameters(_ fit: LawFit) -> [String] {
    fit.parameters.compactMap { parameter in
      if parameter.isAtBound {
        return "\(parameter.symbol) lies at its bound: it has no interval, and those of the others"
          + " take it as given."
      }
      guard let low = parameter.low, let high = parameter.high else { return nil }
      let isFactor = fit.law.parameters.contains {
        $0.symbol == parameter.symbol && $0.isLogarithmic
      }
      if isFactor, !(high <= 1e4 * low) {
        return "\(parameter.symbol) is hardly determined: its interval spans a factor above 10,000."
      }
      return !isFactor && low <= 0 && high >= 0
        ? "\(parameter.symbol) could be 0: its interval holds it." : nil
    }
  }

  /// Pairs that move together along the valley of the minimum. A factor goes with every exponent, so
  /// that more is asked of its pairs.
  private static func pairs(_ fit: LawFit) -> [String] {
    let symbols = fit.curve.parameters.map(\.symbol)
    let factors = Set(fit.law.parameters.filter(\.isLogarithmic).map(\.symbol))
    var found: [String] = []
    for first in symbols.indices {
      for second in symbols.indices where second > first {
        let isFactor = factors.contains(symbols[first]) || factors.contains(symbols[second])
        let free = fit.curve.correlation(first, second)
        guard let correlation = free ?? fit.curve.unboundedCorrelations?[first][second],
          abs(correlation) > (isFactor ? 0.995 : 0.95)
        else { continue }
        let rounded = (correlation * 1000).rounded(.towardZero) / 1000
        found.append(
          "\(symbols[first]) and \(symbols[second]) can hardly be told apart (correlation"
            + " \(rounded)): read them together, not one by one.")
      }
    }
    return found
  }

  /// Where the law is far from linear over its own interval, the covariance's interval is too short.
  private static func curvature(_ fit: LawFit) -> [String] {
    fit.parameters.compactMap { parameter in
      guard let low = parameter.low, let high = parameter.high, high > low,
        let first = parameter.bootstrapLow, let last = parameter.bootstrapHigh
      else { return nil }
      let isFactor = fit.law.parameters.contains {
        $0.symbol == parameter.symbol && $0.isLogarithmic
      }
      let ratio =
        isFactor && first > 0 && low > 0
        ? log(last / first) / log(high / low) : (last - first) / (high - low)
      guard ratio > 2 else { return nil }
      let times = (ratio * 10).rounded() / 10
      return "\(parameter.symbol): the bootstrap's interval is \(times) times as wide as the"
        + " covariance's, which takes the law for linear: trust the bootstrap's."
    }
  }
}
