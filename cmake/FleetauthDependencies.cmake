# What the core is linked with, always static, as imported targets fleetauth_deps::*.
# libcurl and the simdjson source come from scripts/deps.sh, the rest from the distribution.
# The targets have names of their own, so that find_package(OpenSSL) or find_package(CURL) elsewhere (the
# emulator, for instance) still finds the shared libraries.

set(FLEETAUTH_DEPS_DIR "${PROJECT_SOURCE_DIR}/build/deps" CACHE PATH "What scripts/deps.sh built")
if(NOT EXISTS "${FLEETAUTH_DEPS_DIR}/stamp")
  message(FATAL_ERROR "No built dependencies in ${FLEETAUTH_DEPS_DIR}. Run scripts/deps.sh first "
                      "(after scripts/bootstrap.sh), or set FLEETAUTH_DEPS_DIR to where it put them.")
endif()

find_package(Threads REQUIRED)

function(fleetauth_import_static name library)
  find_library(FLEETAUTH_${name}_LIBRARY NAMES ${library} REQUIRED)
  add_library(fleetauth_deps::${name} STATIC IMPORTED GLOBAL)
  set_target_properties(fleetauth_deps::${name} PROPERTIES IMPORTED_LOCATION "${FLEETAUTH_${name}_LIBRARY}")
endfunction()

fleetauth_import_static(crypto libcrypto.a)
target_link_libraries(fleetauth_deps::crypto INTERFACE Threads::Threads ${CMAKE_DL_LIBS})

fleetauth_import_static(ssl libssl.a)
target_link_libraries(fleetauth_deps::ssl INTERFACE fleetauth_deps::crypto)

add_library(fleetauth_deps::curl STATIC IMPORTED GLOBAL)
set_target_properties(fleetauth_deps::curl PROPERTIES
  IMPORTED_LOCATION "${FLEETAUTH_DEPS_DIR}/lib/libcurl.a"
  INTERFACE_INCLUDE_DIRECTORIES "${FLEETAUTH_DEPS_DIR}/include"
  INTERFACE_COMPILE_DEFINITIONS CURL_STATICLIB)
target_link_libraries(fleetauth_deps::curl INTERFACE fleetauth_deps::ssl fleetauth_deps::crypto Threads::Threads)

# simdjson is compiled here, not by scripts/deps.sh, so that sanitizers and fuzzers see into it. Always optimised
# and always without its assertions: they abort the process on what a hostile server can send.
add_library(fleetauth_simdjson STATIC "${FLEETAUTH_DEPS_DIR}/src/simdjson.cpp")
target_compile_options(fleetauth_simdjson PRIVATE -O2 -w -ffunction-sections -fdata-sections)
target_compile_definitions(fleetauth_simdjson PUBLIC SIMDJSON_EXCEPTIONS=0 SIMDJSON_DEVELOPMENT_CHECKS=0 PRIVATE NDEBUG)
target_include_directories(fleetauth_simdjson SYSTEM PUBLIC "${FLEETAUTH_DEPS_DIR}/include/simdjson")
add_library(fleetauth_deps::simdjson ALIAS fleetauth_simdjson)

find_path(FLEETAUTH_TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)
add_library(fleetauth_deps::tomlplusplus INTERFACE IMPORTED GLOBAL)
target_include_directories(fleetauth_deps::tomlplusplus SYSTEM INTERFACE "${FLEETAUTH_TOMLPLUSPLUS_INCLUDE}")
