namespace Python.Runtime;

/// <summary>pythonnet's entry points: the lock, imports, scopes and keyword arguments.</summary>
public static class Py
{
    /// <summary>Takes Python's global lock on this thread until disposed. May be nested. Never await while holding it.</summary>
    public static GILState GIL() => new();

    /// <summary>Imports a module by its dotted name.</summary>
    /// <exception cref="PythonException">The import failed, with Python's traceback.</exception>
    public static PyObject Import(string name) => PyModule.Import(name);

    /// <summary>An empty module in which code can run.</summary>
    public static PyModule CreateScope(string name = "") => new(name);

    /// <summary>Keyword arguments for a dynamic call, <c>f(x, Py.kw("axis", 1))</c>: names and values in turn.</summary>
    public static KeywordArguments kw(params object?[] kv)
    {
        if (kv.Length % 2 != 0)
            throw new ArgumentException("keyword arguments come as name, value, name, value", nameof(kv));
        var result = new KeywordArguments();
        for (var i = 0; i < kv.Length; i += 2)
        {
            using var value = PyConvert.ToPython(kv[i + 1]);
            result.SetItem(kv[i] as string ?? throw new ArgumentException("a keyword is a string", nameof(kv)), value);
        }
        return result;
    }

    /// <summary>The lock held by one thread; see <see cref="GIL"/>.</summary>
    public sealed class GILState : IDisposable
    {
        private readonly int state;
        private bool released;

        internal GILState()
        {
            if (!PythonEngine.IsInitialized)
                PythonEngine.Initialize();
            state = CPython.PyGILState_Ensure();
            PyObject.ReleaseFinalized();
        }

        /// <summary>Releases the lock; on the thread that took it.</summary>
        public void Dispose()
        {
            if (released)
                return;
            released = true;
            CPython.PyGILState_Release(state);
        }
    }

    /// <summary>A dictionary that a dynamic call passes as <c>**kwargs</c>.</summary>
    public sealed class KeywordArguments : PyDict
    {
    }
}
