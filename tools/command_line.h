// SPDX-License-Identifier: MIT
// argv against an option table: which options were given, in the order of its words, and the words that are
// none. Long options in GNU's manner; '_' passes for '-'. Pure; one thread.
//
// Every error is Errc::invalid_argument with a sentence that names the option and the value.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tools/option_table.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace regfs {

class CommandLine {
 public:
  // `table` must outlive it. `silent` are short switches ("-s,-n") that are known and in no table.
  explicit CommandLine(const OptionTable& table, const std::vector<std::string>& silent = {});
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Result<void> read(int argc, const char* const* argv);

  bool given(const std::string& name) const;  // "--help", "-s"

  struct Given {
    const OptionRow* row;
    std::string value;
  };
  std::vector<Given> options() const;
  // Files all of them in `options`; a later one overrides an earlier one.
  Result<void> apply(SharedOptions& options) const;
  // What is neither an option nor the value of one; an unknown option is an error.
  Result<std::vector<std::string>> words() const;

 private:
  CLI::Option* add(const OptionRow& row);
  Result<void> check_attached_values(int argc, const char* const* argv) const;
  std::string see_help() const;

  const OptionTable& table_;
  const std::unique_ptr<CLI::App> app_;
  std::map<const CLI::Option*, const OptionRow*> rows_;
};

// "unknown option '--tag-tll'; did you mean --tag-ttl? (see 'regfs --help')"; `kind` is "option".
Error unknown_option(const OptionTable& table, std::string_view kind, const std::string& shown, std::string_view name);

// Files one option's value; the error names the option as the user gave it, `shown`.
Result<void> apply_option(const OptionRow& row, std::string_view value, const std::string& shown,
                          SharedOptions& options);

}  // namespace regfs
