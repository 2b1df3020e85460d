// SPDX-License-Identifier: MIT
#include "tools/image_pull.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "fs/image_archive.h"
#include "tools/archive_reader.h"
#include "tools/exit_code.h"
#include "tools/human_size.h"

namespace regfs {
namespace {

// One read of the archive, and one write of it: enough that the system calls cost nothing, little enough to stay in
// the processor's cache.
constexpr size_t kPieceBytes = 1 << 20;

constexpr const char* kKept = "; what has come is kept, and the same command goes on from there";

// A word as a shell takes it.
std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char letter) {
    return std::isalnum(letter) || std::string_view("._/-+:@%,=").find(static_cast<char>(letter)) != std::string::npos;
  });
  if (plain) return text;
  std::string quoted = "'";
  for (char letter : text) quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return quoted + "'";
}

uint64_t sum_of_sizes(const std::vector<registry::Descriptor>& blobs) {
  uint64_t sum = 0;
  for (const registry::Descriptor& blob : blobs) sum += blob.size_bytes;
  return sum;
}

}  // namespace

int ImagePull::run() {
  begun_ = parts_.clock.now();
  title_ = reference_.str();
  parts_.received->forget();
  std::optional<Failure> failed = pull();
  if (!failed) return 0;
  last_look_.title = title_;
  parts_.screen.fail(last_look_, "regfs-pull: " + failed->sentence);
  return failed->exit_code;
}

std::optional<ImagePull::Failure> ImagePull::pull() {
  Result<ChosenImage> chosen =
      choose_image(parts_.resolver, parts_.engine.client(), reference_, parts_.options.platform, parts_.log);
  if (parts_.interrupt.signal() != 0) return interrupted();
  if (!chosen) return failure(chosen.error(), exit_code(chosen.error()));
  const std::string platform = registry::platform_argument(chosen->platform);
  title_ += " " + escape_controls(platform);  // of the index, where anything may stand
  digest_ = chosen->image.manifest_digest.str();
  path_ = path_of(*chosen);
  auto archive = std::make_shared<const fs::ImageArchive>(fs::image_archive(chosen->image));
  if (parts_.options.dry_run) {
    const std::string description = describe(*archive);
    Result<void> described = PullTarget::standard_output()->write(0, std::as_bytes(std::span(description)));
    if (described) return std::nullopt;
    return failure(described.error(), kDiskFailure);
  }
  std::unique_ptr<PullTarget> target;
  if (path_.empty()) {
    target = PullTarget::standard_output();
  } else {
    Result<std::unique_ptr<PullTarget>> file = PullTarget::file(path_, archive->layout.size_bytes());
    if (!file) return failure(file.error(), kCannotCreate);
    target = *std::move(file);
  }
  std::shared_ptr<fs::ImageFetch> fetch =
      parts_.engine.fetcher().open(archive, reference_.repository, reference_.familiar() + " " + platform);
  return write(fetch, *target);
}

std::optional<ImagePull::Failure> ImagePull::write(const std::shared_ptr<fs::ImageFetch>& fetch, PullTarget& target) {
  parts_.screen.begin(look(*fetch));
  std::optional<Failure> failed;
  {
    Ticker ticker([&] { parts_.screen.update(look(*fetch)); });
    failed = copy(fetch, target);
  }
  last_look_ = look(*fetch);
  if (failed) return failed;
  parts_.screen.finish(last_look_, summary(fetch->archive(), target.is_file()));
  return std::nullopt;
}

std::optional<ImagePull::Failure> ImagePull::copy(const std::shared_ptr<fs::ImageFetch>& fetch, PullTarget& target) {
  ArchiveReader reader(fetch, parts_.reads);
  std::vector<std::byte> piece(kPieceBytes);
  for (uint64_t offset = 0; offset < reader.size_bytes();) {
    Result<size_t> read = reader.read(offset, piece);
    if (parts_.interrupt.signal() != 0) {
      if (parts_.options.no_cache) target.discard();  // nothing could go on from it
      return interrupted();
    }
    if (!read) {
      if (parts_.options.no_cache) target.discard();
      Failure failed = failure(read.error(), exit_code(read.error()));
      if (failed.exit_code != kBadData && !parts_.options.no_cache) failed.sentence += kKept;
      return failed;
    }
    Result<void> wrote = target.write(offset, std::span(piece).first(*read));
    if (!wrote) {
      target.discard();
      return failure(wrote.error(), kDiskFailure);
    }
    offset += *read;
    written_ = offset;
  }
  Result<void> published = target.publish();
  if (published) return std::nullopt;
  target.discard();
  return failure(published.error(), kDiskFailure);
}

