# cmalloc-config-version.cmake - semantic versions: the same major number will do.

set(PACKAGE_VERSION "@VERSION@")
string(REGEX MATCH "^[0-9]+" _cmalloc_major "${PACKAGE_VERSION}")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION OR
   NOT "${PACKAGE_FIND_VERSION_MAJOR}" STREQUAL "${_cmalloc_major}")
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
unset(_cmalloc_major)
