# SPDX-License-Identifier: MIT
# A sanitizer that sees nothing looks like a program without faults. So one fault is made on purpose,
# and the test passes when the sanitizer tells of it.
if(REGFS_SANITIZE STREQUAL "address")
  set(regfs_fault SeesAHeapOverflow)
  set(regfs_report "AddressSanitizer: heap-buffer-overflow")
elseif(REGFS_SANITIZE STREQUAL "thread")
  set(regfs_fault SeesADataRace)
  set(regfs_report "ThreadSanitizer: data race")
endif()
if(REGFS_SANITIZE)
  add_executable(sanitizer_works sanitizer_works.cc)
  target_link_libraries(sanitizer_works PRIVATE regfs_settings regfs_warnings)
  add_test(NAME Sanitizer.${regfs_fault} COMMAND sanitizer_works)
  set_tests_properties(Sanitizer.${regfs_fault} PROPERTIES
    LABELS unit TIMEOUT 60 PASS_REGULAR_EXPRESSION "${regfs_report}")
endif()
