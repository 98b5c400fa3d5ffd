import Glibc
import Synchronization

/// SIGINT and SIGTERM as a question, for work that must clean up before it ends. A second one ends
/// the program at once.
enum StopSignals {
  private static let count = Atomic(0)

  static func watch() {
    // The handler may not be the first to touch it.
    _ = haveCome
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        if StopSignals.count.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
      }
    }
  }

  static var haveCome: Bool { count.load(ordering: .relaxed) > 0 }
}
