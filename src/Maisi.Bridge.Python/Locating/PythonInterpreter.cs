namespace Maisi.Bridge.Python;

/// <summary>One interpreter with all that is needed to host it, and to say why it was chosen.</summary>
/// <param name="Locator">The locator that found it: explicit, MAISI_PYTHON, venv, project, conda, included, system.</param>
/// <param name="Executable">The python executable as found; inside a venv this is the venv's, not the one it links to.</param>
/// <param name="Version">Python's version.</param>
/// <param name="LibPython">The shared library that a host opens.</param>
/// <param name="Prefix"><c>sys.prefix</c>: the venv, or the installation.</param>
/// <param name="BasePrefix"><c>sys.base_prefix</c>: the installation that a venv was made from.</param>
/// <param name="Paths"><c>sys.path</c>, without the working folder.</param>
/// <param name="Modules">Modules that were asked for, with their versions ("" when a module does not say); missing ones are absent.</param>
/// <param name="Torch">Its PyTorch; null when there is none.</param>
public sealed record PythonInterpreter(
    string Locator,
    string Executable,
    Version Version,
    string LibPython,
    string Prefix,
    string BasePrefix,
    IReadOnlyList<string> Paths,
    IReadOnlyDictionary<string, string> Modules,
    PythonTorch? Torch)
{
    /// <summary>Whether it is a virtual environment.</summary>
    public bool IsVirtual => Prefix != BasePrefix;
}

/// <summary>PyTorch as an interpreter would import it, read without importing it.</summary>
/// <param name="Version">For example 2.6.0+cu124.</param>
/// <param name="Cuda">The CUDA version that it was built for; null for CPU builds.</param>
/// <param name="LibTorch">The real path of its libtorch_cpu, links resolved; null when the package has none.</param>
public sealed record PythonTorch(string Version, string? Cuda, string? LibTorch);

/// <summary>A candidate that did not serve.</summary>
/// <param name="Locator">The locator that proposed it.</param>
/// <param name="Executable">The candidate.</param>
/// <param name="Reason">Why it was passed over.</param>
public sealed record PythonRejection(string Locator, string Executable, string Reason);
