import App
import ArgumentParser
import Report

/// The value of an option that is one of a few words.
protocol Choice: ExpressibleByArgument, CaseIterable, RawRepresentable where RawValue == String {}

// What ArgumentParser would find out by reflection as well, each time a command is started.
extension Choice {
  init?(argument: String) { self.init(rawValue: argument) }
  var defaultValueDescription: String { rawValue }
  static var allValueStrings: [String] { allCases.map { $0.rawValue } }
  static var allValueDescriptions: [String: String] { [:] }
}

extension ColorChoice: Choice {}
extension SetupBackend: Choice {}
extension TimeStyle: Choice {}
