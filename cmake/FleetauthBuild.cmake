# How our own code is compiled. Every target of ours links fleetauth_build_options PRIVATE;
# every shared library or loadable module that contains the core also calls fleetauth_harden_module().

include(CheckCXXCompilerFlag)
include(CheckPIESupported)
check_pie_supported()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

find_program(FLEETAUTH_CCACHE ccache)
if(FLEETAUTH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${FLEETAUTH_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${FLEETAUTH_CCACHE}")
endif()

set(FLEETAUTH_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")
option(FLEETAUTH_COVERAGE "Instrument for llvm-cov" OFF)

add_library(fleetauth_build_options INTERFACE)
target_compile_options(fleetauth_build_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Werror
  -ffunction-sections -fdata-sections
  "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")

# Hardening. A flag the compiler does not know is left out (clang 14 has no zero initialisation without
# an extra switch, aarch64 no -fcf-protection).
foreach(flag IN ITEMS
    -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard
    -ftrivial-auto-var-init=zero -fno-plt)
  string(MAKE_C_IDENTIFIER "FLEETAUTH_HAS_${flag}" known)
  check_cxx_compiler_flag("-Werror ${flag}" ${known})
  if(${known})
    target_compile_options(fleetauth_build_options INTERFACE ${flag})
  endif()
endforeach()
target_compile_definitions(fleetauth_build_options INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(fleetauth_build_options INTERFACE
  -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)

if(FLEETAUTH_SANITIZE)
  # Everything that is compiled here, simdjson included, is instrumented alike.
  add_compile_options(-fsanitize=${FLEETAUTH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${FLEETAUTH_SANITIZE})
else()
  # _FORTIFY_SOURCE needs optimisation and does not go together with sanitizers.
  target_compile_options(fleetauth_build_options INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()

if(FLEETAUTH_BUILD_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "FLEETAUTH_BUILD_FUZZ needs clang: use the preset \"fuzz\".")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(FLEETAUTH_COVERAGE)
  # Of clang: it counts the conditions that are written, not the ways out that gcc adds for exceptions. What processes that are killed have
  # counted is not lost: the counters are in the file.
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "FLEETAUTH_COVERAGE needs clang: use the preset \"coverage\".")
  endif()
  target_compile_options(fleetauth_build_options INTERFACE
    -fprofile-instr-generate -fcoverage-mapping -fprofile-update=atomic "SHELL:-mllvm -runtime-counter-relocation")
  target_link_options(fleetauth_build_options INTERFACE -fprofile-instr-generate)
endif()

# For a shared library or loadable module that contains the core: nothing of the static libraries inside it
# is visible, and it stays mapped because libcurl's resolver threads may outlive dlclose.
function(fleetauth_harden_module target)
  target_link_options(${target} PRIVATE -Wl,-z,nodelete -Wl,--exclude-libs,ALL)
  if(NOT FLEETAUTH_SANITIZE)
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
endfunction()
