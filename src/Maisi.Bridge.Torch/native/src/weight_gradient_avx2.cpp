// See kernels.h. Compiled with -mavx2 -mfma on x86-64; elsewhere nothing here is ever called.
#include "kernels.h"

#ifdef __AVX2__
#include "winograd_avx2.h"

#include <algorithm>

namespace mt::kernels {
namespace {

constexpr int64_t block_floats = 1 << 20;   // of transformed values: they are read once each, so that the third-level cache will do
constexpr int out_step = 3, in_step = 4;    // sums that one pass keeps in registers

// line[0 .. width) = the share of the output's planes a and b in position p: a, a + b, a - b, -b. Zeros outside of the volume.
inline void spread_line(int p, const float* a, const float* b, int64_t columns, int64_t width, float* line) {
  const float of_a = p == 3 ? 0.0f : 1.0f, of_b = p == 0 ? 0.0f : p == 1 ? 1.0f : -1.0f;
  if (p == 3) a = nullptr;
  if (p == 0) b = nullptr;
  for (int64_t z = 0; z < columns; z++) line[z] = (a ? of_a * a[z] : 0.0f) + (b ? of_b * b[z] : 0.0f);
  std::memset(line + columns, 0, (width - columns) * sizeof(float));
}

// One channel of the gradient, one tile row, one position along x: 16 values per tile, each to its own matrix.
inline void transform_gradient(const Convolution& c, int px, int64_t tile_row, const float* channel, float* lines, float* v, int64_t vector,
                               int64_t matrix) {
  const int64_t per_plane = (c.rows + 1) / 2, x = 2 * (tile_row / per_plane), y = 2 * (tile_row % per_plane);
  const int64_t count = c.vectors_per_row(), width = 16 * count, plane = c.rows * c.columns;
  for (int j = 0; j < 2; j++) {
    const float* row = y + j < c.rows ? channel + (y + j) * c.columns : nullptr;
    spread_line(px, row ? row + x * plane : nullptr, row && x + 1 < c.planes ? row + (x + 1) * plane : nullptr, c.columns, width, lines + j * width);
  }
  for (int64_t i = 0; i < count; i++, vector++) {
    float* at = v + (vector / 3) * c.out_channels * panel + (vector % 3) * 8;
    const float* top = lines + 16 * i;
    const float* bottom = top + width;
    const __m256 l0 = _mm256_loadu_ps(top), h0 = _mm256_loadu_ps(top + 8), l1 = _mm256_loadu_ps(bottom), h1 = _mm256_loadu_ps(bottom + 8);
    const __m256 e0 = every_second<0>(l0, h0), o0 = every_second<1>(l0, h0), e1 = every_second<0>(l1, h1), o1 = every_second<1>(l1, h1);
    const __m256 zero = _mm256_setzero_ps();
    const __m256 even[4] = {e0, _mm256_add_ps(e0, e1), _mm256_sub_ps(e0, e1), _mm256_sub_ps(zero, e1)};
    const __m256 odd[4] = {o0, _mm256_add_ps(o0, o1), _mm256_sub_ps(o0, o1), _mm256_sub_ps(zero, o1)};
    for (int j = 0; j < 4; j++, at += 4 * matrix) {
      _mm256_store_ps(at, even[j]);
      _mm256_store_ps(at + matrix, _mm256_add_ps(even[j], odd[j]));
      _mm256_store_ps(at + 2 * matrix, _mm256_sub_ps(even[j], odd[j]));
      _mm256_store_ps(at + 3 * matrix, _mm256_sub_ps(zero, odd[j]));
    }
  }
}

// The sums of four vectors' lanes.
inline __m128 lanes(__m256 a, __m256 b, __m256 c, __m256 d) {
  const __m256 halves = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  return _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1));
}

// sums[o][i] += over all tiles of d[o] v[i], for O outputs and I inputs.
template <int O, int I>
inline void dot(int64_t vectors, const float* d, int64_t d_panel, const float* v, int64_t v_panel, float* sums, int64_t stride) {
  __m256 sum[O][in_step];
#pragma GCC unroll 3
  for (int o = 0; o < O; o++)
#pragma GCC unroll 4
    for (int i = 0; i < in_step; i++) sum[o][i] = _mm256_setzero_ps();
  for (int64_t n = 0; n < vectors; n += 3, d += d_panel, v += v_panel) {
    const int64_t floats = 8 * std::min<int64_t>(3, vectors - n);
    for (int64_t t = 0; t < floats; t += 8) {
      __m256 g[O];
#pragma GCC unroll 3
      for (int o = 0; o < O; o++) g[o] = _mm256_load_ps(d + o * panel + t);
#pragma GCC unroll 4
      for (int i = 0; i < I; i++) {
        const __m256 x = _mm256_load_ps(v + i * panel + t);
#pragma GCC unroll 3
        for (int o = 0; o < O; o++) sum[o][i] = _mm256_fmadd_ps(g[o], x, sum[o][i]);
      }
    }
  }
  for (int o = 0; o < O; o++) {
    const __m128 part = lanes(sum[o][0], sum[o][1], sum[o][2], sum[o][3]);
    float* to = sums + o * stride;
    if (I == in_step) {
      _mm_storeu_ps(to, _mm_add_ps(_mm_loadu_ps(to), part));
    } else {
      alignas(16) float each[4];
      _mm_store_ps(each, part);
      for (int i = 0; i < I; i++) to[i] += each[i];
    }
  }
}

