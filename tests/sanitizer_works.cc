// SPDX-License-Identifier: MIT
// Writes one byte behind a heap buffer, on purpose. A build whose sanitizer lets this program reach its
// last line proves nothing with the other tests.
#include <cstddef>
#include <cstdio>
#include <memory>

int main() {
  volatile std::size_t size = 16;  // volatile: neither a warning nor an optimisation may see what comes
  auto buffer = std::make_unique<char[]>(size);
  volatile char* bytes = buffer.get();
  bytes[size] = 'x';
  std::puts("the overflow went unseen");
}
