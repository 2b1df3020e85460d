// SPDX-License-Identifier: MIT
#include "tools/mount_option_list.h"

#include <algorithm>

namespace regfs {
namespace {

MountOption to_option(const std::string& item) {
  const size_t equals = item.find('=');
  MountOption option{item.substr(0, equals), std::nullopt};
  std::replace(option.name.begin(), option.name.end(), '_', '-');
  if (equals != std::string::npos) option.value = item.substr(equals + 1);
  return option;
}

}  // namespace

std::vector<MountOption> parse_mount_option_list(std::string_view list) {
  std::vector<MountOption> options;
  std::string item;
  const auto end_item = [&] {
    if (!item.empty()) options.push_back(to_option(item));
    item.clear();
  };
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i] == ',') {
      end_item();
    } else {
      if (list[i] == '\\' && i + 1 < list.size()) ++i;
      item += list[i];
    }
  }
  end_item();
  return options;
}

}  // namespace regfs
