# Installs the library with the files for find_package(downhill) and pkg-config. The installed tree
# can be moved as a whole.
include(CMakePackageConfigHelpers)

set(downhill_summary "SIMD kernels for linear classifiers")
set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/downhill)
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(IS_ABSOLUTE "${pc_dir}") # not relocatable
  set(DOWNHILL_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH DOWNHILL_PC_PREFIX /prefix/${pc_dir} /prefix)
  string(REGEX REPLACE "/$" "" DOWNHILL_PC_PREFIX "\${pcfiledir}/${DOWNHILL_PC_PREFIX}")
endif()
foreach(dir INCLUDEDIR LIBDIR) # may be absolute
  set(DOWNHILL_PC_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
    set(DOWNHILL_PC_${dir} "${CMAKE_INSTALL_${dir}}")
  endif()
endforeach()

# Each library has its own export set, because distributions may install one without the other.
set(DOWNHILL_INSTALL_SHARED ON)
set(DOWNHILL_INSTALL_STATIC ON)
if(DEFINED BUILD_SHARED_LIBS)
  set(DOWNHILL_INSTALL_SHARED ${BUILD_SHARED_LIBS})
  if(BUILD_SHARED_LIBS)
    set(DOWNHILL_INSTALL_STATIC OFF)
  endif()
endif()
if(DOWNHILL_INSTALL_SHARED)
  install(TARGETS downhill EXPORT downhill_shared
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT development)
  install(EXPORT downhill_shared NAMESPACE downhill:: FILE downhillSharedTargets.cmake DESTINATION ${cmake_dir}
    COMPONENT development)
else()
  set_target_properties(downhill PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
if(DOWNHILL_INSTALL_STATIC)
  install(TARGETS downhill_static EXPORT downhill_static ARCHIVE COMPONENT development)
  install(EXPORT downhill_static NAMESPACE downhill:: FILE downhillStaticTargets.cmake DESTINATION ${cmake_dir}
    COMPONENT development)
else()
  set_target_properties(downhill_static PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/kernels/downhill.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT development)

foreach(kind shared static)
  string(TOUPPER ${kind} KIND)
  set(DOWNHILL_FILE_${KIND} ${CMAKE_${KIND}_LIBRARY_PREFIX}downhill${CMAKE_${KIND}_LIBRARY_SUFFIX})
endforeach()
string(APPEND DOWNHILL_FILE_SHARED .${PROJECT_VERSION})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/downhillConfig.cmake.in
  ${PROJECT_BINARY_DIR}/downhillConfig.cmake INSTALL_DESTINATION ${cmake_dir} PATH_VARS CMAKE_INSTALL_LIBDIR)
# Until 1.0 the API may change with the minor version.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/downhillConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/downhillConfig.cmake
  ${PROJECT_BINARY_DIR}/downhillConfigVersion.cmake DESTINATION ${cmake_dir} COMPONENT development)

# With the static library alone, pkg-config has to name libm even without --static.
set(DOWNHILL_PC_LIBS "")
if(NOT DOWNHILL_INSTALL_SHARED)
  set(DOWNHILL_PC_LIBS " -lm")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/downhill.pc.in ${PROJECT_BINARY_DIR}/downhill.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/downhill.pc DESTINATION ${pc_dir} COMPONENT development)
