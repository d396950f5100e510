using Maisi.Bridge.Bundles.Modules;

namespace Maisi.Bridge.Bundles;

/// <summary>The modules that every registry has.</summary>
internal static class StandardModules
{
    /// <summary>Adds math, os, pathlib, glob, json, collections, functools, itertools, numpy and the empty monai and torch.</summary>
    public static TargetRegistryBuilder AddStandard(this TargetRegistryBuilder builder)
    {
        MathModule.Add(builder);
        FileModules.Add(builder);
        JsonModule.Add(builder);
        CollectionsModule.Add(builder);
        NumpyModule.Add(builder);
        builder.AddModule("monai").AddModule("torch");
        return builder;
    }
}
