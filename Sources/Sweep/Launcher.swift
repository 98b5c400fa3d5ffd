/// Which part of a sweep the process's launcher gives it, read from the launcher's variables.
///
/// Inside an array job the parts are the array's tasks; inside `srun` or `mpirun` they are the ranks;
/// inside both, every rank of every task is one.
public struct Launcher: Sendable, Hashable {
  public var shard: Shard
  /// The variables it was read from.
  public var variables: [String]

  /// - Returns: nil where nothing has launched several processes.
  /// - Throws: `SweepError.plan` for variables that contradict each other.
  public init?(_ environment: [String: String]) throws(SweepError) {
    let array = try Self.arrayTask(environment)
    let rank = try Self.rank(environment)
    let parts = [array, rank].compactMap { $0 }
    let count = parts.reduce(1) { $0 * $1.count }
    guard count > 1 else { return nil }
    let index = parts.reduce(0) { $0 * $1.count + $1.index }
    guard let shard = Shard(number: index + 1, count: count) else { return nil }
    self.shard = shard
    variables = parts.filter { $0.count > 1 }.map(\.variable)
  }

  private struct Part {
    var index: Int
    var count: Int
    var variable: String
  }

  /// A task of a Slurm array: `--array=MIN-MAX:STEP`.
  private static func arrayTask(_ environment: [String: String]) throws(SweepError) -> Part? {
    guard let task = number("SLURM_ARRAY_TASK_ID", environment),
      let count = number("SLURM_ARRAY_TASK_COUNT", environment)
    else { return nil }
    let first = number("SLURM_ARRAY_TASK_MIN", environment) ?? 0
    let step = max(1, number("SLURM_ARRAY_TASK_STEP", environment) ?? 1)
    let (index, rest) = (task - first).quotientAndRemainder(dividingBy: step)
    guard index >= 0, index < count, rest == 0 else {
      throw .plan(
        file: nil, field: "SLURM_ARRAY_TASK_ID",
        problem: "\(task) is none of \(count) evenly spaced tasks from \(first) (expected such an"
          + " array, or --shard)")
    }
    return Part(index: index, count: count, variable: "SLURM_ARRAY_TASK_ID")
  }

  /// A process among those that one `mpirun` or `srun` started.
  private static func rank(_ environment: [String: String]) throws(SweepError) -> Part? {
    // A batch script's own process is no rank, however many tasks its job may start.
    let isStep =
      environment["SLURM_STEP_ID"] != nil || environment["SLURM_STEPID"] != nil
      || environment["SLURM_JOB_ID"] == nil
    var names = [("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE")]
    if isStep {
      names += [("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"), ("SLURM_PROCID", "SLURM_NTASKS")]
    }
    for (rank, size) in names {
      guard let index = number(rank, environment), let count = number(size, environment) else {
        continue
      }
      guard count >= 1, (0..<count).contains(index) else {
        throw .plan(
          file: nil, field: rank, problem: "\(index) of \(size) \(count) (expected --shard)")
      }
      return Part(index: index, count: count, variable: rank)
    }
    return nil
  }

  private static func number(_ name: String, _ environment: [String: String]) -> Int? {
    environment[name].flatMap { Int($0) }
  }
}
