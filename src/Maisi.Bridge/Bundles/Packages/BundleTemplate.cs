namespace Maisi.Bridge.Bundles;

/// <summary>Makes the folder of a new bundle, as MONAI's <c>init_bundle</c>.</summary>
public static class BundleTemplate
{
    /// <summary>Makes the folder with metadata, a runnable inference config, docs and a license to fill in.</summary>
    /// <param name="folder">A folder that does not exist yet; the one above it must.</param>
    /// <param name="checkpoint">Weights to copy to models/model.pt; null: none.</param>
    /// <param name="dataLicense">Also makes docs/data_license.txt.</param>
    /// <exception cref="BundleException">The folder exists, the one above it does not, or the weights are missing.</exception>
    public static void Create(string folder, string? checkpoint, bool dataLicense)
    {
        var full = Path.GetFullPath(folder);
        if (Directory.Exists(full) || File.Exists(full))
            throw new BundleException(BundleErrorKind.ValueError, $"the bundle folder '{folder}' exists already", hint: "choose another name; nothing was changed");
        if (!Directory.Exists(Path.GetDirectoryName(full)))
            throw new BundleException(BundleErrorKind.ValueError, $"the folder above '{folder}' does not exist", hint: "make it first");
        if (checkpoint is not null && !File.Exists(checkpoint))
            throw new BundleException(BundleErrorKind.FileNotFoundError, $"no such checkpoint: '{checkpoint}'");
        var staging = full + ".partial";
        Directory.CreateDirectory(staging);
        foreach (var sub in new[] { "configs", "models", "docs" })
            Directory.CreateDirectory(Path.Combine(staging, sub));
        File.WriteAllText(Path.Combine(staging, "configs", "metadata.json"), Metadata);
        File.WriteAllText(Path.Combine(staging, "configs", "inference.json"), Inference);
        File.WriteAllText(Path.Combine(staging, "docs", "README.md"), $"# {Path.GetFileName(full)}\n\nWhat the model does, what it was trained on, and how to run it:\n\n```\nmaisi bundle run --config_file configs/inference.json\n```\n");
        File.WriteAllText(Path.Combine(staging, "LICENSE"), "Choose a license for the weights and put its text here.\n");
        if (dataLicense)
            File.WriteAllText(Path.Combine(staging, "docs", "data_license.txt"), "Choose a license for the data and put its text here.\n");
        if (checkpoint is not null)
            File.Copy(checkpoint, Path.Combine(staging, "models", "model.pt"));
        Directory.Move(staging, full);
    }

    private const string Metadata = """
        {
          "version": "0.0.1",
          "changelog": {"0.0.1": "first version"},
          "monai_version": "1.5.0",
          "pytorch_version": "2.6.0",
          "numpy_version": "1.26.4",
          "required_packages_version": {},
          "task": "What the network predicts",
          "description": "What the network does, from which inputs, and for which purpose",
          "authors": "Your name",
          "copyright": "Copyright (c) your name",
          "network_data_format": {
            "inputs": {
              "image": {
                "type": "image", "format": "hounsfield", "modality": "CT", "num_channels": 1, "spatial_shape": [64, 64, 64],
                "dtype": "float32", "value_range": [0, 1], "is_patch_data": false, "channel_def": {"0": "image"}
              }
            },
            "outputs": {
              "pred": {
                "type": "image", "format": "hounsfield", "modality": "CT", "num_channels": 1, "spatial_shape": [64, 64, 64],
                "dtype": "float32", "value_range": [0, 1], "is_patch_data": false, "channel_def": {"0": "image"}
              }
            }
          }
        }

        """;

    private const string Inference = """
        {
          "imports": ["$import torch"],
          "bundle_root": ".",
          "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
          "checkpoint": "$@bundle_root + '/models/model.pt'",
          "network_def": {
            "_target_": "monai.networks.nets.AutoencoderKL",
            "spatial_dims": 3,
            "in_channels": 1,
            "out_channels": 1,
            "channels": [8, 16],
            "num_res_blocks": 1,
            "latent_channels": 4,
            "norm_num_groups": 8,
            "attention_levels": [false, false],
            "with_encoder_nonlocal_attn": false,
            "with_decoder_nonlocal_attn": false
          },
          "network": "$@network_def.to(@device)",
          "run": ["$print(@network)"]
        }

        """;
}
