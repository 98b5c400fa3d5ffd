import ScalingLaws

extension LawData {
  /// The rows with the texts that `COLUMN=TEXT,...` names, for each of such words.
  func rows(fitting filters: [String]) throws -> LawData {
    var data = self
    for filter in filters {
      let parts = filter.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw UsageError("--loss-where \(filter): expected COLUMN=TEXT,...")
      }
      data = try data.rows(where: parts[0], isIn: parts[1].split(separator: ",").map(String.init))
    }
    return data
  }
}
