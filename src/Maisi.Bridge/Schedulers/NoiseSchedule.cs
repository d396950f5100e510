// Port of the noise schedules of monai/networks/schedulers/scheduler.py (MONAI 1.5); Ho et al., arXiv:2006.11239;
// cosine: Nichol and Dhariwal, arXiv:2102.09672.
namespace Maisi.Bridge.Schedulers;

/// <summary>How much noise each training timestep adds, in fp32 like upstream.</summary>
public sealed class NoiseSchedule
{
    private NoiseSchedule(float[] betas)
    {
        Betas = betas;
        Alphas = [.. betas.Select(b => 1 - b)];
        AlphasCumprod = new float[betas.Length];
        var product = 1.0;
        for (var t = 0; t < betas.Length; t++)
        {
            product *= Alphas[t];
            AlphasCumprod[t] = (float)product;
        }
    }

    /// <summary>Variance added at each timestep.</summary>
    public IReadOnlyList<float> Betas { get; }

    /// <summary>One minus beta.</summary>
    public IReadOnlyList<float> Alphas { get; }

    /// <summary>Product of the alphas up to each timestep.</summary>
    public float[] AlphasCumprod { get; }

    /// <summary>Builds a schedule by upstream's name.</summary>
    /// <param name="name">linear_beta, scaled_linear_beta, sigmoid_beta or cosine.</param>
    /// <param name="timesteps">Training timesteps.</param>
    /// <param name="arguments">Values for the schedule's own parameters.</param>
    /// <exception cref="SchedulerException">An unknown schedule, or a parameter that it does not have.</exception>
    public static NoiseSchedule Create(string name, int timesteps, NoiseScheduleArguments arguments)
    {
        double start = arguments.BetaStart ?? 1e-4, end = arguments.BetaEnd ?? 2e-2;
        var betas = name switch
        {
            "linear_beta" => Linspace(start, end, timesteps),
            "scaled_linear_beta" => [.. Linspace(Math.Sqrt(start), Math.Sqrt(end), timesteps).Select(b => b * b)],
            "sigmoid_beta" => [.. Linspace(-(arguments.SigRange ?? 6), arguments.SigRange ?? 6, timesteps)
                .Select(x => (1 / (1 + MathF.Exp(-x)) * (float)(end - start)) + (float)start)],
            "cosine" => Cosine(timesteps, arguments.S ?? 8e-3),
            _ => throw new SchedulerException($"unknown noise schedule '{name}'", "schedule", "use linear_beta, scaled_linear_beta, sigmoid_beta or cosine"),
        };
        Refuse(name == "cosine" && (arguments.BetaStart ?? arguments.BetaEnd) is not null, name, "beta_start and beta_end");
        Refuse(name != "sigmoid_beta" && arguments.SigRange is not null, name, "sig_range");
        Refuse(name != "cosine" && arguments.S is not null, name, "s");
        return new NoiseSchedule(betas);
    }

    private static void Refuse(bool wrong, string name, string argument)
    {
        if (wrong)
            throw new SchedulerException($"noise schedule '{name}' has no {argument}", "schedule", $"remove {argument}");
    }

    /// <summary>Equidistant fp32 values, counted from the nearer end like torch.linspace.</summary>
    private static float[] Linspace(double start, double end, int count)
    {
        float first = (float)start, last = (float)end;
        if (count == 1)
            return [first];
        var step = (last - first) / (count - 1);
        return [.. Enumerable.Range(0, count).Select(i => i < count / 2 ? first + (step * i) : last - (step * (count - i - 1)))];
    }

    private static float[] Cosine(int timesteps, double s)
    {
        var cumulative = Enumerable.Range(0, timesteps + 1).Select(x =>
        {
            var cos = MathF.Cos((((float)x / timesteps) + (float)s) / (float)(1 + s) * MathF.PI * 0.5f);
            return cos * cos;
        }).ToArray();
        return [.. cumulative.Zip(cumulative.Skip(1), (now, next) => Math.Clamp(1 - (next / cumulative[0] / (now / cumulative[0])), 0, 0.999f))];
    }
}

/// <summary>Parameters of the noise schedules; null takes upstream's default.</summary>
public sealed record NoiseScheduleArguments(double? BetaStart = null, double? BetaEnd = null, double? SigRange = null, double? S = null);
