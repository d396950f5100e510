namespace Maisi.Bridge.Bundles;

/// <summary>How a config is read and resolved.</summary>
public sealed record ConfigParserOptions
{
    /// <summary>The targets and modules that the config may name.</summary>
    public required TargetRegistry Registry { get; init; }

    /// <summary>Where relative file names start; MONAI uses the current directory.</summary>
    public string WorkingDirectory { get; init; } = Environment.CurrentDirectory;

    /// <summary>Where <c>print</c> writes.</summary>
    public TextWriter Output { get; init; } = TextWriter.Null;

    /// <summary>Stops long work that an expression does, such as a training.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Receives warnings.</summary>
    public Action<string> Warn { get; init; } = static _ => { };

    /// <summary>Takes what native code does not cover; null: that is an error.</summary>
    public IPythonEvaluator? Python { get; init; }

    /// <summary>A duplicate key is an error (MONAI_FAIL_ON_DUPLICATE_CONFIG=1).</summary>
    public bool FailOnDuplicate { get; init; } = Environment.GetEnvironmentVariable("MONAI_FAIL_ON_DUPLICATE_CONFIG") == "1";

    /// <summary>A missing reference is left as text (MONAI_ALLOW_MISSING_REFERENCE=1).</summary>
    public bool AllowMissingReference { get; init; } = Environment.GetEnvironmentVariable("MONAI_ALLOW_MISSING_REFERENCE") == "1";

    /// <summary>False: <c>$</c> expressions give their text (MONAI_EVAL_EXPR=0).</summary>
    public bool EvaluateExpressions { get; init; } = Environment.GetEnvironmentVariable("MONAI_EVAL_EXPR") is not "0";

    /// <summary>Further folders from which <c>%</c> macros may read, and in which expressions may make folders.</summary>
    public IReadOnlyList<string> AllowedFolders { get; init; } = [];
}
