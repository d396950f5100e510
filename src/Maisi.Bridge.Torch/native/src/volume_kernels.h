// Convolutions by the vectorised kernels, on tensors.
#pragma once
#include <ATen/core/Tensor.h>

namespace mt {

// weight [out, in, 3, 3, 3] made ready for convolve.
at::Tensor convolution_weights(const at::Tensor& weight);

// See mt_convolution.
void convolve(const at::Tensor& volume, const at::Tensor& weights, const at::Tensor& bias, const at::Tensor& residual, int64_t lead, const at::Tensor& result);

}  // namespace mt
