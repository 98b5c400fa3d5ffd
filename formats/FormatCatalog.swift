enum FormatCatalogPlaceholder {}
