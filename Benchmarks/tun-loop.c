// What `nftrace intercept -q` is compared with: reads packets from a TUN device and writes them back.
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int count, char **words) {
  struct ifreq request = {0};
  int device = open("/dev/net/tun", O_RDWR);
  if (count != 2 || device < 0) return 1;
  strncpy(request.ifr_name, words[1], IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (ioctl(device, TUNSETIFF, &request) != 0) {
    perror("TUNSETIFF");
    return 1;
  }
  static char packet[65536];
  for (;;) {
    ssize_t length = read(device, packet, sizeof packet);
    if (length < 0 || write(device, packet, (size_t)length) < 0) continue;
  }
}
