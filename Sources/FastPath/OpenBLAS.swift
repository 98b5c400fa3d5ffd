import COpenBLAS

/// The float64 and float32 matrix products of OpenBLAS, on the calling thread only.
///
/// OpenBLAS is told once that it has one thread; with that, its pthread build may be called from
/// many threads at a time (each call takes a buffer of its own; it has twice as many as the CPUs
/// it was built for: 64 and more). It picks the loops of the machine unless the environment names
/// others in `OPENBLAS_CORETYPE`, which it reads before `main`: only speed depends on that.
public enum OpenBLAS {
  private static let singleThreaded: Void = openblas_set_num_threads(1)

  /// The set of loops that runs, such as `SkylakeX`.
  public static var core: String { String(cString: openblas_get_corename()) }

  /// Version and build options.
  public static var configuration: String { String(cString: openblas_get_config()) }

  /// C = A · Bᵀ in float64, in an order of additions of its own.
  ///
  /// - Parameters:
  ///   - a: `rows` × `depth`, row-major; `b`: `columns` × `depth`; `c`: `rows` × `columns`.
  public static func multiply(
    _ a: UnsafePointer<Double>, rows: Int, _ b: UnsafePointer<Double>, columns: Int, depth: Int,
    into c: UnsafeMutablePointer<Double>
  ) {
    singleThreaded
    let (k, n) = (Int32(depth), Int32(columns))
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows), n, k, 1, a, max(1, k), b, max(1, k), 0,
      c, max(1, n))
  }

  /// C = A · Bᵀ in float32: what emulated products are timed against.
  public static func multiply(
    _ a: UnsafePointer<Float>, rows: Int, _ b: UnsafePointer<Float>, columns: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>
  ) {
    singleThreaded
    let (k, n) = (Int32(depth), Int32(columns))
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows), n, k, 1, a, max(1, k), b, max(1, k), 0,
      c, max(1, n))
  }
}
