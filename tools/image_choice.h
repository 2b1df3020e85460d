// SPDX-License-Identifier: MIT
// From a reference and a platform to one image, with errors that say what there is instead. Waits for the
// registry; one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "fs/image_resolver.h"
#include "fs/resolved_image.h"
#include "registry/client.h"
#include "registry/platform.h"

namespace regfs {

struct ChosenImage {
  fs::ResolvedImage image;
  registry::Platform platform;  // of the image
  std::string stem;             // "linux-arm64", for file names
};

// `platform` is what the user asked for; none: this machine's, or the only one there is. A platform that stands in
// for another is told in the log. When the registry cannot be reached, what was last known is taken, and the log
// says so. The error is a sentence for the user; `client` is asked for the registry's words of it.
Result<ChosenImage> choose_image(fs::ImageResolver& resolver, registry::Client& client,
                                 const registry::Reference& reference,
                                 const std::optional<registry::Platform>& platform, Log& log);

}  // namespace regfs
