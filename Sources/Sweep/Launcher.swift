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

  /// A task of a Slurm array: `--array=0-LAST` or `--array=1-LAST`.
  ///
  /// The variables tell of the tasks that were submitted together: where some of an array's tasks are
  /// submitted once more they know nothing of the others, and a part of the sweep would be taken for
  /// another, or for the whole.
  private static func arrayTask(_ environment: [String: String]) throws(SweepError) -> Part? {
    guard let task = try number("SLURM_ARRAY_TASK_ID", environment),
      let count = try number("SLURM_ARRAY_TASK_COUNT", environment)
    else { return nil }
    let first = try number("SLURM_ARRAY_TASK_MIN", environment) ?? 0
    let last = try number("SLURM_ARRAY_TASK_MAX", environment) ?? (first + count - 1)
    guard first == 0 || first == 1, last - first == count - 1, first <= task, task <= last else {
      throw .plan(
        file: nil, field: "SLURM_ARRAY_TASK_ID",
        problem: "\(task) of \(count) tasks from \(first) to \(last): which part of how many it"
          + " stands for cannot be told (expected an array of all tasks from 0 or 1 on, or --shard)"
      )
    }
    return Part(index: task - first, count: count, variable: "SLURM_ARRAY_TASK_ID")
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
      guard let index = try number(rank, environment), let count = try number(size, environment)
      else { continue }
      guard count >= 1, (0..<count).contains(index) else {
        throw .plan(
          file: nil, field: rank, problem: "\(index) of \(size) \(count) (expected --shard)")
      }
      return Part(index: index, count: count, variable: rank)
    }
    return nil
  }

  private static func number(
    _ name: String, _ environment: [String: String]
  ) throws(SweepError) -> Int? {
    guard let text = environment[name] else { return nil }
    guard let number = Int(text) else {
      throw .plan(
        file: nil, field: name, problem: "\"\(text)\" (expected a number, or --shard)")
    }
    return number
  }
}
