using Python.Runtime;
using Libpython = Python.Runtime.Runtime;

namespace Maisi.Bridge.Python.Tests;

/// <summary>Hosts the interpreter once for all tests of the binding, with the lock free between them.</summary>
public sealed class BindingFixture
{
    public BindingFixture()
    {
        if (TestPython.RequireAsync().GetAwaiter().GetResult() is not { } python)
            return;
        Libpython.PythonDLL = python.LibPython;
        PythonEngine.ProgramName = python.Executable;
        PythonEngine.Initialize();
        PythonEngine.BeginAllowThreads();
    }
}

[CollectionDefinition("binding")]
public sealed class BindingCollection : ICollectionFixture<BindingFixture>;
