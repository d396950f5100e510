using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Python;
using TorchSharp;

namespace Maisi.Bridge.Interop;

/// <summary>
/// Evaluates the parts of a config that native code does not cover in a worker process, with MONAI if its interpreter has it. Objects
/// stay there and are named by <see cref="PythonHandle"/>; plain data and tensors cross. One process serves a whole config, so that
/// components can refer to each other.
/// </summary>
public sealed class PythonEvaluator : IPythonEvaluator, IAsyncDisposable
{
    private readonly IPythonRuntime python;
    private readonly CancellationToken token;
    private readonly Lazy<PythonSession> session;

    /// <param name="python">Where Python runs.</param>
    /// <param name="token">Interrupts what runs there.</param>
    public PythonEvaluator(IPythonRuntime python, CancellationToken token = default)
    {
        this.python = python;
        this.token = token;
        session = new Lazy<PythonSession>(() => python.OpenSessionAsync(token).GetAwaiter().GetResult());
    }

    /// <inheritdoc/>
    public object? Evaluate(string expression, IReadOnlyDictionary<string, object?> references, IReadOnlyList<string> imports) =>
        Call("maisi_bridge.bundles:evaluate", expression, references, imports);

    /// <inheritdoc/>
    public object? Instantiate(string target, string mode, IReadOnlyDictionary<string, object?> arguments) =>
        Call("maisi_bridge.bundles:instantiate", target, mode.Trim(), arguments);

    /// <inheritdoc/>
    public bool Owns(object? value) => value switch
    {
        PythonHandle => true,
        DictValue dict => dict.Any(p => Owns(p.Value)),
        ListValue list => list.Any(Owns),
        TupleValue tuple => tuple.Any(Owns),
        _ => false,
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (session.IsValueCreated)
            await session.Value.DisposeAsync();
    }

    private object? Call(string target, params object?[] arguments)
    {
        var copies = new List<SharedArray>();
        try
        {
            var sent = PythonArguments.Of([.. arguments.Select(a => ToPython(a, copies))]);
            return ToManaged(session.Value.CallAsync(target, sent, token: token).GetAwaiter().GetResult());
        }
        finally
        {
            copies.ForEach(copy => copy.Dispose());
        }
    }

    private object? ToPython(object? value, List<SharedArray> copies)
    {
        switch (value)
        {
            case torch.Tensor tensor:
                copies.Add(tensor.ToShared(python));
                return copies[^1];
            case TupleValue tuple:
                return new PythonTuple(tuple.Select(item => ToPython(item, copies)));
            case DictValue dict:
                return dict.ToDictionary(p => p.Key ?? DBNull.Value, p => ToPython(p.Value, copies));
            case IReadOnlyDictionary<string, object?> named:
                return named.ToDictionary(p => p.Key, p => ToPython(p.Value, copies), StringComparer.Ordinal);
            case string or byte[] or PythonHandle:
                return value;
            case IEnumerable<object?> items:
                return items.Select(item => ToPython(item, copies)).ToList();
            case null or bool or long or int or double or float or System.Numerics.BigInteger:
                return value;
            default:
                throw new ArgumentException($"a native {value.GetType().Name} cannot be handed to Python: only plain data, tensors and what Python made can");
        }
    }

    private static object? ToManaged(object? value)
    {
        switch (value)
        {
            case SharedArray array:
                using (array)
                    return array.ToTensor();
            case PythonTuple tuple:
                return new TupleValue([.. tuple.Select(ToManaged)]);
            case List<object?> list:
                return new ListValue(list.Select(ToManaged));
            case Dictionary<string, object?> dict:
                return new DictValue(dict.Select(p => KeyValuePair.Create<object?, object?>(p.Key, ToManaged(p.Value))));
            case Dictionary<object, object?> dict:
                return new DictValue(dict.Select(p => KeyValuePair.Create<object?, object?>(p.Key is DBNull ? null : ToManaged(p.Key), ToManaged(p.Value))));
            default:
                return value;
        }
    }
}
