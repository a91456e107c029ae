# Helpers that keep the leaf files to a few lines.

add_library (nm_options INTERFACE)
target_compile_definitions (nm_options INTERFACE _GNU_SOURCE NEWSMILL_VERSION="${PROJECT_VERSION}")
target_include_directories (nm_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/lib)
target_compile_options (nm_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef
    -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wconversion -Wno-sign-conversion
    -Wimplicit-fallthrough -fno-common)
if (NEWSMILL_FAULTS)
    target_compile_definitions (nm_options INTERFACE NEWSMILL_FAULTS)
endif ()
if (NEWSMILL_WERROR)
    target_compile_options (nm_options INTERFACE -Werror)
endif ()
if (CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT NEWSMILL_SANITIZE)
    target_compile_options (nm_options INTERFACE -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
        -fstack-protector-strong -fstack-clash-protection -UNDEBUG)
    target_link_options (nm_options INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
endif ()
if (NEWSMILL_FUZZ) # the fuzzer finds its way by the branches of the libraries, not of the targets alone
    target_compile_options (nm_options INTERFACE -fsanitize=fuzzer-no-link)
endif ()
if (NEWSMILL_SANITIZE)
    target_compile_options (nm_options INTERFACE -fsanitize=${NEWSMILL_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    target_link_options (nm_options INTERFACE -fsanitize=${NEWSMILL_SANITIZE})
endif ()
if (NEWSMILL_FUZZ) # the code under test must say where it has been, or the fuzzer is blind
    target_compile_options (nm_options INTERFACE -fsanitize=fuzzer-no-link)
endif ()

# nm_library (NAME SOURCES ... LINK ...): a static library of the tree.
function (nm_library name)
    cmake_parse_arguments (ARG "" "" "SOURCES;LINK" ${ARGN})
    add_library (${name} STATIC ${ARG_SOURCES})
    target_link_libraries (${name} PUBLIC nm_options ${ARG_LINK})
endfunction ()

# nm_program (NAME SOURCES ... LINK ... [MAN page]): a program, installed in libexec unless it is the operator's tool.
function (nm_program name)
    cmake_parse_arguments (ARG "" "DESTINATION" "SOURCES;LINK;MAN" ${ARGN})
    add_executable (${name} ${ARG_SOURCES})
    target_link_libraries (${name} PRIVATE nm_options ${ARG_LINK})
    set_target_properties (${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
    if (NOT ARG_DESTINATION)
        set (ARG_DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/newsmill)
    endif ()
    if (NOT ARG_DESTINATION STREQUAL "none")
        install (TARGETS ${name} DESTINATION ${ARG_DESTINATION})
    endif ()
    foreach (page IN LISTS ARG_MAN)
        string (REGEX MATCH "[1-8]$" section ${page})
        install (FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
    endforeach ()
endfunction ()

# nm_unit_test (NAME SOURCES ... LINK ...): one cmocka program, one ctest entry, label unit.
function (nm_unit_test name)
    cmake_parse_arguments (ARG "" "" "SOURCES;LINK" ${ARGN})
    add_executable (${name} ${ARG_SOURCES})
    target_link_libraries (${name} PRIVATE nm_options PkgConfig::CMOCKA ${ARG_LINK})
    target_compile_definitions (${name} PRIVATE SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test (NAME unit/${name} COMMAND ${name})
    set_tests_properties (unit/${name} PROPERTIES LABELS unit TIMEOUT 60)
endfunction ()
