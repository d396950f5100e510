using Maisi.Bridge.Python;
using Maisi.Bridge.Volumes;
using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Cli.Commands;

/// <summary>Images from files and from folders of DICOM; the Python that DICOM needs is started only for those.</summary>
internal static class DicomAccess
{
    /// <summary>Reads an image file, or the DICOM series of a folder; warnings of the series go to stderr.</summary>
    public static async Task<Volume> ReadAsync(string path, string? series, CancellationToken token)
    {
        if (!Directory.Exists(path))
            return VolumeFile.Read(path);
        var read = await UseAsync(dicom => dicom.ReadAsync(path, series, token: token));
        Warn(read.Info);
        return read.Volume;
    }

    /// <summary>Size and place of an image file or of the DICOM series of a folder.</summary>
    public static async Task<VolumeInfo> ReadInfoAsync(string path, CancellationToken token)
    {
        if (!Directory.Exists(path))
            return VolumeFile.ReadInfo(path);
        var info = await UseAsync(dicom => dicom.InspectAsync(path, token: token));
        Warn(info);
        return info.ToVolumeInfo();
    }

    /// <summary>Runs work that needs DICOM.</summary>
    public static async Task<T> UseAsync<T>(Func<DicomFiles, Task<T>> work)
    {
        var options = new PythonOptions { LogLevel = LogLevel.Error };
        foreach (var module in DicomFiles.Modules)
            options.Modules.Add(module);
        using var loggers = StandardErrorLogs.Factory(LogLevel.Warning);
        await using var python = new PythonRuntime(options, loggers, TimeProvider.System);
        return await work(new DicomFiles(python, TimeProvider.System));
    }

    private static void Warn(DicomSeriesInfo info)
    {
        foreach (var warning in info.Warnings)
            Console.Error.WriteLine($"warning: {warning}");
    }
}
