// Drives the clock of tb.sv under Verilator. Built with --trace it writes the clock cycles from
// +wave_from= up to +wave_to= (counted from the start of reset) to the file +wave=.
#include <cstdlib>
#include <memory>
#include <string>

#include "Vtb.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

#if VM_TRACE
static std::string option(VerilatedContext& context, const std::string& name) {
  const std::string found = context.commandArgsPlusMatch((name + "=").c_str());
  return found.empty() ? found : found.substr(name.size() + 2);
}
#endif

int main(int argc, char** argv) {
  const auto context = std::make_unique<VerilatedContext>();
  context->commandArgs(argc, argv);
#if VM_TRACE
  context->traceEverOn(true);
#endif
  const auto bench = std::make_unique<Vtb>(context.get());
#if VM_TRACE
  VerilatedVcdC wave;
  const uint64_t from = 2 * std::strtoull(option(*context, "wave_from").c_str(), nullptr, 10);
  const uint64_t to = 2 * std::strtoull(option(*context, "wave_to").c_str(), nullptr, 10);
  bench->trace(&wave, 99);
  wave.open(option(*context, "wave").c_str());
#endif
  while (!context->gotFinish()) {
    for (const int level : {0, 1}) {
      bench->clk_i = level;
      bench->eval();
#if VM_TRACE
      if (context->time() >= from && context->time() < to) wave.dump(context->time());
#endif
      context->timeInc(1);
    }
  }
  bench->final();
#if VM_TRACE
  wave.close();
#endif
  return 0;
}
