// Exact accounting of CPU tensor memory, and reuse of large blocks: an allocator in front of libtorch's own.
#include "shim.h"

#include <c10/core/CPUAllocator.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <list>
#include <map>
#include <mutex>

namespace {
std::atomic<int64_t> live{0}, peak{0}, allocations{0};

// oneDNN and others call raw_allocate, which insists that data == context, so the sizes live in a header before the data.
struct Header {
  int64_t bytes;      // what was asked for
  size_t capacity;    // of the whole block, header included
};
constexpr size_t header = 64;
static_assert(sizeof(Header) <= header);

constexpr size_t huge_page = size_t{2} << 20;

/// Freed blocks of 1 MiB and more, kept so that the next layer's activations need no fresh pages from the kernel: zeroing those costs
/// as much as many an operator. Used and kept blocks together never exceed the peak of the used ones, so the peak of the process is
/// what it would be without.
class Cache {
 public:
  static constexpr size_t smallest = size_t{1} << 20;

  /// A kept block that wastes at most an eighth; null when there is none.
  void* take(size_t capacity) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = by_size_.lower_bound(capacity);
    if (found == by_size_.end() || found->first > capacity + capacity / 8) return nullptr;
    void* block = *found->second;
    kept_ -= found->first;
    used_ += found->first;
    by_age_.erase(found->second);
    by_size_.erase(found);
    return block;
  }

  /// Counts a block that is about to be made, and drops kept ones that stand in its way.
  void admit(size_t capacity) {
    std::lock_guard<std::mutex> lock(mutex_);
    used_ += capacity;
    if (used_ > peak_) peak_ = used_;
    shrink(peak_ - used_);
  }

  void give(void* block, size_t capacity) {
    std::lock_guard<std::mutex> lock(mutex_);
    by_size_.emplace(capacity, by_age_.insert(by_age_.end(), block));
    kept_ += capacity;
    used_ -= capacity;
    shrink(peak_ - used_);
  }

  /// Takes back what admit counted, for a block that could not be made.
  void dismiss(size_t capacity) {
    std::lock_guard<std::mutex> lock(mutex_);
    used_ -= capacity;
  }

  void clear() {
    std::lock_guard<std::mutex> lock(mutex_);
    shrink(0);
    peak_ = used_;
  }

 private:
  void shrink(size_t limit) {
    while (kept_ > limit && !by_age_.empty()) {
      void* oldest = by_age_.front();
      const size_t capacity = static_cast<Header*>(oldest)->capacity;
      auto entry = by_size_.lower_bound(capacity);
      while (entry->second != by_age_.begin()) ++entry;
      by_size_.erase(entry);
      by_age_.pop_front();
      kept_ -= capacity;
      free(oldest);
    }
  }

  std::mutex mutex_;
  std::list<void*> by_age_;
  std::multimap<size_t, std::list<void*>::iterator> by_size_;
  size_t kept_ = 0, used_ = 0, peak_ = 0;
};

// Never destroyed: tensors of other static objects are freed after main.
Cache& cache() {
  static Cache* one = new Cache();
  return *one;
}

void* fresh(size_t capacity) {
  const bool huge = capacity >= 2 * huge_page;
  void* block = nullptr;
  if (posix_memalign(&block, huge ? huge_page : header, capacity) != 0) return nullptr;
#ifdef __linux__
  if (huge) madvise(block, capacity & ~(huge_page - 1), MADV_HUGEPAGE);
#endif
  return block;
}

void release(void* data) {
  if (!data) return;
  void* block = static_cast<char*>(data) - header;
  const Header head = *static_cast<Header*>(block);
  live.fetch_sub(head.bytes, std::memory_order_relaxed);
  if (head.capacity < Cache::smallest)
    free(block);
  else
    cache().give(block, head.capacity);
}

struct CountingAllocator final : c10::Allocator {
#if MT_TORCH >= 203
  c10::DataPtr allocate(size_t n) override {
#else
  c10::DataPtr allocate(size_t n) const override {
#endif
    const c10::Device cpu(c10::DeviceType::CPU);
    if (n == 0) return {nullptr, nullptr, &release, cpu};
    const int64_t now = live.fetch_add(static_cast<int64_t>(n), std::memory_order_relaxed) + static_cast<int64_t>(n);
    allocations.fetch_add(1, std::memory_order_relaxed);
    int64_t highest = peak.load(std::memory_order_relaxed);
    while (now > highest && !peak.compare_exchange_weak(highest, now)) {
    }
    size_t capacity = n + header;
    void* block = nullptr;
    if (capacity < Cache::smallest) {
      block = fresh(capacity);
    } else {
      block = cache().take(capacity);
      if (block) {
        capacity = static_cast<Header*>(block)->capacity;
      } else {
        cache().admit(capacity);
        block = fresh(capacity);
        if (!block) {
          cache().clear();
          block = fresh(capacity);
        }
        if (!block) cache().dismiss(capacity);
      }
    }
    if (!block) {
      live.fetch_sub(static_cast<int64_t>(n), std::memory_order_relaxed);
      TORCH_CHECK_WITH(OutOfMemoryError, false, "not enough memory for a tensor of ", n, " bytes");
    }
    *static_cast<Header*>(block) = {static_cast<int64_t>(n), capacity};
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

void mt_cpu_memory_trim(void) { cache().clear(); }
}
