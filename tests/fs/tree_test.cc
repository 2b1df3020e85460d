// SPDX-License-Identifier: MIT
#include "fs/tree.h"

#include <gtest/gtest.h>

#include "base/sha256.h"

namespace regfs::fs::tree_test {
namespace {

Location directory(const std::string& name) {
  return *child_location(root_location(std::nullopt), name);
}

std::shared_ptr<const ImageFacts> archive(const std::string& tag, const std::string& content = "manifest") {
  registry::Descriptor manifest{std::string(registry::kOciManifest), sha256_of(content), content.size(), {}};
  ImageIdentity identity{{"docker.io", "library/nginx"}, tag, manifest, "linux-amd64"};
  return std::make_shared<ImageFacts>(ImageFacts{identity, 4096, 0, {{sha256_of("layer"), 100, 2048}}, 100});
}

TEST(TreeDeathTest, AnInodeThatTheKernelGaveBackIsABrokenInvariant) {
  Tree tree(root_location(std::nullopt));
  EXPECT_DEATH(tree.content(77), "does not hold");
}

TEST(Tree, NumbersAreTheSameInEveryMount) {
  Tree first(root_location(std::nullopt));
  Tree second(root_location(std::nullopt));
  second.remember(directory("debian"));
  EXPECT_EQ(first.remember(directory("nginx")), second.remember(directory("nginx")));
  EXPECT_EQ(first.remember(archive("latest")), second.remember(archive("latest")));
}

TEST(Tree, AMovedTagIsAnotherFile) {
  Tree tree(root_location(std::nullopt));
  EXPECT_NE(tree.remember(archive("latest", "old")), tree.remember(archive("latest", "new")));
}

TEST(Tree, TheSameManifestUnderAnotherTagIsAnotherFileBecauseNamesAreInItsBytes) {
  Tree tree(root_location(std::nullopt));
  EXPECT_NE(tree.remember(archive("latest")), tree.remember(archive("1.27")));
}

TEST(Tree, ANodeLivesAsLongAsTheKernelHasLookupsOfIt) {
  Tree tree(root_location(std::nullopt));
  uint64_t inode = tree.remember(directory("nginx"));
  EXPECT_EQ(tree.remember(directory("nginx")), inode);
  tree.forget(inode, 1);
  EXPECT_EQ(tree.size(), 2u);
  tree.forget(inode, 1);
  EXPECT_EQ(tree.size(), 1u);
}

TEST(Tree, TheRootIsNeverForgotten) {
  Tree tree(root_location(std::nullopt));
  tree.forget(kRootInode, 1000);
  EXPECT_TRUE(std::get<Location>(tree.content(kRootInode)).is_root());
}

TEST(Tree, AListedNumberIsThatOfTheNodeToCome) {
  Tree tree(root_location(std::nullopt));
  uint64_t directory_number = tree.directory_number("nginx");
  uint64_t image_number = tree.image_number(archive("latest")->identity);
  EXPECT_EQ(tree.size(), 1u);
  EXPECT_EQ(tree.remember(directory("nginx")), directory_number);
  EXPECT_EQ(tree.remember(archive("latest")), image_number);
  EXPECT_EQ(tree.directory_number(""), kRootInode);
}

TEST(Tree, FindsEveryArchiveThatHoldsALayer) {
  Tree tree(root_location(std::nullopt));
  uint64_t latest = tree.remember(archive("latest"));
  tree.remember(archive("1.27"));
  tree.remember(directory("nginx"));
  std::vector<Tree::Place> places = tree.places_of(sha256_of("layer"));
  ASSERT_EQ(places.size(), 2u);
  for (const Tree::Place& place : places) {
    EXPECT_EQ(place.offset, 2048u);
    EXPECT_EQ(place.length, 100u);
  }
  EXPECT_TRUE(places[0].inode == latest || places[1].inode == latest);
  EXPECT_TRUE(tree.places_of(sha256_of("another")).empty());
}

TEST(Tree, KnowsAnArchiveOnlyWhileTheKernelHoldsIt) {
  Tree tree(root_location(std::nullopt));
  auto facts = archive("latest");
  EXPECT_EQ(tree.known_image(facts->identity), nullptr);
  uint64_t inode = tree.remember(facts);
  EXPECT_EQ(tree.known_image(facts->identity), facts);
  tree.forget(inode, 1);
  EXPECT_EQ(tree.known_image(facts->identity), nullptr);
}

}  // namespace
}  // namespace regfs::fs::tree_test
