internal import App
package import Kernel
internal import Synchronization

/// Hears what a command says.
package final class HeardOutput: OutputPlace {
  private let heard = Mutex<[(text: String, isError: Bool)]>([])
  private let terminal = Mutex<(columns: Int, rows: Int)?>(nil)
  private let shown = Mutex<[String?]>([])

  /// Nothing was said.
  package init() {}

  package func write(_ text: String, to stream: Terminal.Stream) throws(KernelError) {
    heard.withLock { $0.append((text, stream == .error)) }
  }

  /// The terminal that shows it, which a test makes wider or narrower; nil is none.
  package var size: (columns: Int, rows: Int)? {
    get { terminal.withLock { $0 } }
    set { terminal.withLock { $0 = newValue } }
  }

  package func tell(progress: String?) { shown.withLock { $0.append(progress) } }

  /// How far it was said to be, from word to word; nil is where that was taken away.
  package var progress: [String?] { shown.withLock { $0 } }

  /// What was printed.
  package var output: String { said(false) }
  /// What was said on standard error.
  package var errors: String { said(true) }

  private func said(_ isError: Bool) -> String {
    heard.withLock { $0.filter { $0.isError == isError }.map(\.text).joined() }
  }
}
