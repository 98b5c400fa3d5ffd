import Measurement
import NumberFormats

/// What `blockscale quantize` and `dequantize` print when asked for a report.
public enum WrittenReports {
  public static func report(
    _ tensors: [WrittenTensor], output: String, skipped: [SkippedItem], run: RunFields
  ) -> Report {
    var table = Table(columns: [
      Column("tensor", shrinking: .middle), Column("shape"), Column("format"),
      Column("block", align: .right), .number("axis"), Column("recipe"), Column("rounding"),
      .number("elements"), .number("blocks"),
      .number("tensor_scale", title: "tensor scale", .compact(9)),
      .number("clamped_scales", title: "clamped scales"), .number("narrowed", isShown: false),
    ])
    table.rows = tensors.map { tensor in
      [
        .string(tensor.name), .array(tensor.shape.map { .int($0) }), .string(tensor.format.name),
        ErrorReports.blockValue(tensor.block), .int(tensor.axis), .string(tensor.recipe.name),
        JSONValue(tensor.rounding), .int(tensor.elements), .int(tensor.blocks),
        JSONValue(tensor.tensorScale.map { Double($0) }), JSONValue(tensor.clampedScales),
        JSONValue(tensor.narrowed),
      ]
    }
    return Report(
      fields: run.json + [
        JSONField("output", .string(output)),
        JSONField("skipped", .array(skipped.map(ErrorReports.json))),
      ],
      sections: [Section("tensors", title: "Written to \(output)", table: table)],
      notes: run.notes)
  }
}
