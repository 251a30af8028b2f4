# cmalloc-config.cmake - find_package(cmalloc): cmalloc::cmalloc, the shared library, and
# cmalloc::static, the archive. make install fills in what stands between at signs.

get_filename_component(_cmalloc_libdir "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
get_filename_component(_cmalloc_incdir "${_cmalloc_libdir}/@INCLUDE@" ABSOLUTE)

find_package(Threads REQUIRED)

if(NOT TARGET cmalloc::cmalloc)
  add_library(cmalloc::cmalloc SHARED IMPORTED)
  set_target_properties(cmalloc::cmalloc PROPERTIES
    IMPORTED_LOCATION "${_cmalloc_libdir}/libcmalloc.so.@VERSION@"
    IMPORTED_SONAME "@SONAME@"
    INTERFACE_INCLUDE_DIRECTORIES "${_cmalloc_incdir}"
    # A program that names no function of ours is on cmalloc all the same.
    INTERFACE_LINK_OPTIONS "LINKER:--no-as-needed")

  add_library(cmalloc::static STATIC IMPORTED)
  set_target_properties(cmalloc::static PROPERTIES
    IMPORTED_LOCATION "${_cmalloc_libdir}/libcmalloc.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_cmalloc_incdir}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()

unset(_cmalloc_libdir)
unset(_cmalloc_incdir)
