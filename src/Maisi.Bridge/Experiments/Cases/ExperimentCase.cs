namespace Maisi.Bridge.Experiments;

/// <summary>An image with its label map, whose it is, and what it may be used for.</summary>
public sealed record ExperimentCase
{
    /// <summary>Its id, unique in the experiment.</summary>
    public required string CaseId { get; init; }

    /// <summary>The patient; for a synthetic case its own id.</summary>
    public required string PatientId { get; init; }

    /// <summary>Full path of the image.</summary>
    public required string Image { get; init; }

    /// <summary>Full path of the label map.</summary>
    public required string Label { get; init; }

    /// <summary>Whether a generator made it.</summary>
    public bool Synthetic { get; set; }

    /// <summary>Whether it is only tested on.</summary>
    public bool Test { get; set; }

    /// <summary>Whether it is trained on in every fold and validated in none: a subject of the generator's own training, for instance.</summary>
    public bool TrainOnly { get; set; }

    /// <summary>The fold that it is validated in; null for test cases, synthetic cases and those that are only trained on.</summary>
    public int? Fold { get; set; }

    /// <summary>Patients that a synthetic case was made from.</summary>
    public IReadOnlyList<string> Parents { get; set; } = [];

    /// <summary>SHA-256 of the label map that a synthetic case was made from, where its list names it.</summary>
    public string? ParentSha256 { get; set; }

    /// <summary>Where it is listed: file and line, or a path.</summary>
    public required string Where { get; init; }
}

/// <summary>A wrong list of cases, or a leak between training, validation and test.</summary>
public sealed class ExperimentException(string message, string where, string? hint = null) : MaisiException(message, where, hint);
