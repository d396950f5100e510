using System.Runtime.InteropServices;

namespace Python.Runtime;

/// <summary>
/// The functions of CPython's C API that the binding calls, all exported by every version from 3.9 to 3.14. They resolve one by one
/// on first use. Objects are passed as addresses; "new" and "borrowed" below are CPython's terms for who owns the reference returned.
/// </summary>
internal static unsafe partial class CPython
{
    private const string Lib = PythonLibrary.ImportName;

    // Life of the interpreter and its lock.
    [LibraryImport(Lib)] internal static partial int Py_IsInitialized();
    [LibraryImport(Lib)] internal static partial void Py_InitializeEx(int signals);
    [LibraryImport(Lib)] internal static partial int Py_FinalizeEx();
    [LibraryImport(Lib)] internal static partial void Py_SetProgramName(nint name);
    [LibraryImport(Lib)] internal static partial void Py_SetPythonHome(nint home);
    [LibraryImport(Lib)] internal static partial nint Py_GetVersion();
    [LibraryImport(Lib)] internal static partial nint PyEval_SaveThread();
    [LibraryImport(Lib)] internal static partial void PyEval_RestoreThread(nint state);
    [LibraryImport(Lib)] internal static partial int PyGILState_Ensure();
    [LibraryImport(Lib)] internal static partial void PyGILState_Release(int state);
    [LibraryImport(Lib)] internal static partial int PyThreadState_SetAsyncExc(CULong thread, nint exception);

