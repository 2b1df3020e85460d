// SPDX-License-Identifier: MIT
#include "tools/command_line.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "tools/option_value.h"

namespace regfs {
namespace {

CLI::callback_t take() {
  return [](const CLI::results_t&) { return true; };
}

// The names by which CLI11 knows a row: "-f,--foreground", and the '_' spelling of a long name.
std::string names_of(const OptionRow& row) {
  std::string names;
  if (row.letter != '\0') names = std::string("-") + row.letter;
  if (row.name.empty()) return names;
  if (!names.empty()) names += ",";
  std::string underscored(row.name);
  std::replace(underscored.begin(), underscored.end(), '-', '_');
  names += "--" + std::string(row.name);
  if (underscored != row.name) names += ",--" + underscored;
  return names;
}

}  // namespace

Error unknown_option(const OptionTable& table, std::string_view kind, const std::string& shown, std::string_view name) {
  const std::string_view nearest = table.nearest(name);
  const std::string dashes = shown.starts_with("--") ? "--" : "";
  const std::string guess = nearest.empty() ? "" : "; did you mean " + dashes + std::string(nearest) + "?";
  return usage_error("unknown " + std::string(kind) + " '" + shown + "'" + guess + " (see '" +
                     std::string(table.program()) + " --help')");
}

Result<void> apply_option(const OptionRow& row, std::string_view value, const std::string& shown,
                          SharedOptions& options) {
  Result<void> outcome = row.apply(value, options);
  if (!outcome) return outcome.error().while_doing(shown);
  return {};
}

CommandLine::CommandLine(const OptionTable& table, const std::vector<std::string>& silent)
    : table_(table), app_(std::make_unique<CLI::App>()) {
  app_->set_help_flag("");
  app_->allow_extras();  // words, and what is unknown: told apart by words()
  for (const OptionRow& row : table_) rows_[add(row)] = &row;
  for (const std::string& name : silent) app_->add_flag(name);
}

CommandLine::~CommandLine() = default;

CLI::Option* CommandLine::add(const OptionRow& row) {
  const std::string names = names_of(row);
  if (row.value.empty()) return app_->add_flag(names);
  return app_->add_option(names, take())->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::string CommandLine::see_help() const {
  return " (see '" + std::string(table_.program()) + " --help')";
}

Result<void> CommandLine::read(int argc, const char* const* argv) {
  Result<void> attached = check_attached_values(argc, argv);
  if (!attached) return attached;
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ArgumentMismatch&) {
    // Every option takes the word after it, so only the last one can lack it.
    return usage_error(std::string(argv[argc - 1]) + " needs a value" + see_help());
  } catch (const std::exception& failure) {
    return usage_error(failure.what());
  }
  return {};
}

bool CommandLine::given(const std::string& name) const {
  return app_->count(name) > 0;
}

std::vector<CommandLine::Given> CommandLine::options() const {
  std::vector<Given> given;
  std::map<const CLI::Option*, size_t> used;
  for (const CLI::Option* option : app_->parse_order()) {
    const auto found = rows_.find(option);
    if (found != rows_.end()) given.push_back({found->second, option->results().at(used[option]++)});
  }
  return given;
}

Result<void> CommandLine::apply(SharedOptions& options) const {
  for (const auto& [row, value] : this->options()) {
    if (row->apply == nullptr) continue;
    Result<void> applied = apply_option(*row, value, "--" + std::string(row->name), options);
    if (!applied) return applied;
  }
  return {};
}

Result<std::vector<std::string>> CommandLine::words() const {
  std::vector<std::string> words;
  bool words_only = false;  // after "--"
  for (const std::string& word : app_->remaining()) {
    if (words_only || word.size() < 2 || word.front() != '-') {
      words.push_back(word);
    } else if (word == "--") {
      words_only = true;
    } else {
      const size_t name = word.find_first_not_of('-');
      return unknown_option(table_, "option", word,
                            name == std::string::npos ? "" : word.substr(name, word.find('=') - name));
    }
  }
  return words;
}

// "--log-file=" would make CLI11 take the next word, "--foreground=no" make it guess.
Result<void> CommandLine::check_attached_values(int argc, const char* const* argv) const {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") break;
    const size_t equals = word.find('=');
    if (!word.starts_with("--") || equals == std::string_view::npos) continue;
    const OptionRow* row = table_.find(word.substr(2, equals - 2));
    if (row == nullptr) continue;
    const std::string shown(word.substr(0, equals));
    if (row->value.empty()) return usage_error(shown + " takes no value");
    if (equals + 1 == word.size())
      return usage_error(shown + " needs a value: " + shown + "=" + std::string(row->value));
  }
  return {};
}

}  // namespace regfs
