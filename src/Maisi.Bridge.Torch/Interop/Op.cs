using System.Text;

namespace TorchSharp;

/// <summary>
/// An aten operator. Its handle is looked up at the first call, so an operator that this libtorch lacks
/// costs nothing until it is used, and then it is an error that names it.
/// </summary>
internal sealed unsafe class Op(string name, string overload = "")
{
    private nint _handle;

    /// <summary>The name without the aten namespace.</summary>
    public string Name { get; } = name;

    /// <summary>The overload, empty for the default one.</summary>
    public string Overload { get; } = overload;

    /// <summary>The resolved operator.</summary>
    /// <exception cref="TorchException">This libtorch has no such operator.</exception>
    public nint Handle => _handle != 0 ? _handle : Resolve();

    /// <summary>Whether this libtorch has it.</summary>
    public bool Exists => _handle != 0 || Find() != 0;

    /// <summary>The schema of the loaded libtorch.</summary>
    public string Schema => Native.Text(Native.mt_op_schema(Handle));

    public override string ToString() => Overload.Length > 0 ? $"aten::{Name}.{Overload}" : $"aten::{Name}";

    private nint Resolve()
    {
        var found = Find();
        return found != 0 ? _handle = found : throw TorchException.Last();
    }

    private nint Find()
    {
        fixed (byte* name = Encoding.UTF8.GetBytes($"aten::{Name}\0"))
        fixed (byte* overload = Encoding.UTF8.GetBytes($"{Overload}\0"))
            return Native.mt_op_find(name, overload);
    }
}
