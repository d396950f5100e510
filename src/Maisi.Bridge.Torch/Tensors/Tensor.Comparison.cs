namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor eq(Tensor target) => new Call(Ops.eq_Tensor).T(this).T(target).Run();

        public Tensor eq(Scalar target) => new Call(Ops.eq_Scalar).T(this).S(target).Run();

        public Tensor ne(Tensor target) => new Call(Ops.ne_Tensor).T(this).T(target).Run();

        public Tensor ne(Scalar target) => new Call(Ops.ne_Scalar).T(this).S(target).Run();

        public Tensor lt(Tensor target) => new Call(Ops.lt_Tensor).T(this).T(target).Run();

        public Tensor lt(Scalar target) => new Call(Ops.lt_Scalar).T(this).S(target).Run();

        public Tensor le(Tensor target) => new Call(Ops.le_Tensor).T(this).T(target).Run();

        public Tensor le(Scalar target) => new Call(Ops.le_Scalar).T(this).S(target).Run();

        public Tensor gt(Tensor target) => new Call(Ops.gt_Tensor).T(this).T(target).Run();

        public Tensor gt(Scalar target) => new Call(Ops.gt_Scalar).T(this).S(target).Run();

        public Tensor ge(Tensor target) => new Call(Ops.ge_Tensor).T(this).T(target).Run();

        public Tensor ge(Scalar target) => new Call(Ops.ge_Scalar).T(this).S(target).Run();

        public Tensor logical_and(Tensor other) => new Call(Ops.logical_and).T(this).T(other).Run();

        public Tensor logical_or(Tensor other) => new Call(Ops.logical_or).T(this).T(other).Run();

        public Tensor logical_xor(Tensor other) => new Call(Ops.logical_xor).T(this).T(other).Run();

        public Tensor maximum(Tensor other) => new Call(Ops.maximum).T(this).T(other).Run();

        public Tensor minimum(Tensor other) => new Call(Ops.minimum).T(this).T(other).Run();

        public Tensor bitwise_and(Tensor other) => new Call(Ops.bitwise_and_Tensor).T(this).T(other).Run();

        public Tensor bitwise_or(Tensor other) => new Call(Ops.bitwise_or_Tensor).T(this).T(other).Run();

        public Tensor bitwise_xor(Tensor other) => new Call(Ops.bitwise_xor_Tensor).T(this).T(other).Run();

        public Tensor isclose(Tensor other, double rtol = 1e-05, double atol = 1e-08, bool nanEqual = false) => new Call(Ops.isclose).T(this).T(other).F(rtol).F(atol).B(nanEqual).Run();

        /// <summary>Whether all elements are close.</summary>
        public bool allclose(Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false) => new Call(Ops.allclose).T(this).T(target).F(rtol).F(atol).B(equal_nan).RunBool();

        /// <summary>Elements of this tensor where <paramref name="condition"/> holds, of <paramref name="y"/> elsewhere.</summary>
        public Tensor where(Tensor condition, Tensor y) => new Call(Ops.where_self).T(condition).T(this).T(y).Run();

        public Tensor masked_fill(Tensor mask, Scalar value) => new Call(Ops.masked_fill_Scalar).T(this).T(mask).S(value).Run();

        public Tensor masked_fill_(Tensor mask, Scalar value) => new Call(Ops.masked_fill__Scalar).T(this).T(mask).S(value).RunInPlace(this);

        public Tensor masked_select(Tensor mask) => new Call(Ops.masked_select).T(this).T(mask).Run();

        public Tensor isin(Tensor test_elements, bool assumeUnique = false, bool invert = false) => new Call(Ops.isin_Tensor_Tensor).T(this).T(test_elements).B(assumeUnique).B(invert).Run();
    }
}
