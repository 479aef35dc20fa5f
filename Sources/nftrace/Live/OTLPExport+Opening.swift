import App
import ArgumentParser
import Kernel
import Report
import Trace

extension OTLPExport {
  /// What every command says of the option.
  static let help = ArgumentHelp(
    "Export it as OpenTelemetry traces as well, to a collector, http://HOST:4318; to what "
      + "OTEL_EXPORTER_OTLP_ENDPOINT says, 'env'; or as JSON to a file.", valueName: "url|env|file")

  /// What an option asks for, and this process's environment says; nil without the option.
  static func open(_ option: String?) throws -> OTLPExport? {
    guard let option else { return nil }
    let (settings, context, parent) = try settings(option)
    return try OTLPExport(settings, context: context, under: parent)
  }

  /// The same in its parts; what of the environment is not followed is said.
  fileprivate static func settings(
    _ option: String
  ) throws -> (OTLPSettings, TraceContext, parent: TraceContext?) {
    let settings = try OTLPSettings(option, environment: Terminal.environment)
    for remark in settings.remarks { Output.complain("\(remark)") }
    return (settings, CommandTrace.context, CommandTrace.parent)
  }
}

extension DropExport {
  /// The same of what is dropped in the recording `file`.
  static func open(_ option: String?, of file: String, samples: Int) throws -> DropExport? {
    guard let option else { return nil }
    let (settings, context, _) = try OTLPExport.settings(option)
    return try DropExport(
      of: OutputFile.realPath(file), settings, context: context, samples: samples)
  }
}
