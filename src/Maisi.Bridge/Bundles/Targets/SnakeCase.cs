using System.Text;

namespace Maisi.Bridge.Bundles;

/// <summary>Names of Python and of C#.</summary>
internal static class SnakeCase
{
    /// <summary><c>numTrainTimesteps</c> as <c>num_train_timesteps</c>.</summary>
    public static string From(string name)
    {
        var text = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            var startsWord = char.IsUpper(name[i]) && i > 0 && name[i - 1] != '_' && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            text.Append(startsWord ? "_" : "").Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }

    /// <summary>True when a Python name and a C# name are the same word.</summary>
    public static bool Matches(string python, string csharp)
    {
        int i = 0, j = 0;
        while (true)
        {
            while (i < python.Length && python[i] == '_')
                i++;
            while (j < csharp.Length && csharp[j] == '_')
                j++;
            if (i == python.Length || j == csharp.Length)
                return i == python.Length && j == csharp.Length;
            if (char.ToLowerInvariant(python[i++]) != char.ToLowerInvariant(csharp[j++]))
                return false;
        }
    }
}
