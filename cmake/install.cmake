# What others find the library by: find_package(downhill) and pkg-config. Both move with the folder that they
# are installed to.
include(CMakePackageConfigHelpers)

set(downhill_summary "SIMD kernels for linear classifiers")
set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/downhill)
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(IS_ABSOLUTE "${pc_dir}") # then nothing moves
  set(DOWNHILL_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH DOWNHILL_PC_PREFIX /prefix/${pc_dir} /prefix)
  string(REGEX REPLACE "/$" "" DOWNHILL_PC_PREFIX "\${pcfiledir}/${DOWNHILL_PC_PREFIX}")
endif()
foreach(dir INCLUDEDIR LIBDIR) # absolute where each package has a place of its own
  set(DOWNHILL_PC_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
    set(DOWNHILL_PC_${dir} "${CMAKE_INSTALL_${dir}}")
  endif()
endforeach()

install(TARGETS downhill downhill_static EXPORT downhill
  ARCHIVE COMPONENT development
  LIBRARY COMPONENT runtime NAMELINK_COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/kernels/downhill.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT development)
install(EXPORT downhill NAMESPACE downhill:: FILE downhillTargets.cmake DESTINATION ${cmake_dir}
  COMPONENT development)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/downhillConfig.cmake.in
  ${PROJECT_BINARY_DIR}/downhillConfig.cmake INSTALL_DESTINATION ${cmake_dir})
# Until 1.0 the API may change with the minor version.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/downhillConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/downhillConfig.cmake
  ${PROJECT_BINARY_DIR}/downhillConfigVersion.cmake DESTINATION ${cmake_dir} COMPONENT development)

configure_file(${CMAKE_CURRENT_LIST_DIR}/downhill.pc.in ${PROJECT_BINARY_DIR}/downhill.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/downhill.pc DESTINATION ${pc_dir} COMPONENT development)
