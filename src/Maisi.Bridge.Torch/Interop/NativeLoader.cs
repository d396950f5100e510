using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace TorchSharp;

/// <summary>Finds and loads the shim, and turns the dynamic linker's complaints into explained errors.</summary>
internal static unsafe partial class NativeLoader
{
    public const string LibraryName = "maisi_torch";

    /// <summary>The file name of the shim.</summary>
    public const string FileName = "libmaisi_torch.so";

    /// <summary>Names a shim to use in place of the one beside the program, for example one built for another libtorch.</summary>
    public const string PathVariable = "MAISI_TORCH_SHIM";

    private static readonly Lazy<nint> Handle = new(LoadShim);

    /// <summary>The shim that was loaded.</summary>
    public static string Path { get; private set; } = "";

    /// <summary>
    /// Has the shim loaded at the first native call. A failure then comes out of that call, and of every later one, as a
    /// <see cref="LibtorchLoadException"/>; thrown in a type initializer it would be wrapped.
    /// </summary>
    public static void Install() => NativeLibrary.SetDllImportResolver(typeof(NativeLoader).Assembly,
        (name, _, _) => string.Equals(name, LibraryName, StringComparison.Ordinal) ? Handle.Value : 0);

    private static nint LoadShim()
    {
        Path = Locate();
        var handle = Open(Path);
        CheckInterface(handle);
        return handle;
    }

    private static string Locate()
    {
        var named = Environment.GetEnvironmentVariable(PathVariable);
        if (!string.IsNullOrEmpty(named))
            return File.Exists(named) ? named : throw Missing($"{PathVariable} names {named}, which does not exist.");
        string[] folders = [AppContext.BaseDirectory, System.IO.Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location) ?? ""];
        foreach (var folder in folders)
        {
            var candidate = System.IO.Path.Combine(folder, FileName);
            if (File.Exists(candidate))
                return candidate;
        }
        throw Missing($"{FileName} is not in {AppContext.BaseDirectory}");
    }

    private static LibtorchLoadException Missing(string what) =>
        new(LibtorchLoadFailure.ShimMissing, $"{what}\nBuild the project again ('dotnet build' makes it when a libtorch is found), or set {PathVariable} to its path.");

    private static nint Open(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (DllNotFoundException first)
        {
            // Built against a libtorch that lies elsewhere on this machine: load one that is here, then the shim finds it by its name.
            foreach (var folder in LibtorchFolders())
            {
                if (!Preload(folder))
                    continue;
                try
                {
                    return NativeLibrary.Load(path);
                }
                catch (DllNotFoundException second)
                {
                    throw Explain(path, second, folder);
                }
            }
            throw Explain(path, first, null);
        }
    }

    private static IEnumerable<string> LibtorchFolders()
    {
        if (Environment.GetEnvironmentVariable("LIBTORCH") is { Length: > 0 } root)
        {
            yield return System.IO.Path.Combine(root, "lib");
            yield return root;
        }
        foreach (var prefix in new[] { "/usr/lib/python3", "/usr/local/lib/python3" })
        {
            var parent = System.IO.Path.GetDirectoryName(prefix)!;
            if (!Directory.Exists(parent))
                continue;
            foreach (var python in Directory.EnumerateDirectories(parent, "python3*").Order(StringComparer.Ordinal))
                yield return System.IO.Path.Combine(python, "dist-packages", "torch", "lib");
        }
        yield return "/opt/libtorch/lib";
        yield return "/usr/local/libtorch/lib";
        yield return $"/usr/lib/{(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64")}-linux-gnu";
    }

    private static bool Preload(string folder)
    {
        var core = System.IO.Path.Combine(folder, "libtorch_cpu.so");
        if (!File.Exists(core))
            return false;
        foreach (var name in new[] { "libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so" })
        {
            var file = System.IO.Path.Combine(folder, name);
            if (File.Exists(file) && !NativeLibrary.TryLoad(file, out _))
                return false;
        }
        return true;
    }

    private static LibtorchLoadException Explain(string path, Exception error, string? tried)
    {
        var text = error.Message;
        var where = tried is null ? "" : $" The libtorch in {tried} was tried.";
        if (MissingLibrary().Match(text) is { Success: true } missing && !missing.Groups[1].Value.Contains(FileName, StringComparison.Ordinal))
        {
            var library = missing.Groups[1].Value;
            var versioned = library.StartsWith("libtorch", StringComparison.Ordinal) && tried is not null;
            return new(
                versioned ? LibtorchLoadFailure.WrongVersion : LibtorchLoadFailure.LibraryMissing,
                $"{path} needs {library}, which is not on this machine.{where}\n" +
                "Set LIBTORCH to the folder of the libtorch it was built with, or build the project again here so that it fits the libtorch found.",
                error);
        }
        if (MissingSymbol().Match(text) is { Success: true } symbol)
            return new(LibtorchLoadFailure.UnresolvedSymbol,
                $"{path} does not fit the libtorch that was loaded: the symbol {symbol.Groups[1].Value} is missing.{where}\n" +
                "Build the project again, so that the library is made for the libtorch of this machine.",
                error);
        return new(LibtorchLoadFailure.Other, $"{path} did not load: {text}{where}", error);
    }

    private static void CheckInterface(nint handle)
    {
        var found = NativeLibrary.TryGetExport(handle, "mt_abi_version", out var export) ? ((delegate* unmanaged<int>)export)() : 0;
        if (found != Native.AbiVersion)
            throw new LibtorchLoadException(LibtorchLoadFailure.WrongInterface,
                $"{Path} has interface version {found}, this program needs {Native.AbiVersion}.\nBuild the project again, or remove the old file.");
    }

    [GeneratedRegex(@"([\w.+-]+\.so[\w.]*): cannot open shared object file", RegexOptions.None, 1000)]
    private static partial Regex MissingLibrary();

    [GeneratedRegex(@"undefined symbol: (\w+)", RegexOptions.None, 1000)]
    private static partial Regex MissingSymbol();
}
