# fleetauth_add_test(NAME name SOURCES file... [LIBRARIES target...])
# One GoogleTest executable; each of its tests becomes a ctest test. A test may take a minute at most.

find_package(GTest REQUIRED)
include(GoogleTest)

function(fleetauth_add_test)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${arg_NAME} ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PRIVATE fleetauth_build_options ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${arg_NAME} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 60)
endfunction()

# fleetauth_add_fuzzer(NAME name SOURCES file... [LIBRARIES target...])
# A libFuzzer target (LLVMFuzzerTestOneInput) whose corpus is the folder corpus/<name> beside the calling CMakeLists.txt.
# The test fuzz.<name> runs it once over its corpus; without libFuzzer a small main does that, so every build replays what was found.
function(fleetauth_add_fuzzer)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;LIBRARIES" ${ARGN})
  set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${arg_NAME}")
  if(NOT IS_DIRECTORY "${corpus}")
    message(FATAL_ERROR "The fuzz target ${arg_NAME} needs a corpus in ${corpus}: at least one small valid input.")
  endif()
  add_executable(fuzz_${arg_NAME} ${arg_SOURCES})
  target_link_libraries(fuzz_${arg_NAME} PRIVATE fleetauth_build_options ${arg_LIBRARIES})
  set_target_properties(fuzz_${arg_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzzers")
  if(FLEETAUTH_BUILD_FUZZ)
    target_link_options(fuzz_${arg_NAME} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${arg_NAME} COMMAND fuzz_${arg_NAME} -runs=0 "${corpus}")
  else()
    target_sources(fuzz_${arg_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/cmake/fuzz_replay.cpp")
    add_test(NAME fuzz.${arg_NAME} COMMAND fuzz_${arg_NAME} "${corpus}")
  endif()
  set_tests_properties(fuzz.${arg_NAME} PROPERTIES TIMEOUT 60)
endfunction()
