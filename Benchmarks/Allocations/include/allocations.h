#pragma once

// How many pieces of memory this process has asked for.
unsigned long nftrace_allocations(void);
