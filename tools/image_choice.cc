// SPDX-License-Identifier: MIT
#include "tools/image_choice.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "fs/questions.h"
#include "tools/edit_distance.h"

namespace regfs {
namespace {

constexpr size_t kTagsShown = 5;

template <typename T>
Result<T> ask(const std::string& what, Log& log, const std::function<Result<T>(fs::Ask)>& question) {
  Result<T> answer = question(fs::Ask::registry);
  if (answer || !fs::is_outage(answer.error())) return answer;
  Result<T> known = question(fs::Ask::last_known);
  if (!known) return answer;
  log.warning(what + ": taking the last known answer, because " + answer.error().context());
  return known;
}

// The registry's sentences name what was asked for already; others do not.
Error about(const std::string& what, const Error& error) {
  return error.context().find(what) == std::string::npos ? error.while_doing(what) : error;
}

// What the registry has to say of it, which a refused HEAD is silent of; and whether it is one.
Error in_its_words(registry::Client& client, const registry::Reference& reference, const Error& error) {
  const bool refused = error.is(Errc::not_found) || error.is(Errc::unauthorized) || error.is(Errc::forbidden);
  if (!refused && !error.is(Errc::malformed)) return error;
  Result<registry::FetchedManifest> again = client.manifest(reference);
  if (!again) return again.error().code() == error.code() ? again.error() : error;
  if (!again->media_type.starts_with("text/html")) return error;
  return Error(Errc::bad_response, reference.str() + ": " + reference.repository.host +
                                       " answers with a web page: it is no registry, or something stands before it");
}

// The tags most like the wanted one; nothing when the registry does not tell.
std::string closest_tags(fs::ImageResolver& resolver, const registry::Reference& reference) {
  Result<fs::TagNames> tags = resolver.tags(reference.repository, fs::Ask::registry);
  if (!tags || tags->names->empty()) return "";
  std::vector<std::pair<size_t, std::string>> ranked;
  for (const std::string& name : *tags->names) ranked.emplace_back(edit_distance(reference.target_str(), name), name);
  const size_t shown = std::min(kTagsShown, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<ptrdiff_t>(shown), ranked.end());
  std::string text;
  for (size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + ranked[i].second;
  return "; closest of " + std::to_string(ranked.size()) + " tags: " + text;
}

std::string names_of(const fs::PlatformList& list) {
  std::string text;
  for (const fs::PlatformEntry& entry : list.entries()) {
    text += (text.empty() ? "" : ", ") + registry::platform_argument(entry.platform);
  }
  return text;
}

Result<const fs::PlatformEntry*> choose(const fs::PlatformList& list, const registry::Reference& reference,
                                        const std::optional<registry::Platform>& platform, Log& log) {
  const registry::Platform wanted = platform.value_or(registry::this_machine());
  const fs::PlatformChoice choice = list.choose(wanted);
  const std::string name = registry::platform_argument(wanted);
  if (choice.entry == nullptr) {
    if (!platform && list.entries().size() == 1) {
      log.warning(reference.str() + " has no " + name + ", which this machine is; taking the one it has, " +
                  registry::platform_argument(list.entries().front().platform));
      return &list.entries().front();
    }
    if (list.entries().empty()) return Error(Errc::not_found, reference.str() + " has no platform: it is no image");
    return Error(Errc::not_found,
                 reference.str() + " has no " + name + "; choose with --platform from: " + names_of(list));
  }
  if (!choice.exact) {
    log.warning(reference.str() + " has no " + name + "; taking " +
                registry::platform_argument(choice.entry->platform) + ", which runs there too");
  }
  return choice.entry;
}

}  // namespace

Result<ChosenImage> choose_image(fs::ImageResolver& resolver, registry::Client& client,
                                 const registry::Reference& reference,
                                 const std::optional<registry::Platform>& platform, Log& log) {
  const std::string what = reference.str();
  Result<fs::ResolvedTag> tag =
      ask<fs::ResolvedTag>(what, log, [&](fs::Ask ask) { return resolver.resolve(reference, ask); });
  if (!tag) {
    const Error error = about(what, in_its_words(client, reference, tag.error()));
    if (!error.is(Errc::not_found) || reference.by_digest()) return error;
    return Error(Errc::not_found, error.context() + closest_tags(resolver, reference));
  }
  // What the tag meant a moment ago is what is pulled, should it move meanwhile.
  const registry::Reference fixed{reference.repository, tag->digest};
  Result<fs::Platforms> platforms =
      ask<fs::Platforms>(what, log, [&](fs::Ask ask) { return resolver.platforms(fixed, ask); });
  if (!platforms) return about(what, platforms.error());
  Result<const fs::PlatformEntry*> entry = choose(*platforms->list, reference, platform, log);
  if (!entry) return entry.error();
  const std::optional<std::string> name =
      reference.by_digest() ? std::nullopt : std::optional<std::string>(reference.target_str());
  Result<fs::ResolvedImage> image = ask<fs::ResolvedImage>(
      what, log, [&](fs::Ask ask) { return resolver.image(reference.repository, name, (*entry)->manifest, ask); });
  if (!image) return about(what, image.error());
  return ChosenImage{*std::move(image), (*entry)->platform, (*entry)->stem};
}

}  // namespace regfs
