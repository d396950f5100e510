namespace TorchSharp;

/// <summary>The name of a field's module, parameter or buffer in the state dict, where it is not the field's own.</summary>
[AttributeUsage(AttributeTargets.Field)]
public sealed class ComponentNameAttribute : Attribute
{
    public string Name { get; set; } = "";
}
