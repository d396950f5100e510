// Process- and thread-wide settings: autocast, threads, backend flags, default dtype.
#include "shim.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <c10/core/DefaultDtype.h>

#include <string>

extern "C" {
int32_t mt_autocast(int32_t device_type, int32_t on, int32_t dtype) {
  MT_TRY
  const auto device = static_cast<c10::DeviceType>(device_type);
  const auto type = static_cast<at::ScalarType>(dtype);
#if MT_TORCH >= 204
  const int32_t previous = at::autocast::is_autocast_enabled(device);
  if (dtype >= 0) at::autocast::set_autocast_dtype(device, type);
  if (on >= 0) at::autocast::set_autocast_enabled(device, on != 0);
#else
  const bool cpu = device == c10::DeviceType::CPU;
  const int32_t previous = cpu ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
  if (dtype >= 0) cpu ? at::autocast::set_autocast_cpu_dtype(type) : at::autocast::set_autocast_gpu_dtype(type);
  if (on >= 0) cpu ? at::autocast::set_cpu_enabled(on != 0) : at::autocast::set_enabled(on != 0);
#endif
  return previous;
  MT_CATCH(-1)
}

int32_t mt_autocast_dtype(int32_t device_type) {
  MT_TRY
  const auto device = static_cast<c10::DeviceType>(device_type);
#if MT_TORCH >= 204
  return static_cast<int32_t>(at::autocast::get_autocast_dtype(device));
#else
  return static_cast<int32_t>(device == c10::DeviceType::CPU ? at::autocast::get_autocast_cpu_dtype() : at::autocast::get_autocast_gpu_dtype());
#endif
  MT_CATCH(-1)
}

int32_t mt_autocast_nesting(int32_t delta) {
  MT_TRY
  const int32_t depth = delta > 0 ? at::autocast::increment_nesting() : at::autocast::decrement_nesting();
  if (depth == 0) at::autocast::clear_cache();  // cached casts of parameters must not outlive the region
  return depth;
  MT_CATCH(-1)
}

void mt_set_num_threads(int32_t n) { at::set_num_threads(n); }
int32_t mt_get_num_threads(void) { return at::get_num_threads(); }
int32_t mt_set_num_interop_threads(int32_t n) {
  MT_TRY
  at::set_num_interop_threads(n);
  return 0;
  MT_CATCH(1)
}
int32_t mt_get_num_interop_threads(void) { return static_cast<int32_t>(at::get_num_interop_threads()); }

const char* mt_config(int32_t which) {
  MT_TRY
  return mt::keep_text(which == 0 ? at::show_config() : at::get_parallel_info());
  MT_CATCH(nullptr)
}

int32_t mt_flag(const char* name, int32_t value) {
  MT_TRY
  auto& context = at::globalContext();
  const std::string flag(name);
#define MT_FLAG(NAME, GET, SET)              \
  if (flag == NAME) {                        \
    const int32_t previous = context.GET();  \
    if (value >= 0) context.SET(value != 0); \
    return previous;                         \
  }
  MT_FLAG("cudnn_benchmark", benchmarkCuDNN, setBenchmarkCuDNN)
  MT_FLAG("cudnn_deterministic", deterministicCuDNN, setDeterministicCuDNN)
  MT_FLAG("cudnn_enabled", userEnabledCuDNN, setUserEnabledCuDNN)
  MT_FLAG("mkldnn_enabled", userEnabledMkldnn, setUserEnabledMkldnn)
  MT_FLAG("cudnn_tf32", allowTF32CuDNN, setAllowTF32CuDNN)
  MT_FLAG("cublas_tf32", allowTF32CuBLAS, setAllowTF32CuBLAS)
#if MT_TORCH >= 200
  MT_FLAG("sdp_flash", userEnabledFlashSDP, setSDPUseFlash)
  MT_FLAG("sdp_mem_efficient", userEnabledMemEfficientSDP, setSDPUseMemEfficient)
  MT_FLAG("sdp_math", userEnabledMathSDP, setSDPUseMath)
#endif
#undef MT_FLAG
  if (flag == "deterministic") {   // 2: only warn
    const int32_t previous = context.deterministicAlgorithms();
    if (value >= 0) context.setDeterministicAlgorithms(value != 0, value == 2);
    return previous;
  }
  mt::fail(MT_E_VALUE, "libtorch " TORCH_VERSION " has no flag " + flag);
  return -1;
  MT_CATCH(-1)
}

int32_t mt_has_mkldnn(void) { return at::hasMKLDNN(); }

int32_t mt_default_dtype(int32_t dtype) {
  MT_TRY
  const auto previous = c10::typeMetaToScalarType(c10::get_default_dtype());
  if (dtype >= 0) c10::set_default_dtype(c10::scalarTypeToTypeMeta(static_cast<at::ScalarType>(dtype)));
  return static_cast<int32_t>(previous);
  MT_CATCH(-1)
}
}
