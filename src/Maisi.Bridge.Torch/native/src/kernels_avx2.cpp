// See kernels.h. Compiled with -mavx2 -mfma on x86-64; elsewhere only usable() is left, and says no.
#include "kernels.h"

#ifdef __AVX2__
#include "winograd_avx2.h"

#include <algorithm>

namespace mt::kernels {
namespace {

constexpr int64_t cache_floats = 192 << 10;

inline __m256 exp_of(__m256 x) {
  // Cephes' expf: 2^n times a polynomial in the rest.
  x = _mm256_max_ps(_mm256_min_ps(x, _mm256_set1_ps(88.3762626f)), _mm256_set1_ps(-87.3365447f));
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x);
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
  __m256 p = _mm256_set1_ps(1.9875691500e-4f);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.3981999507e-3f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(8.3334519073e-3f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.1665795894e-2f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.6666665459e-1f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(5.0000001201e-1f));
  p = _mm256_fmadd_ps(p, _mm256_mul_ps(r, r), _mm256_add_ps(r, _mm256_set1_ps(1.0f)));
  const __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
  return _mm256_mul_ps(p, _mm256_castsi256_ps(power));
}

inline __m256 affine_of(__m256 x, __m256 scale, __m256 shift, bool silu) {
  const __m256 y = _mm256_fmadd_ps(x, scale, shift);
  if (!silu) return y;
  const __m256 one = _mm256_set1_ps(1.0f);
  return _mm256_div_ps(y, _mm256_add_ps(one, exp_of(_mm256_sub_ps(_mm256_setzero_ps(), y))));
}

inline double total(__m256d v) {
  alignas(32) double lane[4];
  _mm256_store_pd(lane, v);
  return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

// m[4][8 N] = u[k][4]^T v[k][panel]. Unrolled by pragma: otherwise the compiler keeps a copy of the sums in memory.
template <int N>
inline void product(int64_t depth, const float* v, const float* u, float* m, int64_t stride) {
  __m256 sum[4][N];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
#pragma GCC unroll 3
    for (int n = 0; n < N; n++) sum[i][n] = _mm256_setzero_ps();
  for (int64_t k = 0; k < depth; k++) {
    __m256 x[N];
#pragma GCC unroll 3
    for (int n = 0; n < N; n++) x[n] = _mm256_load_ps(v + k * panel + 8 * n);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      const __m256 w = _mm256_broadcast_ss(u + 4 * k + i);
#pragma GCC unroll 3
      for (int n = 0; n < N; n++) sum[i][n] = _mm256_fmadd_ps(w, x[n], sum[i][n]);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
#pragma GCC unroll 3
    for (int n = 0; n < N; n++) _mm256_store_ps(m + i * stride + 8 * n, sum[i][n]);
}

inline void add_columns(float* out, const float* residual, float bias, bool start, bool negative, __m256 even, __m256 odd, int64_t columns) {
  const __m256 low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
  __m256 part[2] = {_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31)};
  for (int64_t half = 0; half < 2 && 8 * half < columns; half++) {
    const int64_t left = columns - 8 * half;
    float* to = out + 8 * half;
    const float* from = start ? residual + 8 * half : to;
    if (left >= 8) {
      __m256 value = start ? _mm256_set1_ps(bias) : _mm256_loadu_ps(from);
      if (start && residual) value = _mm256_add_ps(value, _mm256_loadu_ps(from));
      _mm256_storeu_ps(to, negative ? _mm256_sub_ps(value, part[half]) : _mm256_add_ps(value, part[half]));
    } else {
      const __m256i lanes = first_lanes(left);
      __m256 value = start ? _mm256_set1_ps(bias) : _mm256_maskload_ps(from, lanes);
      if (start && residual) value = _mm256_add_ps(value, _mm256_maskload_ps(from, lanes));
      _mm256_maskstore_ps(to, lanes, negative ? _mm256_sub_ps(value, part[half]) : _mm256_add_ps(value, part[half]));
    }
  }
}

// One output channel of one tile row: the share of position px along x, added to the two output planes.
inline void add_output(const Convolution& c, int px, int64_t tile_row, int64_t channel, const float* m, int64_t vector, int64_t matrix) {
  const int64_t per_plane = (c.rows + 1) / 2;
  const int64_t tx = tile_row / per_plane, ty = tile_row % per_plane;
  const float bias = c.bias ? c.bias[channel] : 0.0f;
  for (int64_t i = 0; i < c.vectors_per_row(); i++, vector++) {
    __m256 even[4], odd[4];
    for (int j = 0; j < 4; j++) {
      const float* at = m + 4 * j * matrix + 8 * vector;
      const __m256 m0 = _mm256_load_ps(at), m1 = _mm256_load_ps(at + matrix), m2 = _mm256_load_ps(at + 2 * matrix), m3 = _mm256_load_ps(at + 3 * matrix);
      even[j] = _mm256_add_ps(_mm256_add_ps(m0, m1), m2);
      odd[j] = _mm256_sub_ps(_mm256_sub_ps(m1, m2), m3);
    }
    const __m256 y0e = _mm256_add_ps(_mm256_add_ps(even[0], even[1]), even[2]), y1e = _mm256_sub_ps(_mm256_sub_ps(even[1], even[2]), even[3]);
    const __m256 y0o = _mm256_add_ps(_mm256_add_ps(odd[0], odd[1]), odd[2]), y1o = _mm256_sub_ps(_mm256_sub_ps(odd[1], odd[2]), odd[3]);
    const int64_t columns = c.columns - 16 * i;
    for (int64_t half = 0; half < 2; half++) {
      // x0 = m0 + m1 + m2, x1 = m1 - m2 - m3
      if ((half == 0 && px == 3) || (half == 1 && px == 0) || 2 * tx + half >= c.planes) continue;
      const bool start = px == half, negative = half == 1 && px > 1;
      const int64_t place = ((2 * tx + half) * c.rows + 2 * ty) * c.columns + 16 * i;
      float* to = c.out + channel * c.out_stride + place;
      const float* residual = c.residual ? c.residual + channel * c.residual_stride + place : nullptr;
      add_columns(to, residual, bias, start, negative, y0e, y0o, columns);
      if (2 * ty + 1 < c.rows) add_columns(to + c.columns, residual ? residual + c.columns : nullptr, bias, start, negative, y1e, y1o, columns);
    }
  }
}

}  // namespace

bool usable() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

void add_sums(const float* x, int64_t n, double* sums) {
  __m256d s0 = _mm256_setzero_pd(), s1 = s0, q0 = s0, q1 = s0;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256d a = _mm256_cvtps_pd(_mm_loadu_ps(x + i)), b = _mm256_cvtps_pd(_mm_loadu_ps(x + i + 4));
    s0 = _mm256_add_pd(s0, a);
    s1 = _mm256_add_pd(s1, b);
    q0 = _mm256_fmadd_pd(a, a, q0);
    q1 = _mm256_fmadd_pd(b, b, q1);
  }
  double sum = total(_mm256_add_pd(s0, s1)), square = total(_mm256_add_pd(q0, q1));
  for (; i < n; i++) {
    sum += x[i];
    square += static_cast<double>(x[i]) * x[i];
  }
  sums[0] += sum;
  sums[1] += square;
}

