// What the C library has only since 2.32, 2.34 and 2.36, for the program that is linked against an older one.
#define _GNU_SOURCE
#include <dirent.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

// There may always be several threads, as far as libstdc++ is concerned.
char __libc_single_threaded = 0;

uint32_t arc4random(void) {
  uint32_t number;
  // It gives so few octets whole, and waits only while the machine starts.
  while (getrandom(&number, sizeof number, 0) != sizeof number)
    ;
  return number;
}

// Calls a function with each descriptor from `first` on that is open.
static void each_open(int first, int (*body)(void *, int), void *context) {
  DIR *directory = opendir("/proc/self/fd");
  if (!directory) return;
  for (struct dirent *entry; (entry = readdir(directory));) {
    int number = atoi(entry->d_name);
    if (entry->d_name[0] != '.' && number >= first && number != dirfd(directory)) body(context, number);
  }
  closedir(directory);
}

static int close_one(void *context, int number) {
  (void)context;
  return close(number);
}

void closefrom(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
#endif
  each_open(first, close_one, 0);
}

static int add_one(void *actions, int number) { return posix_spawn_file_actions_addclose(actions, number); }

// What is opened between this and the spawn is not closed: it has O_CLOEXEC.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first) {
  each_open(first, add_one, actions);
  return 0;
}
