// swift-tools-version: 6.2
import PackageDescription

let swift: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
let c: [CSetting] = [.treatAllWarnings(as: .error)]
let tables = ["elements", "scales", "blocks", "recipes", "accumulators"]

// Targets in the order of the design's one-way street: each imports only targets above it in this file.
let package = Package(
  name: "blockscale",
  products: [
    .executable(name: "blockscale", targets: ["blockscale"]),
    .library(name: "BlockscaleC", type: .dynamic, targets: ["BlockscaleC"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .target(name: "NumberFormats", swiftSettings: swift),
    .target(
      name: "FormatCatalog", dependencies: ["NumberFormats"], path: "formats",
      resources: tables.map { .embedInCode("\($0).json5") }, swiftSettings: swift),
    .systemLibrary(
      name: "CMPFR", pkgConfig: "mpfr", providers: [.apt(["libmpfr-dev", "libgmp-dev"])]),
    .target(name: "Reference", dependencies: ["NumberFormats", "CMPFR"], swiftSettings: swift),
    .target(name: "CBlockKernels", cSettings: c),
    .target(
      name: "KernelDescriptors", dependencies: ["NumberFormats", "CBlockKernels"],
      swiftSettings: swift),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .target(
      name: "FastPath",
      dependencies: ["NumberFormats", "CBlockKernels", "KernelDescriptors", "COpenBLAS"],
      swiftSettings: swift),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .target(name: "TensorIO", dependencies: ["NumberFormats", "CZip"], swiftSettings: swift),
    .target(
      name: "ErrorStatistics", dependencies: ["NumberFormats", "CBlockKernels"],
      swiftSettings: swift),
    .systemLibrary(
      name: "CMinpack", pkgConfig: "cminpack", providers: [.apt(["libcminpack-dev"])]),
    .target(
      name: "ScalingLaws", dependencies: ["NumberFormats", "FormatCatalog", "CMinpack"],
      resources: [.embedInCode("laws.json5"), .embedInCode("mixed-v1.csv")], swiftSettings: swift),
    .target(
      name: "GoldenVectors",
      dependencies: ["NumberFormats", "FormatCatalog", "Reference", "FastPath", "TensorIO"],
      swiftSettings: swift),
    .target(
      name: "HardwareCost", dependencies: ["NumberFormats", "FormatCatalog"],
      resources: [.embedInCode("gates.json5"), .embedInCode("synthesis.csv")],
      swiftSettings: swift),
    .target(
      name: "Measurement",
      dependencies: [
        "NumberFormats", "FormatCatalog", "Reference", "FastPath", "TensorIO", "ErrorStatistics",
        "ScalingLaws",
      ], swiftSettings: swift),
    .target(
      name: "Verification",
      dependencies: ["NumberFormats", "FormatCatalog", "Reference", "FastPath", "Measurement"],
      swiftSettings: swift),
    .target(
      name: "Sweep",
      dependencies: [
        "NumberFormats", "FormatCatalog", "TensorIO", "ErrorStatistics", "ScalingLaws",
        "GoldenVectors", "Measurement", .product(name: "GRDB", package: "GRDB.swift"),
      ], swiftSettings: swift),
    .target(
      name: "Reporting",
      dependencies: [
        "NumberFormats", "FormatCatalog", "TensorIO", "ErrorStatistics", "ScalingLaws",
        "HardwareCost", "GoldenVectors", "Measurement", "Verification", "Sweep",
      ], swiftSettings: swift),
    .target(name: "CBlockscale", dependencies: ["CBlockKernels"], cSettings: c),
    .target(
      name: "BlockscaleC",
      dependencies: [
        "NumberFormats", "FormatCatalog", "CBlockKernels", "KernelDescriptors", "CBlockscale",
      ], swiftSettings: swift),
    .executableTarget(
      name: "blockscale",
      dependencies: [
        "NumberFormats", "FormatCatalog", "Reference", "FastPath", "TensorIO", "ErrorStatistics",
        "ScalingLaws", "HardwareCost", "GoldenVectors", "Measurement", "Verification", "Sweep",
        "Reporting",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: swift),
    .executableTarget(
      name: "blockscale-bench", dependencies: ["NumberFormats", "FormatCatalog", "FastPath"],
      path: "tools/bench/Bench", swiftSettings: swift),
    .testTarget(
      name: "FormatCatalogTests", dependencies: ["NumberFormats", "FormatCatalog"],
      swiftSettings: swift),
    .testTarget(
      name: "ReferenceTests", dependencies: ["Reference", "FormatCatalog"], swiftSettings: swift),
    .testTarget(
      name: "FastPathTests",
      dependencies: ["FastPath", "Reference", "FormatCatalog", "Verification"],
      swiftSettings: swift),
    .testTarget(name: "TensorIOTests", dependencies: ["TensorIO"], swiftSettings: swift),
    .testTarget(
      name: "ErrorStatisticsTests", dependencies: ["ErrorStatistics", "CMPFR"],
      swiftSettings: swift),
    .testTarget(
      name: "ConformanceTests",
      dependencies: ["FastPath", "Reference", "FormatCatalog", "TensorIO"], swiftSettings: swift),
    .testTarget(
      name: "HardwareCostTests", dependencies: ["HardwareCost", "FormatCatalog", "NumberFormats"],
      swiftSettings: swift),
    .testTarget(
      name: "GoldenVectorsTests", dependencies: ["GoldenVectors", "FormatCatalog"],
      swiftSettings: swift),
    .testTarget(
      name: "SweepTests",
      dependencies: [
        "Sweep", "NumberFormats", "FormatCatalog", "TensorIO", "Measurement", "Reporting",
      ], swiftSettings: swift),
    .testTarget(
      name: "ScalingLawsTests",
      dependencies: ["NumberFormats", "ScalingLaws", "FormatCatalog", "Reference", "FastPath"],
      swiftSettings: swift),
    .testTarget(
      name: "ReportingTests",
      dependencies: [
        "Reporting", "Sweep", "ScalingLaws", "FormatCatalog", "NumberFormats", "ErrorStatistics",
      ], swiftSettings: swift),
    .testTarget(
      name: "MeasurementTests",
      dependencies: ["Measurement", "Reporting", "ScalingLaws", "Verification"],
      swiftSettings: swift),
  ]
)