void affine(const float* x, float* out, int64_t n, float scale, float shift, bool silu) {
  const __m256 a = _mm256_set1_ps(scale), b = _mm256_set1_ps(shift);
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(out + i, affine_of(_mm256_loadu_ps(x + i), a, b, silu));
  if (i < n) {
    const __m256i lanes = first_lanes(n - i);
    _mm256_maskstore_ps(out + i, lanes, affine_of(_mm256_maskload_ps(x + i, lanes), a, b, silu));
  }
}

int64_t Convolution::rows_per_block() const {
  // As many rows as keep 16 transformed matrices in the second-level cache; full panels of three vectors where that costs little.
  const int64_t fit = std::max<int64_t>(1, cache_floats / (16 * in_channels * 8 * vectors_per_row()));
  const int64_t full = vectors_per_row() % 3 == 0 ? 1 : 3;
  return std::min(tile_rows(), fit < full ? fit : fit / full * full);
}

int64_t Convolution::scratch_floats() const {
  const int64_t tiles = (rows_per_block() * vectors_per_row() + 2) / 3 * panel;
  return 16 * (tiles * (in_channels + padded_out_channels()) + 2 * line) + (4 * (16 * vectors_per_row() + 2) + 15) / 8 * 8;
}

int64_t weight_floats(int64_t out_channels, int64_t in_channels) { return 64 * ((out_channels + 3) / 4 * 4) * in_channels; }

