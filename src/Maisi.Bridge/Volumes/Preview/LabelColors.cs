namespace Maisi.Bridge.Volumes;

/// <summary>Colours of labels that no vocabulary names: the golden angle round the colour wheel keeps neighbours apart.</summary>
public static class LabelColors
{
    /// <summary>The same colour for the same label, always.</summary>
    public static Rgb For(int label)
    {
        var hue = label * 137.50776405 % 360;
        var (saturation, value) = (0.55 + 0.15 * (label % 4), 1.0 - 0.12 * (label / 4 % 4));
        byte Channel(double offset)
        {
            var k = (offset + hue / 60) % 6;
            return (byte)Math.Round(255 * (value - value * saturation * Math.Max(0, Math.Min(Math.Min(k, 4 - k), 1))));
        }
        return new(Channel(5), Channel(3), Channel(1));
    }
}
