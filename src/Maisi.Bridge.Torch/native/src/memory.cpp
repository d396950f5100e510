// Exact accounting of CPU tensor memory: an allocator in front of libtorch's own.
#include "shim.h"

#include <c10/core/CPUAllocator.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace {
std::atomic<int64_t> live{0}, peak{0}, allocations{0};

// oneDNN and others call raw_allocate, which insists that data == context, so the size lives in a header before the data.
constexpr size_t header = 64;

void release(void* data) {
  if (!data) return;
  char* block = static_cast<char*>(data) - header;
  live.fetch_sub(*reinterpret_cast<int64_t*>(block), std::memory_order_relaxed);
  free(block);
}

struct CountingAllocator final : c10::Allocator {
#if MT_TORCH >= 203
  c10::DataPtr allocate(size_t n) override {
#else
  c10::DataPtr allocate(size_t n) const override {
#endif
    const c10::Device cpu(c10::DeviceType::CPU);
    if (n == 0) return {nullptr, nullptr, &release, cpu};
    void* block = nullptr;
    if (posix_memalign(&block, header, n + header) != 0)
      TORCH_CHECK_WITH(OutOfMemoryError, false, "not enough memory for a tensor of ", n, " bytes");
    *static_cast<int64_t*>(block) = static_cast<int64_t>(n);
    const int64_t now = live.fetch_add(static_cast<int64_t>(n), std::memory_order_relaxed) + static_cast<int64_t>(n);
    allocations.fetch_add(1, std::memory_order_relaxed);
    int64_t highest = peak.load(std::memory_order_relaxed);
    while (now > highest && !peak.compare_exchange_weak(highest, now)) {
    }
    void* data = static_cast<char*>(block) + header;
    return {data, data, &release, cpu};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
#if MT_TORCH >= 201
  void copy_data(void* to, const void* from, std::size_t n) const override { std::memcpy(to, from, n); }
#endif
};
}  // namespace

extern "C" {
int32_t mt_cpu_memory_install(void) {
  MT_TRY
  static std::once_flag once;
  std::call_once(once, [] { c10::SetCPUAllocator(new CountingAllocator(), 100); });
  return 0;
  MT_CATCH(1)
}

void mt_cpu_memory(int64_t* current, int64_t* highest, int64_t* count, int32_t reset_peak) {
  if (current) *current = live.load(std::memory_order_relaxed);
  if (highest) *highest = peak.load(std::memory_order_relaxed);
  if (count) *count = allocations.load(std::memory_order_relaxed);
  if (reset_peak) peak.store(live.load(std::memory_order_relaxed), std::memory_order_relaxed);
}
}
