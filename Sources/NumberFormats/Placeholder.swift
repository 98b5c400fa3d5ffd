enum NumberFormatsPlaceholder {}
