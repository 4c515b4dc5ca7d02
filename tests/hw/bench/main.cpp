// Runs the bench for argv[1] cycles behind a reset.
#include <cstdlib>
#include <memory>

#include "Vbench.h"

int main(int argc, char **argv) {
  const long cycles = argc > 1 ? std::atol(argv[1]) : 0;
  auto bench = std::make_unique<Vbench>();
  for (long cycle = -2; cycle < cycles; ++cycle) {
    bench->rst_i = cycle < 0;
    bench->clk_i = 0;
    bench->eval();
    bench->clk_i = 1;
    bench->eval();
  }
  bench->final();
  return 0;
}
