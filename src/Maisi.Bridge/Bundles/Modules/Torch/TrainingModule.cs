using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>Optimizers, learning-rate schedules and losses of <c>torch</c> and MONAI, under the names and defaults of their arguments.</summary>
internal static class TrainingModule
{
    private const string Schedules = "torch.optim.lr_scheduler.";

    /// <summary>Adds them.</summary>
    public static void Add(TargetRegistryBuilder builder)
    {
        Target<AdamArguments>(builder, "torch.optim.Adam", a =>
            optim.Adam(Parameters(a.Params), a.Lr, a.Betas[0], a.Betas[1], a.Eps, a.WeightDecay, a.Amsgrad));
        Target<AdamWArguments>(builder, "torch.optim.AdamW", a =>
            optim.AdamW(Parameters(a.Params), a.Lr, a.Betas[0], a.Betas[1], a.Eps, a.WeightDecay, a.Amsgrad));
        Target<SgdArguments>(builder, "torch.optim.SGD", a => optim.SGD(Parameters(a.Params), a.Lr, a.Momentum, a.Dampening, a.WeightDecay, a.Nesterov));
        Target<LambdaArguments>(builder, Schedules + "LambdaLR", a => optim.lr_scheduler.LambdaLR(a.Optimizer, a.LrLambda));
        Target<StepArguments>(builder, Schedules + "StepLR", a => optim.lr_scheduler.StepLR(a.Optimizer, a.StepSize, a.Gamma));
        Target<ExponentialArguments>(builder, Schedules + "ExponentialLR", a => optim.lr_scheduler.ExponentialLR(a.Optimizer, a.Gamma));
        Target<PolynomialArguments>(builder, Schedules + "PolynomialLR", a =>
            optim.lr_scheduler.LambdaLR(a.Optimizer, step => Math.Pow(1 - (Math.Min(step, Math.Floor(a.TotalIters)) / a.TotalIters), a.Power))); // TorchSharp's own takes whole powers only
        Target<LossArguments>(builder, "torch.nn.L1Loss", a => nn.L1Loss(a.Reduction));
        Target<LossArguments>(builder, "torch.nn.MSELoss", a => nn.MSELoss(a.Reduction));
        Target<AdversarialArguments>(builder, "monai.losses.adversarial_loss.PatchAdversarialLoss", a =>
            new PatchAdversarialLoss(a.Criterion, a.Reduction == nn.Reduction.Sum, a.NoActivationLeastsq));
        builder
            .AddBehaviour(new ReflectedBehaviour(typeof(optim.Optimizer)))
            .AddBehaviour(new ReflectedBehaviour(typeof(optim.lr_scheduler.LRScheduler)))
            .AddBehaviour(new ReflectedBehaviour(typeof(PatchAdversarialLoss)));
    }

    private static void Target<T>(TargetRegistryBuilder builder, string path, Func<T, object> make) =>
        builder.AddTarget(path, () => new SettingsTarget(path, typeof(T), (arguments, _) => make((T)arguments)));

    // What network.parameters() gives.
    private static List<TorchSharp.Modules.Parameter> Parameters(object? given) => given is ListValue list && list.All(p => p is TorchSharp.Modules.Parameter)
        ? [.. list.Cast<TorchSharp.Modules.Parameter>()]
        : throw new BundleException(BundleErrorKind.TypeError, $"'params' is a {PythonTypes.NameOf(given)}, but must be the parameters of a network", hint: "write $@network.parameters()");

    private record AdamArguments
    {
        public required object Params { get; init; }
        public double Lr { get; init; } = 1e-3;
        public double[] Betas { get; init; } = [0.9, 0.999];
        public double Eps { get; init; } = 1e-8;
        public virtual double WeightDecay { get; init; }
        public bool Amsgrad { get; init; }
    }

    private sealed record AdamWArguments : AdamArguments
    {
        public override double WeightDecay { get; init; } = 1e-2;
    }

    private sealed record SgdArguments
    {
        public required object Params { get; init; }
        public double Lr { get; init; } = 1e-3;
        public double Momentum { get; init; }
        public double Dampening { get; init; }
        public double WeightDecay { get; init; }
        public bool Nesterov { get; init; }
    }

    private sealed record LambdaArguments
    {
        public required optim.Optimizer Optimizer { get; init; }
        public required Func<int, double> LrLambda { get; init; }
    }

    private sealed record StepArguments
    {
        public required optim.Optimizer Optimizer { get; init; }
        public required int StepSize { get; init; }
        public double Gamma { get; init; } = 0.1;
    }

    private sealed record ExponentialArguments
    {
        public required optim.Optimizer Optimizer { get; init; }
        public required double Gamma { get; init; }
    }

    private sealed record PolynomialArguments
    {
        public required optim.Optimizer Optimizer { get; init; }
        public double TotalIters { get; init; } = 5;
        public double Power { get; init; } = 1;
    }

    private sealed record LossArguments
    {
        public nn.Reduction Reduction { get; init; } = nn.Reduction.Mean;
    }

    private sealed record AdversarialArguments
    {
        public nn.Reduction Reduction { get; init; } = nn.Reduction.Mean;
        public AdversarialCriterion Criterion { get; init; } = AdversarialCriterion.LeastSquares;
        public bool NoActivationLeastsq { get; init; }
    }
}
