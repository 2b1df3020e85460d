// SPDX-License-Identifier: MIT
// A callable run at most once that may own move-only things (std::function may not).
// Job takes nothing; Once<T> takes a T.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace regfs {

template <typename... Args>
class Once {
 public:
  Once() = default;
  template <typename F>
  requires(!std::is_same_v<std::decay_t<F>, Once>) Once(F&& callable)  // NOLINT(*-explicit-*): a lambda is a Once
      : callable_(std::make_unique<Holder<std::decay_t<F>>>(std::forward<F>(callable))) {}

  explicit operator bool() const { return callable_ != nullptr; }
  void operator()(Args... args) { std::exchange(callable_, nullptr)->run(std::move(args)...); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void run(Args... args) = 0;
  };
  template <typename F>
  struct Holder : Base {
    explicit Holder(F held) : callable(std::move(held)) {}
    void run(Args... args) override { callable(std::move(args)...); }
    F callable;
  };
  std::unique_ptr<Base> callable_;
};

using Job = Once<>;

}  // namespace regfs
