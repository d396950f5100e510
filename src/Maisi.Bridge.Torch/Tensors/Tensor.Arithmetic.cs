namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor add(Tensor target) => new Call(Ops.add_Tensor).T(this).T(target).Run();

        public Tensor add(Scalar target) => new Call(Ops.add_Scalar).T(this).S(target).Run();

        public Tensor add(Tensor target, Scalar alpha) => new Call(Ops.add_Tensor).T(this).T(target).S(alpha).Run();

        public Tensor add_(Tensor target) => new Call(Ops.add__Tensor).T(this).T(target).RunInPlace(this);

        public Tensor add_(Scalar target) => new Call(Ops.add__Scalar).T(this).S(target).RunInPlace(this);

        public Tensor add_(Tensor target, Scalar alpha) => new Call(Ops.add__Tensor).T(this).T(target).S(alpha).RunInPlace(this);

        public Tensor sub(Tensor target) => new Call(Ops.sub_Tensor).T(this).T(target).Run();

        public Tensor sub(Scalar target) => new Call(Ops.sub_Scalar).T(this).S(target).Run();

        public Tensor sub(Tensor target, Scalar alpha) => new Call(Ops.sub_Tensor).T(this).T(target).S(alpha).Run();

        public Tensor sub_(Tensor target) => new Call(Ops.sub__Tensor).T(this).T(target).RunInPlace(this);

        public Tensor sub_(Scalar target) => new Call(Ops.sub__Scalar).T(this).S(target).RunInPlace(this);

        public Tensor sub_(Tensor target, Scalar alpha) => new Call(Ops.sub__Tensor).T(this).T(target).S(alpha).RunInPlace(this);

        public Tensor mul(Tensor target) => new Call(Ops.mul_Tensor).T(this).T(target).Run();

        public Tensor mul(Scalar target) => new Call(Ops.mul_Scalar).T(this).S(target).Run();

        public Tensor mul_(Tensor target) => new Call(Ops.mul__Tensor).T(this).T(target).RunInPlace(this);

        public Tensor mul_(Scalar target) => new Call(Ops.mul__Scalar).T(this).S(target).RunInPlace(this);

        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => rounding_mode == RoundingMode.None ? new Call(Ops.div_Tensor).T(this).T(target).Run() : new Call(Ops.div_Tensor_mode).T(this).T(target).Str(rounding_mode.ToString()).Run();

        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => rounding_mode == RoundingMode.None ? new Call(Ops.div_Scalar).T(this).S(target).Run() : new Call(Ops.div_Scalar_mode).T(this).S(target).Str(rounding_mode.ToString()).Run();

        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => rounding_mode == RoundingMode.None ? new Call(Ops.div__Tensor).T(this).T(target).RunInPlace(this) : new Call(Ops.div__Tensor_mode).T(this).T(target).Str(rounding_mode.ToString()).RunInPlace(this);

        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => rounding_mode == RoundingMode.None ? new Call(Ops.div__Scalar).T(this).S(target).RunInPlace(this) : new Call(Ops.div__Scalar_mode).T(this).S(target).Str(rounding_mode.ToString()).RunInPlace(this);

        public Tensor floor_divide(Tensor other) => new Call(Ops.floor_divide).T(this).T(other).Run();

        public Tensor remainder(Tensor other) => new Call(Ops.remainder_Tensor).T(this).T(other).Run();

        public Tensor remainder(Scalar other) => new Call(Ops.remainder_Scalar).T(this).S(other).Run();

        public Tensor fmod(Tensor other) => new Call(Ops.fmod_Tensor).T(this).T(other).Run();

        public Tensor fmod(Scalar other) => new Call(Ops.fmod_Scalar).T(this).S(other).Run();

        public Tensor pow(Tensor exponent) => new Call(Ops.pow_Tensor_Tensor).T(this).T(exponent).Run();

        public Tensor pow(Scalar exponent) => new Call(Ops.pow_Tensor_Scalar).T(this).S(exponent).Run();

        public Tensor pow_(Scalar exponent) => new Call(Ops.pow__Scalar).T(this).S(exponent).RunInPlace(this);

        public Tensor atan2(Tensor other) => new Call(Ops.atan2).T(this).T(other).Run();

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => new Call(Ops.clamp).T(this).S(min).S(max).Run();

        public Tensor clamp(Tensor? min = null, Tensor? max = null) => new Call(Ops.clamp_Tensor).T(this).T(min).T(max).Run();

        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => new Call(Ops.clamp_).T(this).S(min).S(max).RunInPlace(this);

        public Tensor clip(Scalar? min = null, Scalar? max = null) => clamp(min, max);

        public Tensor clamp_min(Scalar min) => new Call(Ops.clamp_min).T(this).S(min).Run();

        public Tensor clamp_min_(Scalar min) => new Call(Ops.clamp_min_).T(this).S(min).RunInPlace(this);

        public Tensor clamp_max(Scalar max) => new Call(Ops.clamp_max).T(this).S(max).Run();

        public Tensor clamp_max_(Scalar max) => new Call(Ops.clamp_max_).T(this).S(max).RunInPlace(this);

        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar value) => new Call(Ops.addcmul).T(this).T(tensor1).T(tensor2).S(value).Run();

        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) => new Call(Ops.addcmul_).T(this).T(tensor1).T(tensor2).S(value).RunInPlace(this);

        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar value) => new Call(Ops.addcdiv).T(this).T(tensor1).T(tensor2).S(value).Run();

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) => new Call(Ops.addcdiv_).T(this).T(tensor1).T(tensor2).S(value).RunInPlace(this);

        public Tensor lerp(Tensor end, Scalar weight) => new Call(Ops.lerp_Scalar).T(this).T(end).S(weight).Run();

        public Tensor lerp(Tensor end, Tensor weight) => new Call(Ops.lerp_Tensor).T(this).T(end).T(weight).Run();

        public Tensor lerp_(Tensor end, Scalar weight) => new Call(Ops.lerp__Scalar).T(this).T(end).S(weight).RunInPlace(this);

        public Tensor round(long decimals = 0) => decimals == 0 ? new Call(Ops.round).T(this).Run() : new Call(Ops.round_decimals).T(this).I(decimals).Run();

        public Tensor round_(long decimals = 0) => decimals == 0 ? new Call(Ops.round_).T(this).RunInPlace(this) : new Call(Ops.round__decimals).T(this).I(decimals).RunInPlace(this);

        public Tensor nan_to_num(double? nan = null, double? posinf = null, double? neginf = null) => new Call(Ops.nan_to_num).T(this).F(nan).F(posinf).F(neginf).Run();

        public Tensor gelu() => new Call(Ops.gelu).T(this).Run();

        public Tensor leaky_relu(Scalar negative_slope) => new Call(Ops.leaky_relu).T(this).S(negative_slope).Run();

        public Tensor leaky_relu_(Scalar negative_slope) => new Call(Ops.leaky_relu_).T(this).S(negative_slope).RunInPlace(this);

        public Tensor elu(double alpha = 1) => new Call(Ops.elu).T(this).F(alpha).Run();

        public Tensor softplus(double beta = 1, double threshold = 20) => new Call(Ops.softplus).T(this).F(beta).F(threshold).Run();

        public Tensor prelu(Tensor target) => new Call(Ops.prelu).T(this).T(target).Run();

        public Tensor softmax(long dim, ScalarType? dtype = null) => new Call(Ops.softmax_int).T(this).I(dim).Dt(dtype).Run();

        public Tensor fill_(Scalar value) => new Call(Ops.fill__Scalar).T(this).S(value).RunInPlace(this);

        public Tensor zero_() => new Call(Ops.zero_).T(this).RunInPlace(this);

        /// <summary>Copies values from <paramref name="source"/>, converting dtype and device.</summary>
        public Tensor copy_(Tensor source, bool nonBlocking = false) => new Call(Ops.copy_).T(this).T(source).B(nonBlocking).RunInPlace(this);

        public Tensor uniform_(double from = 0, double to = 1, Generator? generator = null) => new Call(Ops.uniform_).T(this).F(from).F(to).G(generator).RunInPlace(this);

        public Tensor normal_(double mean = 0.0, double std = 1.0, Generator? generator = null) => new Call(Ops.normal_).T(this).F(mean).F(std).G(generator).RunInPlace(this);

        public Tensor random_(double from, double to, Generator? generator = null) => new Call(Ops.random__from).T(this).I((long)from).I((long)to).G(generator).RunInPlace(this);

        public Tensor bernoulli(Generator? generator = null) => new Call(Ops.bernoulli).T(this).G(generator).Run();

        public Tensor bernoulli_(double p = 0.5, Generator? generator = null) => new Call(Ops.bernoulli__float).T(this).F(p).G(generator).RunInPlace(this);

        public Tensor multinomial(long num_samples, bool replacement = false, Generator? generator = null) => new Call(Ops.multinomial).T(this).I(num_samples).B(replacement).G(generator).Run();
    }
}
