using static TorchSharp.torch;

namespace Maisi.Bridge.Checkpoints;

/// <summary>The element types of the two checkpoint formats under their names in each.</summary>
internal static class ElementTypes
{
    private static readonly (ScalarType Type, int Size, string Safetensors, string Storage, string DType)[] All =
    [
        (ScalarType.Float32, 4, "F32", "FloatStorage", "float32"),
        (ScalarType.Float64, 8, "F64", "DoubleStorage", "float64"),
        (ScalarType.Float16, 2, "F16", "HalfStorage", "float16"),
        (ScalarType.BFloat16, 2, "BF16", "BFloat16Storage", "bfloat16"),
        (ScalarType.Int64, 8, "I64", "LongStorage", "int64"),
        (ScalarType.Int32, 4, "I32", "IntStorage", "int32"),
        (ScalarType.Int16, 2, "I16", "ShortStorage", "int16"),
        (ScalarType.Int8, 1, "I8", "CharStorage", "int8"),
        (ScalarType.Byte, 1, "U8", "ByteStorage", "uint8"),
        (ScalarType.Bool, 1, "BOOL", "BoolStorage", "bool"),
    ];

    /// <summary>PyTorch's dtype names, without their module.</summary>
    public static IEnumerable<string> DTypeNames => All.Select(e => e.DType);

    public static int Size(ScalarType type) => All.First(e => e.Type == type).Size;

    public static bool IsSupported(ScalarType type) => All.Any(e => e.Type == type);

    public static string SafetensorsName(ScalarType type) => All.First(e => e.Type == type).Safetensors;

    public static string StorageName(ScalarType type) => All.First(e => e.Type == type).Storage;

    public static string DTypeName(ScalarType type) => All.First(e => e.Type == type).DType;

    public static ScalarType? FromSafetensors(string name) => Find(e => e.Safetensors == name);

    public static ScalarType? FromStorage(string name) => Find(e => e.Storage == name);

    private static ScalarType? Find(Func<(ScalarType Type, int Size, string Safetensors, string Storage, string DType), bool> match)
    {
        foreach (var element in All)
            if (match(element))
                return element.Type;
        return null;
    }
}
