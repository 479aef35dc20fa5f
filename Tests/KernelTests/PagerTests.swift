import Kernel
import Testing

struct PagerTests {
  @Test(arguments: [
    ("nosuchpager", "nosuchpager"), ("nosuchpager -R", "nosuchpager"),
    ("LESS=-R nosuchpager", "nosuchpager"),
    ("/etc/passwd", "/etc/passwd"), ("/nosuch/less", "/nosuch/less"),
    ("sh", nil), ("/bin/sh -c", nil), ("", nil), ("cat", nil),
    // Only a shell can tell.
    ("nosuchpager | less", "nosuchpager"), ("$MINE", nil),
  ]) func whatCannotBeRunIsKnown(_ pager: String, _ missing: String?) {
    #expect(Pager.missing(in: pager) == missing)
  }
}
