using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maisi.Bridge.Networks;

/// <summary>An integer for every resolution level of a network: one number for all of them, or a list with one number each.</summary>
[JsonConverter(typeof(IntPerLevelConverter))]
public sealed class IntPerLevel
{
    private readonly IReadOnlyList<int> _values;
    private readonly bool _isScalar;

    private IntPerLevel(IReadOnlyList<int> values, bool isScalar) => (_values, _isScalar) = (values, isScalar);

    /// <summary>The same number at every level.</summary>
    public static implicit operator IntPerLevel(int value) => new([value], isScalar: true);

    /// <summary>One number per level.</summary>
    public static implicit operator IntPerLevel(int[] values) => new(values, isScalar: false);

    /// <summary>The numbers for <paramref name="levels"/> levels.</summary>
    /// <param name="levels">How many levels the network has.</param>
    /// <param name="argument">The argument's name, for the error.</param>
    /// <exception cref="DefinitionException">A list of another length.</exception>
    public IReadOnlyList<int> For(int levels, string argument)
    {
        if (_isScalar)
            return Enumerable.Repeat(_values[0], levels).ToArray();
        if (_values.Count != levels)
            throw new DefinitionException($"{argument} has {_values.Count} entries, but the network has {levels} levels", argument, $"give one number, or {levels} of them");
        return _values;
    }

    private sealed class IntPerLevelConverter : JsonConverter<IntPerLevel>
    {
        public override IntPerLevel Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Number ? reader.GetInt32() : JsonSerializer.Deserialize<int[]>(ref reader, options)!;

        public override void Write(Utf8JsonWriter writer, IntPerLevel value, JsonSerializerOptions options)
        {
            if (value._isScalar)
                writer.WriteNumberValue(value._values[0]);
            else
                JsonSerializer.Serialize(writer, value._values, options);
        }
    }
}
