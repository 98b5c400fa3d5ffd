enum FastPathPlaceholder {}
