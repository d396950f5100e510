using System.Text.Json.Nodes;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Benchmarks;

/// <summary>
/// Training steps of a config's networks against the same steps on MONAI: forward, loss, backward, clipping, AdamW and the moving average.
/// </summary>
internal sealed class TrainingBenchmark : IBenchmark
{
    private const string Script = """
        import json
        for folder in MONAI.split(":"): sys.path.insert(0, folder)
        from monai.apps.generation.maisi.networks.autoencoderkl_maisi import AutoencoderKlMaisi
        from monai.apps.generation.maisi.networks.diffusion_model_unet_maisi import DiffusionModelUNetMaisi
        from monai.apps.generation.maisi.networks.controlnet_maisi import ControlNetMaisi
        config = json.load(open(CONFIG))
        def build(cls, key):
            arguments = config[key]; del arguments["_target_"]
            return cls(**arguments).train()
        autoencoder = build(AutoencoderKlMaisi, "autoencoder_def")
        unet, control = build(DiffusionModelUNetMaisi, "diffusion_unet_def"), build(ControlNetMaisi, "controlnet_def")
        batch, patch = config["diffusion_unet_train"]["batch_size"], config["autoencoder_train"]["patch_size"]
        size = config["data"]["size"]; latent = [n // 4 for n in size]
        kw = dict(class_labels=torch.ones(batch, dtype=torch.long), spacing_tensor=torch.full((batch, 3), 300.0))
        def learner(network):
            parameters = list(network.parameters()); average = [p.detach().clone() for p in parameters]
            optimizer = torch.optim.AdamW(parameters, 1e-3, weight_decay=1e-4)
            def learn(loss):
                optimizer.zero_grad(); loss.backward(); torch.nn.utils.clip_grad_norm_(parameters, 5); optimizer.step()
                with torch.no_grad():
                    for a, p in zip(average, parameters): a.mul_(0.998).add_(p, alpha=0.002)
            return learn
        def autoencoder_step():
            images = torch.rand(config["autoencoder_train"]["batch_size"], 1, *patch)
            mu, sigma = autoencoder.encode(images)
            loss = (autoencoder.decode(mu + sigma * torch.randn_like(sigma)) - images).abs().mean()
            kl = 0.5 * torch.sum(mu.pow(2) + sigma.pow(2) - torch.log(sigma.pow(2)) - 1)
            learn_autoencoder(loss + 2e-8 * kl)
        def noisy():
            x, noise, t = torch.randn(batch, 4, *latent), torch.randn(batch, 4, *latent), torch.rand(batch) * 1000
            return x * 0.5 + noise * 0.5, t, x - noise
        def unet_step():
            x, t, target = noisy()
            learn_unet((unet(x, t, **kw) - target).abs().mean())
        def control_step():
            x, t, target = noisy(); condition = torch.rand(batch, 8, *size).round()
            down, mid = control(x, t, condition, class_labels=kw["class_labels"])
            learn_control((unet(x, t, down_block_additional_residuals=down, mid_block_additional_residual=mid, **kw) - target).abs().mean())
        learn_autoencoder, learn_unet, learn_control = learner(autoencoder), learner(unet), learner(control)
        def frozen():
            for p in unet.parameters(): p.requires_grad = False
            control_step()
        case("autoencoder", autoencoder_step)
        case("diffusion UNet", unet_step)
        case("ControlNet", frozen)
        """;

    public string Name => "training";

    public string Description => "training steps against MONAI; --monai FOLDER[:FOLDER] --config configs/train_headneck.json --rounds 5 --threads 1";

    public int Run(BenchmarkOptions options)
    {
        var path = options.Text("config", Path.Combine("configs", "train_headneck.json"));
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        using var comparison = new Comparison(options, $"MONAI, CONFIG = {PythonPeer.Quote(options.Text("monai", ""))}, {PythonPeer.Quote(path)}\n{Script}");
        using var networks = new Networks(config);
        comparison.Case("autoencoder", networks.AutoencoderStep, 1);
        comparison.Case("diffusion UNet", networks.UNetStep, 1);
        networks.Freeze();
        comparison.Case("ControlNet", networks.ControlNetStep, 1);
        return 0;
    }