template <int O>
inline void dots(int64_t vectors, const float* d, const float* v, const Convolution& c, float* sums) {
  const int64_t d_panel = c.out_channels * panel, v_panel = c.in_channels * panel;
  int64_t i = 0;
  for (; i + in_step <= c.in_channels; i += in_step) dot<O, in_step>(vectors, d, d_panel, v + i * panel, v_panel, sums + i, c.in_channels);
  for (; i < c.in_channels; i++) dot<O, 1>(vectors, d, d_panel, v + i * panel, v_panel, sums + i, c.in_channels);
}

}  // namespace

int64_t WeightGradient::rows_per_block() const {
  const int64_t fit = block_floats / (16 * (c.in_channels + c.out_channels) * 8 * c.vectors_per_row());
  return std::min(c.tile_rows(), std::max<int64_t>(1, fit < 3 ? fit : fit / 3 * 3));
}

int64_t WeightGradient::scratch_floats() const {
  const int64_t tiles = (rows_per_block() * c.vectors_per_row() + 2) / 3 * panel;
  return 16 * (tiles * (c.in_channels + c.out_channels) + 2 * line) + (4 * (16 * c.vectors_per_row() + 2) + 15) / 8 * 8;
}

void add_weight_sums(const WeightGradient& g, int px, int64_t first, int64_t last, float* sums, float* scratch) {
  const Convolution& c = g.c;
  const int64_t vectors = (last - first) * c.vectors_per_row(), panels = (vectors + 2) / 3;
  const int64_t v_matrix = panels * c.in_channels * panel + line, d_matrix = panels * c.out_channels * panel + line;
  float* v = scratch;
  float* d = v + 16 * v_matrix;
  float* lines = d + 16 * d_matrix;
  for (int64_t r = first; r < last; r++) {
    const int64_t vector = (r - first) * c.vectors_per_row();
    for (int64_t channel = 0; channel < c.in_channels; channel++)
      transform_input(c, px, r, c.in + channel * c.in_stride, lines, v + channel * panel, vector, v_matrix);
    for (int64_t channel = 0; channel < c.out_channels; channel++)
      transform_gradient(c, px, r, g.gradient + channel * c.out_stride, lines, d + channel * panel, vector, d_matrix);
  }
  for (int p = 0; p < 16; p++, v += v_matrix, d += d_matrix, sums += c.out_channels * c.in_channels) {
    int64_t o = 0;
    for (; o + out_step <= c.out_channels; o += out_step) dots<out_step>(vectors, d + o * panel, v, c, sums + o * c.in_channels);
    for (; o < c.out_channels; o++) dots<1>(vectors, d + o * panel, v, c, sums + o * c.in_channels);
  }
}

void transform_weight_sums(const float* sums, int64_t out_channels, int64_t in_channels, float* weight) {
  // Along each axis w0 = s0 + (s1 + s2) / 2, w1 = (s1 - s2) / 2, w2 = (s1 + s2) / 2 + s3: what transform_weights does, turned around.
  const int64_t pairs = out_channels * in_channels;
  const auto three = [](const float* s, int64_t step, float* w, int64_t to) {
    const float half = 0.5f * (s[step] + s[2 * step]);
    w[0] = s[0] + half;
    w[to] = 0.5f * (s[step] - s[2 * step]);
    w[2 * to] = half + s[3 * step];
  };
  for (int64_t i = 0; i < pairs; i++) {
    float x[64], y[48], z[36];
    for (int p = 0; p < 64; p++) x[p] = sums[p * pairs + i];
    for (int p = 0; p < 16; p++) three(x + p, 16, y + p, 16);                                       // [3][4][4]
    for (int p = 0; p < 3; p++)
      for (int q = 0; q < 4; q++) three(y + 16 * p + q, 4, z + 12 * p + q, 4);                      // [3][3][4]
    for (int p = 0; p < 9; p++) three(z + 4 * p, 1, weight + 27 * i + 3 * p, 1);
  }
}

}  // namespace mt::kernels
#else
namespace mt::kernels {
int64_t WeightGradient::rows_per_block() const { return 1; }
int64_t WeightGradient::scratch_floats() const { return 0; }
void add_weight_sums(const WeightGradient&, int, int64_t, int64_t, float*, float*) {}
void transform_weight_sums(const float*, int64_t, int64_t, float*) {}
}  // namespace mt::kernels
#endif
