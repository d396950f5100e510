using System.Numerics;

namespace TorchSharp;

/// <summary>A number of any kind: integer, floating point, truth value or complex.</summary>
public readonly struct Scalar : IEquatable<Scalar>, IDisposable
{
    private Scalar(ValueTag tag, nint payload, double imaginary = 0)
    {
        Tag = tag;
        Payload = payload;
        Imaginary = imaginary;
    }

    internal ValueTag Tag { get; }

    internal nint Payload { get; }

    internal double Imaginary { get; }

    /// <summary>The kind of number.</summary>
    public torch.ScalarType Type => Tag switch
    {
        ValueTag.Int => torch.ScalarType.Int64,
        ValueTag.Bool => torch.ScalarType.Bool,
        ValueTag.Complex => torch.ScalarType.ComplexFloat64,
        _ => torch.ScalarType.Float64,
    };

    public static implicit operator Scalar(byte value) => new(ValueTag.Int, value);

    public static implicit operator Scalar(sbyte value) => new(ValueTag.Int, value);

    public static implicit operator Scalar(short value) => new(ValueTag.Int, value);

    public static implicit operator Scalar(int value) => new(ValueTag.Int, value);

    public static implicit operator Scalar(long value) => new(ValueTag.Int, (nint)value);

    public static implicit operator Scalar(float value) => FromDouble(value);

    public static implicit operator Scalar(double value) => FromDouble(value);

    public static implicit operator Scalar(Half value) => FromDouble((double)value);

    public static implicit operator Scalar(bool value) => new(ValueTag.Bool, value ? 1 : 0);

    public static implicit operator Scalar(Complex value) => new(ValueTag.Complex, (nint)BitConverter.DoubleToInt64Bits(value.Real), value.Imaginary);

    public static bool operator ==(Scalar left, Scalar right) => left.Equals(right);

    public static bool operator !=(Scalar left, Scalar right) => !left.Equals(right);

    /// <summary>The value as a double; a complex number gives its real part.</summary>
    public double ToDouble() => Tag is ValueTag.Double or ValueTag.Complex ? BitConverter.Int64BitsToDouble(Payload) : Payload;

    /// <summary>The value as a float.</summary>
    public float ToSingle() => (float)ToDouble();

    /// <summary>The value as an integer, truncated.</summary>
    public long ToInt64() => Tag is ValueTag.Double or ValueTag.Complex ? (long)ToDouble() : Payload;

    /// <summary>The value as an integer, truncated.</summary>
    public int ToInt32() => checked((int)ToInt64());

    /// <summary>Whether the value is not zero.</summary>
    public bool ToBoolean() => ToDouble() != 0 || Imaginary != 0;

    /// <summary>The value as a complex number.</summary>
    public Complex ToComplex() => new(ToDouble(), Imaginary);

    /// <summary>Nothing to release; TorchSharp's Scalar has it.</summary>
    public void Dispose()
    {
    }

    public bool Equals(Scalar other) => Tag == other.Tag && Payload == other.Payload && Imaginary.Equals(other.Imaginary);

    public override bool Equals(object? obj) => obj is Scalar other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Tag, Payload, Imaginary);

    public override string ToString() => Tag == ValueTag.Complex ? ToComplex().ToString() : Tag == ValueTag.Double ? ToDouble().ToString() : Payload.ToString();

    internal static Scalar From(Value value) => new(value.Tag, value.Payload, value.Imaginary);

    private static Scalar FromDouble(double value) => new(ValueTag.Double, (nint)BitConverter.DoubleToInt64Bits(value));
}
