/// Formats and blocks to which no other is better both in error and in cost.
struct PageFront {
  private struct Place: Hashable {
    var format: String
    var block: String
  }
  private var places: Set<Place> = []

  func contains(_ format: String, _ block: String) -> Bool {
    places.contains(Place(format: format, block: block))
  }

  /// By stored bits.
  static func bits(_ series: [ErrorSeries]) -> PageFront {
    PageFront(series) { $1.bitsPerElement }
  }

  /// By gates; those of codebooks take no part.
  static func gates(
    _ series: [ErrorSeries], _ cost: (String, String) -> PageCost?
  ) -> PageFront {
    PageFront(series) { format, point in
      cost(format, point.block).flatMap { $0.isOfCodebook ? nil : $0.gates }
    }
  }

  /// - Parameter cost: nil leaves a point out.
  private init(_ series: [ErrorSeries], _ cost: (String, ErrorSeries.Point) -> Double?) {
    let all = series.flatMap { one in
      one.points.compactMap { point in
        cost(one.format, point).map {
          (place: Place(format: one.format, block: point.block), cost: $0, error: point.error)
        }
      }
    }.sorted { ($0.cost, $0.error) < ($1.cost, $1.error) }
    var last: (cost: Double, error: Double)?
    for one in all {
      // What equals the last in both is not beaten by it.
      guard last.map({ one.error < $0.error || (one.cost, one.error) == $0 }) ?? true else {
        continue
      }
      places.insert(one.place)
      last = (one.cost, one.error)
    }
  }
}
