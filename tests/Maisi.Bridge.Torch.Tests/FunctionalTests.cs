using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Maisi.Bridge.Torch.Tests;

/// <summary>
/// Each operation on sines of the element number, in float64, against Python's torch 1.13.1: the sum of the result and its sum weighted by the
/// cosines of the element number, which a permutation or a shift would change.
/// </summary>
public sealed class FunctionalTests : TensorTest
{
    public static readonly TheoryData<string, Func<Tensor>, double, double> Cases = new()
    {
        { "conv3d", () => functional.conv3d(X, Ramp(4, 2, 3, 3, 3), Ramp(4), [2], [1]), -18.05288854, -28.56831166 },
        { "conv3d_groups", () => functional.conv3d(X, Ramp(4, 1, 3, 3, 3), padding: [1], groups: 2), -0.8983317427, 19.49222462 },
        { "conv_transpose3d", () => functional.conv_transpose3d(X, Ramp(2, 3, 3, 3, 3), Ramp(3), [2], [1], [1]), 895.4907053, -63.33773526 },
        { "conv1d", () => functional.conv1d(Ramp(1, 2, 8), Ramp(3, 2, 3), padding: 1), 0.2850662708, -10.45470429 },
        { "conv2d", () => functional.conv2d(Ramp(1, 2, 5, 6), Ramp(3, 2, 3, 2), Ramp(3), [2, 1], [1, 0]), 34.055139, 5.531433493 },
        { "group_norm", () => functional.group_norm(X, 2, Ramp(2), Ramp(2), 1e-6), 53.85414303, 0.6803754065 },
        { "layer_norm", () => functional.layer_norm(X, [4, 4], Ramp(4, 4), Ramp(4, 4)), 24.26418629, 6.445581931 },
        { "instance_norm", () => functional.instance_norm(X), 4.440892099e-16, 0.5763184707 },
        { "batch_norm", () => functional.batch_norm(X, Ramp(2), Ramp(2).abs(), Ramp(2), Ramp(2)), 5.455087587, 0.3233972024 },
        { "avg_pool3d", () => functional.avg_pool3d(X, [2, 2, 2]), 0.1486117066, -0.02603905587 },
        { "max_pool3d", () => functional.max_pool3d(X, [3, 3, 3], [2, 2, 2], [1, 1, 1]), 15.64500804, 0.5978680201 },
        { "adaptive_avg_pool3d", () => functional.adaptive_avg_pool3d(X, [3, 2, 1]), 0.03551030289, 0.0479457149 },
        { "nearest", () => functional.interpolate(X, scale_factor: [2]), 9.511149223, -20.51289521 },
        { "nearest_exact", () => functional.interpolate(X, [3, 5, 7], mode: InterpolationMode.NearestExact), 2.776447653, -0.2355305625 },
        { "trilinear", () => functional.interpolate(X, [3, 5, 7], mode: InterpolationMode.Trilinear), 2.681545475, -0.5081147372 },
        { "trilinear_corners", () => functional.interpolate(X, [3, 5, 7], mode: InterpolationMode.Trilinear, align_corners: true), 3.678249598, -0.9333942468 },
        { "area", () => functional.interpolate(X, [2, 3, 4], mode: InterpolationMode.Area), 0.06986449489, -0.4342055246 },
        { "bilinear", () => functional.interpolate(X[0], scale_factor: [1.5], mode: InterpolationMode.Bilinear), 2.675010719, -4.552297582 },
        { "pad_reflect", () => functional.pad(X, [1, 1, 1, 0, 0, 1], PaddingModes.Reflect), 5.828549923, -0.872394935 },
        { "pad_replicate", () => functional.pad(X, [1, 1, 1, 0, 0, 1], PaddingModes.Replicate), 0.5494267614, -6.031166346 },
        { "pad_constant", () => functional.pad(X, [1, -1, 1, 0], value: 0.5), 32.35230939, -1.075033635 },
        { "affine_grid", () => Grid, -3, -0.2894332821 },
        { "grid_sample", () => functional.grid_sample(X, Grid), 2.252683651, -1.998153519 },
        { "grid_sample_border", () => functional.grid_sample(X, Grid, GridSampleMode.Nearest, GridSamplePaddingMode.Border, true), 4.201394689, 0.05387235486 },
        { "sdpa", () => functional.scaled_dot_product_attention(Q, K, V), 0.09066512093, 1.056768416 },
        { "sdpa_causal", () => functional.scaled_dot_product_attention(Ramp(2, 3, 6, 4), K, V, is_casual: true), -3.119633459, -2.686953841 },
        { "sdpa_mask", () => functional.scaled_dot_product_attention(Q, K, V, Ramp(5, 6)), 0.1570765477, 2.630195044 },
        { "mse_loss", () => functional.mse_loss(A, C), 0.1316027454, 0.1316027454 },
        { "l1_loss", () => functional.l1_loss(A, C), 0.3169693883, 0.3169693883 },
        { "smooth_l1_loss", () => functional.smooth_l1_loss(A, C), 0.06580137272, 0.06580137272 },
        { "huber_loss", () => functional.huber_loss(A, C), 0.06580137272, 0.06580137272 },
        { "smooth_l1_beta", () => functional.smooth_l1_loss(A, C, Reduction.Sum, 0.1), 3.228526231, 3.228526231 },
        { "cross_entropy", () => functional.cross_entropy(A, tensor(new long[] { 1, 0, 3 }), Ramp(4).abs() + 0.1, label_smoothing: 0.1), 1.52313847, 1.52313847 },
        { "bce_logits", () => functional.binary_cross_entropy_with_logits(A, (C > 0).to(float64), pos_weights: tensor(new double[] { 1, 2, 3, 4 })), 0.831011733, 0.831011733 },
        { "kl_div", () => functional.kl_div(functional.log_softmax(A, 1), C.softmax(1), false, Reduction.Sum), 0.1380609006, 0.1380609006 },
        { "gelu", () => functional.gelu(A), 2.327669916, 0.07021178271 },
        { "gelu_tanh", () => functional.gelu(A, TorchSharp.Modules.GELU.Approximate.tanh), 2.326862329, 0.0702292409 },
        { "leaky_relu", () => functional.leaky_relu(A, 0.2), 3.242521033, -0.006316071294 },
        { "elu", () => A.elu(), 1.507339265, 0.1996463422 },
        { "softplus", () => A.softplus(), 9.250728835, -0.1559167685 },
        { "log_softmax", () => functional.log_softmax(A, 1), -18.95417937, 1.459421778 },
        { "normalize", () => functional.normalize(A), 0.4803381101, 0.223817522 },
        { "svdvals", () => linalg.svdvals(A), 3.417917869, 2.762469452 },
        { "eigvalsh", () => linalg.eigvalsh(S), 10.00141105, -4.640574114 },
        { "inv", () => linalg.inv(S), 2.400036504, -0.06663943404 },
        { "det", () => linalg.det(S), 15.06914548, 15.06914548 },
        { "solve", () => linalg.solve(S, C.t()), 0.7719405592, -0.1671458679 },
        { "cholesky", () => linalg.cholesky(S), 5.985930367, -1.913957303 },
        { "matrix_norm", () => linalg.norm(S), 5.990349553, 5.990349553 },
        { "rfftn", () => fft.rfftn(A).view_as_real(), 0.6268393502, 6.461245347 },
        { "ifftn", () => fft.ifftn(fft.fftn(A)).view_as_real().select(-1, 0), 0.4111981647, 0.3188271924 },
        { "fftshift", () => fft.fftshift(A), 0.4111981647, -1.751147708 },
        { "erf", () => A.erf(), 0.4023450051, 0.2921388663 },
        { "atan2", () => A.atan2(C), -3.725790708, -0.1839838432 },
        { "quantile", () => A.quantile(tensor(new[] { 0.25, 0.75 }), 1), 0.01003472802, -0.7189129859 },
        { "logsumexp", () => A.logsumexp(1), 4.841344384, 1.940072712 },
        { "baddbmm", () => Ramp(2, 3, 3).baddbmm(Ramp(2, 3, 4), Ramp(2, 4, 3), 0.5f, 2), 0.8676572359, 0.4718363933 },
        { "embedding", () => functional.embedding(tensor(new long[] { 2, 0 }), A), 1.749353834, 3.646566842 },
        { "unfold", () => A.unfold(1, 2, 1), 0.7917241778, 0.3064550266 },
        { "index_add", () => A.clone().index_add_(0, tensor(new long[] { 0, 0 }), Ramp(2, 4), 2), 1.518663665, -3.426184213 },
        { "scatter_add", () => A.scatter_add(1, tensor(new long[] { 0, 0, 1, 1 }).expand(3, 4), C), 1.816797247, 2.261800794 },
        { "nan_to_num", () => tensor(new[] { double.NaN, double.PositiveInfinity, 2 }).nan_to_num(0.5, 9, -9), 11.5, 4.53042708 },
        { "lerp", () => A.lerp(C, 0.3), 0.70951844, 0.2586124521 },
        { "pixel_shuffle", () => nn.PixelShuffle(2).call(Ramp(1, 4, 2, 3)), 0.9798058095, 0.9810787882 },
        { "sort", () => A.sort(1, descending: true).Values, 0.4111981647, -0.7204679671 },
        { "kthvalue", () => A.kthvalue(2, 1).values, -1.159703598, -0.04138946093 },
        { "searchsorted", () => searchsorted(tensor(new[] { -0.5, 0, 0.5 }), A), 18, 0.3555978392 },
        { "bincount", () => tensor(new long[] { 0, 2, 2 }).bincount(minlength: 4), 3, 0.1677063269 },
        { "median", () => A.median(), 0, 0 },
        { "prod", () => A.prod(1), 0.08859172818, -0.1642866251 },
        { "cumprod", () => A.cumprod(1), 1.030004946, 0.07705283132 },
        { "diagonal", () => S.diagonal(), 10.00141105, 0.7201775443 },
        { "tril", () => S.tril(-1), -0.3055962752, -3.455837309 },
        { "addcmul", () => A.addcmul(C, C, 0.5), 1.241934454, 0.3032710051 },
        { "round", () => (A * 100).round(1), 41, 31.94742916 },
    };

