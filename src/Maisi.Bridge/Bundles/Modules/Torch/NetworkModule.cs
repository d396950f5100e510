using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>MONAI's networks and schedulers as targets, and the functions on them that bundles use.</summary>
internal static class NetworkModule
{
    private static readonly (string Path, Func<Type> Config)[] Networks =
    [
        ("monai.apps.generation.maisi.networks.autoencoderkl_maisi.AutoencoderKlMaisi", () => typeof(AutoencoderKlMaisiConfig)),
        ("monai.apps.generation.maisi.networks.diffusion_model_unet_maisi.DiffusionModelUNetMaisi", () => typeof(DiffusionModelUNetMaisiConfig)),
        ("monai.apps.generation.maisi.networks.controlnet_maisi.ControlNetMaisi", () => typeof(ControlNetMaisiConfig)),
        ("monai.networks.nets.autoencoderkl.AutoencoderKL", () => typeof(AutoencoderKlConfig)),
        ("monai.networks.nets.diffusion_model_unet.DiffusionModelUNet", () => typeof(DiffusionModelUNetConfig)),
        ("monai.networks.nets.controlnet.ControlNet", () => typeof(ControlNetConfig)),
        ("monai.networks.nets.patchgan_discriminator.PatchDiscriminator", () => typeof(PatchDiscriminatorConfig)),
        ("monai.networks.nets.patchgan_discriminator.MultiScalePatchDiscriminator", () => typeof(MultiScalePatchDiscriminatorConfig)),
        ("monai.networks.nets.segresnet.SegResNet", () => typeof(SegResNetConfig)),
        ("monai.networks.nets.segresnet_ds.SegResNetDS", () => typeof(SegResNetDSConfig)),
    ];

    private static readonly string[] Schedulers =
    [
        "monai.networks.schedulers.ddpm.DDPMScheduler",
        "monai.networks.schedulers.ddim.DDIMScheduler",
        "monai.networks.schedulers.pndm.PNDMScheduler",
        "monai.networks.schedulers.rectified_flow.RFlowScheduler",
    ];

    /// <summary>Adds them.</summary>
    public static void Add(TargetRegistryBuilder builder)
    {
        foreach (var (path, config) in Networks)
            builder.AddTarget(path, () => new DefinitionTarget(path, static d => NetworkFactory.Create(d), config()));
        foreach (var path in Schedulers)
            builder.AddTarget(path, () => new DefinitionTarget(path, static d => SchedulerFactory.Create(d)));
        builder
            .AddFunction("monai.networks.utils.copy_model_state", (_, a) => CopyModelState(a))
            .AddFunction("monai.utils.set_determinism", (_, a) => a.Optional(0, "seed") is { } seed ? TorchFunctions.Seed(Numbers.ToLong(seed)) : null)
            .AddFunction("monai.utils.misc.set_determinism", (_, a) => a.Optional(0, "seed") is { } seed ? TorchFunctions.Seed(Numbers.ToLong(seed)) : null)
            .AddBehaviour(new ModuleBehaviour())
            .AddBehaviour(new ReflectedBehaviour(typeof(Scheduler)));
    }

    private static TupleValue CopyModelState(CallArguments arguments)
    {
        var target = arguments.Required(0, "dst", "copy_model_state") as nn.Module
            ?? throw new BundleException(BundleErrorKind.TypeError, "copy_model_state() copies into a network");
        var source = arguments.Required(1, "src", "copy_model_state") switch
        {
            nn.Module network => network,
            StateDictValue state => state.Network,
            var other => throw new BundleException(BundleErrorKind.TypeError, $"copy_model_state() copies from a network or its state_dict(), not from {PythonTypes.NameOf(other)}"),
        };
        var (copied, unchanged) = StateDictLoader.CopyMatching(target, source);
        return new TupleValue(arguments.Positional[0], new ListValue(copied), new ListValue(unchanged));
    }
}

/// <summary>A class that is built from a MONAI definition.</summary>
/// <param name="path">The Python path.</param>
/// <param name="create">Builds it from a definition with <c>_target_</c>.</param>
/// <param name="configType">The record of its arguments; null when it is not public.</param>
internal sealed class DefinitionTarget(string path, Func<JsonObject, object> create, Type? configType = null) : Callable
{
    /// <summary>The record of its arguments; null when it is not public.</summary>
    public Type? ConfigType => configType;

