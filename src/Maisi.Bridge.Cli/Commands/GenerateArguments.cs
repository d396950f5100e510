using System.CommandLine;
using System.Globalization;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Cli.Commands;

/// <summary>Options of every generating command, and what happens when it runs.</summary>
internal sealed class RunArguments
{
    private readonly Option<string> _bundle = new("--bundle", "-b") { Description = "Folder of a bundle with weights.", Required = true };
    private readonly Option<string> _output = new("--output", "-o") { Description = "Folder for images, label maps, previews and manifest.json.", Required = true };
    private readonly Option<ulong> _seed = new("--seed", "-s") { Description = "Seed of the run; equal seeds give equal bytes." };
    private readonly Option<int> _count = new("--count", "-n") { Description = "How many samples to make (of each label map that is given).", DefaultValueFactory = _ => 1 };
    private readonly Option<string?> _decode = new("--decode") { Description = "exact: in slabs, without seams (the default); sliding-window: upstream's blended windows (the default with --parity)." };
    private readonly Option<string?> _memory = new("--memory") { Description = "What decoding may use, for instance 16GB or 900MB; half of the free memory when left out." };
    private readonly Option<string> _device = CommonOptions.Device();
    private readonly Option<bool> _parity = new("--parity") { Description = "As upstream does it, quirks included; docs/generation.md lists them." };
    private readonly Option<bool> _force = new("--force") { Description = "Goes on where upstream only warns." };
    private readonly Option<bool> _resume = new("--resume") { Description = "Keeps the complete samples that lie in the output and makes the others." };
    private readonly Option<string?> _shard = new("--shard") { Description = "The share of the run that is made here, for instance 2/8; the others may run elsewhere." };
    private readonly Option<bool> _json = CommonOptions.Json();
    private readonly Option<bool> _quiet = CommonOptions.Quiet();

    public RunArguments() => _decode.AcceptOnlyFromAmong("exact", "sliding-window");

    public Command AddTo(Command command)
    {
        foreach (var option in new Option[] { _bundle, _output, _seed, _count, _decode, _memory, _device, _parity, _force, _resume, _shard, _json, _quiet })
            command.Options.Add(option);
        return command;
    }

    public GenerationOptions Options(ParseResult parse, PipelineKind kind) => new()
    {
        Kind = kind,
        Seed = parse.GetValue(_seed),
        Count = parse.GetValue(_count),
        Decode = parse.GetValue(_decode) switch { null => null, "exact" => DecodeMode.Exact, _ => DecodeMode.SlidingWindow },
        Memory = parse.GetValue(_memory) is { } amount ? MemorySize.Parse(amount, "--memory") : null,
        Device = parse.GetValue(_device)!,
        Parity = parse.GetValue(_parity),
        Force = parse.GetValue(_force),
    };

    public async Task<int> Execute(ParseResult parse, GenerationOptions options, IReadOnlyList<string> masks, CancellationToken cancellation)
    {
        var folder = parse.GetRequiredValue(_output);
        var run = new SynthesisRun(parse.GetRequiredValue(_bundle), options, folder)
        {
            Masks = masks,
            Resume = parse.GetValue(_resume),
            Shard = parse.GetValue(_shard) is { } share ? Shard.Parse(share) : Shard.Whole,
        };
        // Off this thread, which has to hear of Ctrl-C.
        var manifest = await Task.Run(() => run.Execute(ConsoleProgress.Create(parse.GetValue(_quiet)), cancellation), cancellation);
        if (parse.GetValue(_json))
        {
            Console.Out.WriteLine(manifest.ToJson());
            return CommandRunner.Ok;
        }
        foreach (var sample in manifest.Samples.DistinctBy(s => s.Mask?.Path ?? $"{s.Index}"))
        {
            foreach (var change in sample.MaskChanges)
                Console.Error.WriteLine($"{Path.GetFileName(sample.Mask?.Path) ?? $"sample {sample.Index}"}: {change}");
        }
        foreach (var sample in manifest.Samples.Where(s => s.Attempts.FirstOrDefault(a => a.Kept)?.Passed == false))
            Console.Error.WriteLine($"sample {sample.Index}: the best of {sample.Attempts.Count} attempts lies outside the range of real images; see {SynthesisRun.ManifestName}");
        foreach (var file in manifest.Samples.SelectMany(s => s.Files))
            Console.Out.WriteLine(Path.Combine(folder, file.Path));
        Console.Out.WriteLine(Path.Combine(folder, run.Shard.NameOf(SynthesisRun.ManifestName)));
        return CommandRunner.Ok;
    }
}

