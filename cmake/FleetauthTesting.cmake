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
