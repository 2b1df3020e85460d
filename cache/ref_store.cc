// SPDX-License-Identifier: MIT
#include "cache/ref_store.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "base/mutex.h"
#include "cache/skeleton.h"
#include "cache/small_files.h"
#include "cache/unlinked_disk.h"

namespace regfs::cache {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxTagBytes = 16ull << 10;       // a record of ours is below 1 KiB
constexpr uint64_t kMaxTagListBytes = 128ull << 20;  // the longest tag list accepted is 64 MiB, before escapes
constexpr uint64_t kMaxCatalogBytes = 32ull << 20;   // the longest catalog accepted is 16 MiB, before escapes
constexpr int kMaxDepth = 3;                         // record → tags → a tag
constexpr std::string_view kRecordEnd = ".json";

int64_t to_seconds(Wall::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// A record or null: whatever is damaged, foreign or too deep is absent.
json parse_record(const std::string& text) {
  bool too_deep = false;
  auto shallow = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  json record = json::parse(text, shallow, /*allow_exceptions=*/false);
  return record.is_object() && !too_deep ? record : json();
}

std::optional<std::string> text_of(const json& record, const char* key) {
  auto it = record.find(key);
  if (it == record.end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

// nullopt: there is no list of that name, or something else than texts is in it.
std::optional<std::vector<std::string>> texts_of(const json& record, const char* key) {
  auto it = record.find(key);
  if (it == record.end() || !it->is_array()) return std::nullopt;
  std::vector<std::string> texts;
  texts.reserve(it->size());
  for (const json& text : *it) {
    if (!text.is_string()) return std::nullopt;
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::optional<Wall::time_point> stored_of(const json& record) {
  auto it = record.find("stored");
  if (it == record.end() || !it->is_number_integer()) return std::nullopt;
  int64_t seconds = it->get<int64_t>();
  constexpr int64_t kYear2255 = 9'000'000'000;  // a time_point in nanoseconds ends soon after
  if (seconds < 0 || seconds > kYear2255) return std::nullopt;
  return Wall::time_point(std::chrono::seconds(seconds));
}

class DiskRefStore : public RefStore {
 public:
  DiskRefStore(std::shared_ptr<Disk> disk, const Layout& layout, const Clock& clock)
      : disk_(disk), layout_(layout), clock_(clock), files_(std::move(disk), layout) {}

  std::optional<TagRecord> tag(const std::string& repository, const std::string& tag) override {
    std::optional<KnownTag> known = tag_in(read(tag_path(repository, tag), kMaxTagBytes, repository));
    if (!known || known->tag != tag) return std::nullopt;
    return std::move(known->record);
  }

  Result<void> put_tag(const std::string& repository, const std::string& tag, const Digest& digest,
                       const std::string& media_type) override {
    return write(tag_path(repository, tag), {{"repository", repository},
                                             {"tag", tag},
                                             {"digest", digest.str()},
                                             {"mediaType", media_type},
                                             {"stored", to_seconds(clock_.wall_now())}});
  }

  void drop_tag(const std::string& repository, const std::string& tag) override {
    MutexLock lock(mutex_);
    (void)disk_->remove(tag_path(repository, tag));
    (void)disk_->remove_empty_directory(tags_directory(repository));
    (void)disk_->remove_empty_directory(layout_.repository(repository));
  }

  std::optional<TagListRecord> tag_list(const std::string& repository) override {
    json record = read(tag_list_path(repository), kMaxTagListBytes, repository);
    std::optional<Wall::time_point> stored = stored_of(record);
    std::optional<std::vector<std::string>> tags = texts_of(record, "tags");
    if (!stored || !tags) return std::nullopt;
    std::vector<std::string> children = texts_of(record, "children").value_or(std::vector<std::string>());
    return TagListRecord{*std::move(tags), std::move(children), *stored};
  }

  Result<void> put_tag_list(const std::string& repository, const std::vector<std::string>& tags,
                            const std::vector<std::string>& children) override {
    json record{{"repository", repository}, {"stored", to_seconds(clock_.wall_now())}, {"tags", tags}};
    if (!children.empty()) record["children"] = children;
    return write(tag_list_path(repository), record);
  }

  std::optional<CatalogRecord> catalog(const std::string& host) override {
    json record = read(catalog_path(host), kMaxCatalogBytes);
    std::optional<Wall::time_point> stored = stored_of(record);
    std::optional<std::vector<std::string>> repositories = texts_of(record, "repositories");
    if (text_of(record, "host") != host || !stored || !repositories) return std::nullopt;
    return CatalogRecord{*std::move(repositories), *stored};
  }

  Result<void> put_catalog(const std::string& host, const std::vector<std::string>& repositories) override {
    return write(catalog_path(host),
                 {{"host", host}, {"stored", to_seconds(clock_.wall_now())}, {"repositories", repositories}});
  }

  std::vector<std::string> repositories() override {
    std::vector<std::string> known;
    Result<std::vector<std::string>> names = disk_->list(layout_.refs_directory());
    if (!names) return known;
    for (const std::string& name : *names) {
      std::optional<std::string> repository = parse_safe_name(name);
      if (!repository) repository = named_inside(layout_.refs_directory() + "/" + name);
      if (repository && !is_host(*repository)) known.push_back(std::move(*repository));
    }
    std::sort(known.begin(), known.end());
    return known;
  }

  std::vector<KnownTag> known_tags(const std::string& repository) override {
    std::vector<KnownTag> known;
    Result<std::vector<std::string>> names = disk_->list(tags_directory(repository));
    if (!names) return known;
    for (const std::string& name : *names) {
      json record = read(tags_directory(repository) + "/" + name, kMaxTagBytes, repository);
      std::optional<KnownTag> one = tag_in(record);
      // Only under the name it is looked up by: a copy beside it says nothing.
      if (one && name == safe_name(one->tag) + std::string(kRecordEnd)) known.push_back(*std::move(one));
    }
    std::sort(known.begin(), known.end(), [](const auto& one, const auto& other) { return one.tag < other.tag; });
    return known;
  }

 private:
  static std::optional<KnownTag> tag_in(const json& record) {
    std::optional<std::string> tag = text_of(record, "tag");
    std::optional<std::string> digest_text = text_of(record, "digest");
    std::optional<std::string> media_type = text_of(record, "mediaType");
    std::optional<Wall::time_point> stored = stored_of(record);
    if (!tag || !digest_text || !media_type || !stored) return std::nullopt;
    Result<Digest> digest = Digest::parse(*digest_text);
    if (!digest) return std::nullopt;
    return KnownTag{*std::move(tag), {*digest, *std::move(media_type), *stored}};
  }

  std::string tags_directory(const std::string& repository) const { return layout_.repository(repository) + "/tags"; }
  std::string tag_path(const std::string& repository, const std::string& tag) const {
    return tags_directory(repository) + "/" + safe_name(tag) + std::string(kRecordEnd);
  }
  std::string tag_list_path(const std::string& repository) const {
    return layout_.repository(repository) + "/tag-list" + std::string(kRecordEnd);
  }
  std::string catalog_path(const std::string& host) const {
    return layout_.repository(host) + "/catalog" + std::string(kRecordEnd);
  }

  // A name without a '/' may be a registry's, whose directory holds its catalog.
  bool is_host(const std::string& name) const {
    if (name.find('/') != std::string::npos) return false;
    Result<std::vector<std::string>> files = disk_->list(layout_.repository(name));
    return files && std::find(files->begin(), files->end(), "catalog" + std::string(kRecordEnd)) != files->end();
  }

  json read(const std::string& path, uint64_t max_bytes) const {
    Result<std::optional<std::string>> text = files_.read(path, max_bytes);
    return text && *text ? parse_record(**text) : json();
  }
  // Only a record of that repository: a file that was moved by hand says nothing about another.
  json read(const std::string& path, uint64_t max_bytes, const std::string& repository) const {
    json record = read(path, max_bytes);
    return text_of(record, "repository") == repository ? record : json();
  }

  Result<void> write(const std::string& path, const json& record) {
    std::string text;
    try {
      text = record.dump();
    } catch (const json::exception&) {
      return Error{Errc::malformed, "a name that is not UTF-8 cannot be remembered"};
    }
    MutexLock lock(mutex_);
    Result<void> made = disk_->make_directory(std::filesystem::path(path).parent_path().string());
    if (!made) return made;
    Result<FileFacts> written = files_.write(path, text, SmallFiles::Durability::renamed);
    if (!written) return written.error();
    return {};
  }

  // The name of a repository too long for a file name, from any record of it.
  std::optional<std::string> named_inside(const std::string& directory) const {
    std::optional<std::string> name = text_of(read(directory + "/tag-list.json", kMaxTagListBytes), "repository");
    Result<std::vector<std::string>> tags = disk_->list(directory + "/tags");
    if (name || !tags || tags->empty()) return name;
    return text_of(read(directory + "/tags/" + tags->front(), kMaxTagBytes), "repository");
  }

  const std::shared_ptr<Disk> disk_;
  const Layout layout_;
  const Clock& clock_;
  SmallFiles files_;
  Mutex mutex_;  // one writer at a time: drop_tag() removes directories that put_tag() needs
};

}  // namespace

Result<std::unique_ptr<RefStore>> RefStore::open(const std::string& directory, const Clock& clock) {
  Result<std::string> root = root_of(directory);
  if (!root) return root.error();
  Layout layout(*root);
  std::shared_ptr<Disk> disk = system_disk();
  Result<void> made = disk->make_directory(layout.refs_directory());
  if (made) made = disk->make_directory(layout.new_files_directory());
  if (!made) return made.error().while_doing("the cache directory " + directory + " cannot be used");
  return std::unique_ptr<RefStore>(std::make_unique<DiskRefStore>(std::move(disk), layout, clock));
}

std::unique_ptr<RefStore> RefStore::in_memory(const Clock& clock) {
  Layout layout("");
  return std::make_unique<DiskRefStore>(unlinked_disk(nullptr, std::nullopt, layout.parts_directory()), layout, clock);
}

}  // namespace regfs::cache
