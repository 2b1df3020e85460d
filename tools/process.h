// SPDX-License-Identifier: MIT
// What a program of ours settles about its own process before it starts a thread.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

namespace regfs {

// A program started without standard descriptors would get its own files under their numbers. They become what fails
// when it is used: an archive written to a closed standard output is an error, not lost. The first call of main.
void open_standard_descriptors();

// As many descriptors as the system grants, up to what every open layer and connection may need.
void raise_file_limit();

// No core file is written, and no debugger of the same user attaches: either would show secrets.
void keep_memory_private();

// What was inherited, and what libcurl opens without the flag: a helper that kept a descriptor of ours could keep a
// mount, or a caller's pipe, from ending.
void close_all_on_exec();

// SIGTERM, SIGINT and SIGHUP as a readable descriptor, for this thread and all it starts; SIGPIPE is ignored, and so
// is of SIGINT and SIGHUP what was ignored from the start: by nohup, or by a shell for its background.
Result<UniqueFd> take_signals();

}  // namespace regfs
