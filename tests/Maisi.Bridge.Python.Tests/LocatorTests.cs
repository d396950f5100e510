using System.Diagnostics;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Python.Tests;

public sealed class LocatorTests
{
    private static PythonSearch Search(string folder, string? explicitly = null, params (string Name, string? Value)[] variables) =>
        new(explicitly, folder, name => variables.FirstOrDefault(v => v.Name == name).Value);

    [SkippableFact]
    public async Task The_record_describes_a_working_interpreter()
    {
        var python = await TestPython.RequireAsync();
        File.Exists(python.LibPython).ShouldBeTrue();
        python.Version.Major.ShouldBe(3);
        python.Version.Minor.ShouldBeInRange(PythonLocator.OldestMinor, PythonLocator.NewestMinor);
        python.Paths.ShouldContain(p => File.Exists(Path.Combine(p, "json", "__init__.py")));
        Directory.Exists(python.Prefix).ShouldBeTrue();
    }

    [SkippableFact]
    public async Task Torch_is_recorded_with_the_library_it_loads()
    {
        var python = await TestPython.RequireAsync("torch");
        python.Torch.ShouldNotBeNull();
        python.Torch.Version.ShouldStartWith(python.Modules["torch"].Split('+')[0][..3]);
        File.Exists(python.Torch.LibTorch).ShouldBeTrue();
        File.ResolveLinkTarget(python.Torch.LibTorch!, returnFinalTarget: true).ShouldBeNull("links are resolved");
    }

    [SkippableFact]
    public async Task A_virtual_environment_is_found_by_its_variable_and_by_its_folder()
    {
        var python = await TestPython.RequireAsync();
        Skip.If(OperatingSystem.IsWindows(), "venv layout of Unix");
        using var folder = TestPaths.Temporary();
        var project = folder["Projekt größer 肺 with blanks"];
        var venv = Path.Combine(project, ".venv");
        Directory.CreateDirectory(Path.Combine(project, "deep", "er"));
        await RunAsync(python.Executable, "-m", "venv", "--without-pip", venv);

        var (byVariable, _) = await PythonLocator.FindAsync(Search(folder.Path, null, ("VIRTUAL_ENV", venv)));
        byVariable.Locator.ShouldBe("venv");
        var (byFolder, _) = await PythonLocator.FindAsync(Search(Path.Combine(project, "deep", "er")));
        byFolder.Locator.ShouldBe("project");
        byFolder.Executable.ShouldBe(Path.Combine(venv, "bin", "python"));
        byFolder.Prefix.ShouldBe(venv);
        byFolder.BasePrefix.ShouldBe(python.BasePrefix);
        byFolder.IsVirtual.ShouldBeTrue();
        byFolder.LibPython.ShouldBe(python.LibPython);

        await using var runtime = new PythonRuntime(Options(byFolder.Executable), Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, TimeProvider.System);
        var inside = (List<object?>)(await runtime.CallAsync("worker_functions:executable"))!;
        inside.ShouldBe([byFolder.Executable, venv], "the worker stands for the venv's python without PYTHONHOME");
    }

    [SkippableFact]
    public async Task A_named_interpreter_that_fails_is_an_error_and_not_skipped()
    {
        await TestPython.RequireAsync();
        using var folder = TestPaths.Temporary();
        var missing = await Should.ThrowAsync<PythonNotFoundException>(() => PythonLocator.FindAsync(Search(folder.Path, folder["none"])));
        missing.Message.ShouldContain("explicit");
        missing.Message.ShouldContain("does not exist");
        var failing = folder["fake python"];
        await File.WriteAllTextAsync(failing, "#!/bin/sh\necho not a python >&2\nexit 7\n");
        Skip.If(OperatingSystem.IsWindows(), "needs an executable script");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(failing, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var broken = await Should.ThrowAsync<PythonNotFoundException>(() => PythonLocator.FindAsync(Search(folder.Path, null, ("MAISI_PYTHON", failing))));
        broken.Message.ShouldContain("code 7: not a python");
        broken.Where.ShouldBe(failing);
    }

    [SkippableFact]
    public async Task Candidates_without_the_modules_are_passed_over_with_the_reason()
    {
        await TestPython.RequireAsync();
        using var folder = TestPaths.Temporary();
        var error = await Should.ThrowAsync<PythonNotFoundException>(() => PythonLocator.FindAsync(Search(folder.Path), ["no_such_module_at_all"]));
        error.Message.ShouldContain("it lacks no_such_module_at_all");
        error.Hint!.ShouldContain("MAISI_PYTHON");
    }

    [SkippableFact]
    public async Task A_module_in_the_working_folder_shadows_nothing()
    {
        var python = await TestPython.RequireAsync();
        using var folder = TestPaths.Temporary();
        await File.WriteAllTextAsync(folder["json.py"], "raise SystemExit('shadowed')");
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = folder.Path;
        try
        {
            (await PythonLocator.FindAsync(Search(folder.Path, python.Executable))).Interpreter.Version.ShouldBe(python.Version);
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    private static PythonOptions Options(string executable)
    {
        var options = new PythonOptions { Executable = executable };
        options.Paths.Add(TestPython.Functions);
        return options;
    }

    private static async Task RunAsync(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0);
    }
}
