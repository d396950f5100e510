// monai/networks/nets/autoencoderkl.py and monai/apps/generation/maisi/networks/autoencoderkl_maisi.py (MONAI 1.5).
namespace Maisi.Bridge.Networks;

/// <summary>MONAI's KL autoencoder. Shapes: see <see cref="AutoencoderKlBase"/>.</summary>
public sealed class AutoencoderKL : AutoencoderKlBase
{
    /// <param name="config">The arguments of the definition.</param>
    /// <exception cref="DefinitionException">Arguments that contradict each other.</exception>
    public AutoencoderKL(AutoencoderKlConfig config)
        : this(config, config.Shape())
    {
    }

    private AutoencoderKL(AutoencoderKlConfig config, AutoencoderShape shape)
        : base(nameof(AutoencoderKL), Checked(shape), new PlainParts(shape), config.UseCheckpoint)
    {
    }

    private static AutoencoderShape Checked(AutoencoderShape shape)
    {
        Validate.Autoencoder(shape, "channels");
        return shape;
    }
}

/// <summary>MAISI's KL autoencoder, for volumes. Shapes: see <see cref="AutoencoderKlBase"/>.</summary>
public sealed class AutoencoderKlMaisi : AutoencoderKlBase
{
    /// <param name="config">The arguments of the definition.</param>
    /// <exception cref="DefinitionException">Arguments that contradict each other.</exception>
    public AutoencoderKlMaisi(AutoencoderKlMaisiConfig config)
        : this(config, config.Shape())
    {
    }

    private AutoencoderKlMaisi(AutoencoderKlMaisiConfig config, AutoencoderShape shape)
        : base(nameof(AutoencoderKlMaisi), Checked(shape), new MaisiParts(shape), config.UseCheckpointing)
    {
    }

    private static AutoencoderShape Checked(AutoencoderShape shape)
    {
        Validate.Autoencoder(shape, "num_channels");
        if (shape.SpatialDims != 3)
            throw new DefinitionException($"spatial_dims is {shape.SpatialDims}, but MAISI's autoencoder works on 3 (its norm expects 5 dimensions)", "spatial_dims", "use AutoencoderKL for 2D");
        return shape;
    }
}
