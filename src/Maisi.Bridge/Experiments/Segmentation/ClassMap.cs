using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Experiments;

/// <summary>A class of an experiment.</summary>
public sealed record ExperimentClass
{
    /// <summary>Its name in tables.</summary>
    public required string Name { get; init; }

    /// <summary>Codes in label maps that are this class.</summary>
    public required int[] Labels { get; init; }
}

/// <summary>Label maps as classes: 0 is background, then 1 to the number of classes.</summary>
internal static class ClassMap
{
    /// <summary>Reads a label map; codes of no class become background.</summary>
    /// <exception cref="MaisiException">The file is broken.</exception>
    public static Volume Read(string file, IReadOnlyList<ExperimentClass> classes)
    {
        var labels = VolumeFile.Read(file).ConvertTo<int>();
        var code = new Dictionary<int, byte>();
        for (var i = 0; i < classes.Count; i++)
            foreach (var label in classes[i].Labels)
                code[label] = (byte)(i + 1);
        var source = labels.Voxels<int>();
        var target = new byte[source.Length];
        for (var i = 0; i < target.Length; i++)
            if (source[i] != 0)
                target[i] = code.GetValueOrDefault(source[i]);
        return Volume.Wrap<byte>(target, labels.Grid);
    }

    /// <summary>For each class, background first, the class that it is in a mirror.</summary>
    public static byte[] Mirror(IReadOnlyList<ExperimentClass> classes)
    {
        var names = classes.Select((c, i) => (c.Name, Code: i + 1)).ToDictionary(c => c.Name, c => c.Code, StringComparer.OrdinalIgnoreCase);
        return Training.TrainingCase.MirrorPartners(names)[..(classes.Count + 1)];
    }
}
