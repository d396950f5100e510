namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>
/// What expressions may do with .NET objects of one type. Nothing is reachable that a behaviour does not offer: there is no way from an
/// object to its type, its assembly or the file system.
/// </summary>
public abstract class TypeBehaviour
{
    /// <summary>The type; it also serves types derived from it.</summary>
    public abstract Type Type { get; }

    /// <summary>Reads an attribute; false when there is none of that name.</summary>
    public abstract bool TryGetAttribute(object self, string name, out object? value);

    /// <summary>The attributes, for messages.</summary>
    public virtual IEnumerable<string> AttributeNames => [];

    /// <summary>A binary operator; <paramref name="reflected"/> when the object is on the right.</summary>
    public virtual bool TryBinary(object self, string op, object? other, bool reflected, out object? result)
    {
        result = null;
        return false;
    }

    /// <summary>An index or slice; false when it cannot be indexed.</summary>
    public virtual bool TryIndex(object self, object? index, out object? value)
    {
        value = null;
        return false;
    }

    /// <summary>How many elements it holds: operations on it are counted by them.</summary>
    public virtual long Size(object self) => 0;

    /// <summary>Python's <c>len</c>; null when it has none.</summary>
    public virtual long? Length(object self) => null;

    /// <summary>The items; null when it cannot be iterated.</summary>
    public virtual IEnumerable<object?>? Iterate(object self) => null;

    /// <summary>Calls the object itself; false when it cannot be called.</summary>
    public virtual bool TryCall(object self, EvaluationContext context, CallArguments arguments, out object? result)
    {
        result = null;
        return false;
    }

    /// <summary>Python's truth.</summary>
    public virtual bool IsTrue(object self) => Length(self) is not 0;

    /// <summary>Python's <c>repr</c>.</summary>
    public virtual string Repr(object self) => $"<{self.GetType().Name}>";

    /// <summary>The value for JSON output: a number, string, list or dict; null when there is none.</summary>
    public virtual object? ToPlain(object self) => null;
}

/// <summary>The behaviours there are; the nearest base type decides.</summary>
/// <param name="behaviours">One per type.</param>
public sealed class TypeTable(IEnumerable<TypeBehaviour> behaviours)
{
    private readonly Dictionary<Type, TypeBehaviour> _byType = behaviours.GroupBy(b => b.Type).ToDictionary(g => g.Key, g => g.Last());

    /// <summary>The behaviour of an object; null when its type offers nothing.</summary>
    public TypeBehaviour? Find(object? value)
    {
        for (var type = value?.GetType(); type is not null; type = type.BaseType)
        {
            if (_byType.TryGetValue(type, out var behaviour))
                return behaviour;
        }
        return null;
    }
}
