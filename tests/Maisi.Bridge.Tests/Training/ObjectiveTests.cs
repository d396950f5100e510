using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Training;

/// <summary>Losses against what NV-Generate's scripts computed, and against their formulas.</summary>
public sealed class ObjectiveTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(0.05)]
    public void The_region_contrastive_loss_is_upstreams(double delta)
    {
        using var golden = new Golden("train_losses");
        using var scope = NewDisposeScope();
        var labels = golden["in/label"];
        var healthy = ControlNetLosses.Healthy(labels);
        healthy.eq(golden["out/label_roi_free"]).all().ToBoolean().ShouldBeTrue();
        var regions = ControlNetLosses.Regions(labels, healthy);
        regions.Lesion.ShouldMatch(golden["out/roi_contrastive"], "train_losses", "lesion", 0);
        regions.Clear.ShouldMatch(golden["out/roi_contrastive_bg"], "train_losses", "clear", 0);
        var target = golden["in/images"] - golden["in/noise"];
        var expected = golden.Info[FormattableString.Invariant($"region_contrastive_delta_{delta}")]!;
        foreach (var perCase in new[] { true, false })
        {
            var (contrast, outside) = ControlNetLosses.RegionContrast(golden["in/model_output"], golden["in/model_output_roi_free"], target, regions, delta, perCase);
            contrast.ToDouble().ShouldBe(expected["loss_region_contrasive"]!.GetValue<double>(), 1e-6);
            outside.ToDouble().ShouldBe(expected["loss_region_bg"]!.GetValue<double>(), 1e-6);
        }
    }

    [Fact]
    public void A_case_counts_the_same_whatever_it_is_batched_with()
    {
        using var scope = NewDisposeScope();
        Tensor Random(int seed, params long[] shape) => rand(shape, generator: new Generator((ulong)seed));
        Tensor with = Random(1, 2, 4, 4, 4, 4), without = Random(2, 2, 4, 4, 4, 4), target = Random(3, 2, 4, 4, 4, 4);
        var lesion = Random(4, 2, 1, 8, 8, 8).gt(tensor(new[] { 0.9f, 0.3f }).reshape(2, 1, 1, 1, 1)).to(ScalarType.Float32);
        var regions = (lesion, 1 - lesion);
        var batch = ControlNetLosses.RegionContrast(with, without, target, regions, 2);
        var each = Enumerable.Range(0, 2).Select(i => ControlNetLosses.RegionContrast(
            with[i].unsqueeze(0), without[i].unsqueeze(0), target[i].unsqueeze(0), (lesion[i].unsqueeze(0), 1 - lesion[i].unsqueeze(0)), 2)).ToList();
        batch.Contrast.ToDouble().ShouldBe(each.Average(e => e.Contrast.ToDouble()), 1e-6);
        batch.Outside.ToDouble().ShouldBe(each.Average(e => e.Outside.ToDouble()), 1e-6);
        Math.Abs(ControlNetLosses.RegionContrast(with, without, target, regions, 2, perCase: false).Contrast.ToDouble() - batch.Contrast.ToDouble()).ShouldBeGreaterThan(1e-6);
    }

    [Fact]
    public void Lesions_weigh_more()
    {
        using var golden = new Golden("train_losses");
        using var scope = NewDisposeScope();
        var output = golden["in/model_output"];
        var weights = ControlNetLosses.Weights(golden["in/label"], output, [23], 100);
        weights.ShouldMatch(golden["out/weights"], "train_losses", "weights", 0);
        ControlNetLosses.WeightedL1(output, golden["in/images"] - golden["in/noise"], weights).ToDouble()
            .ShouldBe(golden.Info["weighted_l1"]!["value"]!.GetValue<double>(), 1e-5);
    }

    [Fact]
    public void Modalities_are_generalised_as_upstream_does()
    {
        using var golden = new Golden("train_losses");
        using var scope = NewDisposeScope();
        var draws = Enumerable.Range(0, 3).Select(i => golden[$"in/augment_modality/u/{i}"].data<float>().ToArray()).ToArray();
        var codes = golden["in/augment_modality/modality"].data<long>().ToArray();
        BundleDiffusionTrainer.AugmentModalities(codes, 0.3, (change, i) => draws[change][i]).ShouldBe(golden["out/augment_modality"].data<long>().ToArray());
    }

    [Fact]
    public void Every_prediction_type_has_its_target()
    {
        using var scope = NewDisposeScope();
        Tensor images = ones([2, 1, 2, 2, 2]) * 3, noise = ones([2, 1, 2, 2, 2]), timesteps = tensor(new[] { 10L, 900L });
        var schedule = NoiseSchedule.Create("scaled_linear_beta", 1000, new NoiseScheduleArguments { BetaStart = 0.0015, BetaEnd = 0.0195 });
        Tensor Target(PredictionType type) => new DiffusionObjective(new DDPMScheduler(1000, schedule, prediction: type)).At(images, noise, timesteps).Target;
        Target(PredictionType.Epsilon).eq(noise).all().ToBoolean().ShouldBeTrue();
        Target(PredictionType.Sample).eq(images).all().ToBoolean().ShouldBeTrue();
        var v = Target(PredictionType.VPrediction);
        for (var i = 0; i < 2; i++)
        {
            var alpha = schedule.AlphasCumprod[(int)timesteps[i].ToInt64()];
            v[i].mean().ToDouble().ShouldBe(Math.Sqrt(alpha) - (3 * Math.Sqrt(1 - alpha)), 1e-5);
        }
        // Timesteps of DDPM are whole and spread over all of training.
        var random = new TrainingRandom(1);
        var drawn = new DiffusionObjective(new DDPMScheduler(1000, schedule)).Corrupt(zeros([200, 1, 1, 1, 1]), random).Timesteps;
        drawn.dtype.ShouldBe(ScalarType.Int64);
        drawn.min().ToInt64().ShouldBeInRange(0, 30);
        drawn.max().ToInt64().ShouldBeInRange(970, 999);
    }

    [Fact]
    public void The_perceptual_loss_counts_when_its_weights_are_given()
    {
        using var folder = TestPaths.Temporary();
        using var scope = NewDisposeScope();
        Should.Throw<MaisiException>(() => PerceptualNetwork.Load(folder["trunk.pt"], null, CPU)).Message.ShouldContain("perceptual_linear");
        var made = new LpipsSqueeze();
        WeightInitialization.Draw(made, 9);
        var weights = made.state_dict();
        TorchFile.Save(folder["trunk.pt"], weights.Where(w => w.Key.StartsWith("net.", StringComparison.Ordinal)).ToDictionary(w => w.Key, w => w.Value));
        TorchFile.Save(folder["linear.pt"], weights.Where(w => w.Key.StartsWith("lins.", StringComparison.Ordinal))
            .ToDictionary(w => "lin" + w.Key[5..], w => w.Value));
        var loss = new SlicePerceptualLoss(PerceptualNetwork.Load(folder["trunk.pt"], folder["linear.pt"], CPU), 0.5);
        using var golden = new Golden("vae_maisi");
        var network = golden.Network<AutoencoderKlMaisi>();
        var images = rand([1, 1, 32, 32, 32], generator: new Generator(3));
        double Loss(bool parity, double weight) => new AutoencoderObjective(network, new AutoencoderWeights { Kl = 0, Perceptual = weight, Parity = parity }, null, loss)
            .Validate(images, x => new AutoencoderOutput(x * 0.9, zeros(1, 1), ones(1, 1)), new TrainingRandom(1)).ToDouble();
        var plain = (images * 0.1).abs().mean().ToDouble();
        Loss(parity: false, 0).ShouldBe(plain, 1e-6);
        var slices = new TrainingRandom(1);
        var orders = Enumerable.Range(0, 3).Select(_ => Shuffled(32, slices)).ToArray();
        var next = 0;
        var expected = loss.Compute((images * 1.8) - 1, (images * 2) - 1, _ => orders[next++]).ToDouble();
        Math.Abs(expected).ShouldBeGreaterThan(1e-5);
        Loss(parity: false, 0.3).ShouldBe(plain + (0.3 * expected), 1e-6);
        next = 0;
        Loss(parity: true, 0.3).ShouldBe(plain + (0.3 * loss.Compute(images * 0.9, images, _ => orders[next++]).ToDouble()), 1e-6);

        static Tensor Shuffled(int count, TrainingRandom random)
        {
            var order = Enumerable.Range(0, count).Select(i => (long)i).ToArray();
            for (var i = 0; i < count; i++)
            {
                var j = random.Next(i + 1);
                (order[i], order[j]) = (order[j], order[i]);
            }
            return tensor(order);
        }
    }

    /// <summary>The adversarial step against its formula, with and without upstream's bugs.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Generator_and_discriminator_learn_from_the_same_batch(bool parity)
    {
        using var folder = TestPaths.Temporary();
        using var scope = NewDisposeScope();
        using var golden = new Golden("vae_maisi");
        var network = golden.Network<AutoencoderKlMaisi>();
        var discriminator = Critic();
        var images = rand([1, 1, 16, 16, 16], generator: new Generator(3));
        var settings = new StageSettings { Name = "test", Iterations = 1, Rate = 1e-3 };
        using Learner generator = new("", network.parameters(), settings), critic = new("discriminator", discriminator.parameters(), settings);
        var store = TrainingStore.Open(folder["state"], "", resume: false);
        var step = new TrainingStep("test", 0, settings, store);
        var random = new TrainingRandom(5);
        var weights = new AutoencoderWeights { Kl = 1e-5, Adversarial = 0.1, Parity = parity };
        new AutoencoderObjective(network, weights, discriminator).Learn(step, generator, critic, images, random, settings);

        // The same by hand.
        var again = golden.Network<AutoencoderKlMaisi>();
        var judge = Critic();
        var noise = Maisi.Bridge.Generation.PhiloxNoise.Normal([1, again.Shape.LatentChannels, .. images.shape[2..].Select(n => n / again.Downsampling)],
            new TrainingRandom(5).NextSeed());
        var (reconstruction, mu, sigma) = again.Forward(images, noise);
        Tensor Score(Tensor x) => parity ? nn.functional.leaky_relu(judge.call(x)[^1], 0.05) : judge.call(x)[^1];
        var adversarial = (Score(reconstruction) - 1).pow(2).mean();
        var loss = (reconstruction - images).abs().mean() + (KlLoss.Compute(mu, sigma) * 1e-5) + (adversarial * 0.1);
        loss.backward();
        if (!parity)
            foreach (var parameter in judge.parameters())
                parameter.grad?.zero_();
        var judged = (Score(reconstruction.detach()).pow(2).mean() + (Score(images) - 1).pow(2).mean()) * 0.5;
        judged.backward();

        step.Losses["loss"].ShouldBe(loss.ToDouble(), 1e-6);
        step.Losses["adversarial"].ShouldBe(adversarial.ToDouble(), 1e-6);
        step.Losses["discriminator"].ShouldBe(judged.ToDouble(), 1e-6);
        step.Main.ShouldBe(step.Losses["loss"]);
        Gradients(network).ShouldMatch(Gradients(again), "vae_maisi", "generator gradients", 1e-6);
        Gradients(discriminator).ShouldMatch(Gradients(judge), "discriminator", "gradients", 1e-6);

        static Tensor Gradients(nn.Module module) => cat(module.parameters().Select(p => p.grad is { } g ? g.reshape(-1) : zeros(p.numel())).ToArray(), 0);

        static PatchDiscriminator Critic()
        {
            var made = new PatchDiscriminator(new PatchDiscriminatorConfig { SpatialDims = 3, Channels = 4, InChannels = 1, OutChannels = 1, NumLayersD = 2 });
            WeightInitialization.DrawDiscriminator(made, 7);
            made.train();
            return made;
        }
    }
}
