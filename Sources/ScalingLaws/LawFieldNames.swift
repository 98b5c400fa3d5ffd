import FormatCatalog

extension FieldNames {
  /// The table of laws.
  static let lawTables: [Table] = [
    (
      "laws",
      LawRow.CodingKeys.names() + LawRow.VariableField.CodingKeys.names(behind: "variables.")
        + LawRow.ParameterField.CodingKeys.names(behind: "parameters.")
        + LawRow.TargetField.CodingKeys.names(behind: "target.")
        + LawRow.DerivedField.CodingKeys.names(behind: "derived.")
        + LawRow.SetField.CodingKeys.names(behind: "sets.")
    )
  ]
}
