using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>A column of a table.</summary>
/// <param name="Key">Name in JSON and CSV.</param>
/// <param name="Title">Heading for people.</param>
/// <param name="Format">.NET format of its numbers, for people.</param>
public sealed record ReportColumn(string Key, string Title, string Format = "0.000");

/// <summary>A table of an evaluation.</summary>
/// <param name="Key">Name in JSON and of the CSV file.</param>
/// <param name="Title">Heading for people.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Rows">A string, a whole number, a double (NaN: not defined) or null per column.</param>
public sealed record ReportTable(string Key, string Title, IReadOnlyList<ReportColumn> Columns, IReadOnlyList<IReadOnlyList<object?>> Rows)
{
    /// <summary>False for a long table that a terminal need not show.</summary>
    public bool OnTerminal { get; init; } = true;

    /// <summary>False for data that only programs read: it is in JSON and CSV alone.</summary>
    public bool OnPage { get; init; } = true;

    /// <summary>How to read it, in a sentence or two.</summary>
    public string? Explanation { get; init; }
}

/// <summary>A drawing of an evaluation.</summary>
/// <param name="Caption">What it shows.</param>
/// <param name="Svg">The drawing.</param>
public sealed record ReportFigure(string Caption, string Svg);

/// <summary>A picture of an evaluation, also written as a PNG file.</summary>
/// <param name="Name">File name without ending.</param>
/// <param name="Caption">What it shows.</param>
/// <param name="Picture">The pixels.</param>
public sealed record ReportPicture(string Name, string Caption, Raster Picture);

/// <summary>Everything that an evaluation found, in a form that terminal, JSON, CSV and HTML share.</summary>
public sealed record EvaluationReport
{
    /// <summary>Kind of the evaluation: segmentation, image, fid, consistency or memorisation.</summary>
    public required string Kind { get; init; }

    /// <summary>Heading.</summary>
    public required string Title { get; init; }

    /// <summary>What the numbers depend on: data, networks, options.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Facts { get; init; }

    /// <summary>The tables, the most important first.</summary>
    public required IReadOnlyList<ReportTable> Tables { get; init; }

    /// <summary>Drawings.</summary>
    public IReadOnlyList<ReportFigure> Figures { get; init; } = [];

    /// <summary>Pictures.</summary>
    public IReadOnlyList<ReportPicture> Pictures { get; init; } = [];

    /// <summary>What a reader must know to not misread the numbers.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
