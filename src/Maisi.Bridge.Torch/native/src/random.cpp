// Random number generators.
#include "shim.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#ifdef MS_CUDA
#include <ATen/cuda/CUDAGeneratorImpl.h>
#endif

#include <mutex>

extern "C" {
int32_t mt_manual_seed(uint64_t seed) {
  MT_TRY
  at::manual_seed(seed);
  return 0;
  MT_CATCH(1)
}

mt_generator mt_generator_new(int32_t device_type, int32_t device_index, uint64_t seed) {
  MT_TRY
  if (static_cast<c10::DeviceType>(device_type) == c10::DeviceType::CPU) return new at::Generator(at::detail::createCPUGenerator(seed));
#ifdef MS_CUDA
  auto generator = at::cuda::detail::createCUDAGenerator(static_cast<c10::DeviceIndex>(device_index));
  generator.set_current_seed(seed);
  return new at::Generator(generator);
#else
  mt::fail(MT_E_NO_CUDA, "this build has no CUDA generators");
  return nullptr;
#endif
  MT_CATCH(nullptr)
}

mt_generator mt_generator_default(int32_t device_type, int32_t device_index) {
  MT_TRY
  return new at::Generator(at::globalContext().defaultGenerator(mt::device_of(device_type, device_index)));
  MT_CATCH(nullptr)
}

void mt_generator_free(mt_generator g) { delete static_cast<at::Generator*>(g); }

int32_t mt_generator_set_seed(mt_generator g, uint64_t seed) {
  MT_TRY
  auto* generator = static_cast<at::Generator*>(g);
  std::lock_guard<std::mutex> guard(generator->mutex());
  generator->set_current_seed(seed);
  return 0;
  MT_CATCH(1)
}

uint64_t mt_generator_seed(mt_generator g) { return static_cast<at::Generator*>(g)->current_seed(); }

mt_tensor mt_generator_state(mt_generator g) {
  MT_TRY
  return mt::give(static_cast<at::Generator*>(g)->get_state());
  MT_CATCH(nullptr)
}

int32_t mt_generator_set_state(mt_generator g, mt_tensor state) {
  MT_TRY
  auto* generator = static_cast<at::Generator*>(g);
  std::lock_guard<std::mutex> guard(generator->mutex());
  generator->set_state(mt::borrow(state));
  return 0;
  MT_CATCH(1)
}
}
