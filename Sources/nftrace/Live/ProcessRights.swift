import App
import Kernel

/// The rights of this process.
struct ProcessRights: Rights {
  func keep(
    _ wanted: Capabilities, writing: [String], reading: [String]
  ) throws(KernelError) {
    try Privileges.keep(wanted, writing: writing, reading: reading)
  }
}
