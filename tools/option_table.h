// SPDX-License-Identifier: MIT
// Every option of a program, once: its parser, its --help and the test of its manual read this table.
//
// Options that the programs share are rows of one list, which each table takes from by name. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tools/shared_options.h"

namespace regfs {

struct OptionRow {
  std::string_view name;   // long name with '-'; empty for one that has a letter only
  char letter;             // short name, '\0' if none
  std::string_view value;  // what it takes ("TIME"); empty: a switch
  std::string_view help;   // one line of --help
  // Files a value (empty for a switch) in the options, which are the program's own. The error says what is wrong with
  // the value; the caller names the option. Null for words that only the command line knows: -o of mount(8), help,
  // version.
  Result<void> (*apply)(std::string_view value, SharedOptions& options);
};

// The row of that name, which every program may take.
OptionRow shared_option(std::string_view name);

class OptionTable {
 public:
  // `program` is for messages: "regfs".
  OptionTable(std::string_view program, std::vector<OptionRow> rows) : program_(program), rows_(std::move(rows)) {}

  std::string_view program() const { return program_; }
  auto begin() const { return rows_.begin(); }
  auto end() const { return rows_.end(); }

  // The row of a long name, '_' and '-' alike; null when there is none.
  const OptionRow* find(std::string_view name) const;
  // The known name closest to a mistyped one; empty when none is near.
  std::string_view nearest(std::string_view mistyped) const;
  // The lines of --help.
  std::string help() const;

 private:
  const std::string_view program_;
  const std::vector<OptionRow> rows_;
};

}  // namespace regfs
