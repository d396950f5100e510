namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            public static Modules.SGD SGD(IEnumerable<Modules.Parameter> parameters, double learningRate, double momentum = 0, double dampening = 0,
                double weight_decay = 0, bool nesterov = false, bool maximize = false) =>
                new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);

            public static Modules.SGD SGD(IEnumerable<(string name, Modules.Parameter parameter)> parameters, double learningRate, double momentum = 0,
                double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false) =>
                new(parameters.Select(p => p.parameter), learningRate, momentum, dampening, weight_decay, nesterov, maximize);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Gradient descent, with momentum where asked for.</summary>
    public sealed class SGD : torch.optim.Optimizer
    {
        public SGD(IEnumerable<Parameter> parameters, double lr, double momentum = 0.0, double dampening = 0, double weight_decay = 0, bool nesterov = false,
            bool maximize = false) => add_param_group(new ParamGroup(parameters, lr, momentum, dampening, weight_decay, nesterov, maximize));

        private protected override OptimizerState NewState(Parameter parameter) => new State();

        private protected override void Update(Modules.ParamGroup group)
        {
            var options = (Options)group.Options;
            var momentum = options.momentum ?? 0;
            foreach (var parameter in group.Parameters)
            {
                using var scope = torch.NewDisposeScope();
                if (parameter.grad is not { } grad)
                    continue;
                var change = options.maximize == true ? grad.neg() : grad;
                if (options.weight_decay is { } decay and not 0)
                    change = change.add(parameter, decay);
                if (momentum != 0)
                {
                    var state = StateOf<State>(parameter);
                    if (state.momentum_buffer is null)
                        state.momentum_buffer = change.detach().clone().DetachFromDisposeScope();
                    else
                        state.momentum_buffer.mul_(momentum).add_(change, 1 - (options.dampening ?? 0));
                    change = options.nesterov == true ? change.add(state.momentum_buffer, momentum) : state.momentum_buffer;
                }
                parameter.add_(change, -options.LearningRate!.Value);
            }
        }

        /// <summary>Options of a group.</summary>
        public class Options : OptimizerOptions
        {
            public double? momentum;
            public double? dampening;
            public double? weight_decay;
            public bool? nesterov;
            public bool? maximize;

            public override void LoadStateDict(OptimizerOptions source)
            {
                base.LoadStateDict(source);
                if (source is not Options other)
                    return;
                (momentum, dampening, weight_decay) = (other.momentum, other.dampening, other.weight_decay);
                (nesterov, maximize) = (other.nesterov, other.maximize);
            }
        }

        /// <summary>The velocity of a parameter; null before the first step with momentum.</summary>
        public sealed class State : OptimizerState
        {
            public torch.Tensor? momentum_buffer;

            public override void LoadStateDict(OptimizerState source)
            {
                if (source is not State other)
                    throw new ArgumentException($"the state of {source?.GetType().Name} is not one of SGD", nameof(source));
                momentum_buffer?.Dispose();
                momentum_buffer = other.momentum_buffer?.clone().DetachFromDisposeScope();
            }

            protected override void Dispose(bool disposing)
            {
                if (disposing)
                    momentum_buffer?.Dispose();
            }
        }

        /// <summary>Parameters with options of their own.</summary>
        public sealed class ParamGroup : Modules.ParamGroup
        {
            public ParamGroup(IEnumerable<Parameter> parameters, double lr = 1e-3, double momentum = 0.0, double dampening = 0, double weight_decay = 0,
                bool nesterov = false, bool maximize = false)
                : base(parameters, new Options
                {
                    LearningRate = lr,
                    InitialLearningRate = lr,
                    momentum = momentum,
                    dampening = dampening,
                    weight_decay = weight_decay,
                    nesterov = nesterov,
                    maximize = maximize,
                })
            {
            }
        }
    }
}
