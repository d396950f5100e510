// Format: CPython's Lib/pickletools.py documents every opcode.
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Maisi.Bridge.Checkpoints;

/// <summary>
/// Runs the opcodes of a pickle without running anything else: the names that a pickle may mention are a closed list, and what is
/// "called" are our own few constructors. Memory stays in proportion to the pickle, whatever lengths it claims.
/// </summary>
internal sealed class PickleReader
{
    private const int MaxDigits = 1000;
    private static readonly object Mark = new();
    private readonly ByteWindow _data;
    private readonly string _path;
    private readonly Func<object?, object> _persistent;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];

    /// <param name="region">The bytes of the file that the pickle lies in.</param>
    /// <param name="position">Where it begins.</param>
    /// <param name="persistent">Makes the storage that a persistent id describes.</param>
    public PickleReader(FileRegion region, long position, Func<object?, object> persistent)
    {
        _data = new ByteWindow(region, position);
        _path = region.Path;
        _persistent = persistent;
    }

    /// <summary>Where the pickle ends, after <see cref="Read"/>.</summary>
    public long Position => _data.Position;

    /// <summary>The pickled object.</summary>
    /// <exception cref="CheckpointException">The pickle is damaged, or mentions a name that is not allowed.</exception>
    public object? Read()
    {
        while (true)
        {
            var opcode = Byte();
            if (opcode == '.')
                return Pop();
            Execute(opcode);
        }
    }

    private void Execute(byte opcode)
    {
        switch (opcode)
        {
            case 0x80: Byte(); break; // PROTO
            case 0x95: Take(8); break; // FRAME
            case (byte)'(': _stack.Add(Mark); break;
            case (byte)'0': Pop(); break;
            case (byte)'1': PopToMark(); break;
            case (byte)'2': Push(Peek()); break;
            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case (byte)'K': Push((long)Byte()); break;
            case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case (byte)'I': Push(TextInteger(Line())); break;
            case (byte)'L': Push(TextInteger(Line().TrimEnd('L'))); break;
            case 0x8a: PushInteger(Take(Byte())); break;
            case 0x8b: PushInteger(Take(Length32())); break;
            case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            case (byte)'F': Push(double.TryParse(Line(), out var number) ? number : throw Damaged("a number that is not one")); break;
            case (byte)'X': Push(Utf8(Take(Length32()))); break;
            case 0x8c: Push(Utf8(Take(Byte()))); break;
            case 0x8d: Push(Utf8(Take(Length64()))); break;
            case (byte)'U': Push(Latin1(Take(Byte()))); break;
            case (byte)'T': Push(Latin1(Take(Length32()))); break;
            case (byte)'V': Push(Line()); break;
            case (byte)'B': Push(Take(Length32()).ToArray()); break;
            case (byte)'C': Push(Take(Byte()).ToArray()); break;
            case 0x8e: Push(Take(Length64()).ToArray()); break;
            case (byte)']': Push(new List<object?>()); break;
            case (byte)'l': Push(PopToMark()); break;
            case (byte)'a': AsList(Peek(1)).Add(Pop()); break;
            case (byte)'e': Extend(PopToMark()); break;
            case (byte)')': Push(new PythonTuple([])); break;
            case (byte)'t': Push(new PythonTuple(PopToMark())); break;
            case 0x85: Push(new PythonTuple(PopMany(1))); break;
            case 0x86: Push(new PythonTuple(PopMany(2))); break;
            case 0x87: Push(new PythonTuple(PopMany(3))); break;
            case (byte)'}': Push(new PythonDict()); break;
            case (byte)'d': BuildDict(PopToMark()); break;
            case (byte)'s': SetItems(PopMany(2)); break;
            case (byte)'u': SetItems(PopToMark()); break;
            case 0x8f: Push(new PythonSet([])); break;
            case 0x90: AddItems(PopToMark()); break;
            case 0x91: Push(new PythonSet(PopToMark())); break;
            case (byte)'q': _memo[Byte()] = Peek(); break;
            case (byte)'r': _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek(); break;
            case 0x94: _memo[(uint)_memo.Count] = Peek(); break;
            case (byte)'h': Push(Recall(Byte())); break;
            case (byte)'j': Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case (byte)'c': Push(Name(Line(), Line())); break;
            case 0x93: Push(NameFromStack()); break;
            case (byte)'Q': Push(_persistent(Pop())); break;
            case (byte)'R': Reduce(); break;
            case 0x81: Reduce(); break; // NEWOBJ: class and arguments, like a call
            case (byte)'b': Build(); break;
            default: throw Damaged($"opcode 0x{opcode:x2}, which is not supported");
        }
    }

    private object Name(string module, string name) => PickleNames.Resolve(module, name, _path);

    private object NameFromStack()
    {
        var pair = PopMany(2);
        return pair[0] is string module && pair[1] is string name ? Name(module, name) : throw Damaged("a name that is not text");
    }

    private void Reduce()
    {
        var pair = PopMany(2);
        var arguments = pair[1] as PythonTuple ?? throw Damaged("a call without arguments");
        Push(pair[0] is PickleConstructor constructor ? constructor.Call(arguments.Items, _path) : throw Damaged($"a call of {pair[0] ?? "None"}"));
    }

    /// <summary>The state of an object. Only numpy's containers need theirs; that of a dictionary (module metadata) says nothing about weights.</summary>
    private void Build()
    {
        var state = Pop();
        switch (Peek())
        {
            case NumpyType type:
                type.SetState(state as PythonTuple);
                break;
            case NumpyArrayBuilder builder:
                Pop();
                Push(builder.Build(state as PythonTuple, _path));
                break;
            case PythonDict:
                break;
            default:
                throw Damaged($"state for {Peek() ?? "None"}");
        }
    }

    private void BuildDict(List<object?> items)
    {
        Push(new PythonDict());
        SetItems(items);
    }

    private void SetItems(List<object?> items)
    {
        if (items.Count % 2 != 0 || Peek() is not PythonDict dict)
            throw Damaged("dictionary items without a dictionary");
        for (var i = 0; i < items.Count; i += 2)
            dict.Set(Hashable(items[i]), items[i + 1]);
    }

    private object Hashable(object? key) => key is string or long or double or bool or BigInteger or PythonName ? key : throw Damaged($"a dictionary key of type {key?.GetType().Name ?? "None"}");

    private void AddItems(List<object?> items)
    {
        if (Peek() is not PythonSet set)
            throw Damaged("set items without a set");
        set.Items.AddRange(items);
    }

    private void Extend(List<object?> items) => AsList(Peek()).AddRange(items);

    private List<object?> AsList(object? value) => value as List<object?> ?? throw Damaged("list items without a list");

    private object? Recall(uint index) => _memo.TryGetValue(index, out var value) ? value : throw Damaged($"memo {index}, which was never set");

    private void Push(object? value) => _stack.Add(value);

    private object? Pop()
    {
        var value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object? Peek(int below = 0)
    {
        var i = _stack.Count - 1 - below;
        return i >= 0 && !ReferenceEquals(_stack[i], Mark) ? _stack[i] : throw Damaged("an empty stack");
    }

    private List<object?> PopMany(int count)
    {
        for (var i = 0; i < count; i++)
            Peek(i);
        var values = _stack.GetRange(_stack.Count - count, count);
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private List<object?> PopToMark()
    {
        var mark = _stack.FindLastIndex(value => ReferenceEquals(value, Mark));
        if (mark < 0)
            throw Damaged("a missing mark");
        var values = _stack.GetRange(mark + 1, _stack.Count - mark - 1);
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private byte Byte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(long count) => _data.TryTake(count, out var bytes) ? bytes : throw Damaged($"{count} bytes after the end");

    private long Length32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    private long Length64() => (long)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(Take(8)), long.MaxValue);

    private string Line()
    {
        var line = new List<byte>();
        for (var b = Byte(); b != '\n'; b = Byte())
            line.Add(b);
        return Utf8(line.ToArray());
    }

    private string Utf8(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Damaged("text that is not UTF-8");
        }
    }

    private static string Latin1(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    private object TextInteger(string text) => text switch
    {
        "01" => true,
        "00" => false,
        _ when long.TryParse(text, out var small) => small,
        _ when text.Length <= MaxDigits && BigInteger.TryParse(text, out var big) => big,
        _ => throw Damaged("a number that is not one"),
    };

    private void PushInteger(ReadOnlySpan<byte> bytes)
    {
        var value = new BigInteger(bytes);
        if (value >= long.MinValue && value <= long.MaxValue)
            Push((long)value);
        else
            Push(value);
    }

    private CheckpointException Damaged(string what) => new($"the pickle at byte {Position} has {what}", _path, "the file is damaged, or was not written by torch.save");
}
