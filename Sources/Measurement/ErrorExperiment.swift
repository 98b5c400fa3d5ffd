import ErrorStatistics
import NumberFormats
import TensorIO

/// Quantises tensors in several ways and measures what that does to them.
///
/// The digits depend neither on the number of threads nor on the engine nor on how a tensor is
/// cut: sums run per chunk of 65,536 elements and chunks are merged in index order.
public struct ErrorExperiment: Sendable {
  public var engine: any QuantizationEngine
  public var parallel: Parallel
  public var cases: [ErrorCase]

  public init(engine: any QuantizationEngine, parallel: Parallel, cases: [ErrorCase]) {
    self.engine = engine
    self.parallel = parallel
    self.cases = cases
  }

  /// Every case of every tensor, tensors first, and each case's total over the tensors.
  ///
  /// A tensor is left out of cases that cannot cut it (`InputSelection.leaveOutMisfits` lists
  /// them), and a case that can cut none has no total.
  /// - Parameter progress: Called with the elements done since the last call, once for each case.
  public func run(
    _ tensors: [InputTensor], progress: (Int, String) -> Void = { _, _ in }
  ) throws -> (results: [ErrorResult], totals: [ErrorResult]) {
    let memory = ErrorMemory()
    var results: [ErrorResult] = []
    var narrowed: [Int: Int] = [:]
    var sums = cases.map { _ in TensorErrorAccumulator.total() }
    for tensor in tensors {
      let taking = cases.indices.filter { cases[$0].misfit(tensor) == nil }
      if taking.isEmpty, let error = cases.first?.misfit(tensor) {
        throw error
      }
      var surveys: [HadamardRotation?: InputTensor.Survey] = [:]
      for rotation in Set(taking.map { cases[$0].rotation }) {
        surveys[rotation] = try tensor.rotated(by: rotation).survey(parallel: parallel)
      }
      let narrowedCount = surveys.values.first?.narrowed ?? 0
      let maxima = surveys.mapValues(\.amax)
      let measured = try measure(taking.map { cases[$0] }, tensor, maxima, memory) {
        progress($0, tensor.name)
      }
      for (index, (job, statistics)) in zip(taking, measured) {
        narrowed[index, default: 0] += narrowedCount
        sums[index].merge(statistics)
        results.append(
          ErrorResult(
            file: tensor.path, tensor: tensor.name, shape: tensor.info.shape,
            errorCase: cases[index], rounding: cases[index].spec.roundingName,
            narrowed: narrowedCount,
            tensorScale: job.spec.storesTensorScale ? job.tensorScale.decode : nil,
            report: ErrorReport(statistics)))
      }
    }
    let totals = cases.indices.compactMap { index in
      narrowed[index].map {
        ErrorResult(
          file: "", tensor: "", shape: [], errorCase: cases[index],
          rounding: cases[index].spec.roundingName, narrowed: $0, tensorScale: nil,
          report: ErrorReport(sums[index]))
      }
    }
    return (results, totals)
  }

  /// Some cases of one tensor, in their order.
  private func measure(
    _ cases: [ErrorCase], _ tensor: InputTensor, _ maxima: [HadamardRotation?: Float],
    _ memory: ErrorMemory,
    progress: (Int) -> Void
  ) throws -> [(QuantizeJob, TensorErrorAccumulator)] {
    let jobs = try cases.map { errorCase in
      try QuantizeJob(
        engine, tensor.rotated(by: errorCase.rotation), spec: errorCase.spec, axis: errorCase.axis,
        block: errorCase.block, amax: maxima[errorCase.rotation] ?? 0, scratch: memory.values,
        parallel: parallel)
    }
    var results = [TensorErrorAccumulator?](repeating: nil, count: jobs.count)
    // Cases with equal batches share every read and block maxima, those with equal grids crest factors.
    let groups = Dictionary(grouping: jobs.indices) {
      ReadGroup(rotation: cases[$0].rotation, batches: jobs[$0].cuts.batches.map(\.elements))
    }
    for group in groups.values.sorted(by: { $0[0] < $1[0] }) {
      try measure(group, jobs, memory, &results, progress: progress)
    }
    return zip(jobs, results).compactMap { job, result in result.map { (job, $0) } }
  }

  private func measure(
    _ group: [Int], _ jobs: [QuantizeJob], _ memory: ErrorMemory,
    _ results: inout [TensorErrorAccumulator?], progress: (Int) -> Void
  ) throws {
    let measurements = group.map { ErrorMeasurement(jobs[$0]) }
    var crests: [BlockGrid: CrestFactors] = [:]
    for index in group {
      crests[jobs[index].grid] = CrestFactors(jobs[index].grid, jobs[index].cuts)
    }
    let maxima = BlockMaxima(group.map { jobs[$0] })
    for (number, batch) in jobs[group[0]].cuts.batches.enumerated() {
      memory.values.reserve(batch.elements.count)
      try jobs[group[0]].tensor.read(batch.elements, into: memory.values, parallel: parallel)
      maxima.find(number, memory.values, parallel: parallel)
      for measurement in measurements {
        let own = measurement.job.cuts.batches[number]
        try measurement.add(
          own, memory, maxima: maxima[measurement.job.grid], parallel: parallel)
        progress(own.elements.count)
      }
      for (grid, crest) in crests {
        crest.add(number, memory.values, maxima: maxima[grid], parallel: parallel)
      }
    }
    let histograms = crests.mapValues { $0.finish() }
    for (index, measurement) in zip(group, measurements) {
      let (grid, spec) = (jobs[index].grid, jobs[index].spec)
      results[index] = measurement.finish(
        crest: histograms[grid] ?? CrestHistogram(),
        bitsPerElement: spec.bitsPerElement(grid, storesTensorScale: spec.storesTensorScale))
    }
  }
}

/// Cases that the same numbers are read for.
private struct ReadGroup: Hashable {
  var rotation: HadamardRotation?
  var batches: [Range<Int>]
}
