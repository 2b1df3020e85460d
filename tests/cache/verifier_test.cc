// SPDX-License-Identifier: MIT
#include "cache/verifier.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/cache/cache_world.h"

namespace regfs::cache::verifier_test {
namespace {

using test::Bell;

class Counted : public Verifier::Subject {
 public:
  Counted(int steps, Bell& done) : left_(steps), done_(done) {}
  bool verify_step() override {
    EXPECT_FALSE(busy_.exchange(true)) << "two threads at once";
    bool more = --left_ > 0;
    busy_ = false;
    if (!more) done_.ring();
    return more;
  }

 private:
  int left_;
  Bell& done_;
  std::atomic<bool> busy_{false};
};

TEST(Verifier, SaysWhyItCannotRead) {
  test::TempDir dir;
  test::put_file(dir / "f", "abc");
  Result<std::unique_ptr<DiskFile>> file = system_disk()->open(dir / "f", OpenFor::reading);
  Sha256 hash;
  EXPECT_FALSE(hash_range(**file, 0, 4, hash));
}

TEST(Verifier, HashesAFileInStretches) {
  test::TempDir dir;
  std::string bytes = test::random_bytes(1, 700'001);
  test::put_file(dir / "f", bytes);
  Result<std::unique_ptr<DiskFile>> file = system_disk()->open(dir / "f", OpenFor::reading);
  Sha256 hash;
  EXPECT_TRUE(hash_range(**file, 0, 0, hash));
  EXPECT_TRUE(hash_range(**file, 0, 300'000, hash));
  EXPECT_TRUE(hash_range(**file, 300'000, bytes.size(), hash));
  EXPECT_EQ(hash.finish(), sha256_of(bytes));
}

TEST(Verifier, CallsASubjectUntilItHasEnough) {
  test::FakeClock clock;
  test::MemoryLog log(clock);
  Bell done;
  Verifier verifier(log.log());
  for (int i = 1; i <= 20; ++i) verifier.follow(std::make_shared<Counted>(i, done));
  EXPECT_TRUE(done.wait(20));
}

TEST(Verifier, LetsGoOfWhatWaitsWhenStopped) {
  test::FakeClock clock;
  test::MemoryLog log(clock);
  Bell done;
  Verifier verifier(log.log());
  verifier.stop();
  auto subject = std::make_shared<Counted>(1, done);
  std::weak_ptr<Counted> watched = subject;
  verifier.follow(std::move(subject));
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(done.rung(), 0);
}

}  // namespace
}  // namespace regfs::cache::verifier_test
