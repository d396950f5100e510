using System.Numerics;
using Python.Runtime;

namespace Maisi.Bridge.Python.Tests;

/// <summary>The public API of the binding, as it is used. The same tests run on pythonnet (PythonBinding=pythonnet).</summary>
[Collection("binding")]
public sealed class BindingTests
{
    [SkippableFact]
    public void Engine_reports_the_interpreter_that_was_located()
    {
        using var gil = Py.GIL();
        PythonEngine.IsInitialized.ShouldBeTrue();
        var version = TestPython.RequireAsync().Result.Version;
        PythonEngine.Version.ShouldStartWith($"{version.Major}.{version.Minor}.{version.Build}");
        using var sys = Py.Import("sys");
        sys.GetAttr("executable").As<string>().ShouldBe(TestPython.RequireAsync().Result.Executable);
    }

    [SkippableTheory]
    [InlineData(0L)]
    [InlineData(-1L)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Integers_round_trip(long value)
    {
        using var gil = Py.GIL();
        using var o = value.ToPython();
        PyInt.IsIntType(o).ShouldBeTrue();
        o.As<long>().ShouldBe(value);
        o.ToString().ShouldBe(value.ToString());
    }

    [SkippableFact]
    public void Integers_of_any_size_round_trip()
    {
        using var gil = Py.GIL();
        var big = BigInteger.Pow(7, 200);
        using var o = new PyInt(big);
        o.ToBigInteger().ShouldBe(big);
        using var largest = ulong.MaxValue.ToPython();
        largest.As<ulong>().ShouldBe(ulong.MaxValue);
        Should.Throw<InvalidCastException>(() => largest.As<long>());
        Should.Throw<InvalidCastException>(() => new PyInt(300).As<byte>());
    }

    [SkippableTheory]
    [InlineData("")]
    [InlineData("plain")]
    [InlineData("Lunge größer 肺 🫁")]
    [InlineData("nul \0 inside")]
    public void Text_round_trips(string value)
    {
        using var gil = Py.GIL();
        using var o = value.ToPython();
        o.As<string>().ShouldBe(value);
        using var length = o.InvokeMethod("__len__");
        length.As<int>().ShouldBe(value.EnumerateRunes().Count());
    }

    [SkippableFact]
    public void Floats_bools_and_none_round_trip()
    {
        using var gil = Py.GIL();
        0.1.ToPython().As<double>().ShouldBe(0.1);
        1.5f.ToPython().As<float>().ShouldBe(1.5f);
        double.NaN.ToPython().As<double>().ShouldBe(double.NaN);
        true.ToPython().As<bool>().ShouldBeTrue();
        true.ToPython().IsTrue().ShouldBeTrue();
        false.ToPython().Repr().ShouldBe("False");
        PyObject.None.IsNone().ShouldBeTrue();
        PyObject.None.As<string>().ShouldBeNull();
    }

    [SkippableFact]
    public void Conversions_that_lose_something_are_refused()
    {
        using var gil = Py.GIL();
        Should.Throw<InvalidCastException>(() => "5".ToPython().As<int>());
        Should.Throw<InvalidCastException>(() => new PyList().As<double>());
    }

    [SkippableFact]
    public void Lists_tuples_and_dicts()
    {
        using var gil = Py.GIL();
        using var list = new PyList([3.ToPython(), 1.ToPython(), 2.ToPython()]);
        list.Append(0.ToPython());
        list.Insert(0, 9.ToPython());
        list.Sort();
        list.Reverse();
        list.Repr().ShouldBe("[9, 3, 2, 1, 0]");
        list.Select(item => item.As<int>()).ShouldBe([9, 3, 2, 1, 0]);
        list.Contains(3.ToPython()).ShouldBeTrue();
        list.Length().ShouldBe(5);
        list[1].As<int>().ShouldBe(3);
        list[-1].As<int>().ShouldBe(0);
        list.As<int[]>().ShouldBe([9, 3, 2, 1, 0]);

        using var tuple = new PyTuple([list, "x".ToPython()]);
        PyTuple.IsTupleType(tuple).ShouldBeTrue();
        tuple[1].As<string>().ShouldBe("x");
        PyTuple.AsTuple(list).Repr().ShouldBe("(9, 3, 2, 1, 0)");
        PyList.AsList(tuple).Length().ShouldBe(2);

        using var dict = new PyDict();
        dict["a"] = 1.ToPython();
        dict.SetItem(new PyInt(7), "seven".ToPython());
        dict.HasKey("a").ShouldBeTrue();
        dict.HasKey("b").ShouldBeFalse();
        dict.Keys().Select(k => k.ToString()).ShouldBe(["a", "7"]);
        dict.Values().Select(v => v.ToString()).ShouldBe(["1", "seven"]);
        using var copy = dict.Copy();
        dict.DelItem("a");
        dict.Length().ShouldBe(1);
        copy.Length().ShouldBe(2);
        dict.Update(copy);
        dict.Length().ShouldBe(2);
        dict.Clear();
        dict.Length().ShouldBe(0);
    }

    [SkippableFact]
    public void Wrong_classes_are_refused()
    {
        using var gil = Py.GIL();
        using var number = new PyInt(1);
        Should.Throw<ArgumentException>(() => new PyList(number));
        Should.Throw<ArgumentException>(() => new PyDict(number));
        Should.Throw<ArgumentException>(() => new PyTuple(number));
        Should.Throw<ArgumentException>(() => new PyString(number));
        Should.Throw<ArgumentException>(() => new PyFloat(number));
    }

    [SkippableFact]
    public void Attributes_calls_and_keywords()
    {
        using var gil = Py.GIL();
        using var types = Py.Import("types");
        using var scope = Py.CreateScope();
        scope.Exec("class Organ: pass\norgan = Organ()");
        scope.Get("organ").GetPythonType().Name.ShouldBe("Organ");
        using var bag = types.InvokeMethod("SimpleNamespace", Array.Empty<PyObject>(), Py.kw("a", 1, "b", "two"));
        bag.HasAttr("a").ShouldBeTrue();
        bag.HasAttr("c").ShouldBeFalse();
        bag.SetAttr("c", 3.5.ToPython());
        bag.Repr().ShouldBe("namespace(a=1, b='two', c=3.5)");
        bag.DelAttr("c");
        bag.HasAttr("c").ShouldBeFalse();
        bag.IsInstance(types.GetAttr("SimpleNamespace")).ShouldBeTrue();
        types.GetAttr("SimpleNamespace").IsCallable().ShouldBeTrue();
        bag.IsCallable().ShouldBeFalse();
        bag.IsIterable().ShouldBeFalse();
    }

    [SkippableFact]
    public void Dynamic_members_operators_and_conversions()
    {
        using var gil = Py.GIL();
        dynamic math = Py.Import("math");
        ((double)math.sqrt(16)).ShouldBe(4);
        ((double)(math.pi * 2)).ShouldBe(Math.PI * 2);
        dynamic builtins = Py.Import("builtins");
        ((string)builtins.str(5)).ShouldBe("5");
        dynamic list = builtins.list(builtins.range(1, 6));
        ((int)list[2]).ShouldBe(3);
        list[0] = 10.ToPython();
        ((int)builtins.sum(list)).ShouldBe(24);
        ((bool)(list[0] > 9)).ShouldBeTrue();
        ((int)(-list[0] + 1)).ShouldBe(-9);
        ((int)builtins.max(list, Py.kw("key", builtins.abs))).ShouldBe(10);
        ((string)builtins.sorted(list, reverse: true).__repr__()).ShouldBe("[10, 5, 4, 3, 2]");
    }

    [SkippableFact]
    public void Scopes_run_code()
    {
        using var gil = Py.GIL();
        using var scope = Py.CreateScope();
        scope.Set("n", 6);
        scope.Exec("def fact(k):\n    return 1 if k < 2 else k * fact(k - 1)\nresult = fact(n)");
        scope.Get<int>("result").ShouldBe(720);
        scope.Eval<int>("fact(5)").ShouldBe(120);
        scope.Contains("fact").ShouldBeTrue();
        scope.Contains("missing").ShouldBeFalse();
        PythonEngine.Eval("1 + 1").As<int>().ShouldBe(2);
    }

    [SkippableFact]
    public void Errors_carry_type_message_and_traceback()
    {
        using var gil = Py.GIL();
        using var scope = Py.CreateScope();
        scope.Exec("def inner(x):\n    raise ValueError('bad %r' % x)\ndef outer(x):\n    inner(x)");
        using var outer = scope.Get("outer");
        var error = Should.Throw<PythonException>(() => outer.Invoke("é".ToPython()));
        error.Message.ShouldBe("bad 'é'");
        error.Type.Name.ShouldBe("ValueError");
        error.Format().ShouldContain("Traceback (most recent call last)");
        error.Format().ShouldContain("in outer");
        error.Format().ShouldContain("in inner");
        error.Format().TrimEnd().ShouldEndWith("ValueError: bad 'é'");
        Should.Throw<PythonException>(() => Py.Import("no_such_module_at_all")).Type.Name.ShouldBe("ModuleNotFoundError");
        Should.Throw<PythonException>(() => scope.Exec("def broken(:")).Type.Name.ShouldBe("SyntaxError");
        PythonEngine.Eval("2").As<int>().ShouldBe(2, "no error is left set");
    }

    [SkippableFact]
    public void Callbacks_are_called_and_their_exceptions_come_back()
    {
        using var gil = Py.GIL();
        var seen = new List<string>();
        using var callback = new Action<string>(seen.Add).ToPython();
        callback.Invoke("one".ToPython()).IsNone().ShouldBeTrue();
        using var scope = Py.CreateScope();
        scope.Set("callback", callback);
        scope.Exec("for word in ('two', 'three'):\n    callback(word)");
        seen.ShouldBe(["one", "two", "three"]);

        using var thrower = new Action<string>(text => throw new InvalidOperationException("from .NET: " + text)).ToPython();
        scope.Set("thrower", thrower);
        Should.Throw<InvalidOperationException>(() => scope.Exec("thrower('x')")).Message.ShouldBe("from .NET: x");
        scope.Exec("try:\n    thrower('y')\nexcept Exception as e:\n    caught = str(e)");
        scope.Get<string>("caught").ShouldContain("from .NET: y");

        using var adder = new Func<int, int, int>((a, b) => a + b).ToPython();
        adder.Invoke(2.ToPython(), 3.ToPython()).As<int>().ShouldBe(5);
    }

    [SkippableFact]
    public void Buffers_give_the_memory()
    {
        using var gil = Py.GIL();
        using var scope = Py.CreateScope();
        scope.Exec("import array\ndata = array.array('i', [1, 2, 3, 4])\nview = memoryview(data).cast('B').cast('i', (2, 2))");
        using var data = scope.Get("data");
        using (var buffer = data.GetBuffer(PyBUF.ND))
        {
            buffer.Length.ShouldBe(16);
            buffer.ItemSize.ShouldBe(4);
            buffer.ReadOnly.ShouldBeFalse();
            var bytes = new byte[4];
            buffer.Read(bytes, 0, 4, 8);
            BitConverter.ToInt32(bytes).ShouldBe(3);
            buffer.Write(BitConverter.GetBytes(30), 0, 4, 8);
        }
        scope.Eval<int>("data[2]").ShouldBe(30);
        using var view = scope.Get("view");
        using var shaped = view.GetBuffer(PyBUF.STRIDES);
        shaped.Shape.ShouldBe([2L, 2L]);
        shaped.Strides.ShouldBe([8L, 4L]);
        Should.Throw<PythonException>(() => PythonEngine.Eval("b'fixed'").GetBuffer(PyBUF.WRITABLE));
        Should.Throw<PythonException>(() => new PyInt(3).GetBuffer());
    }

    [SkippableFact]
    public void Threads_share_the_lock()
    {
        var total = 0;
        Parallel.For(0, 16, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            using var gil = Py.GIL();
            using (Py.GIL())
            {
                using var scope = Py.CreateScope();
                scope.Set("i", i);
                Interlocked.Add(ref total, scope.Eval<int>("sum(range(i + 1))"));
            }
        });
        total.ShouldBe(680);
    }

    [SkippableFact]
    public void A_running_thread_can_be_interrupted()
    {
        using var started = new ManualResetEventSlim();
        ulong thread = 0;
        string? raised = null;
        var runner = new Thread(() =>
        {
            using var gil = Py.GIL();
            thread = PythonEngine.GetPythonThreadID();
            using var scope = Py.CreateScope();
            scope.Set("started", new Action(started.Set));
            raised = Should.Throw<PythonException>(() => scope.Exec("started()\nwhile True:\n    pass")).Type.Name;
        });
        runner.Start();
        started.Wait();
        using (Py.GIL())
            PythonEngine.Interrupt(thread).ShouldBe(1);
        runner.Join();
        raised.ShouldBe("KeyboardInterrupt");
    }

    [SkippableFact]
    public void References_are_given_back()
    {
        using var gil = Py.GIL();
        using var scope = Py.CreateScope();
        scope.Exec("import sys, weakref\nclass Thing: pass\nthing = Thing()\nprobe = weakref.ref(thing)");
        var thing = scope.Get("thing");
        scope.Exec("del thing");
        scope.Eval<bool>("probe() is not None").ShouldBeTrue();
        thing.Dispose();
        scope.Eval<bool>("probe() is None").ShouldBeTrue();
    }
}
