/// The version of this program, in every JSON report and in written files.
public let toolVersion = "0.1.0"
