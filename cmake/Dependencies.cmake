# SPDX-License-Identifier: MIT
# System libraries only; README.md says why each is there.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(CURL 7.88 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
pkg_check_modules(FUSE3 REQUIRED IMPORTED_TARGET fuse3>=3.14)
if(REGFS_TESTS)
  find_package(OpenSSL 3.0 REQUIRED COMPONENTS SSL)
  find_package(GTest 1.12 REQUIRED)
endif()
