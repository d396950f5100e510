namespace TorchSharp;

public static partial class torch
{
    /// <summary>The innermost scope of this thread, if there is one.</summary>
    public static DisposeScope? CurrentDisposeScope => DisposeScope.Current;

    /// <summary>Opens a scope: tensors made on this thread until it is disposed are released with it, unless moved out.</summary>
    public static DisposeScope NewDisposeScope() => new();

    /// <summary>Runs <paramref name="expr"/> in a scope of its own and moves its result out.</summary>
    public static Tensor WrappedTensorDisposeScope(Func<Tensor> expr)
    {
        ArgumentNullException.ThrowIfNull(expr);
        using var scope = NewDisposeScope();
        return expr().MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Releases the tensors made within it. Scopes nest and belong to one thread. A tensor knows its place in the scope's list,
/// so adding and removing cost a few instructions and no hashing.
/// </summary>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic]
    private static DisposeScope? _current;

    private torch.Tensor?[] _held = new torch.Tensor?[8];
    private int _count;
    private bool _disposed;

    internal DisposeScope()
    {
        Outer = _current;
        _current = this;
    }

    /// <summary>How many tensors the scope holds.</summary>
    public int DisposablesCount => _count;

    internal static DisposeScope? Current => _current;

    internal DisposeScope? Outer { get; }

    /// <summary>Hides the scopes of this thread until the result is disposed: what is made then belongs to nobody.</summary>
    internal static Suspension Suspend() => new(_current);

    /// <summary>Moves a tensor to the outer scope, or out of all scopes when this is the outermost.</summary>
    public T MoveToOuter<T>(T tensor)
        where T : torch.Tensor
    {
        ArgumentNullException.ThrowIfNull(tensor);
        tensor.MoveToOuterDisposeScope();
        return tensor;
    }

    public (T1 First, T2 Second) MoveToOuter<T1, T2>(T1 first, T2 second)
        where T1 : torch.Tensor
        where T2 : torch.Tensor => (MoveToOuter(first), MoveToOuter(second));

    public (T1 First, T2 Second, T3 Third) MoveToOuter<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : torch.Tensor
        where T2 : torch.Tensor
        where T3 : torch.Tensor => (MoveToOuter(first), MoveToOuter(second), MoveToOuter(third));

    public void MoveToOuter(params torch.Tensor[] tensors)
    {
        foreach (var tensor in tensors)
            MoveToOuter(tensor);
    }

    /// <summary>Takes a tensor out of all scopes: the caller disposes it.</summary>
    public T Detach<T>(T tensor)
        where T : torch.Tensor
    {
        ArgumentNullException.ThrowIfNull(tensor);
        tensor.DetachFromDisposeScope();
        return tensor;
    }

    /// <summary>Puts a tensor in this scope.</summary>
    public T Attach<T>(T tensor)
        where T : torch.Tensor
    {
        ArgumentNullException.ThrowIfNull(tensor);
        tensor.MoveToScope(this);
        return tensor;
    }

    /// <summary>Releases everything held now; the scope stays open.</summary>
    public void DisposeEverything()
    {
        // Disposing a tensor may run user code through deleters, so the list is taken first.
        while (_count > 0)
        {
            var tensor = _held[--_count]!;
            _held[_count] = null;
            tensor.Scope = null;
            tensor.Dispose();
        }
    }

    /// <summary>Releases everything held now but <paramref name="keep"/>.</summary>
    public T DisposeEverythingBut<T>(T keep)
        where T : torch.Tensor
    {
        ArgumentNullException.ThrowIfNull(keep);
        var held = ReferenceEquals(keep.Scope, this);
        if (held)
            Remove(keep);
        DisposeEverything();
        if (held)
            Add(keep);
        return keep;
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (ReferenceEquals(_current, this))
            _current = Outer;
        DisposeEverything();
    }

    internal void Add(torch.Tensor tensor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_count == _held.Length)
            Array.Resize(ref _held, _count * 2);
        tensor.Scope = this;
        tensor.ScopeIndex = _count;
        _held[_count++] = tensor;
    }

    internal void Remove(torch.Tensor tensor)
    {
        var last = _held[--_count]!;
        _held[_count] = null;
        if (!ReferenceEquals(last, tensor))
        {
            _held[tensor.ScopeIndex] = last;
            last.ScopeIndex = tensor.ScopeIndex;
        }
        tensor.Scope = null;
    }

    /// <summary>See <see cref="Suspend"/>.</summary>
    internal readonly struct Suspension : IDisposable
    {
        private readonly DisposeScope? _saved;

        internal Suspension(DisposeScope? saved)
        {
            _saved = saved;
            _current = null;
        }

        public void Dispose() => _current = _saved;
    }
}
