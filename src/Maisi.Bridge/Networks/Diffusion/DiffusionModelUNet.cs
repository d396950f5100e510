// monai/networks/nets/diffusion_model_unet.py (MONAI 1.5); Rombach et al., arXiv:2112.10752; Pinaya et al., arXiv:2209.07162.
namespace Maisi.Bridge.Networks;

/// <summary>MONAI's diffusion UNet, with cross-attention on request. Shapes: see <see cref="DiffusionUNet"/>.</summary>
public sealed class DiffusionModelUNet : DiffusionUNet
{
    /// <param name="config">The arguments of the definition.</param>
    /// <exception cref="DefinitionException">Arguments that contradict each other.</exception>
    public DiffusionModelUNet(DiffusionModelUNetConfig config)
        : base(nameof(DiffusionModelUNet), Checked(config), config.OutChannels, topRegion: false, bottomRegion: false, spacing: false, residualReachesMiddle: false)
    {
    }

    private static DiffusionShape Checked(DiffusionModelUNetConfig config)
    {
        var shape = config.Shape();
        Validate.Diffusion(shape, "channels", config.DropoutCattn);
        return shape;
    }
}

/// <summary>
/// MAISI's diffusion UNet, which also takes body regions and voxel spacing, each embedded and appended to the time embedding.
/// Source: monai/apps/generation/maisi/networks/diffusion_model_unet_maisi.py. Shapes: see <see cref="DiffusionUNet"/>.
/// </summary>
public sealed class DiffusionModelUNetMaisi : DiffusionUNet
{
    /// <param name="config">The arguments of the definition.</param>
    /// <exception cref="DefinitionException">Arguments that contradict each other.</exception>
    public DiffusionModelUNetMaisi(DiffusionModelUNetMaisiConfig config)
        : base(
            nameof(DiffusionModelUNetMaisi), Checked(config), config.OutChannels, config.IncludeTopRegionIndexInput, config.IncludeBottomRegionIndexInput,
            config.IncludeSpacingInput, residualReachesMiddle: true)
    {
    }

    private static DiffusionShape Checked(DiffusionModelUNetMaisiConfig config)
    {
        var shape = config.Shape();
        Validate.Diffusion(shape, "num_channels", config.DropoutCattn);
        return shape;
    }
}
