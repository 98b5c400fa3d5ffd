import NumberFormats

extension Recipe {
  /// Checks that the recipe is defined for a format and a block.
  package func checkScope(
    format: BlockFormat, block: BlockShape
  ) throws(QuantizeError) {
    if !formats.isEmpty, !formats.contains(format.name) {
      throw .recipeNotForFormat(recipe: name, format: format.name)
    }
    guard !blockSizes.isEmpty else { return }
    let accepted: Bool
    switch block {
    case .line(let size): accepted = blockSizes.contains(size)
    case .tile(let rows, let columns):
      // Each side is 1 or one of the recipe's sizes.
      let known = { blockSizes.contains($0) }
      accepted =
        rows == 1 && columns == 1
        ? known(1) : (rows == 1 || known(rows)) && (columns == 1 || known(columns))
    case .axis, .tensor: accepted = false
    }
    guard accepted else { throw .blockNotForRecipe(recipe: name, block: "\(block)") }
  }

  /// The element rounding of a named recipe after `--rounding` has had its say.
  package func elementRounding(
    _ named: NamedRecipe, override rounding: Rounding?, in kernel: inout KernelRecipe
  ) throws(QuantizeError) -> Rounding {
    switch named.elementRounding {
    case .tiesToEven, .tiesToAway, .tiesTowardZero, .towardZero:
      if named.multiplier == .nearestCode, let rounding {
        throw .roundingNotForRecipe(recipe: name, rounding: "\(rounding)")
      }
      if let rounding { return rounding }
      switch named.elementRounding {
      case .tiesToAway: return .tiesToAway
      case .tiesTowardZero: return .tiesTowardZero
      case .towardZero: return .towardZero
      default: return .tiesToEven
      }
    case .privateExponentEven, .privateExponentAway, .privateExponentTowardZero:
      switch rounding {
      case nil: break
      case .tiesToEven?: kernel.raw.element_rounding = 4
      case .tiesToAway?: kernel.raw.element_rounding = 5
      case .towardZero?: kernel.raw.element_rounding = 6
      case let other?: throw .roundingNotForRecipe(recipe: name, rounding: "\(other)")
      }
      return .tiesToEven
    case .offsetTruncate:
      if let rounding { throw .roundingNotForRecipe(recipe: name, rounding: "\(rounding)") }
      return .tiesToEven
    }
  }
}
