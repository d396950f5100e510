namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor abs() => new Call(Ops.abs).T(this).Run();

        public Tensor abs_() => new Call(Ops.abs_).T(this).RunInPlace(this);

        public Tensor acos() => new Call(Ops.acos).T(this).Run();

        public Tensor acos_() => new Call(Ops.acos_).T(this).RunInPlace(this);

        public Tensor asin() => new Call(Ops.asin).T(this).Run();

        public Tensor asin_() => new Call(Ops.asin_).T(this).RunInPlace(this);

        public Tensor atan() => new Call(Ops.atan).T(this).Run();

        public Tensor atan_() => new Call(Ops.atan_).T(this).RunInPlace(this);

        public Tensor ceil() => new Call(Ops.ceil).T(this).Run();

        public Tensor ceil_() => new Call(Ops.ceil_).T(this).RunInPlace(this);

        public Tensor cos() => new Call(Ops.cos).T(this).Run();

        public Tensor cos_() => new Call(Ops.cos_).T(this).RunInPlace(this);

        public Tensor cosh() => new Call(Ops.cosh).T(this).Run();

        public Tensor cosh_() => new Call(Ops.cosh_).T(this).RunInPlace(this);

        public Tensor deg2rad() => new Call(Ops.deg2rad).T(this).Run();

        public Tensor deg2rad_() => new Call(Ops.deg2rad_).T(this).RunInPlace(this);

        public Tensor erf() => new Call(Ops.erf).T(this).Run();

        public Tensor erf_() => new Call(Ops.erf_).T(this).RunInPlace(this);

        public Tensor erfc() => new Call(Ops.erfc).T(this).Run();

        public Tensor erfc_() => new Call(Ops.erfc_).T(this).RunInPlace(this);

        public Tensor erfinv() => new Call(Ops.erfinv).T(this).Run();

        public Tensor erfinv_() => new Call(Ops.erfinv_).T(this).RunInPlace(this);

        public Tensor exp() => new Call(Ops.exp).T(this).Run();

        public Tensor exp_() => new Call(Ops.exp_).T(this).RunInPlace(this);

        public Tensor expm1() => new Call(Ops.expm1).T(this).Run();

        public Tensor expm1_() => new Call(Ops.expm1_).T(this).RunInPlace(this);

        public Tensor floor() => new Call(Ops.floor).T(this).Run();

        public Tensor floor_() => new Call(Ops.floor_).T(this).RunInPlace(this);

        public Tensor frac() => new Call(Ops.frac).T(this).Run();

        public Tensor frac_() => new Call(Ops.frac_).T(this).RunInPlace(this);

        public Tensor log() => new Call(Ops.log).T(this).Run();

        public Tensor log_() => new Call(Ops.log_).T(this).RunInPlace(this);

        public Tensor log10() => new Call(Ops.log10).T(this).Run();

        public Tensor log10_() => new Call(Ops.log10_).T(this).RunInPlace(this);

        public Tensor log1p() => new Call(Ops.log1p).T(this).Run();

        public Tensor log1p_() => new Call(Ops.log1p_).T(this).RunInPlace(this);

        public Tensor log2() => new Call(Ops.log2).T(this).Run();

        public Tensor log2_() => new Call(Ops.log2_).T(this).RunInPlace(this);

        public Tensor neg() => new Call(Ops.neg).T(this).Run();

        public Tensor neg_() => new Call(Ops.neg_).T(this).RunInPlace(this);

        public Tensor reciprocal() => new Call(Ops.reciprocal).T(this).Run();

        public Tensor reciprocal_() => new Call(Ops.reciprocal_).T(this).RunInPlace(this);

        public Tensor rsqrt() => new Call(Ops.rsqrt).T(this).Run();

        public Tensor rsqrt_() => new Call(Ops.rsqrt_).T(this).RunInPlace(this);

        public Tensor sigmoid() => new Call(Ops.sigmoid).T(this).Run();

        public Tensor sigmoid_() => new Call(Ops.sigmoid_).T(this).RunInPlace(this);

        public Tensor sign() => new Call(Ops.sign).T(this).Run();

        public Tensor sign_() => new Call(Ops.sign_).T(this).RunInPlace(this);

        public Tensor sin() => new Call(Ops.sin).T(this).Run();

        public Tensor sin_() => new Call(Ops.sin_).T(this).RunInPlace(this);

        public Tensor sinh() => new Call(Ops.sinh).T(this).Run();

        public Tensor sinh_() => new Call(Ops.sinh_).T(this).RunInPlace(this);

        public Tensor sqrt() => new Call(Ops.sqrt).T(this).Run();

        public Tensor sqrt_() => new Call(Ops.sqrt_).T(this).RunInPlace(this);

        public Tensor tan() => new Call(Ops.tan).T(this).Run();

        public Tensor tan_() => new Call(Ops.tan_).T(this).RunInPlace(this);

        public Tensor tanh() => new Call(Ops.tanh).T(this).Run();

        public Tensor tanh_() => new Call(Ops.tanh_).T(this).RunInPlace(this);

        public Tensor trunc() => new Call(Ops.trunc).T(this).Run();

        public Tensor trunc_() => new Call(Ops.trunc_).T(this).RunInPlace(this);

        public Tensor relu() => new Call(Ops.relu).T(this).Run();

        public Tensor relu_() => new Call(Ops.relu_).T(this).RunInPlace(this);

        public Tensor silu() => new Call(Ops.silu).T(this).Run();

        public Tensor silu_() => new Call(Ops.silu_).T(this).RunInPlace(this);

        public Tensor isnan() => new Call(Ops.isnan).T(this).Run();

        public Tensor isfinite() => new Call(Ops.isfinite).T(this).Run();

        public Tensor isinf() => new Call(Ops.isinf).T(this).Run();

        public Tensor logical_not() => new Call(Ops.logical_not).T(this).Run();

        public Tensor bitwise_not() => new Call(Ops.bitwise_not).T(this).Run();

        public Tensor square() => new Call(Ops.square).T(this).Run();
    }
}
