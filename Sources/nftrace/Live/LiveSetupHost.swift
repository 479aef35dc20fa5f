import App
import Kernel

/// This machine, for setup and teardown.
struct LiveSetupHost: SetupHost {
  let loop: any EventLoop
  let rights: any Rights = ProcessRights()

  func store() throws(KernelError) -> any SetupStore { try SetupFiles.current() }

  func kernel() -> any SetupKernel { LiveSetup(loop) }
}
