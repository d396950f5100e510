namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor reshape(long[] shape) => new Call(Ops.reshape).T(this).L(shape).Run();

        public Tensor reshape(params ReadOnlySpan<long> shape) => new Call(Ops.reshape).T(this).L(shape).Run();

        public Tensor view(long[] shape) => new Call(Ops.view).T(this).L(shape).Run();

        public Tensor view(params ReadOnlySpan<long> shape) => new Call(Ops.view).T(this).L(shape).Run();

        /// <summary>The same bytes read as another dtype.</summary>
        public Tensor view(ScalarType dtype) => new Call(Ops.view_dtype).T(this).Dt(dtype).Run();

        public Tensor view_as(Tensor other) => view(other.shape);

        public Tensor view_as_real() => new Call(Ops.view_as_real).T(this).Run();

        public Tensor view_as_complex() => new Call(Ops.view_as_complex).T(this).Run();

        public Tensor permute(long[] permutation) => new Call(Ops.permute).T(this).L(permutation).Run();

        public Tensor permute(params ReadOnlySpan<long> permutation) => new Call(Ops.permute).T(this).L(permutation).Run();

        public Tensor transpose(long dim0, long dim1) => new Call(Ops.transpose_int).T(this).I(dim0).I(dim1).Run();

        public Tensor t() => new Call(Ops.t).T(this).Run();

        public Tensor flatten(long start_dim = 0, long end_dim = -1) => new Call(Ops.flatten_using_ints).T(this).I(start_dim).I(end_dim).Run();

        public Tensor unflatten(long dim, params long[] sizes) => new Call(Ops.reshape).T(this).L(UnflattenedShape(dim, sizes)).Run();

        public Tensor squeeze(long? dim = null) => dim is null ? new Call(Ops.squeeze).T(this).Run() : new Call(Ops.squeeze_dim).T(this).I(dim.Value).Run();

        public Tensor unsqueeze(long dim) => new Call(Ops.unsqueeze).T(this).I(dim).Run();

        public Tensor unsqueeze_(long dim) => new Call(Ops.unsqueeze_).T(this).I(dim).RunInPlace(this);

        public Tensor expand(long[] sizes) => new Call(Ops.expand).T(this).L(sizes).Run();

        public Tensor expand(params ReadOnlySpan<long> sizes) => new Call(Ops.expand).T(this).L(sizes).Run();

        public Tensor expand(ReadOnlySpan<long> sizes, bool isImplicit) => new Call(Ops.expand).T(this).L(sizes).B(isImplicit).Run();

        public Tensor expand_as(Tensor other) => expand(other.shape);

        public Tensor broadcast_to(long[] shape) => new Call(Ops.broadcast_to).T(this).L(shape).Run();

        public Tensor broadcast_to(params ReadOnlySpan<long> shape) => new Call(Ops.broadcast_to).T(this).L(shape).Run();

        public Tensor repeat(long[] sizes) => new Call(Ops.repeat).T(this).L(sizes).Run();

        public Tensor repeat(params ReadOnlySpan<long> sizes) => new Call(Ops.repeat).T(this).L(sizes).Run();

        public Tensor repeat_interleave(long repeats, long? dim = null, long? output_size = null) => new Call(Ops.repeat_interleave_self_int).T(this).I(repeats).I(dim).I(output_size).Run();

        public Tensor tile(long[] reps) => new Call(Ops.tile).T(this).L(reps).Run();

        public Tensor movedim(long[] source, long[] destination) => new Call(Ops.movedim_intlist).T(this).L(source).L(destination).Run();

        public Tensor flip(long[] dims) => new Call(Ops.flip).T(this).L(dims).Run();

        public Tensor flip(params ReadOnlySpan<long> dims) => new Call(Ops.flip).T(this).L(dims).Run();

        public Tensor roll(long shifts, long? dims = null) => dims is null ? new Call(Ops.roll).T(this).I(shifts).Run() : new Call(Ops.roll).T(this).I(shifts).I(dims.Value).Run();

        public Tensor roll(long[] shifts, long[] dims) => new Call(Ops.roll).T(this).L(shifts).L(dims).Run();

        public Tensor tril(long diagonal = 0) => new Call(Ops.tril).T(this).I(diagonal).Run();

        public Tensor triu(long diagonal = 0) => new Call(Ops.triu).T(this).I(diagonal).Run();

        public Tensor diagonal(long offset = 0L, long dim1 = 0L, long dim2 = 1L) => new Call(Ops.diagonal).T(this).I(offset).I(dim1).I(dim2).Run();

        public Tensor diag(long diagonal = 0) => new Call(Ops.diag).T(this).I(diagonal).Run();

        public Tensor trace() => new Call(Ops.trace).T(this).Run();

        public Tensor unfold(long dimension, long size, long step) => new Call(Ops.unfold).T(this).I(dimension).I(size).I(step).Run();

        public Tensor[] unbind(long dimension = 0) => new Call(Ops.unbind_int).T(this).I(dimension).RunList();

        public Tensor[] split(long size, long dim = 0) => new Call(Ops.split_Tensor).T(this).I(size).I(dim).RunList();

        public Tensor[] split(long[] sizes, long dim = 0) => new Call(Ops.split_with_sizes).T(this).L(sizes).I(dim).RunList();

        public Tensor[] chunk(long chunks, long dim = 0L) => new Call(Ops.chunk).T(this).I(chunks).I(dim).RunList();

        public Tensor as_strided(long[] size, long[] strides, long storageOffset = 0L) => new Call(Ops.as_strided).T(this).L(size).L(strides).I(storageOffset).Run();

        public Tensor narrow(long dim, long start, long length) => new Call(Ops.narrow).T(this).I(dim).I(start).I(length).Run();

        public Tensor slice(long dim, long start, long finish, long step) => new Call(Ops.slice_Tensor).T(this).I(dim).I(start).I(finish).I(step).Run();

        public Tensor select(long dim, long index) => new Call(Ops.select_int).T(this).I(dim).I(index).Run();

        public Tensor index_select(long dim, Tensor index) => new Call(Ops.index_select).T(this).I(dim).T(index).Run();

        public Tensor take(Tensor index) => new Call(Ops.take).T(this).T(index).Run();

        public Tensor gather(long dim, Tensor index) => new Call(Ops.gather).T(this).I(dim).T(index).Run();

        public Tensor scatter(long dim, Tensor index, Tensor src) => new Call(Ops.scatter_src).T(this).I(dim).T(index).T(src).Run();

        public Tensor scatter_(long dim, Tensor index, Tensor src) => new Call(Ops.scatter__src).T(this).I(dim).T(index).T(src).RunInPlace(this);

        public Tensor scatter_(long dim, Tensor index, Scalar value) => new Call(Ops.scatter__value).T(this).I(dim).T(index).S(value).RunInPlace(this);

        public Tensor scatter_add(long dim, Tensor index, Tensor src) => new Call(Ops.scatter_add).T(this).I(dim).T(index).T(src).Run();

        public Tensor scatter_add_(long dim, Tensor index, Tensor src) => new Call(Ops.scatter_add_).T(this).I(dim).T(index).T(src).RunInPlace(this);

        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha) => new Call(Ops.index_add_).T(this).I(dim).T(index).T(source).S(alpha).RunInPlace(this);

        public Tensor index_fill_(long dim, Tensor index, Scalar value) => new Call(Ops.index_fill__int_Scalar).T(this).I(dim).T(index).S(value).RunInPlace(this);

        public Tensor bucketize(Tensor boundaries, bool outInt32 = false, bool right = false) => new Call(Ops.bucketize_Tensor).T(this).T(boundaries).B(outInt32).B(right).Run();

        public Tensor mm(Tensor target) => new Call(Ops.mm).T(this).T(target).Run();

        public Tensor bmm(Tensor batch2) => new Call(Ops.bmm).T(this).T(batch2).Run();

        public Tensor matmul(Tensor target) => new Call(Ops.matmul).T(this).T(target).Run();

        public Tensor dot(Tensor target) => new Call(Ops.dot).T(this).T(target).Run();

        public Tensor outer(Tensor vec2) => new Call(Ops.outer).T(this).T(vec2).Run();

        public Tensor addmm(Tensor mat1, Tensor mat2, float beta = 1, float alpha = 1) => new Call(Ops.addmm).T(this).T(mat1).T(mat2).F(beta).F(alpha).Run();

        public Tensor baddbmm(Tensor batch1, Tensor batch2, float beta = 1, float alpha = 1) => new Call(Ops.baddbmm).T(this).T(batch1).T(batch2).F(beta).F(alpha).Run();

        public Tensor clone() => new Call(Ops.clone).T(this).Run();

        public Tensor detach() => new Call(Ops.detach).T(this).Run();

        public Tensor detach_() => new Call(Ops.detach_).T(this).RunInPlace(this);

        public Tensor alias() => new Call(Ops.alias).T(this).Run();

        public Tensor contiguous() => new Call(Ops.contiguous).T(this).Run();

        public Tensor pin_memory() => new Call(Ops.pin_memory).T(this).Run();

        private long[] UnflattenedShape(long dim, long[] sizes)
        {
            var old = shape;
            var at = (int)(dim < 0 ? dim + old.Length : dim);
            return [.. old[..at], .. sizes, .. old[(at + 1)..]];
        }
    }
}
