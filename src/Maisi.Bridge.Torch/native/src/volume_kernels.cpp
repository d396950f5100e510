// Group norm in two parts, SiLU and 3x3x3 convolutions of fp32 volumes on the CPU; the loops are in kernels_avx2.cpp.
#include "shim.h"

#include "kernels.h"
#include "volume_kernels.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

namespace {
// A volume [1, C, X, Y, Z] whose channels are each dense, possibly a range of planes of a larger volume.
bool dense_channels(const at::Tensor& t) {
  return t.defined() && t.dim() == 5 && t.size(0) == 1 && t.scalar_type() == at::kFloat && t.device().is_cpu() && t.layout() == at::kStrided &&
         t.stride(4) == 1 && t.stride(3) == t.size(4) && t.stride(2) == t.size(3) * t.size(4);
}

void check(const at::Tensor& t, const char* name) {
  TORCH_CHECK(mt::kernels::usable(), "this processor lacks what the volume kernels need (AVX2 and FMA)");
  TORCH_CHECK(dense_channels(t), name, " must be a float32 CPU volume [1, C, X, Y, Z] with dense channels");
}

int64_t voxels(const at::Tensor& t) { return t.size(2) * t.size(3) * t.size(4); }

// Channels are cut so that the work of all threads is even also where there are few channels.
constexpr int64_t chunk = 1 << 16;

template <typename F>
void each_chunk(const at::Tensor& x, const F& work) {
  const int64_t n = voxels(x), chunks = (n + chunk - 1) / chunk;
  at::parallel_for(0, x.size(1) * chunks, 1, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) {
      const int64_t start = i % chunks * chunk;
      work(i / chunks, start, std::min(chunk, n - start));
    }
  });
}
}  // namespace

namespace mt {
at::Tensor convolution_weights(const at::Tensor& weight) {
  TORCH_CHECK(kernels::usable(), "this processor lacks what the volume kernels need (AVX2 and FMA)");
  const at::Tensor w = weight.contiguous();
  TORCH_CHECK(w.dim() == 5 && w.size(2) == 3 && w.size(3) == 3 && w.size(4) == 3 && w.scalar_type() == at::kFloat && w.device().is_cpu(),
              "the weight must be float32 [out, in, 3, 3, 3] on the CPU");
  at::Tensor transformed = at::empty({kernels::weight_floats(w.size(0), w.size(1))}, w.options());
  kernels::transform_weights(w.data_ptr<float>(), w.size(0), w.size(1), transformed.data_ptr<float>());
  return transformed;
}

void convolve(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b, const at::Tensor& r, int64_t lead, const at::Tensor& out) {
  check(x, "the volume");
  check(out, "the result");
  TORCH_CHECK(w.numel() == kernels::weight_floats(out.size(1), x.size(1)), "the weights were made for other channels");
  TORCH_CHECK(!b.defined() || (b.numel() == out.size(1) && b.is_contiguous() && b.scalar_type() == at::kFloat), "the bias does not fit");
  TORCH_CHECK(x.size(3) == out.size(3) && x.size(4) == out.size(4) && x.size(2) >= out.size(2) - lead, "the result does not fit the volume");
  if (r.defined()) {
    check(r, "the residual");
    TORCH_CHECK(r.sizes() == out.sizes(), "the residual has another shape than the result");
  }
  kernels::Convolution c{};
  c.in_channels = x.size(1);
  c.out_channels = out.size(1);
  c.in_planes = x.size(2);
  c.planes = out.size(2);
  c.rows = out.size(3);
  c.columns = out.size(4);
  c.lead = lead;
  c.in = x.data_ptr<float>();
  c.in_stride = x.stride(1);
  c.weights = w.data_ptr<float>();
  c.bias = b.defined() ? b.data_ptr<float>() : nullptr;
  c.residual = r.defined() ? r.data_ptr<float>() : nullptr;
  c.residual_stride = r.defined() ? r.stride(1) : 0;
  c.out = out.data_ptr<float>();
  c.out_stride = out.stride(1);
  const int64_t block = c.rows_per_block(), blocks = (c.tile_rows() + block - 1) / block, need = (c.scratch_floats() + 15) / 16 * 16;
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), blocks);
  const at::Tensor scratch = at::empty({threads * need}, x.options());
  float* memory = scratch.data_ptr<float>();
  at::parallel_for(0, threads, 1, [&](int64_t from, int64_t to) {
    for (int64_t t = from; t < to; t++)
      for (int64_t i = blocks * t / threads; i < blocks * (t + 1) / threads; i++)
        kernels::convolve(c, i * block, std::min(c.tile_rows(), (i + 1) * block), memory + t * need);
  });
}
}  // namespace mt

extern "C" {
int32_t mt_volume_kernels(void) { return mt::kernels::usable() ? 1 : 0; }

int32_t mt_channel_sums(mt_tensor volume, double* sums) {
  MT_TRY
  const at::Tensor x = mt::borrow(volume);
  check(x, "the volume");
  const float* data = x.data_ptr<float>();
  // A channel belongs to one thread, so that the order of summation, and with it the result, does not depend on their number.
  at::parallel_for(0, x.size(1), 1, [&](int64_t from, int64_t to) {
    for (int64_t c = from; c < to; c++) mt::kernels::add_sums(data + c * x.stride(1), voxels(x), sums + 2 * c);
  });
  return 0;
  MT_CATCH(1)
}

int32_t mt_channel_affine(mt_tensor volume, const float* scale, const float* shift, int32_t silu, mt_tensor result) {
  MT_TRY
  const at::Tensor x = mt::borrow(volume), out = mt::borrow(result);
  check(x, "the volume");
  check(out, "the result");
  TORCH_CHECK(x.sizes() == out.sizes(), "the result has another shape than the volume");
  const float* from = x.data_ptr<float>();
  float* to = out.data_ptr<float>();
  each_chunk(x, [&](int64_t c, int64_t start, int64_t n) {
    mt::kernels::affine(from + c * x.stride(1) + start, to + c * out.stride(1) + start, n, scale[c], shift[c], silu != 0);
  });
  return 0;
  MT_CATCH(1)
}

mt_tensor mt_convolution_weights(mt_tensor weight) {
  MT_TRY
  return mt::give(mt::convolution_weights(mt::borrow(weight)));
  MT_CATCH(nullptr)
}

int64_t mt_convolution_scratch(int64_t in_channels, int64_t out_channels, int64_t planes, int64_t rows, int64_t columns) {
  mt::kernels::Convolution c{};
  c.in_channels = in_channels;
  c.out_channels = out_channels;
  c.planes = planes;
  c.rows = rows;
  c.columns = columns;
  return (c.scratch_floats() + 15) / 16 * 64 * at::get_num_threads();
}

int32_t mt_convolution(mt_tensor volume, mt_tensor weights, mt_tensor bias, mt_tensor residual, int32_t lead, mt_tensor result) {
  MT_TRY
  mt::convolve(mt::borrow(volume), mt::borrow(weights), mt::borrow(bias), mt::borrow(residual), lead, mt::borrow(result));
  return 0;
  MT_CATCH(1)
}
}
