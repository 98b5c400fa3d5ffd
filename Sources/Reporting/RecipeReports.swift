import Measurement
import NumberFormats

/// What `blockscale recipes` prints.
public enum RecipeReports {
  public static func report(
    _ differences: [RecipeDifference], recipes: [Recipe], skipped: [SkippedItem], run: RunFields
  ) -> Report {
    let list = JSONValue.array(skipped.map(ErrorReports.json))
    let hasPlaces = differences.contains { !$0.places.isEmpty }
    let files = FileLabels(differences.map(\.file))
    let (data, placeData) = (table(differences), places(differences))
    return Report(
      fields: run.json + [JSONField("skipped", list)],
      sections: [
        Section("recipes", title: "Recipes", table: table(recipes)),
        Section("differences", table: data, isShown: false),
        Section("places", table: placeData, isShown: false),
        Section(
          "", title: "Differences from the first recipe",
          table: naming(files, data)),
        Section(
          "", title: "First places", table: naming(files, placeData),
          isShown: hasPlaces),
      ], notes: run.notes)
  }

  /// Tensors of several files may have one name: people see the file before it.
  private static func naming(_ files: FileLabels, _ table: Table) -> Table {
    var table = table
    for row in table.rows.indices {
      if case (.string(let tensor), .string(let file)) = (table.rows[row][0], table.rows[row][1]) {
        table.rows[row][0] = .string(files.name(tensor, in: file))
      }
    }
    return table
  }

  private static func table(_ recipes: [Recipe]) -> Table {
    var table = Table(columns: [
      Column("recipe"), Column("version"), Column("checked", shrinking: .end),
      Column("row_hash", isShown: false),
    ])
    table.rows = recipes.map {
      [.string($0.name), .string($0.version), .string($0.checked), .string(RowText($0).hash)]
    }
    return table
  }

  private static func table(_ differences: [RecipeDifference]) -> Table {
    var table = Table(
      columns: [
        Column("tensor"), Column("file", isShown: false), Column("format"),
        Column("block", align: .right), Column("first"), Column("second"),
        .number("blocks"), .number("differing_scales", title: "scales differ"),
        .number("scale_percent", title: "%", .fixed(3)), .number("elements"),
        .number("differing_codes", title: "codes differ"),
        .number("code_percent", title: "%", .fixed(3)), .number("narrowed", isShown: false),
        .number("first_tensor_scale", isShown: false),
        .number("second_tensor_scale", isShown: false),
      ], groupedColumns: 1, headingColumns: 1)
    table.rows = differences.map { row in
      [
        .string(row.tensor), .string(row.file), .string(row.first.spec.format.name),
        ErrorReports.blockValue(row.first.block), .string(row.first.spec.recipe.name),
        .string(row.second.spec.recipe.name), .int(row.blocks), .int(row.differingScales),
        percent(row.differingScales, of: row.blocks), .int(row.elements),
        .int(row.differingCodes), percent(row.differingCodes, of: row.elements), .int(row.narrowed),
        .number(Double(row.tensorScales.first)), .number(Double(row.tensorScales.second)),
      ]
    }
    return table
  }

  private static func percent(_ count: Int, of all: Int) -> JSONValue {
    all > 0 ? .number(100 * Double(count) / Double(all)) : .null
  }

  private static func places(_ differences: [RecipeDifference]) -> Table {
    var table = Table(
      columns: [
        Column("tensor"), Column("file", isShown: false), Column("second", title: "recipe"),
        Column("kind"), .number("index"), .number("input", .compact(9)),
        .number("first_code", isShown: false), .number("second_code", isShown: false),
        .number("first_hex", title: "first"), .number("second_hex", title: "this"),
        .number("first_value", title: "first value", .compact(9)),
        .number("second_value", title: "this value", .compact(9)),
      ], groupedColumns: 1, headingColumns: 1)
    for row in differences {
      for place in row.places {
        let format = row.first.spec.format
        let bits = place.kind == .scale ? format.scale.storedBits : format.element.bits
        table.rows.append([
          .string(row.tensor), .string(row.file), .string(row.second.spec.recipe.name),
          .string(place.kind.rawValue), .int(place.index),
          JSONValue(place.input.map { Double($0) }), .int(Int(place.first.code)),
          .int(Int(place.second.code)), .string(hexadecimalCode(place.first.code, bits: bits)),
          .string(hexadecimalCode(place.second.code, bits: bits)),
          .number(Double(place.first.value)), .number(Double(place.second.value)),
        ])
      }
    }
    return table
  }
}
