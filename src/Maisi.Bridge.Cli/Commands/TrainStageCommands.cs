using System.CommandLine;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Cli.Commands;

/// <summary>
/// <c>maisi train vae|latents|diffusion|controlnet|...</c>: a bundle's train config with the data named by options, which is what
/// <c>maisi bundle run</c> does with overrides.
/// </summary>
internal static class TrainStageCommands
{
    /// <summary>The commands.</summary>
    public static IEnumerable<Command> All() =>
    [
        Stage("vae", "Trains the autoencoder, against a discriminator.", "autoencoder_train", "run"),
        Stage("latents", "Encodes the images that a diffusion UNet learns from.", "diffusion_unet_train", "create_latents"),
        Stage("diffusion", "Trains the diffusion UNet on latents.", "diffusion_unet_train", "run"),
        Stage("controlnet", "Trains the ControlNet, the diffusion UNet frozen.", "controlnet_train", "run"),
        Stage("mask-vae", "Trains the autoencoder of label maps.", "mask_autoencoder_train", "run"),
        Stage("mask-diffusion", "Trains the UNet that samples label maps under ten anatomy sizes.", "mask_diffusion_train", "run"),
    ];

    private static Command Stage(string name, string description, string section, string method)
    {
        var config = new Option<string[]>("--config", "-c")
        {
            Description = "Train config of a bundle, and files that are merged over it, such as NV-Generate's.", Required = true, AllowMultipleArgumentsPerToken = true,
        };
        var datalist = new Option<string?>("--datalist", "-d") { Description = "JSON with a list \"training\"; the config's json_data_list when left out." };
        var root = new Option<string?>("--data-root") { Description = "Folder of the datalist's paths; the config's data_base_dir when left out." };
        var models = new Option<string?>("--models", "-m") { Description = "Folder of the checkpoints; the config's model_dir when left out." };
        var set = new Option<string[]>("--set") { Description = "ID=VALUE sets any value of the config, for instance autoencoder_train::lr=1e-5.", AllowMultipleArgumentsPerToken = true };
        var resume = new Option<bool>("--resume") { Description = "Goes on with the unfinished training; the result is that of an uninterrupted run." };
        var command = new Command(name, description) { config, datalist, root, models, set, resume };
        // Off the main thread, or signals that stop the program would be heard only when the work is done.
        command.SetAction((parse, cancellation) => Task.Run(() =>
        {
            var overrides = new Dictionary<string, object?>(StringComparer.Ordinal) { ["run"] = new ListValue([$"$@trainer.{method}()"]) };
            Add("json_data_list", parse.GetValue(datalist));
            Add("data_base_dir", parse.GetValue(root));
            Add("model_dir", parse.GetValue(models));
            foreach (var pair in parse.GetValue(set) ?? [])
            {
                var at = pair.IndexOf('=', StringComparison.Ordinal);
                if (at < 1)
                    throw new MaisiException($"--set has '{pair}', which is not ID=VALUE.", "--set", "For instance --set diffusion_unet_train::n_epochs=50.");
                overrides[pair[..at]] = CommandLiteral.Parse(pair[(at + 1)..]);
            }
            if (parse.GetValue(resume))
                overrides[$"{section}::resume"] = true;
            var options = new ConfigParserOptions
            {
                Registry = TargetRegistryBuilder.Standard(),
                Output = Console.Out,
                Warn = message => Console.Error.WriteLine($"warning: {message}"),
                Cancellation = cancellation,
            };
            new BundleWorkflow(options, parse.GetRequiredValue(config), [], overrides).Run(cancellation: cancellation);
            return CommandRunner.Ok;

            void Add(string id, string? path)
            {
                if (path is not null)
                    overrides[id] = Path.GetFullPath(path);
            }
        }, cancellation));
        return command;
    }
}