    // Objects.
    [LibraryImport(Lib)] internal static partial void Py_IncRef(nint o);
    [LibraryImport(Lib)] internal static partial void Py_DecRef(nint o);
    [LibraryImport(Lib)] internal static partial nint PyObject_GetAttr(nint o, nint name); // new
    [LibraryImport(Lib)] internal static partial int PyObject_SetAttr(nint o, nint name, nint value); // value 0 deletes
    [LibraryImport(Lib)] internal static partial int PyObject_HasAttr(nint o, nint name);
    [LibraryImport(Lib)] internal static partial nint PyObject_GetItem(nint o, nint key); // new
    [LibraryImport(Lib)] internal static partial int PyObject_SetItem(nint o, nint key, nint value);
    [LibraryImport(Lib)] internal static partial int PyObject_DelItem(nint o, nint key);
    [LibraryImport(Lib)] internal static partial nint PyObject_Size(nint o);
    [LibraryImport(Lib)] internal static partial nint PyObject_Call(nint callable, nint args, nint kwargs); // new
    [LibraryImport(Lib)] internal static partial nint PyObject_Str(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyObject_Repr(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyObject_Dir(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyObject_Type(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyObject_GetIter(nint o); // new
    [LibraryImport(Lib)] internal static partial int PyObject_IsTrue(nint o);
    [LibraryImport(Lib)] internal static partial int PyObject_IsInstance(nint o, nint type);
    [LibraryImport(Lib)] internal static partial int PyObject_RichCompareBool(nint a, nint b, int op);
    [LibraryImport(Lib)] internal static partial nint PyObject_RichCompare(nint a, nint b, int op); // new
    [LibraryImport(Lib)] internal static partial nint PyObject_Hash(nint o);
    [LibraryImport(Lib)] internal static partial int PyCallable_Check(nint o);
    [LibraryImport(Lib)] internal static partial int PySequence_Check(nint o);
    [LibraryImport(Lib)] internal static partial int PySequence_Contains(nint o, nint item);
    [LibraryImport(Lib)] internal static partial nint PySequence_Concat(nint a, nint b); // new
    [LibraryImport(Lib)] internal static partial int PyIter_Check(nint o);
    [LibraryImport(Lib)] internal static partial nint PyIter_Next(nint o); // new, 0 at the end
    [LibraryImport(Lib)] internal static partial CULong PyType_GetFlags(nint type);

    // Numbers, text, bytes.
    [LibraryImport(Lib)] internal static partial nint PyBool_FromLong(CLong value); // new
    [LibraryImport(Lib)] internal static partial nint PyLong_FromLongLong(long value); // new
    [LibraryImport(Lib)] internal static partial nint PyLong_FromUnsignedLongLong(ulong value); // new
    [LibraryImport(Lib)] internal static partial nint PyLong_FromString(byte* text, byte** end, int radix); // new
    [LibraryImport(Lib)] internal static partial long PyLong_AsLongLong(nint o);
    [LibraryImport(Lib)] internal static partial ulong PyLong_AsUnsignedLongLong(nint o);
    [LibraryImport(Lib)] internal static partial nint PyFloat_FromDouble(double value); // new
    [LibraryImport(Lib)] internal static partial double PyFloat_AsDouble(nint o);
    [LibraryImport(Lib)] internal static partial nint PyNumber_Long(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyNumber_Index(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyNumber_Float(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyUnicode_DecodeUTF16(byte* text, nint bytes, byte* errors, int* order); // new
    [LibraryImport(Lib)] internal static partial nint PyUnicode_AsEncodedString(nint o, byte* encoding, byte* errors); // new bytes
    [LibraryImport(Lib)] internal static partial int PyBytes_AsStringAndSize(nint o, byte** text, nint* bytes);

    // Containers.
    [LibraryImport(Lib)] internal static partial nint PyList_New(nint size); // new
    [LibraryImport(Lib)] internal static partial int PyList_SetItem(nint o, nint index, nint item); // steals item
    [LibraryImport(Lib)] internal static partial int PyList_Append(nint o, nint item);
    [LibraryImport(Lib)] internal static partial int PyList_Insert(nint o, nint index, nint item);
    [LibraryImport(Lib)] internal static partial int PyList_Reverse(nint o);
    [LibraryImport(Lib)] internal static partial int PyList_Sort(nint o);
    [LibraryImport(Lib)] internal static partial nint PySequence_List(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyTuple_New(nint size); // new
    [LibraryImport(Lib)] internal static partial int PyTuple_SetItem(nint o, nint index, nint item); // steals item
    [LibraryImport(Lib)] internal static partial nint PyTuple_Size(nint o);
    [LibraryImport(Lib)] internal static partial nint PyTuple_GetItem(nint o, nint index); // borrowed
    [LibraryImport(Lib)] internal static partial nint PySequence_Tuple(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyDict_New(); // new
    [LibraryImport(Lib)] internal static partial int PyDict_Contains(nint o, nint key);
    [LibraryImport(Lib)] internal static partial nint PyDict_GetItemWithError(nint o, nint key); // borrowed
    [LibraryImport(Lib)] internal static partial int PyDict_SetItem(nint o, nint key, nint value);
    [LibraryImport(Lib)] internal static partial nint PyDict_Keys(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyDict_Values(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyDict_Items(nint o); // new
    [LibraryImport(Lib)] internal static partial nint PyDict_Copy(nint o); // new
    [LibraryImport(Lib)] internal static partial int PyDict_Update(nint o, nint other);
    [LibraryImport(Lib)] internal static partial void PyDict_Clear(nint o);

    // Modules, code, functions, capsules, buffers.
    [LibraryImport(Lib)] internal static partial nint PyImport_Import(nint name); // new
    [LibraryImport(Lib)] internal static partial nint PyModule_NewObject(nint name); // new
    [LibraryImport(Lib)] internal static partial nint PyModule_GetDict(nint module); // borrowed
    [LibraryImport(Lib)] internal static partial nint PyEval_GetBuiltins(); // borrowed
    [LibraryImport(Lib)] internal static partial nint Py_CompileString(byte* code, byte* file, int start); // new
    [LibraryImport(Lib)] internal static partial nint PyEval_EvalCode(nint code, nint globals, nint locals); // new
    [LibraryImport(Lib)] internal static partial nint PyCFunction_NewEx(void* definition, nint self, nint module); // new
    [LibraryImport(Lib)] internal static partial nint PyCapsule_New(nint pointer, byte* name, nint destructor); // new
    [LibraryImport(Lib)] internal static partial nint PyCapsule_GetPointer(nint capsule, byte* name);
    [LibraryImport(Lib)] internal static partial int PyCapsule_IsValid(nint capsule, byte* name);
    [LibraryImport(Lib)] internal static partial int PyCapsule_SetName(nint capsule, byte* name);
    [LibraryImport(Lib)] internal static partial int PyObject_GetBuffer(nint o, PyBufferView* view, int flags);
    [LibraryImport(Lib)] internal static partial void PyBuffer_Release(PyBufferView* view);

    // Errors.
    [LibraryImport(Lib)] internal static partial nint PyErr_Occurred(); // borrowed
    [LibraryImport(Lib)] internal static partial void PyErr_Clear();
    [LibraryImport(Lib)] internal static partial void PyErr_SetObject(nint type, nint value);
    [LibraryImport(Lib)] internal static partial void PyErr_Fetch(nint* type, nint* value, nint* traceback); // new
    [LibraryImport(Lib)] internal static partial void PyErr_NormalizeException(nint* type, nint* value, nint* traceback);
    [LibraryImport(Lib)] internal static partial void PyErr_Restore(nint type, nint value, nint traceback); // steals
    [LibraryImport(Lib)] internal static partial int PyException_SetTraceback(nint exception, nint traceback);

    /// <summary>The None object, borrowed.</summary>
    internal static nint None => PythonLibrary.Symbol("_Py_NoneStruct");

    /// <summary>A built-in exception class such as <c>PyExc_RuntimeError</c>, borrowed.</summary>
    internal static nint Exception(string name) => *(nint*)PythonLibrary.Symbol(name);
}
