using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Training;

/// <summary>
/// The sizes that steer a mask model: for each structure its rank among the training cases, from 0 (smallest) to 1 (largest), -1 where it is
/// absent. The structures are labels that the config names, or MAISI's ten where labels are MAISI's.
/// </summary>
internal sealed class MaskSizes
{
    private readonly IReadOnlyList<(string Name, int Label)> _structures;
    private readonly IReadOnlyDictionary<int, double>[] _all;
    private readonly VolumeGrid _grid;
    private readonly bool _measures;

    /// <param name="labels">Names of labels; null: MAISI's ten.</param>
    /// <param name="data">Grid and codes.</param>
    /// <param name="cases">The cases among which the ranks are.</param>
    /// <exception cref="MaisiException">A name is no label.</exception>
    public MaskSizes(IReadOnlyList<string>? labels, DataOptions data, IReadOnlyList<TrainingCase> cases)
    {
        _structures = labels is null ? AnatomyMeasurement.MaisiStructures : [.. labels.Select(name => (name, Code(name, data)))];
        // Codes that are not MAISI's say nothing of MAISI's structures.
        _measures = labels is not null || LabelVocabulary.Load("maisi").Holds(data.Labels);
        _grid = new VolumeGrid(data.Size[0], data.Size[1], data.Size[2], Affine.Diagonal(data.Spacing[0], data.Spacing[1], data.Spacing[2]));
        _all = _measures ? [.. cases.Select(c => AnatomyMeasurement.Millilitres(VolumeOf(c)))] : [];
    }

    /// <summary>How many sizes there are.</summary>
    public int Count => _structures.Count;

    /// <summary>The sizes of a view of a case.</summary>
    public float[] Of(TrainingCase view) => _measures
        ? [.. AnatomyMeasurement.Measure(VolumeOf(view), _all, _structures).Select(m => (float)(m.Rank ?? -1))]
        : [.. Enumerable.Repeat(-1f, Count)];

    private Volume VolumeOf(TrainingCase item) => Volume.FromArray<byte>(item.Labels, _grid);

    private static int Code(string name, DataOptions data) => data.Labels.TryGetValue(name, out var code) ? code
        : throw new MaisiException($"'{name}' is no label, so its size cannot steer the mask model.", "mask_model.size_labels", $"Labels are {string.Join(", ", data.Labels.Keys)}.");
}
