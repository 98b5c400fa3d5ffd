/// The commands that wrote into a store, without its name and without shards. They are rows of its
/// `meta`: `command`, then `command_2` and so on in the order of their first use.
extension ResultsStore {
  /// Every distinct command, in the order of first use.
  public func commands() throws -> [String] { Self.commands(in: try meta()) }

  /// The commands that `meta()` holds.
  public static func commands(in meta: [String: String]) -> [String] {
    var found: [String] = []
    while let command = meta[key(found.count)] { found.append(command) }
    return found
  }

  /// Notes a command after those noted before; one that is there already stays where it is.
  public func add(command: String) throws {
    let known = try commands()
    guard !known.contains(command) else { return }
    try setMeta(Self.key(known.count), command)
  }

  private static func key(_ place: Int) -> String {
    place == 0 ? "command" : "command_\(place + 1)"
  }
}
