namespace TorchSharp.Modules;

/// <summary>Adam and AdamW, which differ in the way weight decay enters.</summary>
public abstract class AdamBase : torch.optim.Optimizer
{
    // The step makes a temporary of the size of its parameters, so large models are updated in parts.
    private const long ChunkElements = 1 << 24;
    private const int ChunkTensors = 64;
    private readonly bool _decoupled;

    private protected AdamBase(IEnumerable<ParamGroup> groups, bool decoupled)
    {
        _decoupled = decoupled;
        foreach (var group in groups)
            add_param_group(group);
    }

    private protected override OptimizerState NewState(Parameter parameter) => new State(parameter);

    private protected override void Update(ParamGroup group)
    {
        var options = (Options)group.Options;
        var parts = new List<Part>();
        foreach (var parameter in group.Parameters)
        {
            using var scope = DisposeScope.Suspend();
            if (parameter.grad is not { } grad)
                continue;
            var state = StateOf<State>(parameter);
            state.step++;
            var part = parts.Find(p => p.Takes(parameter, state));
            if (part is null)
                parts.Add(part = new Part(state.step, parameter.device));
            part.Add(parameter, grad, state);
        }
        foreach (var part in parts)
            part.Step(options, _decoupled);
    }

    /// <summary>Options of a group.</summary>
    public class Options : OptimizerOptions
    {
        public double? beta1;
        public double? beta2;
        public double? weight_decay;
        public double? eps;
        public bool? amsgrad;
        public bool? maximize;

        internal static Options Of(double lr, double beta1, double beta2, double eps, double weight_decay, bool amsgrad, bool maximize)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(lr);
            ArgumentOutOfRangeException.ThrowIfNegative(eps);
            if (beta1 is < 0 or >= 1 || beta2 is < 0 or >= 1)
                throw new ArgumentOutOfRangeException(nameof(beta1), $"betas must be in [0, 1), they are {beta1} and {beta2}");
            if (amsgrad)
                throw new NotSupportedException("amsgrad is not supported");
            return new()
            {
                LearningRate = lr,
                InitialLearningRate = lr,
                beta1 = beta1,
                beta2 = beta2,
                weight_decay = weight_decay,
                eps = eps,
                amsgrad = amsgrad,
                maximize = maximize,
            };
        }

        public override void LoadStateDict(OptimizerOptions source)
        {
            base.LoadStateDict(source);
            if (source is not Options other)
                return;
            (beta1, beta2, weight_decay) = (other.beta1, other.beta2, other.weight_decay);
            (eps, amsgrad, maximize) = (other.eps, other.amsgrad, other.maximize);
        }
    }

    /// <summary>Running means of a parameter's gradient and its square.</summary>
    public sealed class State : OptimizerState
    {
        public long step;
        public torch.Tensor exp_avg;
        public torch.Tensor exp_avg_sq;

        internal State(Parameter parameter)
        {
            using var scope = DisposeScope.Suspend();
            using var data = parameter.detach();
            exp_avg = torch.zeros_like(data);
            exp_avg_sq = torch.zeros_like(data);
        }

        public override void LoadStateDict(OptimizerState source)
        {
            if (source is not State other)
                throw new ArgumentException($"the state of {source?.GetType().Name} is not one of Adam", nameof(source));
            using var _ = torch.no_grad();
            step = other.step;
            exp_avg.copy_(other.exp_avg);
            exp_avg_sq.copy_(other.exp_avg_sq);
        }

        protected override void Dispose(bool disposing)
        {
            if (!disposing)
                return;
            exp_avg.Dispose();
            exp_avg_sq.Dispose();
        }
    }

    /// <summary>Parameters that are updated by one call per operation: same step count, same device, limited size.</summary>
    private sealed class Part(long step, torch.Device device)
    {
        private readonly List<torch.Tensor> _parameters = [];
        private readonly List<torch.Tensor> _grads = [];
        private readonly List<torch.Tensor> _means = [];
        private readonly List<torch.Tensor> _squares = [];
        private long _elements;

        public bool Takes(Parameter parameter, State state) => state.step == step && _parameters.Count < ChunkTensors &&
            _elements + parameter.NumberOfElements <= ChunkElements && parameter.device.Equals(device);

        public void Add(Parameter parameter, torch.Tensor grad, State state)
        {
            _parameters.Add(parameter);
            _grads.Add(grad);
            _means.Add(state.exp_avg);
            _squares.Add(state.exp_avg_sq);
            _elements += parameter.NumberOfElements;
        }

        public void Step(Options options, bool decoupled)
        {
            var (lr, beta1, beta2) = (options.LearningRate!.Value, options.beta1!.Value, options.beta2!.Value);
            using var scope = torch.NewDisposeScope();
            torch.Tensor[] parameters = [.. _parameters], means = [.. _means], squares = [.. _squares], grads = [.. _grads];
            var decay = options.weight_decay ?? 0;
            if (options.maximize == true)
                grads = new Call(Ops._foreach_neg).Ts(grads).RunList();
            if (decay != 0 && decoupled)
                new Call(Ops._foreach_mul__Scalar).Ts(parameters).F(1 - lr * decay).RunVoid();
            else if (decay != 0)
                grads = new Call(Ops._foreach_add_List).Ts(grads).Ts(parameters).F(decay).RunList();
            new Call(Ops._foreach_mul__Scalar).Ts(means).F(beta1).RunVoid();
            new Call(Ops._foreach_add__List).Ts(means).Ts(grads).F(1 - beta1).RunVoid();
            new Call(Ops._foreach_mul__Scalar).Ts(squares).F(beta2).RunVoid();
            new Call(Ops._foreach_addcmul__Scalar).Ts(squares).Ts(grads).Ts(grads).F(1 - beta2).RunVoid();
            var denominators = new Call(Ops._foreach_sqrt).Ts(squares).RunList();
            new Call(Ops._foreach_div__Scalar).Ts(denominators).F(Math.Sqrt(1 - Math.Pow(beta2, step))).RunVoid();
            new Call(Ops._foreach_add__Scalar).Ts(denominators).F(options.eps!.Value).RunVoid();
            new Call(Ops._foreach_addcdiv__Scalar).Ts(parameters).Ts(means).Ts(denominators).F(-lr / (1 - Math.Pow(beta1, step))).RunVoid();
            foreach (var grad in _grads)
                grad.Dispose();
        }
    }
}
