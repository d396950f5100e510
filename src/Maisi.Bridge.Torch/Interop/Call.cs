using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace TorchSharp;

/// <summary>
/// Builds one boxed operator call on the stack: arguments in schema order, then one of the Run methods.
/// Nothing is allocated but the wrapper of the result. Arguments left out at the end take the schema's defaults.
/// </summary>
/// <remarks>The lists point into this struct, so it must stay where it was made: use it in one expression and never copy it.</remarks>
internal unsafe ref struct Call
{
    private const int ScratchLength = 48;
    private const int MaxArguments = 20;
    private readonly Op _op;
    private int _count;
    private int _scratch;
    private int _kept;
    private Values _values;
    private Numbers _numbers;
    private Objects _objects;

    [SkipLocalsInit]
    public Call(Op op)
    {
        Unsafe.SkipInit(out this);
        _op = op;
        _count = _scratch = _kept = 0;
        _objects = default;
    }

    /// <summary>A tensor, or None.</summary>
    [UnscopedRef]
    public ref Call T(torch.Tensor? tensor)
    {
        if (tensor is null)
            return ref N();
        Keep(tensor);
        return ref Put(ValueTag.Tensor, tensor.Handle);
    }

    /// <summary>An integer.</summary>
    [UnscopedRef]
    public ref Call I(long value) => ref Put(ValueTag.Int, (nint)value);

    /// <summary>An integer, or None.</summary>
    [UnscopedRef]
    public ref Call I(long? value)
    {
        if (value is null)
            return ref N();
        return ref I(value.Value);
    }

    /// <summary>A floating-point number.</summary>
    [UnscopedRef]
    public ref Call F(double value) => ref Put(ValueTag.Double, (nint)BitConverter.DoubleToInt64Bits(value));

    /// <summary>A floating-point number, or None.</summary>
    [UnscopedRef]
    public ref Call F(double? value)
    {
        if (value is null)
            return ref N();
        return ref F(value.Value);
    }

    /// <summary>A truth value.</summary>
    [UnscopedRef]
    public ref Call B(bool value) => ref Put(ValueTag.Bool, value ? 1 : 0);

    /// <summary>None.</summary>
    [UnscopedRef]
    public ref Call N() => ref Put(ValueTag.None, 0);

    /// <summary>The schema's default for this argument.</summary>
    [UnscopedRef]
    public ref Call Default() => ref Put(ValueTag.Default, 0);

    /// <summary>A number of any kind.</summary>
    [UnscopedRef]
    public ref Call S(Scalar value)
    {
        _values[_count].Imaginary = value.Imaginary;
        return ref Put(value.Tag, value.Payload);
    }

    /// <summary>A number of any kind, or None.</summary>
    [UnscopedRef]
    public ref Call S(Scalar? value)
    {
        if (value is null)
            return ref N();
        return ref S(value.Value);
    }

    /// <summary>A dtype, or None.</summary>
    [UnscopedRef]
    public ref Call Dt(torch.ScalarType? type)
    {
        if (type is null)
            return ref N();
        return ref I((long)type.Value);
    }

    /// <summary>A device, or None.</summary>
    [UnscopedRef]
    public ref Call Dev(torch.Device? device)
    {
        if (device is null)
            return ref N();
        return ref Put(ValueTag.Device, (int)device.type, device.index);
    }

    /// <summary>A generator, or None.</summary>
    [UnscopedRef]
    public ref Call G(torch.Generator? generator)
    {
        if (generator is null)
            return ref N();
        Keep(generator);
        return ref Put(ValueTag.Generator, generator.Handle);
    }

    /// <summary>A list of integers.</summary>
    [UnscopedRef]
    public ref Call L(scoped ReadOnlySpan<long> values)
    {
        var target = Scratch(values.Length);
        for (var i = 0; i < values.Length; i++)
            target[i] = values[i];
        return ref Put(ValueTag.Ints, (nint)target, values.Length);
    }

    /// <summary>A list of integers, or None.</summary>
    [UnscopedRef]
    public ref Call LOrNone(long[]? values)
    {
        if (values is null)
            return ref N();
        return ref L(values);
    }

    /// <summary>A list of floating-point numbers, or None.</summary>
    [UnscopedRef]
    public ref Call Fs(double[]? values)
    {
        if (values is null)
            return ref N();
        var target = Scratch(values.Length);
        for (var i = 0; i < values.Length; i++)
            target[i] = BitConverter.DoubleToInt64Bits(values[i]);
        return ref Put(ValueTag.Doubles, (nint)target, values.Length);
    }

    /// <summary>A list of tensors; null entries are allowed where the schema has optional ones.</summary>
    [UnscopedRef]
    public ref Call Ts(scoped ReadOnlySpan<torch.Tensor?> tensors)
    {
        var target = Scratch(tensors.Length);
        for (var i = 0; i < tensors.Length; i++)
            target[i] = tensors[i]?.Handle ?? 0;
        // The caller's span may be the only thing that keeps short-lived tensors alive.
        Keep(tensors.ToArray());
        return ref Put(ValueTag.Tensors, (nint)target, tensors.Length);
    }

    /// <summary>A text, or None.</summary>
    [UnscopedRef]
    public ref Call Str(string? text)
    {
        if (text is null)
            return ref N();
        var length = Encoding.UTF8.GetByteCount(text);
        var target = (byte*)Scratch((length + 7) / 8);
        Encoding.UTF8.GetBytes(text, new Span<byte>(target, length));
        return ref Put(ValueTag.String, (nint)target, length);
    }

    /// <summary>Calls; one tensor comes back.</summary>
    public torch.Tensor Run()
    {
        Value result;
        Invoke(&result, 1);
        return new torch.Tensor(result.Payload);
    }

    /// <summary>Calls an in-place operator and gives <paramref name="self"/> back.</summary>
    public torch.Tensor RunInPlace(torch.Tensor self)
    {
        Value result;
        Invoke(&result, 1);
        if (result.Tag == ValueTag.Tensor)
            Native.mt_tensor_free(result.Payload);
        return self;
    }

    /// <summary>Calls an operator without a result.</summary>
    public void RunVoid() => Invoke(null, 0);

    /// <summary>Calls; two tensors come back.</summary>
    public (torch.Tensor First, torch.Tensor Second) RunPair()
    {
        var results = stackalloc Value[2];
        Invoke(results, 2);
        return (new(results[0].Payload), new(results[1].Payload));
    }

    /// <summary>Calls; three tensors come back.</summary>
    public (torch.Tensor First, torch.Tensor Second, torch.Tensor Third) RunTriple()
    {
        var results = stackalloc Value[3];
        Invoke(results, 3);
        return (new(results[0].Payload), new(results[1].Payload), new(results[2].Payload));
    }

    /// <summary>Calls; a list of tensors comes back.</summary>
    public torch.Tensor[] RunList()
    {
        Value result;
        Invoke(&result, 1);
        var handles = (nint*)result.Payload;
        var tensors = new torch.Tensor[result.Count];
        for (var i = 0; i < tensors.Length; i++)
            tensors[i] = new(handles[i]);
        Native.mt_free(handles);
        return tensors;
    }

    /// <summary>Calls; a number comes back.</summary>
    public Scalar RunScalar()
    {
        Value result;
        Invoke(&result, 1);
        return Scalar.From(result);
    }

    /// <summary>Calls; a truth value comes back.</summary>
    public bool RunBool()
    {
        Value result;
        Invoke(&result, 1);
        return result.Payload != 0;
    }

    private void Invoke(Value* results, int count)
    {
        var status = Native.mt_op_call(_op.Handle, (Value*)Unsafe.AsPointer(ref _values[0]), _count, results, count);
        for (var i = 0; i < _kept; i++)
            GC.KeepAlive(_objects[i]);
        Native.Check(status);
    }

    [UnscopedRef]
    private ref Call Put(ValueTag tag, nint payload, int count = 0)
    {
        if (_count == MaxArguments)
            throw new ArgumentException($"{_op}: too many arguments");
        ref var value = ref _values[_count++];
        value.Tag = tag;
        value.Count = count;
        value.Payload = payload;
        return ref this;
    }

    private long* Scratch(int length)
    {
        if (_scratch + length <= ScratchLength)
        {
            var inside = (long*)Unsafe.AsPointer(ref _numbers[_scratch]);
            _scratch += length;
            return inside;
        }
        var outside = GC.AllocateUninitializedArray<long>(length, pinned: true);
        Keep(outside);
        return (long*)Unsafe.AsPointer(ref outside[0]);
    }

    private void Keep(object value) => _objects[_kept++] = value;

    [InlineArray(MaxArguments)]
    private struct Values
    {
        private Value _first;
    }

    [InlineArray(ScratchLength)]
    private struct Numbers
    {
        private long _first;
    }

    [InlineArray(12)]
    private struct Objects
    {
        private object? _first;
    }
}
