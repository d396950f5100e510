using System.Collections;
using System.Collections.Concurrent;
using System.Dynamic;

namespace Python.Runtime;

/// <summary>
/// A reference to a Python object: pythonnet's class of that name, with the members that this project uses. Every member needs the lock
/// (<see cref="Py.GIL"/>). Dispose gives the reference back; what the garbage collector finds instead is given back at the next
/// <see cref="Py.GIL"/>, because a finalizer must not wait for Python's lock.
/// </summary>
public partial class PyObject : DynamicObject, IDisposable
{
    private static readonly ConcurrentQueue<nint> Finalized = new();
    private nint handle;

    internal PyObject(nint newReference) => handle = newReference;

    /// <summary>Another reference to the same object.</summary>
    public PyObject(PyObject other)
    {
        handle = other.Handle;
        CPython.Py_IncRef(handle);
    }

    /// <summary>Queues the reference for the next holder of the lock.</summary>
    ~PyObject()
    {
        if (handle != 0)
            Finalized.Enqueue(handle);
    }

    /// <summary>A new reference to None.</summary>
    public static PyObject None => Borrow(CPython.None);

    /// <summary>The address of the object.</summary>
    public nint Handle => handle != 0 ? handle : throw new ObjectDisposedException(GetType().Name);

    /// <summary>Wraps a new reference; 0 means that Python raised, which is thrown.</summary>
    internal static PyObject Steal(nint newReference) => new(Checked(newReference));

    /// <summary>Wraps a borrowed reference.</summary>
    internal static PyObject Borrow(nint borrowed)
    {
        CPython.Py_IncRef(Checked(borrowed));
        return new(borrowed);
    }

    /// <summary>Passes an address on; throws what Python raised when it is 0.</summary>
    internal static nint Checked(nint result) => result != 0 ? result : throw PythonException.Fetch();

    /// <summary>Passes a status on; throws what Python raised when it is -1.</summary>
    internal static int Checked(int status) => status != -1 ? status : throw PythonException.Fetch();

    internal static void ReleaseFinalized()
    {
        while (Finalized.TryDequeue(out var at))
            CPython.Py_DecRef(at);
    }

