// SPDX-License-Identifier: MIT
#include "registry/tls_trust.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/unique_fd.h"
#include "registry/reference.h"

namespace regfs::registry {
namespace {

// As libcurl has them on Debian.
constexpr const char* kSystemBundle = "/etc/ssl/certs/ca-certificates.crt";
constexpr const char* kSystemDirectory = "/etc/ssl/certs";

constexpr size_t kMaxPemBytes = 4u << 20;  // the system's bundle has 220 KB
constexpr size_t kManyHosts = 1024;

// nullopt: there is none, or it is not ours to read.
std::optional<std::set<std::string>> names_in(const std::string& directory) {
  DIR* stream = ::opendir(directory.c_str());
  if (stream == nullptr) return std::nullopt;
  std::set<std::string> names;
  while (const dirent* entry = ::readdir(stream)) names.insert(entry->d_name);
  ::closedir(stream);
  return names;
}

// Whether OpenSSL finds authorities there by the hash of their names ("3513523f.0").
bool is_hashed(const std::string& directory) {
  const std::optional<std::set<std::string>> names = names_in(directory);
  return names && std::any_of(names->begin(), names->end(), [](const std::string& name) {
           return name.size() == 10 && name.ends_with(".0") &&
                  name.find_first_not_of("0123456789abcdef") == name.size() - 2;
         });
}

std::string stem(const std::string& name, const char* extension) {
  return name.substr(0, name.size() - strlen(extension));
}

// Fills in what the directory of a host holds.
void read_directory(const std::string& directory, const std::set<std::string>& names, TlsSettings& settings,
                    std::string& authorities) {
  settings.directory = directory;
  auto complain = [&settings](const std::string& problem) {
    if (settings.problem.empty()) settings.problem = problem;
  };
  for (const std::string& name : names) {
    const std::string path = directory + "/" + name;
    if (name.ends_with(".crt")) {
      Result<std::string> text = read_certificates(path);
      if (!text) {
        complain(text.error().context());
        continue;
      }
      authorities += *text + "\n";
      settings.own_ca = true;
    } else if (name.ends_with(".cert")) {
      const std::string key = stem(name, ".cert") + ".key";
      if (names.count(key) == 0) {
        complain(path + " has no " + key + " beside it; the certificate of an authority ends in .crt");
      } else if (settings.client_certificate.empty()) {
        settings.client_certificate = path;
        settings.client_key = directory + "/" + key;
      }
    } else if (name.ends_with(".key") && names.count(stem(name, ".key") + ".cert") == 0) {
      complain(path + " has no " + stem(name, ".key") + ".cert beside it");
    }
  }
}

}  // namespace

Result<std::string> read_certificates(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd.ok() || ::fstat(fd.get(), &status) != 0) return Error::from_errno(errno, path);
  if (!S_ISREG(status.st_mode)) return Error{Errc::invalid_argument, path + " is not a regular file"};
  std::string text;
  char buffer[16384];
  while (text.size() <= kMaxPemBytes) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::from_errno(errno, path);
    if (count > 0) {
      text.append(buffer, static_cast<size_t>(count));
      continue;
    }
    if (text.find("-----BEGIN CERTIFICATE-----") != std::string::npos ||
        text.find("-----BEGIN TRUSTED CERTIFICATE-----") != std::string::npos) {
      return text;
    }
    return Error{Errc::invalid_argument, path + " holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"};
  }
  return Error{Errc::too_large, path + " is over 4 MiB"};
}

TlsTrust::TlsTrust(TlsOptions options) : options_(std::move(options)) {}

std::shared_ptr<const TlsSettings> TlsTrust::of(const Origin& origin) {
  const std::string key = origin.host + ":" + std::to_string(origin.port);
  const Monotonic::time_point now = Monotonic::now();
  {
    MutexLock lock(mutex_);
    auto known = read_.find(key);
    if (known != read_.end() && now < known->second.at + kTrustKept) return known->second.settings;
  }
  auto settings = std::make_shared<const TlsSettings>(read(origin));
  MutexLock lock(mutex_);
  if (read_.size() >= kManyHosts) read_.clear();
  read_.insert_or_assign(key, Read{settings, now});
  return settings;
}

TlsSettings TlsTrust::read(const Origin& origin) const {
  TlsSettings settings;
  settings.ca_file = options_.ca_file;
  settings.ca_directory = options_.ca_directory;
  std::string authorities = options_.extra_ca_pem;
  const std::string with_port = origin.host + ":" + std::to_string(origin.port);
  for (const std::string& parent : options_.directories) {
    for (const std::string& name : {canonical_host(origin.authority()), with_port}) {
      const std::string directory = parent + "/" + name;
      const std::optional<std::set<std::string>> names = names_in(directory);
      if (!names || !settings.directory.empty()) continue;
      read_directory(directory, *names, settings, authorities);
    }
  }
  if (authorities.empty()) return settings;
  // libcurl takes this instead of the bundle, so the bundle must be in it, unless the hashed directory has the same.
  const bool hashed = is_hashed(options_.ca_directory.empty() ? kSystemDirectory : options_.ca_directory);
  if (!options_.ca_file.empty() || !hashed) {
    Result<std::string> bundle = read_certificates(options_.ca_file.empty() ? kSystemBundle : options_.ca_file);
    if (bundle) authorities += "\n" + *bundle;
  }
  settings.ca_pem = std::move(authorities);
  return settings;
}

}  // namespace regfs::registry
