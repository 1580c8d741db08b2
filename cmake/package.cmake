# `cpack -G DEB` in the build directory: the library, what it takes to build with it, and the program, as three
# Debian packages. Needs dpkg-shlibdeps.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME downhill)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(DOWNHILL_PACKAGE_CONTACT "downhill developers <downhill@example.org>" CACHE STRING
  "Who answers for the Debian packages")
set(CPACK_PACKAGE_CONTACT ${DOWNHILL_PACKAGE_CONTACT})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${downhill_summary})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL runtime development program)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/kernels)

get_target_property(so_version downhill SOVERSION)
set(package_runtime libdownhill${so_version})
set(package_development libdownhill-dev)
set(package_program downhill)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
file(WRITE ${PROJECT_BINARY_DIR}/package/triggers "activate-noawait ldconfig\n")
file(WRITE ${PROJECT_BINARY_DIR}/package/shlibs
  "libdownhill ${so_version} ${package_runtime} (>= ${PROJECT_VERSION})\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
  ${PROJECT_BINARY_DIR}/package/triggers ${PROJECT_BINARY_DIR}/package/shlibs)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${package_runtime} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS
  "python3, python3-jinja2, python3-matplotlib, python3-jsonschema, python3-numpy, python3-scipy")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "dataset-fashion-mnist")

set(what_runtime "the shared library")
set(what_development "header and static library")
set(what_program "benchmark and trainer")
find_program(GZIP gzip)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
foreach(component runtime development program)
  string(TOUPPER ${component} COMPONENT)
  set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME ${package_${component}})
  set(CPACK_COMPONENT_${COMPONENT}_DESCRIPTION
    "${downhill_summary}: ${what_${component}}\n Scores, hinge and softmax loss, gradient and a fused minibatch step for linear\n classifiers, in variants for AVX2, AVX-512, VNNI and AMX chosen at run time.")
  set(doc ${CMAKE_INSTALL_DATAROOTDIR}/doc/${package_${component}})
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${doc} RENAME copyright COMPONENT ${component})
  set(changelog ${PROJECT_BINARY_DIR}/package/${component}/changelog)
  file(WRITE ${changelog}
    "downhill (${PROJECT_VERSION}) unstable; urgency=medium\n\n  * As CHANGELOG.md of the source says.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
  execute_process(COMMAND ${GZIP} -9nf ${changelog})
  install(FILES ${changelog}.gz DESTINATION ${doc} COMPONENT ${component})
endforeach()
include(CPack)