ImageProgress ImagePull::look(fs::ImageFetch& fetch) const {
  ImageProgress progress{.title = title_, .layers = {}, .at = parts_.clock.now()};
  const std::vector<registry::Descriptor>& blobs = fetch.archive().blobs;
  for (size_t i = 0; i < blobs.size(); ++i) {
    LayerProgress layer{blobs[i].digest.str(), blobs[i].size_bytes, 0, false, false};
    if (fetch.archive().layout.blob_archive_offset(i) + blobs[i].size_bytes <= written_) {
      // Where the image does not fit in the cache it is gone already; it is not to be opened for the sake of a bar.
      layer.complete = true;
      layer.present_bytes = layer.size_bytes;
      layer.cached = parts_.received->of(blobs[i].digest) == 0;
    } else if (Result<std::shared_ptr<cache::Blob>> blob = fetch.blob(i)) {
      layer.complete = (*blob)->complete();
      layer.present_bytes = layer.complete ? layer.size_bytes : (*blob)->arrived_bytes();
      layer.cached = layer.complete && parts_.received->of(blobs[i].digest) == 0;
    }
    progress.layers.push_back(std::move(layer));
  }
  progress.archive_bytes = fetch.archive().layout.size_bytes();
  progress.written_bytes = written_;
  return progress;
}

PullSummary ImagePull::summary(const fs::ImageArchive& archive, bool loadable) const {
  PullSummary summary{.title = title_,
                      .path = path_,
                      .reference_digest = digest_,
                      .load_line = loadable ? "docker load -i " + shell_word(path_) : "",
                      .archive_bytes = archive.layout.size_bytes(),
                      .layers = archive.blobs.size(),
                      .cached_layers = 0,
                      .layer_bytes = sum_of_sizes(archive.blobs),
                      .saved_bytes = 0,
                      .took = std::chrono::duration_cast<std::chrono::milliseconds>(parts_.clock.now() - begun_)};
  for (const registry::Descriptor& blob : archive.blobs) {
    const uint64_t received = parts_.received->of(blob.digest);
    if (received == 0) ++summary.cached_layers;
    summary.saved_bytes += blob.size_bytes - std::min(blob.size_bytes, received);
  }
  return summary;
}

std::string ImagePull::describe(const fs::ImageArchive& archive) const {
  std::string text = title_ + "\n  manifest " + digest_ + "\n";
  uint64_t missing = 0;
  for (const registry::Descriptor& blob : archive.blobs) {
    const uint64_t present = parts_.engine.store().present_bytes(blob.digest, blob.size_bytes);
    missing += blob.size_bytes - std::min(blob.size_bytes, present);
    const std::string size = human_size(blob.size_bytes);
    text += "  " + blob.digest.str() + std::string(kHumanSizeColumns + 2 - size.size(), ' ') + size;
    if (present >= blob.size_bytes) {
      text += "  cached";
    } else if (present > 0) {
      text += "  " + human_size(present) + " cached";
    }
    text += "\n";
  }
  text += "  " + std::to_string(archive.blobs.size()) + (archive.blobs.size() == 1 ? " layer, " : " layers, ") +
          human_size(sum_of_sizes(archive.blobs)) + ", of which " + human_size(missing) + " to download\n";
  text += "  archive of " + human_size(archive.layout.size_bytes()) + " (" +
          std::to_string(archive.layout.size_bytes()) + " bytes): " + (path_.empty() ? "standard output" : path_) +
          "\n";
  return text;
}

ImagePull::Failure ImagePull::failure(const Error& error, int code) const {
  const bool anonymous = parts_.options.credentials.username.empty();
  const bool login_helps = error.is(Errc::unauthorized) && anonymous;
  return {code, error.context() + (login_helps ? "; or give --username and --password-stdin" : "")};
}

ImagePull::Failure ImagePull::interrupted() const {
  const bool kept = !parts_.options.no_cache && !parts_.options.dry_run;
  return {kSignalled + parts_.interrupt.signal(), title_ + ": interrupted" + (kept ? kKept : "")};
}

std::string ImagePull::path_of(const ChosenImage& chosen) const {
  if (parts_.options.output == "-") return "";
  if (!parts_.options.output.empty()) return parts_.options.output;
  return default_file_name(reference_.repository.str(), reference_.target_str(), chosen.stem);
}

}  // namespace regfs
