# `cmake --install`: the header, the shared library, its pkg-config file and its CMake package, nothing of the core; and the command
# with the emulator, which look for each other in one folder.
if(NOT TARGET fleetauth)
  return()
endif()
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/fleetauth")

install(TARGETS fleetauth EXPORT fleetauth-targets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY "${PROJECT_SOURCE_DIR}/capi/include/" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT fleetauth-targets NAMESPACE fleetauth:: DESTINATION ${package_dir})

configure_package_config_file(cmake/fleetauth-config.cmake.in fleetauth-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(fleetauth-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/fleetauth-config.cmake" "${PROJECT_BINARY_DIR}/fleetauth-config-version.cmake"
  DESTINATION ${package_dir})

# The pkg-config file finds the prefix from where it lies, so that an installation can be moved.
file(RELATIVE_PATH pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/fleetauth.pc.in fleetauth.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/fleetauth.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
set(third_party "${FLEETAUTH_DEPS_DIR}/licenses")
install(FILES "${third_party}/curl.txt" "${third_party}/simdjson.txt" "${third_party}/openssl.txt"
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/third-party)

if(TARGET fleetauth-command)
  # Optional: a build tree that made the library alone installs that alone.
  install(TARGETS fleetauth-command fleetauth-emulator RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} OPTIONAL)
  install(FILES "${third_party}/tomlplusplus.txt" DESTINATION ${CMAKE_INSTALL_DOCDIR}/third-party)
  install(FILES /usr/share/doc/nlohmann-json3-dev/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR}/third-party
    RENAME nlohmann-json.txt OPTIONAL)
endif()
