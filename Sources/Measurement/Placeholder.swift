enum MeasurementPlaceholder {}
