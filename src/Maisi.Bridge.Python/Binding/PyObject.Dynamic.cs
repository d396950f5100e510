using System.Dynamic;
using System.Linq.Expressions;

namespace Python.Runtime;

/// <summary>C#'s <c>dynamic</c> over Python: members, calls with <see cref="Py.kw"/>, indexing, operators, conversions.</summary>
public partial class PyObject
{
    /// <inheritdoc/>
    public override bool TryGetMember(GetMemberBinder binder, out object? result)
    {
        result = GetAttr(binder.Name);
        return true;
    }

    /// <inheritdoc/>
    public override bool TrySetMember(SetMemberBinder binder, object? value)
    {
        using var converted = PyConvert.ToPython(value);
        SetAttr(binder.Name, converted);
        return true;
    }

    /// <inheritdoc/>
    public override bool TryInvokeMember(InvokeMemberBinder binder, object?[]? args, out object? result)
    {
        using var method = GetAttr(binder.Name);
        result = method.Call(args ?? [], binder.CallInfo);
        return true;
    }

    /// <inheritdoc/>
    public override bool TryInvoke(InvokeBinder binder, object?[]? args, out object? result)
    {
        result = Call(args ?? [], binder.CallInfo);
        return true;
    }

    /// <inheritdoc/>
    public override bool TryGetIndex(GetIndexBinder binder, object[] indexes, out object? result)
    {
        using var key = Key(indexes);
        result = GetItem(key);
        return true;
    }

    /// <inheritdoc/>
    public override bool TrySetIndex(SetIndexBinder binder, object[] indexes, object? value)
    {
        using var key = Key(indexes);
        using var converted = PyConvert.ToPython(value);
        SetItem(key, converted);
        return true;
    }

    /// <inheritdoc/>
    public override bool TryConvert(ConvertBinder binder, out object? result)
    {
        result = AsManagedObject(binder.Type);
        return true;
    }

    /// <inheritdoc/>
    public override bool TryBinaryOperation(BinaryOperationBinder binder, object arg, out object? result)
    {
        result = null;
        if (Operator(binder.Operation) is not { } name)
            return false;
        using var other = PyConvert.ToPython(arg);
        using var operators = Py.Import("operator");
        result = operators.InvokeMethod(name, this, other);
        return true;
    }

    /// <inheritdoc/>
    public override bool TryUnaryOperation(UnaryOperationBinder binder, out object? result)
    {
        result = binder.Operation switch
        {
            ExpressionType.Negate => InvokeMethod("__neg__"),
            ExpressionType.UnaryPlus => InvokeMethod("__pos__"),
            ExpressionType.OnesComplement => InvokeMethod("__invert__"),
            ExpressionType.Not => !IsTrue(),
            ExpressionType.IsTrue => IsTrue(),
            ExpressionType.IsFalse => !IsTrue(),
            _ => null,
        };
        return result is not null;
    }

    private static string? Operator(ExpressionType operation) => operation switch
    {
        ExpressionType.Add => "add",
        ExpressionType.AddAssign => "iadd",
        ExpressionType.Subtract => "sub",
        ExpressionType.SubtractAssign => "isub",
        ExpressionType.Multiply => "mul",
        ExpressionType.MultiplyAssign => "imul",
        ExpressionType.Divide => "truediv",
        ExpressionType.DivideAssign => "itruediv",
        ExpressionType.Modulo => "mod",
        ExpressionType.And => "and_",
        ExpressionType.Or => "or_",
        ExpressionType.ExclusiveOr => "xor",
        ExpressionType.LeftShift => "lshift",
        ExpressionType.RightShift => "rshift",
        ExpressionType.Equal => "eq",
        ExpressionType.NotEqual => "ne",
        ExpressionType.LessThan => "lt",
        ExpressionType.LessThanOrEqual => "le",
        ExpressionType.GreaterThan => "gt",
        ExpressionType.GreaterThanOrEqual => "ge",
        _ => null,
    };

    private static PyObject Key(object[] indexes) =>
        indexes.Length == 1 ? PyConvert.ToPython(indexes[0]) : new PyTuple([.. indexes.Select(PyConvert.ToPython)]);

    // C#'s named arguments come last and become keywords, and so does what Py.kw made.
    private PyObject Call(object?[] args, CallInfo call)
    {
        var positional = args.Length - call.ArgumentNames.Count;
        using var keywords = new PyDict();
        for (var i = positional; i < args.Length; i++)
        {
            using var value = PyConvert.ToPython(args[i]);
            keywords.SetItem(call.ArgumentNames[i - positional], value);
        }
        var plain = new List<PyObject>();
        try
        {
            foreach (var arg in args.Take(positional))
            {
                if (arg is Py.KeywordArguments more)
                    keywords.Update(more);
                else
                    plain.Add(PyConvert.ToPython(arg));
            }
            return Invoke([.. plain], keywords);
        }
        finally
        {
            foreach (var arg in plain)
                arg.Dispose();
        }
    }
}
