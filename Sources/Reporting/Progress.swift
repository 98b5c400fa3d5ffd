import Synchronization

/// A line on standard error that says how far long work is; silent where that is no terminal.
public final class Progress: Sendable {
  private struct State {
    var done = 0
    var total: Int
    var what: String
    var started: ContinuousClock.Instant
    var nextDrawing: ContinuousClock.Instant
    var isDrawn = false
  }
  private let state: Mutex<State>
  private let isVisible: Bool

  /// - Parameters:
  ///   - total: Units of the whole work.
  ///   - what: What is being done.
  ///   - isVisible: Whether to draw; by default, whether standard error is a terminal.
  public init(total: Int, _ what: String, isVisible: Bool = StandardStreams.errorIsTerminal) {
    let now = ContinuousClock.now
    state = Mutex(
      State(
        total: max(1, total), what: what, started: now, nextDrawing: now + .milliseconds(300)))
    self.isVisible = isVisible
  }

  /// Counts finished units; redraws at most ten times a second.
  public func advance(by units: Int, _ what: String? = nil) {
    guard isVisible else { return }
    state.withLock { state in
      state.done += units
      if let what { state.what = what }
      let now = ContinuousClock.now
      guard now >= state.nextDrawing else { return }
      state.nextDrawing = now + .milliseconds(100)
      state.isDrawn = true
      StandardStreams.writeMessage(Self.line(state, now: now))
    }
  }

  /// Wipes the line.
  public func finish() {
    guard isVisible else { return }
    state.withLock { state in
      if state.isDrawn { StandardStreams.writeMessage("\r\u{1B}[K") }
      state.isDrawn = false
    }
  }

  private static func line(_ state: State, now: ContinuousClock.Instant) -> String {
    let fraction = min(1, Double(state.done) / Double(state.total))
    let seconds = Double((now - state.started).components.seconds)
    let left = fraction > 0 ? Int(seconds / fraction - seconds) : 0
    let filled = Int(fraction * 24)
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled)
    let percent = NumberStyle.fixed(1).text(fraction * 100)
    let what = Table.shortened(state.what, to: 40)
    return "\r\u{1B}[K[\(bar)] \(percent) % \(what), about \(left) s left"
  }
}
