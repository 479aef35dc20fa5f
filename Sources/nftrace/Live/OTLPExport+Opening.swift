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
    let settings = try OTLPSettings(option, environment: Terminal.environment)
    let context = TraceContext.ofCommand(environment: Terminal.environment)
    for remark in settings.remarks + [context.remark].compactMap(\.self) {
      Output.complain("\(remark)")
    }
    return try OTLPExport(settings, context: context.own, under: context.parent)
  }
}
