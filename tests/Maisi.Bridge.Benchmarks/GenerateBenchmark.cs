using System.Globalization;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Benchmarks;

/// <summary>
/// From a cold start to files on the disk: one sample of a small bundle under a label map, by the command and by a Python script that does the same with
/// MONAI's networks. The command also writes previews, hashes and the manifest; the script writes image and label map alone.
/// </summary>
internal sealed class GenerateBenchmark : IBenchmark
{
    private const string Script = """
        import json, sys, os
        import nibabel, numpy, torch
        from monai.apps.generation.maisi.networks.autoencoderkl_maisi import AutoencoderKlMaisi
        from monai.apps.generation.maisi.networks.controlnet_maisi import ControlNetMaisi
        from monai.apps.generation.maisi.networks.diffusion_model_unet_maisi import DiffusionModelUNetMaisi
        from monai.networks.schedulers.rectified_flow import RFlowScheduler
        bundle, mask, output, threads = sys.argv[1:5]
        torch.set_num_threads(int(threads)); torch.set_grad_enabled(False); torch.manual_seed(1)
        config = json.load(open(f"{bundle}/configs/inference.json"))
        def build(cls, name, path, key):
            arguments = dict(config[name]); del arguments["_target_"]
            network = cls(**arguments).eval()
            state = torch.load(f"{bundle}/{config[path]}", map_location="cpu")
            network.load_state_dict({k: v.float() for k, v in state.get(key, state).items()})
            return network, state
        autoencoder, _ = build(AutoencoderKlMaisi, "autoencoder_def", "trained_autoencoder_path", "")
        unet, state = build(DiffusionModelUNetMaisi, "diffusion_unet_def", "trained_diffusion_path", "unet_state_dict")
        control, _ = build(ControlNetMaisi, "controlnet_def", "trained_controlnet_path", "controlnet_state_dict")
        arguments = dict(config["noise_scheduler"]); del arguments["_target_"]
        scheduler = RFlowScheduler(**arguments)
        image = nibabel.load(mask)
        labels = torch.from_numpy(numpy.asarray(image.dataobj).astype(numpy.int64))[None, None]
        condition = torch.cat([(labels >> bit) & 1 for bit in range(8)], 1).float()
        latent = torch.randn(1, 4, *[n // 4 for n in labels.shape[2:]])
        scheduler.set_timesteps(num_inference_steps=config["num_inference_steps"], input_img_size_numel=latent[0, 0].numel())
        classes, spacing = torch.tensor([config["modality"]]), torch.tensor([config["spacing"]]).float() * 100
        for t, after in zip(scheduler.timesteps, torch.cat((scheduler.timesteps[1:], torch.zeros(1)))):
            when = torch.Tensor((t,))
            down, mid = control(x=latent, timesteps=when, controlnet_cond=condition, class_labels=classes)
            velocity = unet(x=latent, timesteps=when, class_labels=classes, spacing_tensor=spacing, down_block_additional_residuals=down, mid_block_additional_residual=mid)
            latent, _ = scheduler.step(velocity, t, latent, after)
        result = autoencoder.decode(latent / state["scale_factor"]).clamp(0, 1) * 2000 - 1000
        if (labels == 200).any(): result[labels == 0] = -1000
        os.makedirs(output, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(result[0, 0].round().numpy().astype(numpy.int16), image.affine), f"{output}/image.nii.gz")
        nibabel.save(nibabel.Nifti1Image(labels[0, 0].numpy().astype(numpy.int16), image.affine), f"{output}/label.nii.gz")
        """;

    public string Name => "generate";

    public string Description => "maisi generate from a cold start against Python; --monai FOLDER[:FOLDER] --bundle bundles/maisi_headneck_small --rounds 3 --threads 2";

    public int Run(BenchmarkOptions options)
    {
        var maisi = Path.GetFullPath(options.Text("maisi", "artifacts/maisi/maisi.dll"));
        var bundle = Path.GetFullPath(options.Text("bundle", "bundles/maisi_headneck_small"));
        var threads = options.Number("threads", 2).ToString(CultureInfo.InvariantCulture);
        var monai = options.Text("monai", "");
        var folder = Directory.CreateTempSubdirectory("maisi-generate-").FullName;
        (string, string)[] environment = [("OMP_NUM_THREADS", threads), ("PYTHONPATH", monai)];
        try
        {
            VolumeFile.Write(Head(), Path.Combine(folder, "mask.nii.gz"));
            var (ours, theirs) = (new List<Clock>(), new List<Clock>());
            for (var round = 0; round < options.Number("rounds", 3); round++)
            {
                ours.Add(Done(ChildProcess.Run("dotnet", [maisi, "generate", "--bundle", bundle, "--mask", "mask.nii.gz", "--output", $"cs{round}", "--seed", "1", "-q"], folder, environment)));
                if (monai.Length > 0)
                    theirs.Add(Done(ChildProcess.Run(options.Text("python", "/usr/bin/python3"), ["-W", "ignore", "-c", Script, bundle, "mask.nii.gz", $"py{round}", threads], folder, environment)));
            }
            Console.WriteLine($"{ours.Count} rounds in turn, {threads} thread(s), medians");
            Print("maisi generate", ours);
            if (monai.Length > 0)
            {
                Print("Python", theirs);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ratio: wall {Ratio(c => c.Wall):F2}, processor time {Ratio(c => c.Cpu):F2}"));
            }
            return 0;

            double Ratio(Func<Clock, double> of) => Clock.Median(ours.Select(of)) / Clock.Median(theirs.Select(of));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Clock Done(ChildProcess run) => run.ExitCode == 0 ? run.Time : throw new InvalidOperationException(run.Output);

    private static void Print(string name, List<Clock> times) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{name,-16} wall {Clock.Median(times.Select(c => c.Wall)):F1} s, processor {Clock.Median(times.Select(c => c.Cpu)):F1} s"));

    /// <summary>A body with a brainstem, a cord and a mandible, 64³ at 3 mm.</summary>
    private static Volume Head()
    {
        var labels = new byte[64 * 64 * 64];
        for (var i = 0; i < labels.Length; i++)
        {
            var (x, y, z) = ((i / 4096) - 32, (i / 64 % 64) - 32, (i % 64) - 32);
            labels[i] = (byte)((x * x) + (y * y) > 500 ? 0 : (x * x) + (y * y) < 9 ? (z > 8 ? 1 : 2) : z is > -6 and < 0 && y > 12 && Math.Abs(x) < 12 ? 7 : 200);
        }
        return Volume.FromArray<byte>(labels, new VolumeGrid(64, 64, 64, Affine.Diagonal(3, 3, 3)));
    }
}
