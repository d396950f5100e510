// What every part of the shim shares: errors, and the borrow/give pair that moves references across the boundary.
#pragma once
#include "maisi_torch.h"

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>
#include <torch/version.h>

// 1.13 -> 113, 2.6 -> 206, 2.14 -> 214
#define MT_TORCH (TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR)

namespace mt {

void fail(int kind, const char* what);
void fail(int kind, const std::string& what);

// Keeps a text alive for the caller until its next call on this thread.
const char* keep_text(std::string text);

using TensorPtr = c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>;

// A new reference to the caller's tensor; the caller keeps its own.
inline at::Tensor borrow(mt_tensor handle) {
  if (!handle) return at::Tensor();
  auto* impl = static_cast<c10::TensorImpl*>(handle);
  c10::raw::intrusive_ptr::incref(impl);
  return at::Tensor(TensorPtr::reclaim(impl));
}

inline mt_tensor give(at::Tensor&& tensor) { return tensor.defined() ? tensor.unsafeReleaseTensorImpl() : nullptr; }
inline mt_tensor give(const at::Tensor& tensor) {
  at::Tensor copy = tensor;
  return give(std::move(copy));
}

inline c10::Device device_of(int32_t type, int32_t index) {
  return c10::Device(static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index));
}

}  // namespace mt

// No C++ exception may cross the C boundary: each becomes an error kind and a text.
#define MT_TRY try {
#define MT_CATCH(result)                                                                                    \
  } catch (const c10::IndexError& e) { mt::fail(MT_E_INDEX, e.what_without_backtrace()); return result;           \
  } catch (const c10::NotImplementedError& e) { mt::fail(MT_E_NOT_IMPLEMENTED, e.what_without_backtrace()); return result; \
  } catch (const c10::OutOfMemoryError& e) { mt::fail(MT_E_OUT_OF_MEMORY, e.what_without_backtrace()); return result;      \
  } catch (const c10::ValueError& e) { mt::fail(MT_E_VALUE, e.what_without_backtrace()); return result;           \
  } catch (const c10::TypeError& e) { mt::fail(MT_E_TYPE, e.what_without_backtrace()); return result;             \
  } catch (const c10::Error& e) { mt::fail(MT_E_TORCH, e.what_without_backtrace()); return result;                \
  } catch (const std::bad_alloc& e) { mt::fail(MT_E_OUT_OF_MEMORY, e.what()); return result;                      \
  } catch (const std::exception& e) { mt::fail(MT_E_STD, e.what()); return result;                                \
  } catch (...) { mt::fail(MT_E_UNKNOWN, "unknown native exception"); return result; }
