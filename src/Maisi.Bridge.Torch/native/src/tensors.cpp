// A tensor's references, metadata and memory.
#include "shim.h"

#include <ATen/ops/from_blob.h>

#include <vector>

extern "C" {
void mt_tensor_free(mt_tensor handle) {
  if (handle) mt::TensorPtr::reclaim(static_cast<c10::TensorImpl*>(handle));
}

mt_tensor mt_tensor_retain(mt_tensor handle) {
  if (handle) c10::raw::intrusive_ptr::incref(static_cast<c10::TensorImpl*>(handle));
  return handle;
}

int64_t mt_tensor_use_count(mt_tensor handle) { return static_cast<int64_t>(mt::borrow(handle).use_count()) - 1; }

int32_t mt_tensor_meta(mt_tensor handle, int64_t* meta, int64_t* sizes, int64_t* strides, int32_t capacity) {
  MT_TRY
  at::Tensor t = mt::borrow(handle);
  const bool strided = t.layout() == at::kStrided;
  const auto device = t.device();
  meta[0] = static_cast<int64_t>(t.scalar_type());
  meta[1] = static_cast<int64_t>(device.type());
  meta[2] = device.index();
  meta[3] = static_cast<int64_t>(t.layout());
  meta[4] = t.requires_grad();
  meta[5] = t.is_leaf();
  meta[6] = t.dim();
  meta[7] = t.numel();
  meta[8] = static_cast<int64_t>(t.element_size());
  meta[9] = t.has_storage() ? static_cast<int64_t>(t.storage().nbytes()) : 0;
  meta[10] = t.has_storage() ? t.storage_offset() : 0;
  meta[11] = strided ? t.is_contiguous() : 0;
  const int32_t n = std::min<int32_t>(static_cast<int32_t>(t.dim()), capacity);
  for (int32_t i = 0; i < n; i++) {
    if (sizes) sizes[i] = t.size(i);
    if (strides && strided) strides[i] = t.stride(i);
  }
  return 0;
  MT_CATCH(1)
}

void* mt_tensor_data(mt_tensor handle) {
  MT_TRY
  return mt::borrow(handle).data_ptr();
  MT_CATCH(nullptr)
}

mt_tensor mt_from_blob(void* data, const int64_t* sizes, const int64_t* strides, int32_t ndim, int32_t dtype, int32_t device_type,
                       int32_t device_index, mt_blob_deleter deleter, void* context) {
  MT_TRY
  auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype)).device(mt::device_of(device_type, device_index));
  std::vector<int64_t> dense;
  if (!strides) {
    dense.resize(ndim);
    int64_t step = 1;
    for (int32_t i = ndim - 1; i >= 0; i--) {
      dense[i] = step;
      step *= sizes[i];
    }
    strides = dense.data();
  }
  auto release = [deleter, context](void*) { if (deleter) deleter(context); };
  return mt::give(at::from_blob(data, at::IntArrayRef(sizes, ndim), at::IntArrayRef(strides, ndim), release, options, options.device()));
  MT_CATCH(nullptr)
}
}
