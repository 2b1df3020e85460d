// SPDX-License-Identifier: MIT
// A callable run at most once that may own move-only things (std::function may not).
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace regfs {

class Job {
 public:
  Job() = default;
  template <typename F>
    requires(!std::is_same_v<std::decay_t<F>, Job>)
  Job(F&& callable)  // NOLINT(*-explicit-*): a lambda is a Job
      : callable_(std::make_unique<Holder<std::decay_t<F>>>(std::forward<F>(callable))) {}

  explicit operator bool() const { return callable_ != nullptr; }
  void operator()() { std::exchange(callable_, nullptr)->run(); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void run() = 0;
  };
  template <typename F>
  struct Holder : Base {
    explicit Holder(F held) : callable(std::move(held)) {}
    void run() override { callable(); }
    F callable;
  };
  std::unique_ptr<Base> callable_;
};

}  // namespace regfs
