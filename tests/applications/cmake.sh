mkdir src && cat > src/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.18)
project(sample C CXX)
enable_testing()
add_library(sum STATIC sum.c)
add_executable(main main.cc)
find_package(Threads REQUIRED)
target_link_libraries(main sum Threads::Threads)
add_test(NAME sums COMMAND main 40 2)
add_test(NAME fails COMMAND main 1)
set_tests_properties(fails PROPERTIES WILL_FAIL TRUE)
install(TARGETS main)
END
echo 'int sum(int a, int b) { return a + b; }' > src/sum.c
cat > src/main.cc <<'END'
#include <cstdlib>
#include <iostream>
#include <thread>
extern "C" int sum(int, int);
int main(int n, char **v) {
    if (n < 3) return 1;
    int r = 0;
    std::thread([&] { r = sum(atoi(v[1]), atoi(v[2])); }).join();
    std::cout << r << std::endl;
}
END
cmake -S src -B build -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=$PWD/out > log || { cat log; exit 1; }
cmake --build build -j2 >> log && (cd build && ctest 2>&1 | grep -E 'tests passed')
cmake --install build >> log && answer sum 42 "$(out/bin/main 40 2)"
