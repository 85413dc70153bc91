# steer_room(NAME SOURCES … LIBS …): one static library per room; a room without sources yet is an
# interface library. Headers are included as "room/noun.h" from the project's root.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS json)
find_package(OpenSSL REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(GIT2 REQUIRED IMPORTED_TARGET libgit2)
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(GRPC REQUIRED IMPORTED_TARGET grpc++ protobuf)
pkg_check_modules(NFTABLES REQUIRED IMPORTED_TARGET libnftables)
pkg_check_modules(LDNS REQUIRED IMPORTED_TARGET ldns)

# The headers that nearly every file needs, compiled once.
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/pch.cpp CONTENT "// precompiled header carrier\n")
add_library(steer_pch OBJECT ${CMAKE_BINARY_DIR}/pch.cpp)
target_link_libraries(steer_pch PRIVATE Boost::json)
target_precompile_headers(steer_pch PRIVATE
  <boost/json.hpp> <algorithm> <array> <chrono> <functional> <map> <memory> <mutex> <optional>
  <set> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>)

# What programs allocate with. JSON values are many small blocks: under jemalloc the control plane makes, binds and
# starts pods in half the time that it needs under glibc's malloc, and threads that wait cost little. Sanitizers bring an
# allocator of their own.
add_library(steer_allocator INTERFACE)
if(NOT STEER_SANITIZE)
  find_library(STEER_JEMALLOC jemalloc REQUIRED)
  target_link_libraries(steer_allocator INTERFACE
    -Wl,--push-state,--no-as-needed ${STEER_JEMALLOC} -Wl,--pop-state)
  target_sources(steer_allocator INTERFACE ${CMAKE_SOURCE_DIR}/core/malloc_settings.cpp)
endif()

function(steer_room NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS;PRIVATE_LIBS" ${ARGN})
  if(ARG_SOURCES)
    add_library(steer_${NAME} STATIC ${ARG_SOURCES})
    target_precompile_headers(steer_${NAME} REUSE_FROM steer_pch)
    target_link_libraries(steer_${NAME} PUBLIC ${ARG_LIBS} PRIVATE ${ARG_PRIVATE_LIBS})
  else()
    add_library(steer_${NAME} INTERFACE)
    target_link_libraries(steer_${NAME} INTERFACE ${ARG_LIBS})
  endif()
endfunction()

# Instrumented tests take twice as long to compile when they are optimised; what they test is optimised, they are not.
set(STEER_TEST_OPTIMISATION)
if(STEER_SANITIZE MATCHES address)
  set(STEER_TEST_OPTIMISATION -O0)
endif()

# steer_test(NAME SOURCES … LIBS … [LABELS …] [TIMEOUT s]): one Catch2 executable, one ctest entry.
function(steer_test NAME)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  add_executable(test_${NAME} ${ARG_SOURCES})
  target_precompile_headers(test_${NAME} REUSE_FROM steer_test_main)
  target_link_libraries(test_${NAME} PRIVATE ${ARG_LIBS} steer_test_main)
  target_compile_options(test_${NAME} PRIVATE ${STEER_TEST_OPTIMISATION})
  if(STEER_SANITIZE)
    # g++ 12 sees uninitialised reads in instrumented std::variant and std::function where there are none.
    target_compile_options(test_${NAME} PRIVATE -Wno-maybe-uninitialized)
  endif()
  add_test(NAME ${NAME} COMMAND test_${NAME})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77)
  if(ARG_LABELS)
    set_tests_properties(${NAME} PROPERTIES LABELS "${ARG_LABELS}")
  endif()
endfunction()