void transform_weights(const float* weight, int64_t out_channels, int64_t in_channels, float* transformed) {
  // [px, py, pz][out / 4][in][4]
  static const float g[4][3] = {{1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}};
  const int64_t groups = (out_channels + 3) / 4;
  std::memset(transformed, 0, weight_floats(out_channels, in_channels) * sizeof(float));
  for (int64_t o = 0; o < out_channels; o++) {
    for (int64_t i = 0; i < in_channels; i++) {
      const float* w = weight + (o * in_channels + i) * 27;
      float z[9][4], y[3][4][4];
      for (int k = 0; k < 9; k++)
        for (int p = 0; p < 4; p++) z[k][p] = g[p][0] * w[3 * k] + g[p][1] * w[3 * k + 1] + g[p][2] * w[3 * k + 2];
      for (int x = 0; x < 3; x++)
        for (int p = 0; p < 4; p++)
          for (int q = 0; q < 4; q++) y[x][p][q] = g[p][0] * z[3 * x][q] + g[p][1] * z[3 * x + 1][q] + g[p][2] * z[3 * x + 2][q];
      for (int p = 0; p < 64; p++) {
        const float* at = &y[0][0][0] + p % 16;
        const float* f = g[p / 16];
        transformed[((p * groups + o / 4) * in_channels + i) * 4 + o % 4] = f[0] * at[0] + f[1] * at[16] + f[2] * at[32];
      }
    }
  }
}

void convolve(const Convolution& c, int64_t first, int64_t last, float* scratch) {
  const int64_t vectors = (last - first) * c.vectors_per_row(), panels = (vectors + 2) / 3, tiles = panels * panel;
  const int64_t matrix = panels * c.in_channels * panel + line, product_matrix = c.padded_out_channels() * tiles + line;
  const int64_t groups = c.padded_out_channels() / 4;
  float* v = scratch;
  float* m = v + 16 * matrix;
  float* lines = m + 16 * product_matrix;
  for (int px = 0; px < 4; px++) {
    for (int64_t channel = 0; channel < c.in_channels; channel++)
      for (int64_t r = first; r < last; r++)
        transform_input(c, px, r, c.in + channel * c.in_stride, lines, v + channel * panel, (r - first) * c.vectors_per_row(), matrix);
    for (int p = 0; p < 16; p++) {
      for (int64_t b = 0; b < panels; b++) {
        const float* from = v + p * matrix + b * c.in_channels * panel;
        float* to = m + p * product_matrix + b * panel;
        const float* u = c.weights + (px * 16 + p) * groups * c.in_channels * 4;
        const int64_t left = vectors - 3 * b;
        for (int64_t g = 0; g < groups; g++, u += 4 * c.in_channels, to += 4 * tiles) {
          if (left >= 3) product<3>(c.in_channels, from, u, to, tiles);
          else if (left == 2) product<2>(c.in_channels, from, u, to, tiles);
          else product<1>(c.in_channels, from, u, to, tiles);
        }
      }
    }
    for (int64_t channel = 0; channel < c.out_channels; channel++)
      for (int64_t r = first; r < last; r++)
        add_output(c, px, r, channel, m + channel * tiles, (r - first) * c.vectors_per_row(), product_matrix);
  }
}

}  // namespace mt::kernels
#else
namespace mt::kernels {
// Never called, because usable() says no; they only have to exist.
bool usable() { return false; }
void add_sums(const float*, int64_t, double*) {}
void affine(const float*, float*, int64_t, float, float, bool) {}
int64_t Convolution::rows_per_block() const { return 1; }
int64_t Convolution::scratch_floats() const { return 0; }
int64_t weight_floats(int64_t, int64_t) { return 0; }
void transform_weights(const float*, int64_t, int64_t, float*) {}
void convolve(const Convolution&, int64_t, int64_t, float*) {}
}  // namespace mt::kernels
#endif
