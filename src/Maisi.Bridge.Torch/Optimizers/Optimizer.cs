using TorchSharp.Modules;

namespace TorchSharp
{
    public static partial class torch
    {
        /// <summary>Optimizers.</summary>
        public static partial class optim
        {
            /// <summary>A learning rate that a schedule may change.</summary>
            public interface ILearningRateController
            {
                double LearningRate { get; set; }

                double InitialLearningRate { get; set; }
            }

            /// <summary>Changes parameters by their gradients. It owns its state, not the parameters.</summary>
            public abstract class Optimizer : IDisposable
            {
                private readonly Dictionary<Parameter, OptimizerState> _states = new(ReferenceEqualityComparer.Instance);
                private readonly List<ParamGroup> _groups = [];

                public virtual IEnumerable<ILearningRateController> ParamGroups => _groups;

                /// <summary>The groups with their parameters and options.</summary>
                internal IReadOnlyList<ParamGroup> Groups => _groups;

                /// <summary>Adds parameters with options of their own.</summary>
                public virtual void add_param_group(ParamGroup param_group)
                {
                    ArgumentNullException.ThrowIfNull(param_group);
                    param_group.Options.InitialLearningRate = param_group.LearningRate;
                    foreach (var parameter in param_group.Parameters)
                    {
                        if (!_states.TryAdd(parameter, NewState(parameter)))
                            throw new ArgumentException("a parameter may be in one group only", nameof(param_group));
                    }
                    _groups.Add(param_group);
                }

                public virtual IEnumerable<Parameter> parameters() => _groups.SelectMany(g => g.Parameters);

                /// <summary>Forgets all gradients, so that the next backward pass makes new ones.</summary>
                public virtual void zero_grad()
                {
                    foreach (var parameter in parameters())
                        parameter.grad = null;
                }

                /// <summary>Changes the parameters that have a gradient.</summary>
                /// <param name="closure">Computes the loss again, gradients included, before the step.</param>
                /// <returns>The loss of the closure.</returns>
                public virtual Tensor? step(Func<Tensor>? closure = null)
                {
                    Tensor? loss = null;
                    if (closure is not null)
                    {
                        using var _ = enable_grad();
                        loss = closure();
                    }
                    using var grad = no_grad();
                    foreach (var group in _groups)
                        Update(group);
                    return loss;
                }

                /// <summary>Options of each group, and the state of each parameter in order; the tensors are the optimizer's own.</summary>
                public virtual StateDictionary state_dict()
                {
                    var result = new StateDictionary();
                    foreach (var group in _groups)
                    {
                        result.Options.Add(group.Options);
                        result.StateIndexRef.Add([.. Enumerable.Range(result.State.Count, group.Parameters.Count)]);
                        result.State.AddRange(group.Parameters.Select(p => _states[p]));
                    }
                    return result;
                }

                /// <summary>Copies options and state in.</summary>
                /// <exception cref="ArgumentException">Groups or parameters differ in number.</exception>
                public virtual void load_state_dict(StateDictionary state_dict)
                {
                    ArgumentNullException.ThrowIfNull(state_dict);
                    var own = this.state_dict();
                    if (own.Options.Count != state_dict.Options.Count || own.State.Count != state_dict.State.Count)
                    {
                        throw new ArgumentException($"the state has {state_dict.Options.Count} groups and {state_dict.State.Count} parameters, " +
                            $"the optimizer {own.Options.Count} and {own.State.Count}", nameof(state_dict));
                    }
                    for (var i = 0; i < own.Options.Count; i++)
                        own.Options[i].LoadStateDict(state_dict.Options[i]);
                    for (var i = 0; i < own.State.Count; i++)
                        own.State[i].LoadStateDict(state_dict.State[i]);
                }

                public void Dispose()
                {
                    Dispose(true);
                    GC.SuppressFinalize(this);
                }

                protected virtual void Dispose(bool disposing)
                {
                    if (!disposing)
                        return;
                    foreach (var state in _states.Values)
                        state.Dispose();
                }

                private protected abstract OptimizerState NewState(Parameter parameter);

                private protected abstract void Update(ParamGroup group);

                private protected TState StateOf<TState>(Parameter parameter)
                    where TState : OptimizerState => (TState)_states[parameter];

                /// <summary>What <see cref="state_dict"/> gives.</summary>
                public sealed class StateDictionary
                {
                    public List<OptimizerOptions> Options { get; } = [];

                    public List<OptimizerState> State { get; } = [];

                    /// <summary>For each group, where its parameters' states are.</summary>
                    public List<List<int>> StateIndexRef { get; } = [];
                }
            }
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Options of a parameter group.</summary>
    public class OptimizerOptions
    {
        public double? LearningRate { get; set; }

        public double InitialLearningRate { get; set; }

        public virtual void LoadStateDict(OptimizerOptions source)
        {
            ArgumentNullException.ThrowIfNull(source);
            LearningRate = source.LearningRate;
            InitialLearningRate = source.InitialLearningRate;
        }
    }

    /// <summary>What an optimizer remembers about one parameter.</summary>
    public abstract class OptimizerState : IDisposable
    {
        /// <summary>Copies another parameter's state in.</summary>
        public abstract void LoadStateDict(OptimizerState source);

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected abstract void Dispose(bool disposing);
    }

    /// <summary>Parameters that share options.</summary>
    public class ParamGroup : torch.optim.ILearningRateController
    {
        public ParamGroup(IEnumerable<Parameter> parameters, OptimizerOptions options)
        {
            Parameters = [.. parameters];
            Options = options;
        }

        public IReadOnlyList<Parameter> Parameters { get; }

        public OptimizerOptions Options { get; }

        public double LearningRate
        {
            get => Options.LearningRate!.Value;
            set => Options.LearningRate = value;
        }

        public double InitialLearningRate
        {
            get => Options.InitialLearningRate;
            set => Options.InitialLearningRate = value;
        }
    }
}
