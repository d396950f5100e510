using Maisi.Bridge.Volumes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>Sample volumes as pictures of a training report.</summary>
internal static class ReportPictures
{
    private const int PanelSize = 160;

    /// <summary>Three planes of a volume [1, 1, X, Y, Z] with values in [0, 1].</summary>
    /// <param name="caption">What it is.</param>
    /// <param name="volume">The volume.</param>
    /// <param name="spacing">Millimetres along x, y, z.</param>
    public static ReportPicture Of(string caption, Tensor volume, IReadOnlyList<double> spacing)
    {
        using var scope = NewDisposeScope();
        var image = new VolumeTensor(volume.detach()[0].to(ScalarType.Float32), Affine.Diagonal(spacing[0], spacing[1], spacing[2])).ToVolume();
        return new ReportPicture(caption, PreviewSheet.Draw(image, new PreviewOptions { PanelSize = PanelSize, Window = new IntensityWindow(0, 1) }));
    }
}