    private static Tensor X => Ramp(1, 2, 4, 4, 4);

    private static Tensor Q => Ramp(2, 3, 5, 4);

    private static Tensor K => Ramp(2, 3, 6, 4) * 0.7;

    private static Tensor V => Ramp(2, 3, 6, 3);

    private static Tensor A => Ramp(3, 4);

    private static Tensor C => Ramp(3, 4) * 0.5 + 0.1;

    /// <summary>A symmetric positive definite matrix.</summary>
    private static Tensor S => A.t().matmul(A) + eye(4, dtype: float64);

    private static Tensor Grid => functional.affine_grid(
        tensor(new[] { 0.9, 0.1, 0, 0.05, 0, 1.1, 0.2, 0, 0.1, 0, 1, -0.1 }, [1, 3, 4]), [1, 2, 3, 4, 5]);

    [Theory]
    [MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void Results_are_those_of_python_torch(string name, Func<Tensor> compute, double sum, double weighted)
    {
        var result = compute().to(float64).flatten();
        var weights = arange(result.numel(), float64).cos();
        result.sum().ToDouble().ShouldBe(sum, 1e-8 * Math.Max(1, Math.Abs(sum)), name);
        (result * weights).sum().ToDouble().ShouldBe(weighted, 1e-8 * Math.Max(1, Math.Abs(weighted)), name);
    }

    private static Tensor Ramp(params long[] shape) => arange(shape.Aggregate(1L, (a, b) => a * b), float64).sin().reshape(shape);
}