    /// <inheritdoc/>
    public override string Name => path;

    /// <inheritdoc/>
    public override object? Call(EvaluationContext context, CallArguments arguments)
    {
        if (arguments.Positional.Count > 0)
            throw new BundleException(BundleErrorKind.TypeError, $"{path}() takes keyword arguments only");
        var definition = new JsonObject { ["_target_"] = path };
        foreach (var (name, value) in arguments.Named)
        {
            definition[name] = JsonNode.Parse(JsonText.Write(value, context.Types));
            DefinitionLimits.Check(name, definition[name]);
        }
        if (configType is not null)
            DefinitionLimits.CheckParameters(path, () => (nn.Module)create(definition));
        return create(definition);
    }
}

/// <summary>A network's <c>state_dict()</c>: names of live tensors.</summary>
/// <param name="Network">The network.</param>
internal sealed record StateDictValue(nn.Module Network);

/// <summary>What expressions may do with networks.</summary>
internal sealed class ModuleBehaviour : TypeBehaviour
{
    /// <inheritdoc/>
    public override Type Type => typeof(nn.Module);

    /// <inheritdoc/>
    public override IEnumerable<string> AttributeNames => ["to", "cpu", "cuda", "half", "float", "eval", "train", "state_dict", "load_state_dict", "parameters", "training"];

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        var network = (nn.Module)self;
        value = name switch
        {
            "to" => Method(name, (_, a) => a.Positional.Concat(a.Named.Values).Aggregate(network, Move)),
            "cpu" => Method(name, (_, _) => network.cpu()),
            "cuda" => Method(name, (_, _) => network.cuda()),
            "half" => Method(name, (_, _) => network.half()),
            "float" => Method(name, (_, _) => network.@float()),
            "eval" => Method(name, (_, _) => Do(network, network.eval)),
            "train" => Method(name, (c, a) => Do(network, () => network.train(PythonTypes.IsTrue(a.Optional(0, "mode", true), c)))),
            "state_dict" => Method(name, (_, _) => new StateDictValue(network)),
            "load_state_dict" => Method(name, (_, a) => LoadStateDict(network, a.Required(0, "state_dict", name))),
            "parameters" => Method(name, (_, _) => new ListValue(network.parameters())),
            "training" => network.training,
            _ => null,
        };
        return value is not null;
    }

    /// <inheritdoc/>
    public override bool TryCall(object self, EvaluationContext context, CallArguments arguments, out object? result)
    {
        result = (self, arguments.Positional) switch
        {
            (nn.Module<Tensor, Tensor> layer, [Tensor x]) => layer.call(x),
            (nn.Module<Tensor, Tensor, Tensor> loss, [Tensor x, Tensor target]) => loss.call(x, target),
            _ => null,
        };
        return result is not null;
    }

    /// <inheritdoc/>
    public override string Repr(object self) => self.GetType().Name;

    // Loading is strict whatever the config says: a missing key is a broken model, not an option.
    private static string LoadStateDict(nn.Module network, object? state)
    {
        if (state is StateDictValue live)
        {
            StateDictLoader.CopyMatching(network, live.Network);
            return "<All keys matched successfully>";
        }
        if (state is not DictValue dict || dict.Any(p => p.Key is not string || p.Value is not StoredTensor))
            throw new BundleException(BundleErrorKind.TypeError, "load_state_dict() needs the weights of a checkpoint", hint: "take them with torch.load(path)['state_dict'] or the like");
        var report = StateDictLoader.Load(network, dict.ToDictionary(p => (string)p.Key!, p => (StoredTensor)p.Value!, StringComparer.Ordinal));
        return report.Notes.Count == 0 ? "<All keys matched successfully>" : string.Join("; ", report.Notes);
    }

    private static nn.Module Move(nn.Module network, object? target) => target switch
    {
        DTypeValue type => network.to(TorchFunctions.TypeOf(type)),
        DeviceValue or string or long => network.to(device(DeviceValue.Of(target).Text)),
        _ => network,
    };

    private static nn.Module Do(nn.Module network, Action action)
    {
        action();
        return network;
    }

    private static NativeFunction Method(string name, Func<EvaluationContext, CallArguments, object?> body) => new($"Module.{name}", body);
}
