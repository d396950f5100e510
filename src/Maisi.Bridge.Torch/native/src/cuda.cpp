// CUDA: devices, caching allocator, graphs. Without MS_CUDA every call says that this build has none.
#include "shim.h"

#ifdef MS_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <memory>

namespace {
// Capture runs on a side stream; the caller's stream comes back afterwards.
struct Graph {
  at::cuda::CUDAGraph graph;
  std::unique_ptr<c10::cuda::CUDAStream> previous;
};
}  // namespace

extern "C" {
int32_t mt_has_cuda(void) { return 1; }
int32_t mt_cuda_device_count(void) {
  MT_TRY
  return static_cast<int32_t>(c10::cuda::device_count());
  MT_CATCH(0)
}
int32_t mt_cuda_cudnn_version(void) {
  MT_TRY
  return at::globalContext().hasCuDNN() ? static_cast<int32_t>(at::detail::getCUDAHooks().versionCuDNN()) : 0;
  MT_CATCH(0)
}
int32_t mt_cuda_synchronize(int32_t device) {
  MT_TRY
  c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
  c10::cuda::device_synchronize();
  return 0;
  MT_CATCH(1)
}
int32_t mt_cuda_empty_cache(void) {
  MT_TRY
  c10::cuda::CUDACachingAllocator::emptyCache();
  return 0;
  MT_CATCH(1)
}
int32_t mt_cuda_memory(int32_t device, int64_t* out, int32_t reset_peak) {
  MT_TRY
  const auto index = static_cast<c10::DeviceIndex>(device);
  auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(index);
  out[0] = stats.allocated_bytes[0].current;
  out[1] = stats.allocated_bytes[0].peak;
  out[2] = stats.reserved_bytes[0].current;
  out[3] = stats.reserved_bytes[0].peak;
  size_t available = 0, total = 0;
  {
    c10::cuda::CUDAGuard guard(index);
    C10_CUDA_CHECK(cudaMemGetInfo(&available, &total));
  }
  out[4] = static_cast<int64_t>(available);
  out[5] = static_cast<int64_t>(total);
  if (reset_peak) c10::cuda::CUDACachingAllocator::resetPeakStats(index);
  return 0;
  MT_CATCH(1)
}
void* mt_cuda_graph_new(void) {
  MT_TRY
  return new Graph();
  MT_CATCH(nullptr)
}
void mt_cuda_graph_free(void* handle) { delete static_cast<Graph*>(handle); }
int32_t mt_cuda_graph_begin(void* handle) {
  MT_TRY
  auto* graph = static_cast<Graph*>(handle);
  c10::cuda::device_synchronize();
  graph->previous = std::make_unique<c10::cuda::CUDAStream>(c10::cuda::getCurrentCUDAStream());
  c10::cuda::setCurrentCUDAStream(c10::cuda::getStreamFromPool());
  graph->graph.capture_begin();
  return 0;
  MT_CATCH(1)
}
int32_t mt_cuda_graph_end(void* handle) {
  MT_TRY
  auto* graph = static_cast<Graph*>(handle);
  graph->graph.capture_end();
  if (graph->previous) c10::cuda::setCurrentCUDAStream(*graph->previous);
  return 0;
  MT_CATCH(1)
}
int32_t mt_cuda_graph_replay(void* handle) {
  MT_TRY
  static_cast<Graph*>(handle)->graph.replay();
  return 0;
  MT_CATCH(1)
}
}
#else
namespace {
int32_t no_cuda() {
  mt::fail(MT_E_NO_CUDA, "this build of the tensor library has no CUDA support");
  return 1;
}
}  // namespace

extern "C" {
int32_t mt_has_cuda(void) { return 0; }
int32_t mt_cuda_device_count(void) { return 0; }
int32_t mt_cuda_cudnn_version(void) { return 0; }
int32_t mt_cuda_synchronize(int32_t) { return no_cuda(); }
int32_t mt_cuda_empty_cache(void) { return no_cuda(); }
int32_t mt_cuda_memory(int32_t, int64_t*, int32_t) { return no_cuda(); }
void* mt_cuda_graph_new(void) {
  no_cuda();
  return nullptr;
}
void mt_cuda_graph_free(void*) {}
int32_t mt_cuda_graph_begin(void*) { return no_cuda(); }
int32_t mt_cuda_graph_end(void*) { return no_cuda(); }
int32_t mt_cuda_graph_replay(void*) { return no_cuda(); }
}
#endif
