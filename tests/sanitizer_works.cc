// SPDX-License-Identifier: MIT
// Does on purpose what its sanitizer is there to see: writes one byte behind a heap buffer, or one variable from two
// threads. A build whose sanitizer lets this program end well proves nothing with the other tests.
#include <cstddef>
#include <cstdio>
#include <memory>
#include <thread>

#ifdef __SANITIZE_THREAD__

int main() {
  int shared = 0;
  std::thread other([&shared] { shared = 1; });
  shared = 2;
  other.join();
  std::printf("the race went unseen: %d\n", shared);
}

#else

int main() {
  volatile std::size_t size = 16;  // volatile: neither a warning nor an optimisation may see what comes
  auto buffer = std::make_unique<char[]>(size);
  volatile char* bytes = buffer.get();
  bytes[size] = 'x';
  std::puts("the overflow went unseen");
}

#endif
