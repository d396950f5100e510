namespace Maisi.Bridge.Volumes;

/// <summary>A DICOM series as a volume.</summary>
/// <param name="Volume">Rescaled values (HU for CT): int16, int32 when they do not fit, float32 when the rescaling is not whole.</param>
/// <param name="Info">What the headers say.</param>
public sealed record DicomSeries(Volume Volume, DicomSeriesInfo Info);

/// <summary>What the headers of a series say.</summary>
/// <param name="Uid">Series instance UID.</param>
/// <param name="Modality">"CT", "MR", ...</param>
/// <param name="Description">Series description.</param>
/// <param name="Grid">Size and place; x along the rows, y along the columns, z along the normal.</param>
/// <param name="StoredType">Type of the stored pixels.</param>
/// <param name="Slope">Factor on the pixels of the first slice.</param>
/// <param name="Intercept">Added after the factor.</param>
/// <param name="Warnings">A tilted gantry, files that were passed over, a thickness that stands in for a spacing.</param>
public sealed record DicomSeriesInfo(
    string Uid, string Modality, string Description, VolumeGrid Grid, VoxelType StoredType, double Slope, double Intercept, IReadOnlyList<string> Warnings)
{
    /// <summary>The same in the form of image files.</summary>
    public VolumeInfo ToVolumeInfo() => new($"DICOM {Modality}", StoredType, VoxelType.Int16, Grid, 1, Slope, Intercept, BigEndian: false, "slice positions", Description);
}

/// <summary>Texts of DICOM objects that are written.</summary>
public sealed record DicomDescription
{
    /// <summary>Patient ID.</summary>
    public string PatientId { get; init; } = "MAISI";

    /// <summary>Patient name, family name first, parts separated by ^.</summary>
    public string PatientName { get; init; } = "MAISI^BRIDGE";

    /// <summary>Study description.</summary>
    public string Study { get; init; } = "Maisi.Bridge";

    /// <summary>Series description.</summary>
    public string Series { get; init; } = "";

    /// <summary>Marks the object as synthetic data (0008,001C).</summary>
    public bool IsSynthetic { get; init; }

    /// <summary>AUTOMATIC, SEMIAUTOMATIC or MANUAL: how segments were made.</summary>
    public string AlgorithmType { get; init; } = "AUTOMATIC";

    /// <summary>What made the segments.</summary>
    public string Algorithm { get; init; } = "Maisi.Bridge";
}

/// <summary>DICOM that cannot be read or written as asked.</summary>
public sealed class DicomException : MaisiException
{
    /// <inheritdoc cref="MaisiException(string, string?, string?, Exception?)"/>
    public DicomException(string message, string? where = null, string? hint = null, Exception? inner = null)
        : base(message, where, hint, inner)
    {
    }
}
