// A 3x3x3 convolution with its gradients, forward and back by Winograd's filtering.
#include "shim.h"

#include "kernels.h"
#include "volume_kernels.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

namespace {
at::Tensor convolved(const at::Tensor& volumes, const at::Tensor& prepared, const at::Tensor& bias, int64_t channels) {
  const at::Tensor x = volumes.contiguous();
  at::Tensor result = at::empty({x.size(0), channels, x.size(2), x.size(3), x.size(4)}, x.options());
  for (int64_t i = 0; i < x.size(0); i++) mt::convolve(x.narrow(0, i, 1), prepared, bias, at::Tensor(), 1, result.narrow(0, i, 1));
  return result;
}

// The four positions along x are independent; each is cut further where the sums are small, always in the same way, so that the result
// does not depend on the number of threads.
at::Tensor weight_gradient(const at::Tensor& volumes, const at::Tensor& gradients) {
  const at::Tensor x = volumes.contiguous(), dy = gradients.contiguous();
  mt::kernels::WeightGradient g{};
  g.c.in_channels = x.size(1);
  g.c.out_channels = dy.size(1);
  g.c.in_planes = g.c.planes = x.size(2);
  g.c.rows = x.size(3);
  g.c.columns = x.size(4);
  g.c.lead = 1;
  g.c.in_stride = g.c.out_stride = x.stride(1);
  const int64_t pairs = g.c.in_channels * g.c.out_channels, position = 16 * pairs;
  const int64_t block = g.rows_per_block(), blocks = (g.c.tile_rows() + block - 1) / block, per_volume = x.stride(0), per_gradient = dy.stride(0);
  const int64_t all = blocks * x.size(0), parts = pairs > 4096 ? 1 : std::min<int64_t>(4, all);
  at::Tensor sums = at::zeros({parts, 4 * position}, x.options());
  const int64_t need = (g.scratch_floats() + 15) / 16 * 16, threads = std::min<int64_t>(at::get_num_threads(), 4 * parts);
  const at::Tensor scratch = at::empty({threads * need}, x.options());
  const float* from = x.data_ptr<float>();
  const float* back = dy.data_ptr<float>();
  float* to = sums.data_ptr<float>();
  float* memory = scratch.data_ptr<float>();
  at::parallel_for(0, threads, 1, [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; t++)
      for (int64_t unit = 4 * parts * t / threads; unit < 4 * parts * (t + 1) / threads; unit++) {
        const int64_t part = unit / 4, px = unit % 4;
        auto own = g;
        for (int64_t i = all * part / parts; i < all * (part + 1) / parts; i++) {
          own.c.in = from + i / blocks * per_volume;
          own.gradient = back + i / blocks * per_gradient;
          const int64_t start = i % blocks * block;
          mt::kernels::add_weight_sums(own, static_cast<int>(px), start, std::min(g.c.tile_rows(), start + block), to + (part * 4 + px) * position,
                                       memory + t * need);
        }
      }
  });
  for (int64_t part = 1; part < parts; part++) sums[0].add_(sums[part]);
  at::Tensor result = at::empty({g.c.out_channels, g.c.in_channels, 3, 3, 3}, x.options());
  mt::kernels::transform_weight_sums(to, g.c.out_channels, g.c.in_channels, result.data_ptr<float>());
  return result;
}

struct FastConvolution : torch::autograd::Function<FastConvolution> {
  using Variables = torch::autograd::variable_list;

  // inputs: volumes, weight and, if there is one, bias.
  static at::Tensor forward(torch::autograd::AutogradContext* context, at::TensorList inputs) {
    context->save_for_backward({inputs[0], inputs[1]});
    context->saved_data["inputs"] = static_cast<int64_t>(inputs.size());
    context->saved_data["volumes"] = inputs[0].requires_grad();
    context->saved_data["weight"] = inputs[1].requires_grad();
    return convolved(inputs[0], mt::convolution_weights(inputs[1]), inputs.size() > 2 ? inputs[2] : at::Tensor(), inputs[1].size(0));
  }

  static Variables backward(torch::autograd::AutogradContext* context, Variables grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &volumes = saved[0], &weight = saved[1], &dy = grads[0];
    Variables result(context->saved_data["inputs"].toInt());
    if (!dy.defined()) return result;
    const bool for_volumes = context->saved_data["volumes"].toBool(), for_weight = context->saved_data["weight"].toBool();
    const bool for_bias = result.size() > 2;
    if (at::GradMode::is_enabled()) {
      // Someone differentiates the gradient: libtorch knows how to do that.
      auto [x, w, b] = at::convolution_backward(dy, volumes, weight, at::IntArrayRef({weight.size(0)}), {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, false, {0, 0, 0}, 1,
                                                {for_volumes, for_weight, for_bias});
      result[0] = x;
      result[1] = w;
      if (for_bias) result[2] = b;
      return result;
    }
    // The gradient by the volume is a convolution too: of the result's gradient, with the kernel mirrored and its channels exchanged.
    if (for_volumes) result[0] = convolved(dy, mt::convolution_weights(weight.flip({2, 3, 4}).transpose(0, 1)), at::Tensor(), weight.size(1));
    if (for_weight) result[1] = weight_gradient(volumes, dy);
    if (for_bias) result[2] = dy.sum({0, 2, 3, 4});
    return result;
  }
};
}  // namespace

extern "C" {
mt_tensor mt_convolution_3x3x3(mt_tensor volumes, mt_tensor weight, mt_tensor bias) {
  MT_TRY
  const at::Tensor x = mt::borrow(volumes), w = mt::borrow(weight), b = mt::borrow(bias);
  TORCH_CHECK(x.dim() == 5 && w.dim() == 5 && x.size(1) == w.size(1), "the weight was made for other channels than the volumes have");
  const bool learns = x.requires_grad() || w.requires_grad() || (b.defined() && b.requires_grad());
  if (at::GradMode::is_enabled() && learns) {
    const std::vector<at::Tensor> inputs = b.defined() ? std::vector<at::Tensor>{x, w, b} : std::vector<at::Tensor>{x, w};
    return mt::give(FastConvolution::apply(at::TensorList(inputs)));
  }
  return mt::give(convolved(x, mt::convolution_weights(w), b, w.size(0)));
  MT_CATCH(nullptr)
}
}
