// NVIDIA reports the Dice of VISTA-3D on generated images against the masks that they were given (MAISI, arXiv:2409.11169).
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>How well images show the masks that they were generated from: a segmentation network finds the structures again.</summary>
public static class ConsistencyEvaluator
{
    /// <summary>What a reader must know.</summary>
    public static IReadOnlyList<string> Notes { get; } =
    [
        "The network errs too: its Dice on real cases that it was not trained on is the most that can be expected here. Score it on such cases with the same command, and compare.",
    ];

    /// <summary>Segments each image and compares with its mask.</summary>
    /// <param name="network">Trained on real cases.</param>
    /// <param name="pairs">Name, image and mask.</param>
    /// <param name="labels">Classes; null for all that the network finds.</param>
    /// <param name="options">What is measured; null for the defaults.</param>
    /// <param name="progress">Hears after every case.</param>
    /// <param name="cancellation">Checked before every case.</param>
    /// <exception cref="MaisiException">A class that the network does not find, or a pair that cannot be compared.</exception>
    public static IReadOnlyList<CaseScores> Run(
        SegmentationNetwork network, IReadOnlyList<(string Name, string Image, string Mask)> pairs, IReadOnlyList<int>? labels = null, SegmentationOptions? options = null,
        IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var unknown = labels?.Except(network.Settings.Labels).ToArray() ?? [];
        if (unknown.Length > 0)
            throw new MaisiException($"the network does not find label {string.Join(", ", unknown)}", "--labels", $"it finds {string.Join(", ", network.Settings.Labels)}");
        return SegmentationEvaluator.Run(pairs, file =>
        {
            var image = VolumeFile.Read(file);
            ImageMetrics.RequireNumbers(image, "the image");
            return network.Segment(image, cancellation);
        }, labels ?? network.Settings.Labels, options, progress, cancellation);
    }
}
