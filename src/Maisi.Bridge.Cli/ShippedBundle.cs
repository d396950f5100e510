namespace Maisi.Bridge.Cli;

/// <summary>Bundles that come with the program.</summary>
internal static class ShippedBundle
{
    /// <summary>The folder of a bundle with weights in <c>bundles/</c> of the program's folder or of one above it; null when there is none.</summary>
    public static string? Find(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var bundle = Path.Combine(folder.FullName, "bundles", name);
            if (Directory.Exists(Path.Combine(bundle, "models")))
                return bundle;
        }
        return null;
    }
}
