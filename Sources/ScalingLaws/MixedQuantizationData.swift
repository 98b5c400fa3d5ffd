extension LawData {
  /// Loss data compiled in: golden/laws/mixed-v1.csv, read off the figures of arXiv 2410.06722 v1.
  ///
  /// MXINT4 weights and activations of Qwen1.5, Llama-2 and Gemma-2 at shares of 0.5 to 0.99, with
  /// columns family, assignment, n, q_r, dppl and delta.
  public static func mixedQuantization() throws(LawError) -> LawData {
    try LawData(
      String(decoding: PackageResources.mixed_v1_csv, as: UTF8.self),
      file: "golden/laws/mixed-v1.csv")
  }
}
