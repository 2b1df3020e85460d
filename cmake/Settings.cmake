# SPDX-License-Identifier: MIT
# Flags live in two interface targets; third-party code never gets them.

add_library(regfs_warnings INTERFACE)
target_compile_options(regfs_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Wnon-virtual-dtor
  # Without optimisation only: g++ 12 otherwise sees null pointers inside libstdc++.
  $<$<CONFIG:Debug>:-Wnull-dereference>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  # Under a sanitizer g++ 12 sees uninitialised members inside std::regex (GCC bug 105562).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${REGFS_SANITIZE}>>:-Wno-maybe-uninitialized>
  # Where several sources are built as one, each stands in a file of another name, and g++ takes it for a header.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${CMAKE_UNITY_BUILD}>>:-Wno-subobject-linkage>
  $<$<BOOL:${REGFS_DEVELOPER}>:-Werror>)

add_library(regfs_settings INTERFACE)
target_include_directories(regfs_settings INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(regfs_settings INTERFACE _FILE_OFFSET_BITS=64)
if(REGFS_SANITIZE STREQUAL "address")
  set(regfs_sanitize_flags -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
elseif(REGFS_SANITIZE STREQUAL "thread")
  set(regfs_sanitize_flags -fsanitize=thread -fno-omit-frame-pointer)
elseif(REGFS_SANITIZE)
  message(FATAL_ERROR "REGFS_SANITIZE is '${REGFS_SANITIZE}'; use address or thread")
endif()
if(REGFS_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "REGFS_FUZZ needs clang: -DCMAKE_CXX_COMPILER=clang++")
  endif()
  list(APPEND regfs_sanitize_flags -fsanitize=fuzzer-no-link)
endif()
target_compile_options(regfs_settings INTERFACE ${regfs_sanitize_flags})
target_link_options(regfs_settings INTERFACE ${regfs_sanitize_flags})

# regfs_library(NAME [dependencies…]): every .cc of the calling folder as a static library.
function(regfs_library name)
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC regfs_settings ${ARGN} PRIVATE regfs_warnings)
endfunction()
