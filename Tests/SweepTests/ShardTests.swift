import Sweep
import Testing

@Suite struct ShardTests {
  @Test("every item is in exactly one bundle of exactly one shard")
  func partition() throws {
    try withFolder { folder in
      let list = try workList(try unequalPlan(folder)).list
      #expect(list.items.count == 60)
      for count in [1, 2, 3, 5, 8, 61] {
        var seen: [Int] = []
        for number in 1...count {
          let shard = try #require(Shard(number: number, count: count))
          seen += list.bundles(of: shard).flatMap(\.items)
        }
        #expect(seen.sorted() == Array(list.items.indices), "\(count) shards: \(seen.count) items")
      }
    }
  }

  @Test("shards of a plan are the same each time and carry about equal work")
  func balance() throws {
    try withFolder { folder in
      let plan = try unequalPlan(folder)
      let lists = (try workList(plan).list, try workList(plan).list)
      let total = lists.0.items.reduce(0) { $0 + $1.work }
      for count in [2, 3, 5] {
        for number in 1...count {
          let shard = try #require(Shard(number: number, count: count))
          let bundles = lists.0.bundles(of: shard)
          #expect(bundles == lists.1.bundles(of: shard), "shard \(shard)")
          let share = bundles.reduce(0) { $0 + $1.work } / total * Double(count)
          #expect(0.8 < share && share < 1.2, "shard \(shard) has \(share) of a fair share")
        }
      }
    }
  }

  @Test("products of one pair stay together, and are parted for shards' balance alone")
  func products() throws {
    try withFolder { folder in
      let list = try workList(try productPlan(folder)).list
      #expect(list.items.count == 3 * 8)
      let bundles = list.bundles(of: .whole)
      #expect(
        bundles.map(\.items.count) == [8, 8, 8], "two pairs, and one with B the other way round")
      for count in [1, 2, 5] {
        var seen: [Int] = []
        for number in 1...count {
          let shard = try #require(Shard(number: number, count: count))
          let bundles = list.bundles(of: shard)
          seen += bundles.flatMap(\.items)
          for bundle in bundles {
            let pairs = Set(
              bundle.items.map { index -> String in
                guard case .product(let a, let b, let request) = list.items[index].kind else {
                  return ""
                }
                return "\(a) \(b) \(request.transposesB)"
              })
            #expect(pairs.count == 1, "\(shard): \(pairs)")
          }
        }
        #expect(seen.sorted() == Array(list.items.indices), "\(count) shards")
      }
    }
  }

  @Test("only I/N with I from 1 to N is a shard")
  func text() {
    for text in ["1/1", "3/3", "7/12"] { #expect(Shard(text)?.description == text) }
    for text in ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/2", "1/"] {
      #expect(Shard(text) == nil, "\(text)")
    }
  }

  @Test("launchers' variables become shards")
  func launchers() throws {
    let array = [
      "SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1",
      "SLURM_ARRAY_TASK_MAX": "4",
    ]
    let ranks = ["OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "3"]
    let table: [(variables: [String: String], shard: String?, names: [String])] = [
      ([:], nil, []), (array, "4/4", ["SLURM_ARRAY_TASK_ID"]),
      (
        [
          "SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "0",
          "SLURM_ARRAY_TASK_MAX": "1",
        ], "1/2", ["SLURM_ARRAY_TASK_ID"]
      ),
      (ranks, "3/3", ["OMPI_COMM_WORLD_RANK"]),
      (
        array.merging(ranks) { a, _ in a }, "12/12",
        ["SLURM_ARRAY_TASK_ID", "OMPI_COMM_WORLD_RANK"]
      ),
      (["PMI_RANK": "1", "PMI_SIZE": "2"], "2/2", ["PMI_RANK"]),
      (["SLURM_PROCID": "1", "SLURM_NTASKS": "2"], "2/2", ["SLURM_PROCID"]),
      // srun may start fewer tasks than the job has room for.
      (
        [
          "SLURM_PROCID": "1", "SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "2",
          "SLURM_STEP_ID": "0", "SLURM_JOB_ID": "3",
        ], "2/2", ["SLURM_PROCID"]
      ),
      (["SLURM_PROCID": "0", "SLURM_NTASKS": "8", "SLURM_JOB_ID": "3"], nil, []),
      (["SLURM_PROCID": "0", "SLURM_NTASKS": "1", "SLURM_STEP_ID": "0"], nil, []),
    ]
    for row in table {
      let launcher = try Launcher(row.variables)
      #expect(launcher?.shard.description == row.shard, "\(row.variables)")
      #expect(launcher?.variables ?? [] == row.names, "\(row.variables)")
    }
    for bad in [
      ["SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "1"],
      ["SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "1"],
      ["PMI_RANK": "2", "PMI_SIZE": "2"],
      // Task 3 of an array, tasks 2 and 4, and 1 and 3, submitted once more.
      [
        "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "1", "SLURM_ARRAY_TASK_MIN": "3",
        "SLURM_ARRAY_TASK_MAX": "3",
      ],
      [
        "SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "2",
        "SLURM_ARRAY_TASK_MAX": "4", "SLURM_ARRAY_TASK_STEP": "2",
      ],
      [
        "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "1",
        "SLURM_ARRAY_TASK_MAX": "3",
      ],
      ["OMPI_COMM_WORLD_RANK": "x", "OMPI_COMM_WORLD_SIZE": "3"],
      ["PMI_RANK": "0", "PMI_SIZE": ""],
    ] {
      #expect(throws: SweepError.self, "\(bad)") { try Launcher(bad) }
    }
  }
}
