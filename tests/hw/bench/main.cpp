// Runs the bench for argv[1] cycles behind a reset; the reset is argv[2] cycles longer than that of the
// sources that fill memories.
#include <cstdlib>
#include <memory>

#include "Vbench.h"

int main(int argc, char **argv) {
  const long cycles = argc > 1 ? std::atol(argv[1]) : 0;
  const long loading = argc > 2 ? std::atol(argv[2]) : 0;
  auto bench = std::make_unique<Vbench>();
  for (long cycle = -2 - loading; cycle < cycles; ++cycle) {
    bench->load_rst_i = cycle < -loading;
    bench->rst_i = cycle < 0;
    bench->clk_i = 0;
    bench->eval();
    bench->clk_i = 1;
    bench->eval();
  }
  bench->final();
  return 0;
}
