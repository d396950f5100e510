using System.Reflection;
using System.Runtime.InteropServices;
using Maisi.Bridge.Runtime;

namespace Maisi.Bridge;

/// <summary>Versions that a manifest records.</summary>
public static class ProgramInfo
{
    /// <summary>Name and version, for instance "Maisi.Bridge 0.1.0".</summary>
    public static string NameAndVersion { get; } =
        $"Maisi.Bridge {typeof(ProgramInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0]}";

    /// <summary>libtorch, .NET, operating system and processor.</summary>
    public static IReadOnlyDictionary<string, string> Versions() => new Dictionary<string, string>
    {
        ["libtorch"] = TensorRuntime.Info().Version,
        ["dotnet"] = Environment.Version.ToString(),
        ["os"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
        ["threads"] = TensorRuntime.Info().Threads.ToString(),
    };
}
