// TorchScript modules with one tensor in and one out.
#include "shim.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

extern "C" {
mt_script mt_script_load(const char* path, int32_t device_type, int32_t device_index) {
  MT_TRY
  auto module = torch::jit::load(path, mt::device_of(device_type, device_index));
  return new torch::jit::Module(std::move(module));
  MT_CATCH(nullptr)
}

void mt_script_free(mt_script script) { delete static_cast<torch::jit::Module*>(script); }

int32_t mt_script_train(mt_script script, int32_t on) {
  MT_TRY
  static_cast<torch::jit::Module*>(script)->train(on != 0);
  return 0;
  MT_CATCH(1)
}

mt_tensor mt_script_forward(mt_script script, mt_tensor input) {
  MT_TRY
  std::vector<c10::IValue> inputs;
  inputs.emplace_back(mt::borrow(input));
  auto output = static_cast<torch::jit::Module*>(script)->forward(std::move(inputs));
  if (!output.isTensor()) throw std::invalid_argument("the TorchScript module gives a " + output.tagKind() + ", not a tensor");
  return mt::give(output.toTensor());
  MT_CATCH(nullptr)
}
}