    /// <summary>The networks, their optimizers and the batches they see.</summary>
    private sealed class Networks : IDisposable
    {
        private readonly AutoencoderKlMaisi _autoencoder;
        private readonly DiffusionModelUNetMaisi _unet;
        private readonly ControlNetMaisi _control;
        private readonly Learner _autoencoderLearner, _unetLearner, _controlLearner;
        private readonly long[] _patch, _size;
        private readonly long _batch, _patches;
        private readonly UNetConditions _conditions;

        public Networks(JsonNode config)
        {
            (_autoencoder, _unet, _control) = (Make<AutoencoderKlMaisi>("autoencoder_def"), Make<DiffusionModelUNetMaisi>("diffusion_unet_def"), Make<ControlNetMaisi>("controlnet_def"));
            (_autoencoderLearner, _unetLearner, _controlLearner) = (new Learner(_autoencoder), new Learner(_unet), new Learner(_control));
            (_patch, _size) = (config["autoencoder_train"]!["patch_size"]!.AsArray().GetValues<long>().ToArray(), config["data"]!["size"]!.AsArray().GetValues<long>().ToArray());
            (_batch, _patches) = ((long)config["diffusion_unet_train"]!["batch_size"]!, (long)config["autoencoder_train"]!["batch_size"]!);
            _conditions = new UNetConditions { ClassLabels = ones([_batch], ScalarType.Int64), Spacing = full([_batch, 3], 300f) };

            T Make<T>(string key)
                where T : nn.Module
            {
                var network = NetworkFactory.Create<T>(config[key]!.AsObject());
                network.train();
                return network;
            }
        }

        public void AutoencoderStep()
        {
            using var scope = NewDisposeScope();
            var images = rand([_patches, 1, .. _patch]);
            var (mu, sigma) = _autoencoder.Encode(images);
            var loss = (_autoencoder.Decode(mu + (sigma * randn_like(sigma))) - images).abs().mean();
            var kl = (mu.pow(2) + sigma.pow(2) - sigma.pow(2).log() - 1).sum() * 0.5;
            _autoencoderLearner.Learn(loss + (kl * 2e-8));
        }

        public void UNetStep()
        {
            using var scope = NewDisposeScope();
            var (x, t, target) = Noisy();
            _unetLearner.Learn((_unet.call(x, t, _conditions) - target).abs().mean());
        }

        public void Freeze()
        {
            foreach (var parameter in _unet.parameters())
                parameter.requires_grad = false;
        }

        public void ControlNetStep()
        {
            using var scope = NewDisposeScope();
            var (x, t, target) = Noisy();
            var residuals = _control.call(x, t, rand([_batch, 8, .. _size]).round(), new ControlNetConditions { ClassLabels = _conditions.ClassLabels });
            var output = _unet.call(x, t, _conditions with { DownBlockAdditionalResiduals = residuals.Down, MidBlockAdditionalResidual = residuals.Mid });
            _controlLearner.Learn((output - target).abs().mean());
        }

        public void Dispose()
        {
            _autoencoder.Dispose();
            _unet.Dispose();
            _control.Dispose();
        }

        private (Tensor Noisy, Tensor Timesteps, Tensor Target) Noisy()
        {
            long[] shape = [_batch, 4, .. _size.Select(n => n / 4)];
            var (x, noise) = (randn(shape), randn(shape));
            return ((x * 0.5) + (noise * 0.5), rand([_batch]) * 1000, x - noise);
        }
    }

    /// <summary>What every trainer does with a loss.</summary>
    private sealed class Learner(nn.Module network)
    {
        private readonly List<Parameter> _parameters = [.. network.parameters()];
        private readonly List<Tensor> _average = [.. network.parameters().Select(p => p.detach().clone())];
        private readonly AdamW _optimizer = optim.AdamW(network.parameters(), 1e-3, weight_decay: 1e-4);

        public void Learn(Tensor loss)
        {
            _optimizer.zero_grad();
            loss.backward();
            nn.utils.clip_grad_norm_(_parameters, 5);
            _optimizer.step();
            using var _ = no_grad();
            foreach (var (average, parameter) in _average.Zip(_parameters))
                average.mul_(0.998).add_(parameter, alpha: 0.002);
        }
    }
}