/// <summary>Options of commands that make an image.</summary>
internal sealed class ImageArguments
{
    private readonly Option<int?> _steps = new("--steps") { Description = "Denoising steps; the bundle's own number when left out." };
    private readonly Option<double?> _guidance = new("--guidance") { Description = "Classifier-free guidance scale; the bundle's own when left out." };
    private readonly Option<int?> _modality = new("--modality") { Description = "Modality code; must be one that the bundle was trained on." };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _steps, _guidance, _modality })
            command.Options.Add(option);
    }

    public GenerationOptions Apply(ParseResult parse, GenerationOptions options) => options with
    {
        Steps = parse.GetValue(_steps),
        GuidanceScale = parse.GetValue(_guidance),
        Modality = parse.GetValue(_modality),
    };
}

/// <summary>Options of commands that check an image against real ones.</summary>
internal sealed class CheckArguments
{
    private readonly Option<int> _retries = new("--retries") { Description = "How often a sample that fails the quality check is made again; the best is kept.", DefaultValueFactory = _ => 2 };
    private readonly Option<string?> _statistics = new("--statistics") { Description = "HU statistics of real images ('maisi generate statistics'); the bundle's when left out." };

    public void AddTo(Command command)
    {
        command.Options.Add(_retries);
        command.Options.Add(_statistics);
    }

    public GenerationOptions Apply(ParseResult parse, GenerationOptions options) =>
        options with { Retries = parse.GetValue(_retries), Statistics = parse.GetValue(_statistics) };
}

/// <summary>Options of commands that choose the grid themselves.</summary>
internal sealed class GridArguments
{
    private readonly Option<string?> _size = new("--size") { Description = "Voxels x,y,z; the bundle's when left out." };
    private readonly Option<string?> _spacing = new("--spacing") { Description = "Millimetres x,y,z; the bundle's when left out." };

    public void AddTo(Command command)
    {
        command.Options.Add(_size);
        command.Options.Add(_spacing);
    }

    public GenerationOptions Apply(ParseResult parse, GenerationOptions options) => options with
    {
        Size = parse.GetValue(_size) is { } size ? Numbers(size, "--size", text => int.Parse(text, CultureInfo.InvariantCulture)) : null,
        Spacing = parse.GetValue(_spacing) is { } spacing ? Numbers(spacing, "--spacing", text => double.Parse(text, CultureInfo.InvariantCulture)) : null,
    };

    private static T[] Numbers<T>(string text, string option, Func<string, T> parse)
    {
        try
        {
            return [.. text.Split(',', 'x', '×').Select(part => parse(part.Trim()))];
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new MaisiException($"'{text}' is not three numbers.", option, "Give x,y,z, for instance 256,256,128.", e);
        }
    }
}

/// <summary>Options of commands that synthesise label maps.</summary>
internal sealed class SizeArguments(bool canSynthesize)
{
    private readonly Option<string[]> _sizeOf = new("--size-of")
    {
        Description = $"NAME=SIZE, a wanted size from 0 to 1, or -1 for absent; may be repeated. Names: those of the bundle (anatomy_size_names of its config), or MAISI's: {string.Join(", ", InputValidation.ControllableAnatomy)}.",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<bool> _synthesize = new("--synthesize-mask") { Description = "Synthesises the label map also without any --size-of, with the sizes of a patient drawn at random." };
    private readonly Option<int?> _steps = new("--mask-steps") { Description = "Denoising steps of the label map; the bundle's own number when left out." };

    public void AddTo(Command command)
    {
        command.Options.Add(_sizeOf);
        command.Options.Add(_steps);
        if (canSynthesize)
            command.Options.Add(_synthesize);
    }

    public GenerationOptions Apply(ParseResult parse, GenerationOptions options) => options with
    {
        AnatomySizes = [.. (parse.GetValue(_sizeOf) ?? []).Select(Size)],
        SynthesizeMask = canSynthesize && parse.GetValue(_synthesize),
        MaskSteps = parse.GetValue(_steps),
    };

    private static AnatomySize Size(string text)
    {
        var at = text.LastIndexOf('=');
        return at > 0 && double.TryParse(text.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var size)
            ? new AnatomySize(text[..at].Trim(), size)
            : throw new MaisiException($"'{text}' is no size of a structure.", "--size-of", "Give NAME=SIZE, for instance \"lung tumor=0.5\".");
    }
}