    /// <summary>Gives the reference back.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        var held = Interlocked.Exchange(ref handle, 0);
        if (held != 0 && PythonEngine.IsInitialized)
            CPython.Py_DecRef(held);
    }

    /// <summary>Another reference to the same object.</summary>
    public PyObject NewReference() => new(this);

    /// <summary>The object's class.</summary>
    public PyType GetPythonType() => new(Checked(CPython.PyObject_Type(Handle)));

    /// <summary>Whether an attribute exists.</summary>
    public bool HasAttr(string name)
    {
        using var key = new PyString(name);
        return CPython.PyObject_HasAttr(Handle, key.Handle) != 0;
    }

    /// <summary>An attribute.</summary>
    public PyObject GetAttr(string name)
    {
        using var key = new PyString(name);
        return Steal(CPython.PyObject_GetAttr(Handle, key.Handle));
    }

    /// <summary>Sets an attribute.</summary>
    public void SetAttr(string name, PyObject value)
    {
        using var key = new PyString(name);
        Checked(CPython.PyObject_SetAttr(Handle, key.Handle, value.Handle));
    }

    /// <summary>Deletes an attribute.</summary>
    public void DelAttr(string name)
    {
        using var key = new PyString(name);
        Checked(CPython.PyObject_SetAttr(Handle, key.Handle, 0));
    }

    /// <summary><c>o[key]</c>.</summary>
    public virtual PyObject GetItem(PyObject key) => Steal(CPython.PyObject_GetItem(Handle, key.Handle));

    /// <summary><c>o[key]</c>.</summary>
    public PyObject GetItem(string key)
    {
        using var k = new PyString(key);
        return GetItem(k);
    }

    /// <summary><c>o[index]</c>.</summary>
    public PyObject GetItem(int index)
    {
        using var k = new PyInt(index);
        return GetItem(k);
    }

    /// <summary><c>o[key] = value</c>.</summary>
    public virtual void SetItem(PyObject key, PyObject value) => Checked(CPython.PyObject_SetItem(Handle, key.Handle, value.Handle));

    /// <summary><c>o[key] = value</c>.</summary>
    public void SetItem(string key, PyObject value)
    {
        using var k = new PyString(key);
        SetItem(k, value);
    }

    /// <summary><c>o[index] = value</c>.</summary>
    public void SetItem(int index, PyObject value)
    {
        using var k = new PyInt(index);
        SetItem(k, value);
    }

    /// <summary><c>del o[key]</c>.</summary>
    public void DelItem(PyObject key) => Checked(CPython.PyObject_DelItem(Handle, key.Handle));

    /// <summary><c>del o[key]</c>.</summary>
    public void DelItem(string key)
    {
        using var k = new PyString(key);
        DelItem(k);
    }

    /// <summary><c>o[key]</c>.</summary>
    public PyObject this[string key] { get => GetItem(key); set => SetItem(key, value); }

    /// <summary><c>o[key]</c>.</summary>
    public PyObject this[PyObject key] { get => GetItem(key); set => SetItem(key, value); }

    /// <summary><c>o[index]</c>.</summary>
    public PyObject this[int index] { get => GetItem(index); set => SetItem(index, value); }

    /// <summary><c>len(o)</c>.</summary>
    public long Length()
    {
        var size = CPython.PyObject_Size(Handle);
        return size >= 0 ? size : throw PythonException.Fetch();
    }

    /// <summary>Calls the object.</summary>
    public PyObject Invoke(params PyObject[] args)
    {
        using var tuple = new PyTuple(args);
        return Steal(CPython.PyObject_Call(Handle, tuple.Handle, 0));
    }

    /// <summary>Calls the object with positional and keyword arguments.</summary>
    public PyObject Invoke(PyObject[] args, PyDict? kw)
    {
        using var tuple = new PyTuple(args);
        return Steal(CPython.PyObject_Call(Handle, tuple.Handle, kw?.Handle ?? 0));
    }

    /// <summary>Calls a method.</summary>
    public PyObject InvokeMethod(string name, params PyObject[] args)
    {
        using var method = GetAttr(name);
        return method.Invoke(args);
    }

    /// <summary>Calls a method with positional and keyword arguments.</summary>
    public PyObject InvokeMethod(string name, PyObject[] args, PyDict? kw)
    {
        using var method = GetAttr(name);
        return method.Invoke(args, kw);
    }

    /// <summary><c>isinstance(o, typeOrClass)</c>.</summary>
    public bool IsInstance(PyObject typeOrClass) => Checked(CPython.PyObject_IsInstance(Handle, typeOrClass.Handle)) != 0;

    /// <summary>Whether it can be called.</summary>
    public bool IsCallable() => CPython.PyCallable_Check(Handle) != 0;

    /// <summary>Whether it can be iterated.</summary>
    public bool IsIterable() => HasAttr("__iter__") || CPython.PySequence_Check(Handle) != 0;

    /// <summary><c>bool(o)</c>.</summary>
    public bool IsTrue() => Checked(CPython.PyObject_IsTrue(Handle)) != 0;

    /// <summary>Whether it is None.</summary>
    public bool IsNone() => Handle == CPython.None;

    /// <summary><c>iter(o)</c>.</summary>
    public PyIter GetIterator() => PyIter.GetIter(this);

    /// <summary><c>dir(o)</c>.</summary>
    public PyList Dir() => new(Checked(CPython.PyObject_Dir(Handle)));

    /// <summary><c>repr(o)</c>.</summary>
    public string Repr() => PyConvert.Text(CPython.PyObject_Repr(Handle));

    /// <summary><c>str(o)</c>.</summary>
    public override string ToString() => PyConvert.Text(CPython.PyObject_Str(Handle));

    /// <summary><c>o == other</c>.</summary>
    public override bool Equals(object? obj) =>
        obj is PyObject other && Checked(CPython.PyObject_RichCompareBool(Handle, other.Handle, PyConvert.Eq)) != 0;

    /// <summary><c>hash(o)</c>.</summary>
    public override int GetHashCode()
    {
        var hash = CPython.PyObject_Hash(Handle);
        return hash != -1 ? hash.GetHashCode() : throw PythonException.Fetch();
    }

    /// <summary>The object as a .NET value: numbers, text, bool, nullable of those, arrays and lists, or a PyObject class.</summary>
    /// <exception cref="InvalidCastException">The object does not convert to that type.</exception>
    public T As<T>() => (T)AsManagedObject(typeof(T))!;

    /// <summary>The object as a .NET value; see <see cref="As{T}"/>.</summary>
    public object? AsManagedObject(Type t) => PyConvert.ToManaged(this, t);

    /// <summary>The object's memory, for objects with the buffer protocol (bytes, memoryview, numpy arrays).</summary>
    public PyBuffer GetBuffer(PyBUF flags = PyBUF.SIMPLE) => new(this, flags);
}

/// <summary>An iterator.</summary>
public sealed class PyIter : PyObject, IEnumerator<PyObject>
{
    private PyObject? current;

    private PyIter(nint newReference)
        : base(newReference)
    {
    }

    /// <inheritdoc/>
    public PyObject Current => current ?? throw new InvalidOperationException("call MoveNext first");

    object IEnumerator.Current => Current;

    /// <summary><c>iter(iterable)</c>.</summary>
    public static PyIter GetIter(PyObject iterable) => new(Checked(CPython.PyObject_GetIter(iterable.Handle)));

    /// <inheritdoc/>
    public bool MoveNext()
    {
        var next = CPython.PyIter_Next(Handle);
        if (next == 0 && CPython.PyErr_Occurred() != 0)
            throw PythonException.Fetch();
        current = next == 0 ? null : new PyObject(next);
        return next != 0;
    }

    /// <summary>Python iterators do not rewind.</summary>
    public void Reset() => throw new NotSupportedException("a Python iterator does not rewind");
}
