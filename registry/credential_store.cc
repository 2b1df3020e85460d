// SPDX-License-Identifier: MIT
#include "registry/credential_store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "base/unique_fd.h"

namespace regfs::registry {
namespace {

// By which a changed file is known.
struct Stamp {
  int error = -1;  // errno of looking at it; -1: nobody has looked
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  int64_t modified = 0;
  int64_t changed = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

int64_t nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Stamp stamp_of(const struct stat& status) {
  return {0, status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

Stamp stamp_at(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return stamp_of(status);
  Stamp missing;
  missing.error = errno;
  return missing;
}

bool is_absence(int error) {
  return error == ENOENT || error == ENOTDIR;
}

// The text, and the stamp of what it was read from. O_NONBLOCK: nobody waits for the writer of a FIFO.
Result<std::string> read_whole(const std::string& path, Stamp& stamp) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.ok()) {
    stamp.error = errno;
    return Error::from_errno(errno, path);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return Error::from_errno(errno, path);
  stamp = stamp_of(status);
  if (!S_ISREG(status.st_mode)) return Error{Errc::malformed, path + " is not a regular file"};
  std::string text;
  char buffer[16384];
  while (text.size() <= kMaxCredentialFileBytes) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::from_errno(errno, path);
    if (count == 0) {
      ::explicit_bzero(buffer, sizeof(buffer));
      return text;
    }
    text.append(buffer, static_cast<size_t>(count));
  }
  return Error{Errc::too_large, path + " is over 4 MiB"};
}

std::string joined(const std::string& directory, const char* name) {
  return directory.empty() ? std::string() : directory + "/" + name;
}

}  // namespace

struct StoredCredentials::Loaded {
  Stamp stamp;
  std::shared_ptr<const CredentialFile> file;  // null: there is none, or it cannot be understood
};

struct StoredCredentials::Asked {
  std::optional<Found> answer;  // nothing: it runs
  Monotonic::time_point at;
};

std::vector<CredentialPlace> credential_places(const CredentialEnvironment& environment) {
  std::vector<CredentialPlace> places;
  auto add = [&places](const std::string& path, CredentialFile::Layout layout = CredentialFile::Layout::current) {
    if (!path.empty()) places.push_back({path, path, {}, layout});
  };
  if (!environment.authfile.empty()) {
    add(environment.authfile);
    return places;
  }
  if (!environment.registry_auth_file.empty()) {
    add(environment.registry_auth_file);
    return places;
  }
  if (!environment.docker_auth_config.empty()) {
    places.push_back({"", "$DOCKER_AUTH_CONFIG", environment.docker_auth_config, CredentialFile::Layout::current});
  }
  add(environment.docker_config.empty() ? joined(environment.home, ".docker/config.json")
                                        : joined(environment.docker_config, "config.json"));
  add(environment.xdg_runtime_dir.empty() ? "/run/containers/" + std::to_string(environment.user) + "/auth.json"
                                          : joined(environment.xdg_runtime_dir, "containers/auth.json"));
  add(environment.xdg_config_home.empty() ? joined(environment.home, ".config/containers/auth.json")
                                          : joined(environment.xdg_config_home, "containers/auth.json"));
  add(joined(environment.home, ".dockercfg"), CredentialFile::Layout::flat);
  return places;
}

StoredCredentials::StoredCredentials(std::vector<CredentialPlace> places, std::unique_ptr<HelperRunner> helpers,
                                     const Clock& clock, Log& log)
    : places_(std::move(places)), helpers_(std::move(helpers)), clock_(clock), log_(log), loaded_(places_.size()) {}
StoredCredentials::~StoredCredentials() = default;

Result<void> StoredCredentials::check(const CredentialPlace& place) {
  Stamp stamp;
  Result<std::string> text = read_whole(place.path, stamp);
  if (!text) return text.error();
  Result<CredentialFile> file = CredentialFile::parse(*text, place.name, place.layout);
  if (!file) return file.error();
  return {};
}

Result<std::optional<Credential>> StoredCredentials::find(const Repository& repository) {
  Found found = std::optional<Credential>();
  for (size_t place = 0; place < places_.size(); ++place) {
    std::shared_ptr<const CredentialFile> file = load(place);
    if (!file) continue;
    found = find_in(*file, repository);
    if (!found || found->has_value()) break;
  }
  if (found) tell(repository, *found);
  return found;
}

std::shared_ptr<const CredentialFile> StoredCredentials::load(size_t index) {
  const CredentialPlace& place = places_[index];
  Stamp stamp = place.path.empty() ? Stamp{.error = 0} : stamp_at(place.path);
  {
    MutexLock lock(mutex_);
    if (loaded_[index].stamp == stamp) return loaded_[index].file;
  }
  Result<std::string> text = place.path.empty() ? place.text.reveal() : read_whole(place.path, stamp);
  std::shared_ptr<const CredentialFile> file;
  if (text) {
    Result<CredentialFile> parsed = CredentialFile::parse(*text, place.name, place.layout);
    ::explicit_bzero(text->data(), text->size());
    if (parsed) {
      file = std::make_shared<const CredentialFile>(*std::move(parsed));
      for (const std::string& problem : file->problems()) log_.failure(problem);
    } else {
      log_.failure(parsed.error().context() + "; no credentials are taken from it");
    }
  } else if (!is_absence(stamp.error)) {
    log_.failure(text.error().context() + "; no credentials are taken from it");
  }
  MutexLock lock(mutex_);
  loaded_[index] = {stamp, file};
  return file;
}

Result<std::optional<Credential>> StoredCredentials::find_in(const CredentialFile& file, const Repository& repository) {
  std::optional<HelperCall> call = file.helper_for(repository);
  if (!call) return file.entry_for(repository);
  for (const std::string& server : call->servers) {
    Found found = ask({call->name, server});
    // A machine may share its file with one that has the helper; and whatever is the matter with it, public images stay
    // readable, as they do for Docker.
    if (!found && found.error().is(Errc::not_found)) return std::optional<Credential>();
    if (found && *found) (*found)->source += ", named in " + file.name();
    if (!found || found->has_value()) return found;
  }
  return std::optional<Credential>();
}

Result<std::optional<Credential>> StoredCredentials::ask(const HelperKey& key) {
  {
    MutexLock lock(mutex_);
    while (true) {
      auto known = asked_.find(key);
      if (known == asked_.end()) break;
      if (!known->second.answer) {
        answered_.wait(lock);
        continue;
      }
      const Found& answer = *known->second.answer;
      const auto kept = !answer   ? std::chrono::seconds(kHelperPause)
                        : *answer ? std::chrono::seconds(kHelperAnswerKept)
                                  : kHelperIgnoranceKept;
      if (clock_.now() < known->second.at + kept) return answer;
      asked_.erase(known);
    }
    asked_.emplace(key, Asked{std::nullopt, clock_.now()});
  }
  Found answer = ask_now(key);
  MutexLock lock(mutex_);
  asked_[key] = Asked{answer, clock_.now()};
  answered_.notify_all();
  return answer;
}

// Whatever happens there is an answer: others wait for it.
Result<std::optional<Credential>> StoredCredentials::ask_now(const HelperKey& key) try {
  Found answer = helpers_->get(key.first, key.second);
  if (answer && *answer) (*answer)->source += " for " + key.second;
  if (!answer && answer.error().is(Errc::not_found)) {
    log_.failure(answer.error().context() + "; " + key.second + " is asked without its credentials");
  }
  return answer;
} catch (const std::exception& failure) {
  return Error{Errc::unauthorized, std::string("asking a credential helper: ") + failure.what()};
}

void StoredCredentials::tell(const Repository& repository, const std::optional<Credential>& credential) {
  if (!log_.debugs()) return;
  const std::string source = credential ? identity_of(credential) : "none found";
  {
    MutexLock lock(mutex_);
    std::string& told = told_[repository.host];
    if (told == source) return;
    told = source;
  }
  log_.debug("credentials for " + repository.str() + ": " + source);
}

void StoredCredentials::refused(const Repository& repository) {
  MutexLock lock(mutex_);
  for (Loaded& loaded : loaded_) loaded.stamp = Stamp();
  const Monotonic::time_point now = clock_.now();
  std::erase_if(asked_, [&](const auto& asked) {
    const std::string& server = asked.first.second;
    const bool same = server == repository.host || (repository.host == kDockerHub && server.starts_with("https://"));
    return same && asked.second.answer && now >= asked.second.at + kHelperPause;
  });
}

void StoredCredentials::shutdown() {
  helpers_->shutdown();
}

}  // namespace regfs::registry
