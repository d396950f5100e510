// The numbers of monai/losses/dice.py (DiceCELoss) and monai/losses/ds_loss.py (DeepSupervisionLoss), MONAI 1.5, as Auto3DSeg's segresnet uses
// them; Milletari et al., "V-Net", arXiv:1606.04797.
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Experiments;

/// <summary>1 − soft Dice of squared probabilities, background included, plus cross-entropy; a sum over the supervised scales.</summary>
internal static class DiceCrossEntropy
{
    private const double Smooth = 1e-5, LeastWeight = 0.0625;

    /// <summary>The loss of all scales, each coarser one with half the weight.</summary>
    /// <param name="logits">[B, C, x, y, z] at each scale, finest first.</param>
    /// <param name="classes">Class numbers [B, X, Y, Z], int64.</param>
    public static Tensor Supervised(IReadOnlyList<Tensor> logits, Tensor classes)
    {
        var sum = Loss(logits[0], classes);
        for (var level = 1; level < logits.Count; level++)
            sum = sum + (Loss(logits[level], At(classes, logits[level].shape[2..])) * Math.Max(Math.Pow(0.5, level), LeastWeight));
        return sum;
    }

    /// <summary>The loss of one scale.</summary>
    /// <param name="logits">[B, C, X, Y, Z].</param>
    /// <param name="classes">Class numbers [B, X, Y, Z], int64.</param>
    public static Tensor Loss(Tensor logits, Tensor classes)
    {
        logits = logits.to(ScalarType.Float32);
        var truth = zeros_like(logits).scatter_(1, classes.unsqueeze(1), 1);
        var probabilities = logits.softmax(1);
        long[] space = [2, 3, 4];
        var overlap = (probabilities * truth).sum(space);
        var total = probabilities.pow(2).sum(space) + truth.sum(space);
        var dice = 1 - (overlap * 2 / (total + Smooth));
        return dice.mean() + nn.functional.cross_entropy(logits, classes);
    }

    // The voxel whose centre is nearest to that of the coarse one.
    private static Tensor At(Tensor classes, long[] size)
    {
        for (var axis = 0; axis < 3; axis++)
        {
            var extent = classes.shape[axis + 1];
            if (extent == size[axis])
                continue;
            var (target, from) = (size[axis], extent);
            var nearest = Enumerable.Range(0, (int)target).Select(i => (long)((i + 0.5) * from / target)).ToArray();
            classes = classes.index_select(axis + 1, tensor(nearest, device: classes.device));
        }
        return classes;
    }
}
