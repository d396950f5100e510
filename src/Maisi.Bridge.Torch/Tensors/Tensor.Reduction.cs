using System.Runtime.CompilerServices;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor sum(ScalarType? type = null) => new Call(Ops.sum).T(this).Dt(type).Run();

        public Tensor sum(long[] dim, bool keepdim = false, ScalarType? type = null) => new Call(Ops.sum_dim_IntList).T(this).L(dim).B(keepdim).Dt(type).Run();

        public Tensor sum(ReadOnlySpan<long> dim, bool keepdim = false, ScalarType? type = null) => new Call(Ops.sum_dim_IntList).T(this).L(dim).B(keepdim).Dt(type).Run();

        // The literal 0 converts to an enum too; it must mean the dimension.
        [OverloadResolutionPriority(1)]
        public Tensor sum(long dim, bool keepdim = false, ScalarType? type = null) => new Call(Ops.sum_dim_IntList).T(this).I(dim).B(keepdim).Dt(type).Run();

        public Tensor mean() => new Call(Ops.mean).T(this).Run();

        public Tensor mean(long[] dimensions, bool keepdim = false, ScalarType? type = null) => new Call(Ops.mean_dim).T(this).L(dimensions).B(keepdim).Dt(type).Run();

        public Tensor mean(ReadOnlySpan<long> dimensions, bool keepdim = false, ScalarType? type = null) => new Call(Ops.mean_dim).T(this).L(dimensions).B(keepdim).Dt(type).Run();

        public Tensor std(bool unbiased = true) => new Call(Ops.std_correction).T(this).N().I(unbiased ? 1 : 0).Run();

        public Tensor std(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Cast(new Call(Ops.std_correction).T(this).L(dimensions).I(unbiased ? 1 : 0).B(keepdim).Run(), type);

        public Tensor std(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Cast(new Call(Ops.std_correction).T(this).L(dimensions).I(unbiased ? 1 : 0).B(keepdim).Run(), type);

        public Tensor std(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Cast(new Call(Ops.std_correction).T(this).I(dim).I(unbiased ? 1 : 0).B(keepdim).Run(), type);

        public Tensor var(bool unbiased = true) => new Call(Ops.var_correction).T(this).N().I(unbiased ? 1 : 0).Run();

        public Tensor var(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Cast(new Call(Ops.var_correction).T(this).L(dimensions).I(unbiased ? 1 : 0).B(keepdim).Run(), type);

        public Tensor var(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Cast(new Call(Ops.var_correction).T(this).L(dimensions).I(unbiased ? 1 : 0).B(keepdim).Run(), type);

        public Tensor var(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Cast(new Call(Ops.var_correction).T(this).I(dim).I(unbiased ? 1 : 0).B(keepdim).Run(), type);

        public Tensor prod(ScalarType? type = null) => new Call(Ops.prod).T(this).Dt(type).Run();

        // The literal 0 converts to an enum too; it must mean the dimension.
        [OverloadResolutionPriority(1)]
        public Tensor prod(long dim, bool keepdim = false, ScalarType? type = null) => new Call(Ops.prod_dim_int).T(this).I(dim).B(keepdim).Dt(type).Run();

        public Tensor max() => new Call(Ops.max).T(this).Run();

        public Tensor max(Tensor other) => new Call(Ops.maximum).T(this).T(other).Run();

        public (Tensor values, Tensor indexes) max(long dim, bool keepdim = false) => new Call(Ops.max_dim).T(this).I(dim).B(keepdim).RunPair();

        public Tensor amax(long[] dims, bool keepdim = false) => new Call(Ops.amax).T(this).L(dims).B(keepdim).Run();

        public Tensor amax(params long[] dims) => new Call(Ops.amax).T(this).L(dims).Run();

        public Tensor argmax() => new Call(Ops.argmax).T(this).Run();

        public Tensor argmax(long dim, bool keepdim = false) => new Call(Ops.argmax).T(this).I(dim).B(keepdim).Run();

        public Tensor min() => new Call(Ops.min).T(this).Run();

        public Tensor min(Tensor other) => new Call(Ops.minimum).T(this).T(other).Run();

        public (Tensor values, Tensor indexes) min(long dim, bool keepdim = false) => new Call(Ops.min_dim).T(this).I(dim).B(keepdim).RunPair();

        public Tensor amin(long[] dims, bool keepdim = false) => new Call(Ops.amin).T(this).L(dims).B(keepdim).Run();

        public Tensor amin(params long[] dims) => new Call(Ops.amin).T(this).L(dims).Run();

        public Tensor argmin() => new Call(Ops.argmin).T(this).Run();

        public Tensor argmin(long dim, bool keepdim = false) => new Call(Ops.argmin).T(this).I(dim).B(keepdim).Run();

        public Tensor all() => new Call(Ops.all).T(this).Run();

        public Tensor all(long dim, bool keepdim = false) => new Call(Ops.all_dim).T(this).I(dim).B(keepdim).Run();

        public Tensor any() => new Call(Ops.any).T(this).Run();

        public Tensor any(long dim, bool keepdim = false) => new Call(Ops.any_dim).T(this).I(dim).B(keepdim).Run();

        public Tensor logsumexp(long dim, bool keepdim = false) => new Call(Ops.logsumexp).T(this).I(dim).B(keepdim).Run();

        public Tensor norm(float p = 2.0f) => new Call(Ops.norm_Scalar).T(this).F(p).Run();

        public Tensor norm(int dim, bool keepdim = false, float p = 2.0f) => new Call(Ops.norm_ScalarOpt_dim).T(this).F(p).I(dim).B(keepdim).Run();

        public Tensor cumsum(long dim, ScalarType? type = null) => new Call(Ops.cumsum).T(this).I(dim).Dt(type).Run();

        public Tensor cumprod(long dim, ScalarType? type = null) => new Call(Ops.cumprod).T(this).I(dim).Dt(type).Run();

        public Tensor median() => new Call(Ops.median).T(this).Run();

        public Tensor quantile(Tensor q, long dim = -1, bool keepdim = false) => new Call(Ops.quantile).T(this).T(q).I(dim).B(keepdim).Run();

        public Tensor count_nonzero(long[]? dims = null) => dims is null ? new Call(Ops.count_nonzero).T(this).Run() : new Call(Ops.count_nonzero_dim_IntList).T(this).L(dims).Run();

        public Tensor histc(long bins = 100, double min = 0, double max = 0) => new Call(Ops.histc).T(this).I(bins).F(min).F(max).Run();

        public Tensor bincount(Tensor? weights = null, long minlength = 0) => new Call(Ops.bincount).T(this).T(weights).I(minlength).Run();

        public (Tensor values, Tensor indexes) topk(int k, int dim = -1, bool largest = true, bool sorted = true) => new Call(Ops.topk).T(this).I(k).I(dim).B(largest).B(sorted).RunPair();

        public (Tensor Values, Tensor Indices) sort(long dim = -1, bool descending = false, bool stable = false) => new Call(Ops.sort_stable).T(this).B(stable).I(dim).B(descending).RunPair();

        public (Tensor values, Tensor indices) kthvalue(long k, long? dim, bool keepdim = false) => new Call(Ops.kthvalue).T(this).I(k).I(dim ?? -1).B(keepdim).RunPair();

        public Tensor argsort(long dim = -1, bool descending = false) => new Call(Ops.argsort).T(this).I(dim).B(descending).Run();

        public Tensor nonzero() => new Call(Ops.nonzero).T(this).Run();

        /// <summary>The distinct elements, with their positions and counts where asked for.</summary>
        public (Tensor output, Tensor? inverse_indices, Tensor? counts) unique(bool sorted = true, bool return_inverse = false, bool return_counts = false, int? dim = null) => Unwanted(dim is null ? new Call(Ops._unique2).T(this).B(sorted).B(return_inverse).B(return_counts).RunTriple() : new Call(Ops.unique_dim).T(this).I(dim.Value).B(sorted).B(return_inverse).B(return_counts).RunTriple(), return_inverse, return_counts);

        private static (Tensor Output, Tensor? Inverse, Tensor? Counts) Unwanted((Tensor Output, Tensor Inverse, Tensor Counts) all, bool inverse, bool counts)
        {
            if (!inverse)
                all.Inverse.Dispose();
            if (!counts)
                all.Counts.Dispose();
            return (all.Output, inverse ? all.Inverse : null, counts ? all.Counts : null);
        }

        private static Tensor Cast(Tensor result, ScalarType? type)
        {
            if (type is null || result.dtype == type)
                return result;
            using (result)
                return result.to(type.Value);
        }
    }
}
