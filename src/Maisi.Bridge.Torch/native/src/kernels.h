// Vectorised loops over volumes, without a word of libtorch, so that their file can be compiled for a newer processor than the rest.
#pragma once
#include <cstdint>

namespace mt::kernels {

// Whether this processor has what the functions below were compiled for (AVX2 and FMA). Nothing else may be called where it has not.
bool usable();

// Adds the sum and the sum of squares of n values; the products of floats are exact in double.
void add_sums(const float* x, int64_t n, double* sums);

// out = x * scale + shift, then SiLU if asked for. out may be x.
void affine(const float* x, float* out, int64_t n, float scale, float shift, bool silu);

// A convolution with a 3x3x3 kernel, stride 1 and zero padding, by Winograd's minimal filtering F(2,3) on each of the three axes:
// 64 products make 8 outputs, where the definition needs 216. Every factor is 1 or 1/2, so the rounding error stays that of fp32 sums.
// Lavin and Gray, "Fast algorithms for convolutional neural networks", arXiv:1509.09308.
struct Convolution {
  int64_t in_channels, out_channels;
  int64_t in_planes, planes, rows, columns;   // extents along x (of the input and of the output), y and z
  int64_t lead;                               // zero planes in front of the input: 1 without a halo, 0 with one
  const float* in;                            // planes, rows and columns are dense; channels are in_stride apart
  int64_t in_stride;
  const float* weights;                       // from transform_weights
  const float* bias;                          // or null
  const float* residual;                      // added to the result; laid out as the result, channels residual_stride apart; or null
  int64_t residual_stride;
  float* out;
  int64_t out_stride;

  int64_t tile_rows() const { return ((planes + 1) / 2) * ((rows + 1) / 2); }
  int64_t vectors_per_row() const { return (columns + 15) / 16; }   // 8 tiles, that is 16 columns, each
  int64_t padded_out_channels() const { return (out_channels + 3) / 4 * 4; }
  int64_t rows_per_block() const;
  int64_t scratch_floats() const;
};

int64_t weight_floats(int64_t out_channels, int64_t in_channels);

// weight: [out, in, 3, 3, 3], dense.
void transform_weights(const float* weight, int64_t out_channels, int64_t in_channels, float* transformed);

// Computes tile rows [first, last), at most rows_per_block() of them. scratch: scratch_floats() floats, aligned to 32 bytes.
void convolve(const Convolution& c, int64_t first, int64_t last, float* scratch);

// The gradient of such a convolution's weight: each product above turned around, 64 sums over tiles instead of 216 over voxels.
struct WeightGradient {
  Convolution c;                              // of the whole volume (lead 1); its in, and its result's extents and strides
  const float* gradient;                      // of the result; laid out as the result, channels c.out_stride apart

  int64_t rows_per_block() const;
  int64_t scratch_floats() const;
};

// Adds the share of tile rows [first, last), at most rows_per_block() of them, at position px to sums [16][out][in].
void add_weight_sums(const WeightGradient& g, int px, int64_t first, int64_t last, float* sums, float* scratch);

// sums: [4, 4, 4][out][in], from add_weight_sums. weight: [out, in, 3, 3, 3], dense.
void transform_weight_sums(const float* sums, int64_t out_channels, int64_t in_channels, float* weight);

}  // namespace mt::kernels
