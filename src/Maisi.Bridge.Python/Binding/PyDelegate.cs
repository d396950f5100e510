using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Python.Runtime;

/// <summary>
/// A .NET delegate as a Python callable with positional arguments. The delegate lives as long as the callable; what it throws is raised
/// in Python, and comes back as the original exception when Python lets it pass.
/// </summary>
internal static unsafe class PyDelegate
{
    private const string OriginalAttribute = "__clr_exception__";

    // CPython keeps these two for the life of the process.
    private static readonly byte* Name = (byte*)Marshal.StringToCoTaskMemUTF8("maisi.managed");
    private static readonly MethodDefinition* Definition = Define();

    private struct MethodDefinition
    {
        public byte* Name;
        public delegate* unmanaged[Cdecl]<nint, nint, nint> Method;
        public int Flags;
        public byte* Doc;
    }

    internal static PyObject Create(Delegate target)
    {
        using var self = Wrap(target);
        return PyObject.Steal(CPython.PyCFunction_NewEx(Definition, self.Handle, 0));
    }

    /// <summary>Raises a .NET exception in Python: a PythonException as it was, any other as RuntimeError.</summary>
    internal static void Raise(Exception e)
    {
        if (e is PythonException python)
        {
            python.Restore();
            return;
        }
        using var message = new PyString($"{e.GetType()}: {e.Message}");
        using var type = PyObject.Borrow(CPython.Exception("PyExc_RuntimeError"));
        using var value = type.Invoke(message);
        using var original = Wrap(e);
        value.SetAttr(OriginalAttribute, original);
        CPython.PyErr_SetObject(type.Handle, value.Handle);
    }

    /// <summary>The .NET exception behind a Python one; null when Python raised it itself.</summary>
    internal static Exception? Original(PyObject value)
    {
        if (!value.HasAttr(OriginalAttribute))
            return null;
        using var capsule = value.GetAttr(OriginalAttribute);
        return (Exception?)GCHandle.FromIntPtr(CPython.PyCapsule_GetPointer(capsule.Handle, Name)).Target;
    }

    private static PyObject Wrap(object managed) =>
        PyObject.Steal(CPython.PyCapsule_New(GCHandle.ToIntPtr(GCHandle.Alloc(managed)), Name, (nint)(delegate* unmanaged[Cdecl]<nint, void>)&Free));

    private static MethodDefinition* Define()
    {
        var definition = (MethodDefinition*)NativeMemory.AllocZeroed((nuint)sizeof(MethodDefinition));
        const int variableArguments = 1;
        *definition = new MethodDefinition { Name = Name, Method = &Call, Flags = variableArguments, Doc = null };
        return definition;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Free(nint capsule) => GCHandle.FromIntPtr(CPython.PyCapsule_GetPointer(capsule, Name)).Free();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Call(nint self, nint args)
    {
        try
        {
            var target = (Delegate)GCHandle.FromIntPtr(CPython.PyCapsule_GetPointer(self, Name)).Target!;
            var parameters = target.GetType().GetMethod("Invoke")!.GetParameters();
            var given = CPython.PyTuple_Size(args);
            if (given != parameters.Length)
                throw new TargetParameterCountException($"the callback takes {parameters.Length} arguments, {given} given");
            var values = new object?[parameters.Length];
            for (var i = 0; i < values.Length; i++)
            {
                using var item = PyObject.Borrow(CPython.PyTuple_GetItem(args, i));
                values[i] = item.AsManagedObject(parameters[i].ParameterType);
            }
            using var result = PyConvert.ToPython(target.DynamicInvoke(values));
            CPython.Py_IncRef(result.Handle);
            return result.Handle;
        }
        catch (TargetInvocationException e)
        {
            Raise(e.InnerException!);
            return 0;
        }
        catch (Exception e)
        {
            Raise(e);
            return 0;
        }
    }
}
