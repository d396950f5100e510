using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Maisi.Bridge.Training;

/// <summary>The networks that make label maps of their own, and how long they are trained.</summary>
public sealed record MaskModelOptions
{
    /// <summary>MONAI definition of the mask autoencoder: 8 input channels, an output channel per class, background included.</summary>
    public required JsonObject AutoencoderDef { get; init; }

    /// <summary>MONAI definition of the mask UNet (DiffusionModelUNet with cross-attention of 10 numbers).</summary>
    public required JsonObject DiffusionDef { get; init; }

    /// <summary>MONAI definition of its scheduler.</summary>
    public required JsonObject NoiseScheduler { get; init; }

    /// <summary>Training of the mask autoencoder, on whole label maps.</summary>
    public required MaskAutoencoderTrainOptions AutoencoderTrain { get; init; }

    /// <summary>Training of the mask UNet.</summary>
    public required StageTrainOptions DiffusionTrain { get; init; }

    /// <summary>
    /// Labels whose sizes steer the mask UNet, as many as its cross_attention_dim; null: MAISI's ten structures where labels are MAISI's,
    /// otherwise nothing does.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string[]? SizeLabels { get; set; }

    /// <summary>Denoising steps that the bundle recommends for a label map; those of DDPM are all.</summary>
    public int NumInferenceSteps { get; set; } = 30;
}

/// <summary>Training of a mask autoencoder.</summary>
public sealed record MaskAutoencoderTrainOptions : StageTrainOptions
{
    /// <summary>Weight of the Kullback-Leibler term, which is a sum over voxels.</summary>
    public double KlWeight { get; set; } = 1e-7;
}
