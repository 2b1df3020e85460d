# SPDX-License-Identifier: MIT
# A sanitizer that sees nothing looks like a program without faults. So one fault is made on purpose,
# and the test passes when AddressSanitizer dies of it.
if(REGFS_SANITIZE STREQUAL "address")
  add_executable(sanitizer_works sanitizer_works.cc)
  target_link_libraries(sanitizer_works PRIVATE regfs_settings regfs_warnings)
  add_test(NAME Sanitizer.SeesAHeapOverflow COMMAND sanitizer_works)
  set_tests_properties(Sanitizer.SeesAHeapOverflow PROPERTIES
    LABELS unit
    TIMEOUT 60
    PASS_REGULAR_EXPRESSION "AddressSanitizer: heap-buffer-overflow"
    FAIL_REGULAR_EXPRESSION "the overflow went unseen")
endif()
