using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// Moves and deforms the tumour of a mask inside its organ, or zooms a mask without tumour by up to one percent, so that one mask gives
/// many. One rule per organ, the first that applies: bone lesion, liver, lung, pancreas, colon, brain, body.
/// Source: NV-Generate-CTMR scripts/augmentation.py. Outside the picture counts as tissue there when closing, so a tumour that touches the
/// border may grow along it; <c>parity</c> keeps that and the sum of label values as the size of brain tumours.
/// </summary>
public static class MaskAugmentation
{
    private const int MaxTries = 1000;

    private static readonly double[] _tilt = [Math.PI / 36, Math.PI / 36, Math.PI / 36];

    private static readonly int[] _brain = [401, 402, 403];

    /// <summary>What happens to one kind of tumour.</summary>
    /// <param name="Label">The tumour.</param>
    /// <param name="Fill">What takes its old place; null asks the neighbourhood (lung).</param>
    /// <param name="Deform">Makes the random change.</param>
    /// <param name="Organ">Where the tumour may be.</param>
    /// <param name="Closes">Close the organ first.</param>
    /// <param name="Threshold">Least part of the old size, by attempt; null ends the attempts with the tumour where it was.</param>
    private sealed record Rule(int Label, int? Fill, Func<RandomTransform> Deform, Func<int, bool> Organ, bool Closes, Func<int, double?> Threshold);

    private static readonly Rule[] _rules =
    [
        new(128, LabelVocabulary.Body, () => new RandAffine(1, [0, 0, 0.1], [5, 5, 0], [0.15, 0.15, 0], Interpolation.Nearest),
            v => v is >= 33 and <= 56 or >= 63 and <= 97 or 127 or 114, false, n => n < 40 ? 0.8 : 0.75),
        new(26, 1, () => Elastic(10, _tilt, 0.2), v => v == 1, true, _ => 0.8),
        new(23, null, () => Elastic(20, [Math.PI / 36, Math.PI / 36, Math.PI], 0.15), v => v is >= 28 and <= 32, true, _ => 0.85),
        new(24, 4, () => Elastic(15, _tilt, 0.1), v => v == 4, true, _ => 0.8),
        new(27, 62, () => Elastic(5, _tilt, 0.1), v => v == 62, true, n => n < 20 ? 0.8 : null),
    ];

    /// <summary>The augmented mask.</summary>
    /// <param name="mask">MAISI labels.</param>
    /// <param name="seed">Seed of the sample.</param>
    /// <param name="parity">Keep upstream's quirks.</param>
    /// <exception cref="MaisiException">The tumour lies outside its organ, so that no deformation of it fits.</exception>
    public static Volume Augment(this Volume mask, ulong seed, bool parity = false)
    {
        var labels = mask.CountLabels();
        if (_rules.FirstOrDefault(r => labels.ContainsKey(r.Label)) is { } rule)
            return Move(mask, rule, seed, parity);
        if (_brain.Any(labels.ContainsKey))
            return MoveBrainTumour(mask, seed, parity);
        using var scope = NewDisposeScope();
        var zoom = new RandZoom(1, 0.99, 1.01, InterpolationMode.Nearest);
        zoom.SetRandomState(seed);
        return zoom.Apply(mask.ToTensor()).ToVolume().WithAffine(mask.Affine).ConvertTo<int>().Narrow();
    }

    private static Rand3DElastic Elastic(double shift, double[] rotate, double scale) =>
        new(1, (5, 8), (100, 200), rotate, [shift, shift, shift], [scale, scale, scale], Interpolation.Nearest);

    private static Volume Move(Volume mask, Rule rule, ulong seed, bool parity)
    {
        var result = mask.ConvertTo<int>().Clone();
        var tumour = BinaryMask.Of(result, rule.Label);
        tumour.Mark(result, rule.Fill ?? TumourRemoval.Commonest(result, tumour.Dilate(3, outside: true).Without(tumour))
            ?? throw new MaisiException("the lung tumour touches no lobe of the lung", hint: "the mask needs lung lobes (28 to 32) round label 23"));
        var organ = BinaryMask.Where<int>(result, rule.Organ);
        organ = rule.Label == 128 ? organ.Or(tumour) : organ;
        if (rule.Closes)
            organ = Close(organ, parity);
        var deform = rule.Deform();
        deform.SetRandomState(seed);
        for (var attempt = 0; attempt < MaxTries; attempt++)
        {
            if (rule.Threshold(attempt) is not { } threshold)
            {
                // Upstream then takes the old place where it lies in the organ, if three quarters of it do.
                var kept = tumour.And(organ);
                (kept.Count >= tumour.Count * 0.75 ? Close(kept, parity) : tumour).Mark(result, rule.Label);
                return result.Narrow();
            }
            var moved = Deform(tumour, result, deform).And(organ);
            if (moved.Count < tumour.Count * threshold)
                continue;
            Close(moved, parity).Mark(result, rule.Label);
            return result.Narrow();
        }
        throw new MaisiException($"no deformation of tumour {rule.Label} fits into its organ after {MaxTries} tries", hint: "check that the tumour lies inside its organ in the mask");
    }

    private static Volume MoveBrainTumour(Volume mask, ulong seed, bool parity)
    {
        var result = mask.ConvertTo<int>().Clone();
        var organ = Close(BinaryMask.Where<int>(result, v => v > 0), parity);
        var tumour = BinaryMask.Of(result, _brain);
        var deform = Elastic(3, [Math.PI / 90, Math.PI / 90, Math.PI / 90], 0.2);
        deform.SetRandomState(seed);
        using var scope = NewDisposeScope();
        var alone = result.Clone();
        tumour.Not().Mark(alone, 0);
        var source = alone.ToTensor();
        for (var attempt = 0; attempt <= MaxTries; attempt++)
        {
            using var step = NewDisposeScope();
            var moved = deform.Apply(source).ToVolume().ConvertTo<int>();
            organ.Not().Mark(moved, 0);
            // Upstream adds up label values (401 to 403) and compares them with the number of voxels.
            var size = parity ? Sum(moved) : BinaryMask.Where<int>(moved, v => v > 0).Count;
            if (size < tumour.Count * 0.8)
                continue;
            var kinds = moved.CountLabels().Keys.Where(k => k != 0).ToArray();
            if (kinds.Length == 1)
                Close(BinaryMask.Where<int>(moved, v => v > 0), parity).Mark(moved, kinds[0]);
            tumour.Mark(result, 22);
            foreach (var kind in kinds)
                BinaryMask.Of(moved, kind).Mark(result, kind);
            return result.Narrow();
        }
        throw new MaisiException($"no deformation of the brain tumour fits after {MaxTries} tries", hint: "check that the tumour lies inside the head in the mask");
    }

    private static BinaryMask Deform(BinaryMask tumour, Volume grid, RandomTransform deform)
    {
        using var scope = NewDisposeScope();
        return BinaryMask.Where<float>(deform.Apply(tumour.ToVolume(grid.Grid).ToTensor()).ToVolume(), v => v > 0.5f);
    }

    private static BinaryMask Close(BinaryMask mask, bool parity) => mask.Dilate(5, outside: parity).Erode(5, outside: true);

    private static long Sum(Volume labels)
    {
        var sum = 0L;
        foreach (var v in labels.Voxels<int>())
            sum += v;
        return sum;
    }
}
