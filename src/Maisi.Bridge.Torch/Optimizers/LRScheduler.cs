namespace TorchSharp;

public static partial class torch
{
    public static partial class optim
    {
        /// <summary>Learning rates that change with the epochs, or with whatever <see cref="LRScheduler.step()"/> is called for.</summary>
        public static partial class lr_scheduler
        {
            /// <summary>Sets the learning rates of an optimizer; the first values are set when it is made.</summary>
            public abstract class LRScheduler
            {
                private readonly Optimizer _optimizer;
                private readonly double[] _last;

                private protected LRScheduler(Optimizer optimizer, int last_epoch)
                {
                    ArgumentNullException.ThrowIfNull(optimizer);
                    _optimizer = optimizer;
                    Epoch = last_epoch;
                    BaseRates = [.. optimizer.ParamGroups.Select(g => g.InitialLearningRate)];
                    _last = [.. optimizer.ParamGroups.Select(g => g.LearningRate)];
                }

                /// <summary>How often the schedule stepped, from 0.</summary>
                private protected int Epoch { get; private set; }

                private protected double[] BaseRates { get; }

                public virtual void step() => MoveTo(Epoch + 1);

                /// <summary>Jumps to an epoch.</summary>
                public virtual void step(int? epoch)
                {
                    if (epoch is null)
                    {
                        step();
                        return;
                    }
                    // The rules go from one epoch to the next, so the way is repeated.
                    var rates = BaseRates;
                    for (var i = 0; i <= epoch; i++)
                    {
                        Epoch = i;
                        rates = [.. rates.Select((rate, group) => Next(rate, group))];
                    }
                    Set(rates);
                }

                /// <summary>The learning rates set last, one per group.</summary>
                public IEnumerable<double> get_last_lr() => _last;

                /// <summary>The rate of this epoch from that of the epoch before.</summary>
                private protected abstract double Next(double rate, int group);

                private void MoveTo(int epoch)
                {
                    Epoch = epoch;
                    Set([.. _optimizer.ParamGroups.Select((g, i) => Next(g.LearningRate, i))]);
                }

                private void Set(double[] rates)
                {
                    var i = 0;
                    foreach (var group in _optimizer.ParamGroups)
                        group.LearningRate = _last[i] = rates[i++];
                }
            }

            /// <summary>Rates times a function of the epoch.</summary>
            public static LRScheduler LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false) =>
                new Rule(optimizer, last_epoch, (e, rate, start) => start * lr_lambda(e));

            /// <summary>Each rate is the one before times a function of the epoch.</summary>
            public static LRScheduler MultiplicativeLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false) =>
                new Rule(optimizer, last_epoch, (e, rate, start) => e > 0 ? rate * lr_lambda(e) : rate);

            /// <summary>Times gamma every step_size epochs.</summary>
            public static LRScheduler StepLR(Optimizer optimizer, int step_size, double gamma = 0.1, int last_epoch = -1, bool verbose = false) =>
                new Rule(optimizer, last_epoch, (e, rate, start) => e > 0 && e % step_size == 0 ? rate * gamma : rate);

            /// <summary>Times gamma at each milestone, as often as it is listed.</summary>
            public static LRScheduler MultiStepLR(Optimizer optimizer, IList<int> milestones, double gamma = 0.1, int last_epoch = -1, bool verbose = false) =>
                new Rule(optimizer, last_epoch, (e, rate, start) => rate * Math.Pow(gamma, milestones.Count(m => m == e)));

            /// <summary>Times gamma every epoch.</summary>
            public static LRScheduler ExponentialLR(Optimizer optimizer, double gamma = 0.1, int last_epoch = -1, bool verbose = false) =>
                new Rule(optimizer, last_epoch, (e, rate, start) => e > 0 ? rate * gamma : rate);

            /// <summary>Down to zero at total_iters along a power of the time left.</summary>
            public static LRScheduler PolynomialLR(Optimizer optimizer, double total_iters = 5, double power = 1, int last_epoch = -1, bool verbose = false) =>
                new Rule(optimizer, last_epoch, (e, rate, start) =>
                    e == 0 || e > total_iters ? rate : rate * Math.Pow((1 - e / total_iters) / (1 - (e - 1) / total_iters), power));

            /// <summary>Times factor until total_iters.</summary>
            public static LRScheduler ConstantLR(Optimizer optimizer, double factor = 1.0 / 3, int total_iters = 5, int last_epoch = -1, bool verbose = false) =>
                new Rule(optimizer, last_epoch, (e, rate, start) => e == 0 ? rate * factor : e == total_iters ? rate / factor : rate);

            /// <summary>Times a factor that goes from start_factor to end_factor in total_iters epochs: a warm-up.</summary>
            public static LRScheduler LinearLR(Optimizer optimizer, double start_factor = 1.0 / 3, double end_factor = 1.0, int total_iters = 5,
                int last_epoch = -1, bool verbose = false) =>
                new Rule(optimizer, last_epoch, (e, rate, start) => e == 0
                    ? rate * start_factor
                    : e > total_iters
                        ? rate
                        : rate * (1 + (end_factor - start_factor) / (total_iters * start_factor + (e - 1) * (end_factor - start_factor))));

            /// <summary>Down to eta_min along half a cosine, and up again after T_max epochs.</summary>
            public static LRScheduler CosineAnnealingLR(Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1, bool verbose = false) =>
                new Rule(optimizer, last_epoch, (e, rate, start) => e == 0
                    ? rate
                    : (e - 1 - T_max) % (2 * T_max) == 0
                        ? rate + (start - eta_min) * (1 - Math.Cos(Math.PI / T_max)) / 2
                        : (1 + Math.Cos(Math.PI * e / T_max)) / (1 + Math.Cos(Math.PI * (e - 1) / T_max)) * (rate - eta_min) + eta_min);

            /// <summary>A schedule given by a function of the epoch, the rate before and the initial rate.</summary>
            private sealed class Rule : LRScheduler
            {
                private readonly Func<int, double, double, double> _next;

                public Rule(Optimizer optimizer, int last_epoch, Func<int, double, double, double> next)
                    : base(optimizer, last_epoch)
                {
                    _next = next;
                    step();
                }

                private protected override double Next(double rate, int group) => _next(Epoch, rate, BaseRates[group]);
            }
        }
    }
}
