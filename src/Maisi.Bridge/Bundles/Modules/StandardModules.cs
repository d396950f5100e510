using Maisi.Bridge.Bundles.Modules;

namespace Maisi.Bridge.Bundles;

/// <summary>The modules that every registry has.</summary>
internal static class StandardModules
{
    /// <summary>Adds math, os, pathlib, glob, json, collections, functools, itertools, numpy, torch, and what MONAI has of networks, schedulers and losses.</summary>
    public static TargetRegistryBuilder AddStandard(this TargetRegistryBuilder builder)
    {
        MathModule.Add(builder);
        FileModules.Add(builder);
        JsonModule.Add(builder);
        CollectionsModule.Add(builder);
        NumpyModule.Add(builder);
        TorchModule.Add(builder);
        NetworkModule.Add(builder);
        TrainingModule.Add(builder);
        MaisiModule.Add(builder);
        TransformModule.Add(builder);
        Training.TrainerModule.Add(builder);
        return builder;
    }
}
