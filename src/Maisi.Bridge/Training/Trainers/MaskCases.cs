using Maisi.Bridge.Generation;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// Label maps as the mask model sees them: MAISI's codes become the classes of its output, and a class its eight bit planes. Which codes
/// the published encoder saw is not known; that it sees classes is a choice of this project.
/// </summary>
/// <param name="remap">name: [class, label], as label_dict_124_to_132.json has it.</param>
/// <param name="stride">What the network can halve.</param>
internal sealed class MaskCases(IReadOnlyDictionary<string, int[]> remap, int stride)
{
    private const int Codes = 1024;
    private readonly short[] _classes = Classes(remap);

    /// <summary>The classes of a label map in RAS: [1, 1, X, Y, Z] as int64.</summary>
    /// <exception cref="MaisiException">A code is unknown, or a size cannot be halved often enough.</exception>
    public Tensor Read(string path)
    {
        using var scope = NewDisposeScope();
        var labels = new Orientation("RAS").Apply(VolumeFile.Read(path).ToTensor(ScalarType.Int32));
        if (labels.Size.Any(n => n % stride != 0))
            throw new MaisiException($"The label map has {string.Join('×', labels.Size)} voxels, but every extent must be a multiple of {stride}.", path, "Resample or pad it: maisi mask prepare.");
        var codes = labels.Data.contiguous().data<int>().ToArray();
        var classes = new long[codes.Length];
        for (var i = 0; i < codes.Length; i++)
        {
            classes[i] = codes[i] is >= 0 and < Codes ? _classes[codes[i]] : -1;
            if (classes[i] < 0)
                throw new MaisiException($"The label map has code {codes[i]}, which the mask model does not know.", path, "Bring it to MAISI's labels: maisi mask prepare.");
        }
        return tensor(classes, [1, 1, labels.Size[0], labels.Size[1], labels.Size[2]]).DetachFromDisposeScope();
    }

    /// <summary>
    /// The ten sizes of every case: those of its record, else its rank among the cases with that structure, from 0 to 1, −1 where it is absent.
    /// </summary>
    public static IReadOnlyList<float[]> Sizes(IReadOnlyList<TrainingRecord> records)
    {
        var volumes = new Lazy<IReadOnlyDictionary<int, double>[]>(() => [.. records.Select(r => AnatomyMeasurement.Millilitres(VolumeFile.Read(r.Label ?? r.Image)))]);
        return [.. records.Select(r => r.OrganSize is { Length: 10 } given ? given
            : [.. AnatomyMeasurement.Measure(VolumeFile.Read(r.Label ?? r.Image), volumes.Value).Select(m => (float)(m.Rank ?? -1))])];
    }

    private static short[] Classes(IReadOnlyDictionary<string, int[]> remap)
    {
        var classes = Enumerable.Repeat((short)-1, Codes).ToArray();
        foreach (var (name, pair) in remap)
        {
            if (pair is not [>= 0 and < 256, >= 0 and < Codes])
                throw new MaisiException($"'{name}' is not [class, label].", "label_remap", "Take configs/label_dict_124_to_132.json.");
            classes[pair[1]] = (short)pair[0];
        }
        return classes;
    }
}
