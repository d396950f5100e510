using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>A <c>torch.device</c>; only its text, so that naming a device loads no library.</summary>
/// <param name="Text">"cpu", "cuda" or "cuda:1".</param>
internal sealed record DeviceValue(string Text)
{
    /// <summary>The kind without the index.</summary>
    public string Kind => Text.Split(':')[0];

    /// <summary>A device of a text or an index.</summary>
    public static DeviceValue Of(object? value) => value switch
    {
        DeviceValue device => device,
        long index => new DeviceValue($"cuda:{index}"),
        string text when text.Split(':') is [("cpu" or "cuda" or "meta") and var kind, .. var rest] && rest.All(r => uint.TryParse(r, out _)) && rest.Length < 2
            => new DeviceValue(rest.Length == 0 ? kind : $"{kind}:{rest[0]}"),
        _ => throw new BundleException(BundleErrorKind.RuntimeError, $"'{value}' is not a device", hint: "one of cpu, cuda, cuda:0"),
    };
}

/// <summary>A dtype such as <c>torch.float16</c>.</summary>
/// <param name="Name">Its name.</param>
internal sealed record DTypeValue(string Name);

/// <summary>
/// The names of <c>torch</c> that bundles use. Everything that needs libtorch is inside a function, so that a config which only names
/// torch does not load it.
/// </summary>
internal static class TorchModule
{
    private static readonly string[] DTypes = ["float16", "float32", "float64", "bfloat16", "uint8", "int8", "int16", "int32", "int64", "bool", "half", "float", "double", "long", "int", "short"];

    /// <summary>Adds the module.</summary>
    public static void Add(TargetRegistryBuilder builder)
    {
        builder
            .AddFunction("torch.device", (_, a) => a.Positional.Count > 1 ? DeviceValue.Of($"{a.Positional[0]}:{a.Positional[1]}") : DeviceValue.Of(a.Required(0, "type", "device")))
            .AddFunction("torch.cuda.is_available", (_, _) => TorchFunctions.IsCudaAvailable())
            .AddFunction("torch.cuda.device_count", (_, _) => TorchFunctions.CudaDeviceCount())
            .AddFunction("torch.load", (c, a) => TorchFunctions.Load(c.Files.Full(FileModules.Text(a.Required(0, "f", "load"), c, "load"))))
            .AddFunction("torch.manual_seed", (_, a) => TorchFunctions.Seed(Numbers.ToLong(a.Required(0, "seed", "manual_seed"))))
            .AddFunction("torch.tensor", (c, a) => TorchFunctions.Tensor(c, a.Required(0, "data", "tensor"), a.Named.GetValueOrDefault("dtype"), a.Named.GetValueOrDefault("device")))
            .AddFunction("torch.as_tensor", (c, a) => TorchFunctions.Tensor(c, a.Required(0, "data", "as_tensor"), a.Named.GetValueOrDefault("dtype"), a.Named.GetValueOrDefault("device")))
            .AddFunction("torch.FloatTensor", (c, a) => TorchFunctions.Tensor(c, a.Required(0, "data", "FloatTensor"), new DTypeValue("float32"), null))
            .AddFunction("torch.LongTensor", (c, a) => TorchFunctions.Tensor(c, a.Required(0, "data", "LongTensor"), new DTypeValue("int64"), null))
            .AddFunction("torch.zeros", (c, a) => TorchFunctions.Fill(c, a, 0))
            .AddFunction("torch.ones", (c, a) => TorchFunctions.Fill(c, a, 1))
            .AddBehaviour(new DeviceBehaviour())
            .AddBehaviour(new DTypeBehaviour())
            .AddBehaviour(new TensorBehaviour())
            .AddBehaviour(new StoredTensorBehaviour());
        foreach (var name in DTypes)
            builder.AddValue($"torch.{name}", () => new DTypeValue(name));
    }
}

/// <summary>What expressions may do with devices.</summary>
internal sealed class DeviceBehaviour : TypeBehaviour
{
    /// <inheritdoc/>
    public override Type Type => typeof(DeviceValue);

    /// <inheritdoc/>
    public override IEnumerable<string> AttributeNames => ["type", "index"];

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        var device = (DeviceValue)self;
        value = name switch
        {
            "type" => device.Kind,
            "index" => device.Text.Contains(':') ? long.Parse(device.Text.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture) : null,
            _ => null,
        };
        return name is "type" or "index";
    }

    /// <inheritdoc/>
    public override bool TryBinary(object self, string op, object? other, bool reflected, out object? result)
    {
        result = op is "==" or "!=" && other is DeviceValue ? self.Equals(other) == (op == "==") : null;
        return result is not null;
    }

    /// <inheritdoc/>
    public override string Repr(object self) => ((DeviceValue)self).Text;

    /// <inheritdoc/>
    public override object? ToPlain(object self) => ((DeviceValue)self).Text;
}

/// <summary>Dtypes are named and passed on.</summary>
internal sealed class DTypeBehaviour : TypeBehaviour
{
    /// <inheritdoc/>
    public override Type Type => typeof(DTypeValue);

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        value = null;
        return false;
    }

    /// <inheritdoc/>
    public override string Repr(object self) => $"torch.{((DTypeValue)self).Name}";

    /// <inheritdoc/>
    public override object? ToPlain(object self) => $"torch.{((DTypeValue)self).Name}";
}
