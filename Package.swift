// swift-tools-version: 6.2
import PackageDescription

/// One set of rules for every target: Swift 6, no warnings, memory safety spelled out.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .enableExperimentalFeature("Lifetimes"),
]

/// The reader of YAML is small, and few commands need it: who releases the program has it inside (scripts/build-release).
let yaml = Context.environment["NFTRACE_STATIC_YAML"] == nil ? "yaml" : ":libyaml.a"

let package = Package(
  name: "nftrace",
  products: [.executable(name: "nftrace", targets: ["nftrace"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
  ],
  targets: [
    .systemLibrary(
      name: "CNetfilter", pkgConfig: "libnftnl",
      providers: [
        .apt([
          "libmnl-dev", "libnftnl-dev", "libnetfilter-log-dev", "libnetfilter-conntrack-dev",
          "libnftables-dev",
        ])
      ]),
    .systemLibrary(
      name: "CYAML", providers: [.apt(["libyaml-dev"])]),
    .target(name: "Wire", swiftSettings: settings),
    .target(name: "Trace", dependencies: ["Wire"], swiftSettings: settings),
    .target(
      name: "Kernel", dependencies: ["Wire", "Trace", "CNetfilter", "CYAML"],
      swiftSettings: settings,
      linkerSettings: [.linkedLibrary(yaml)]),
    .target(name: "Report", dependencies: ["Wire", "Trace"], swiftSettings: settings),
    .target(
      name: "App", dependencies: ["Wire", "Trace", "Kernel", "Report"], swiftSettings: settings),
    .executableTarget(
      name: "nftrace",
      dependencies: [
        "Wire", "Trace", "Kernel", "Report", "App",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: settings),
    .target(name: "Recordings", path: "Tests/Recordings", swiftSettings: settings),
    // What JSON reports have to be: tests of every kind look at theirs with it.
    .target(name: "Schema", path: "Tests/Schema", swiftSettings: settings),
    .testTarget(name: "WireTests", dependencies: ["Wire", "Recordings"], swiftSettings: settings),
    .testTarget(
      name: "TraceTests", dependencies: ["Fixtures", "Trace", "Wire"], swiftSettings: settings),
    .testTarget(
      name: "ReportTests", dependencies: ["Fixtures", "Report", "Trace", "Wire", "Schema"],
      swiftSettings: settings),
    .testTarget(
      name: "KernelTests", dependencies: ["Kernel", "Trace", "Wire", "CNetfilter", "Recordings"],
      swiftSettings: settings,
      // Its decoder is what Wire's is compared with.
      linkerSettings: [.linkedLibrary("netfilter_conntrack")]),
    // The recorded sessions, for all who tell them.
    .target(
      name: "Fixtures", dependencies: ["Trace"], path: "Tests/Fixtures", swiftSettings: settings),
    // Plays a kernel from data.
    .target(
      name: "Simulator", dependencies: ["Fixtures", "App", "Kernel", "Report", "Trace", "Wire"],
      path: "Tests/Simulator", swiftSettings: settings),
    .testTarget(
      name: "AppTests",
      dependencies: [
        "App", "Fixtures", "Simulator", "Kernel", "Report", "Schema", "Trace", "Wire",
      ],
      swiftSettings: settings),
    // A command that dies, for the tests of what cleans up after it.
    .executableTarget(
      name: "guardian-helper", dependencies: ["Kernel", "Wire"], path: "Tests/GuardianHelper",
      swiftSettings: settings),
    // The pages of docs/findings: scripts/findings.
    .executableTarget(
      name: "finding-pages", dependencies: ["Fixtures", "Trace"], path: "Tests/FindingPages",
      swiftSettings: settings),
    // What scripts/bench needs, and the inner loops that it watches.
    .target(name: "Allocations", path: "Benchmarks/Allocations"),
    .executableTarget(
      name: "bench", dependencies: ["Allocations", "Kernel", "Trace", "Wire"], path: "Benchmarks",
      exclude: ["Allocations", "recorded.txt", "tun-loop.c"], swiftSettings: settings),
    // The files of scenarios/, read and run; scripts/scenario runs them by name.
    .target(
      name: "Scenarios",
      dependencies: [
        "Wire", "Kernel", .product(name: "Subprocess", package: "swift-subprocess"),
      ], path: "Tests/Scenarios", swiftSettings: settings),
    .executableTarget(
      name: "scenario", dependencies: ["Scenarios", "nftrace"], path: "Tests/ScenarioCommand",
      swiftSettings: settings),
    .testTarget(name: "ScenarioTests", dependencies: ["Scenarios"], swiftSettings: settings),
    .testTarget(
      name: "LiveTests",
      dependencies: [
        "Schema", "Fixtures", "Wire", "Trace", "Kernel", "Scenarios", "guardian-helper", "nftrace",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ], swiftSettings: settings),
  ]
)

// It has no main of its own, so it links only with libFuzzer's: it is there when asked for. scripts/fuzz
// builds and runs it.
if Context.environment["NFTRACE_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["Kernel", "Report", "Trace", "Wire"], path: "Tests/Fuzz",
      exclude: ["seeds.py"], swiftSettings: settings))
}
