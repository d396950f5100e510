// What the kernels of a convolution and of its weight's gradient share. For files that are compiled with -mavx2 -mfma.
#pragma once
#include "kernels.h"

#include <immintrin.h>

#include <cstring>

namespace mt::kernels {
namespace {

constexpr int64_t panel = 24;            // tiles that one pass of the product keeps in registers: three vectors
constexpr int64_t line = 16;             // floats of a cache line, between matrices: powers of two apart they would fight for the same lines

inline __m256i first_lanes(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// Which two of four consecutive inputs make a transformed value: v0 = d0 - d2, v1 = d1 + d2, v2 = d2 - d1, v3 = d1 - d3.
constexpr int plus_of[4] = {0, 1, 2, 1};
constexpr int other_of[4] = {2, 2, 1, 3};

inline __m256 combine(int p, __m256 a, __m256 b) { return p == 1 ? _mm256_add_ps(a, b) : _mm256_sub_ps(a, b); }

// Every second of 16 floats: the even ones, or the odd ones.
template <int Odd>
inline __m256 every_second(__m256 low, __m256 high) {
  const __m256 pairs = _mm256_shuffle_ps(low, high, Odd ? 0xDD : 0x88);
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(pairs), 0xD8));
}

// line[0 .. width) = column -1 and following of (row of plane a) +- (row of plane b), zeros outside of the volume.
inline void combined_line(int p, const float* a, const float* b, int64_t columns, int64_t width, float* line) {
  line[0] = 0;
  if (!a && !b) {
    std::memset(line, 0, width * sizeof(float));
    return;
  }
  const __m256 zero = _mm256_setzero_ps();
  int64_t z = 0;
  for (; z + 8 <= columns; z += 8)
    _mm256_storeu_ps(line + 1 + z, combine(p, a ? _mm256_loadu_ps(a + z) : zero, b ? _mm256_loadu_ps(b + z) : zero));
  for (; z < columns; z++) line[1 + z] = p == 1 ? (a ? a[z] : 0) + (b ? b[z] : 0) : (a ? a[z] : 0) - (b ? b[z] : 0);
  std::memset(line + 1 + columns, 0, (width - 1 - columns) * sizeof(float));
}

// One input channel of one tile row for one position along x: 16 transformed values per tile, each to its own matrix.
inline void transform_input(const Convolution& c, int px, int64_t tile_row, const float* channel, float* lines, float* v, int64_t vector,
                            int64_t matrix) {
  const int64_t per_plane = (c.rows + 1) / 2;
  const int64_t tx = tile_row / per_plane, ty = tile_row % per_plane;
  const int64_t count = c.vectors_per_row(), width = 16 * count + 2;
  const int64_t pa = 2 * tx + plus_of[px] - c.lead, pb = 2 * tx + other_of[px] - c.lead;
  const int64_t plane = c.rows * c.columns;
  for (int j = 0; j < 4; j++) {
    const int64_t y = 2 * ty - 1 + j;
    const bool inside = y >= 0 && y < c.rows;
    const float* a = inside && pa >= 0 && pa < c.in_planes ? channel + pa * plane + y * c.columns : nullptr;
    const float* b = inside && pb >= 0 && pb < c.in_planes ? channel + pb * plane + y * c.columns : nullptr;
    combined_line(px, a, b, c.columns, width, lines + j * width);
  }
  for (int64_t i = 0; i < count; i++, vector++) {
    float* to = v + (vector / 3) * c.in_channels * panel + (vector % 3) * 8;
    for (int j = 0; j < 4; j++) {
      const float* a = lines + plus_of[j] * width + 16 * i;
      const float* b = lines + other_of[j] * width + 16 * i;
      const __m256 l0 = combine(j, _mm256_loadu_ps(a), _mm256_loadu_ps(b));
      const __m256 h0 = combine(j, _mm256_loadu_ps(a + 8), _mm256_loadu_ps(b + 8));
      const __m256 l2 = combine(j, _mm256_loadu_ps(a + 2), _mm256_loadu_ps(b + 2));
      const __m256 h2 = combine(j, _mm256_loadu_ps(a + 10), _mm256_loadu_ps(b + 10));
      const __m256 d0 = every_second<0>(l0, h0), d1 = every_second<1>(l0, h0);
      const __m256 d2 = every_second<0>(l2, h2), d3 = every_second<1>(l2, h2);
      float* at = to + 4 * j * matrix;
      _mm256_store_ps(at, _mm256_sub_ps(d0, d2));
      _mm256_store_ps(at + matrix, _mm256_add_ps(d1, d2));
      _mm256_store_ps(at + 2 * matrix, _mm256_sub_ps(d2, d1));
      _mm256_store_ps(at + 3 * matrix, _mm256_sub_ps(d1, d3));
    }
  }
}

}  // namespace
}  // namespace mt::kernels
