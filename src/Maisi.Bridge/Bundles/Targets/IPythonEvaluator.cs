namespace Maisi.Bridge.Bundles;

/// <summary>
/// Where the parts of a config go that native code does not cover, when the user allows it (<c>--allow-python</c>): a worker process with
/// a Python interpreter. Without one they are errors.
/// </summary>
public interface IPythonEvaluator
{
    /// <summary>Evaluates an expression as MONAI does.</summary>
    /// <param name="expression">The text without the <c>$</c>, with its <c>@id</c> references.</param>
    /// <param name="references">The values of the references by id: null, bool, long, double, string, lists, dicts, or objects that Python made.</param>
    /// <param name="imports">The imports of the config, as Python statements.</param>
    /// <returns>A value of the same kinds; anything else as an object that only Python understands.</returns>
    object? Evaluate(string expression, IReadOnlyDictionary<string, object?> references, IReadOnlyList<string> imports);

    /// <summary>Makes a component.</summary>
    /// <param name="target">The text of <c>_target_</c>.</param>
    /// <param name="mode">The <c>_mode_</c>: default, callable or debug.</param>
    /// <param name="arguments">Its arguments.</param>
    object? Instantiate(string target, string mode, IReadOnlyDictionary<string, object?> arguments);

    /// <summary>Whether a value is or holds an object that only Python understands, so that expressions with it are Python's too.</summary>
    bool Owns(object? value);
}
