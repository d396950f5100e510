using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Maisi.Bridge.Python;

/// <summary>A Job Object that ends a worker and all its descendants when it is closed, which the system does when this process ends.</summary>
[SupportedOSPlatform("windows")]
internal sealed partial class WindowsJob : IDisposable
{
    private const int ExtendedLimitInformation = 9;
    private const uint KillOnClose = 0x2000;
    private readonly SafeFileHandle job;

    /// <summary>Puts a process into a new job.</summary>
    public unsafe WindowsJob(Process process)
    {
        job = new SafeFileHandle(CreateJobObjectW(0, 0), ownsHandle: true);
        var limits = new ExtendedLimits { LimitFlags = KillOnClose };
        _ = SetInformationJobObject(job.DangerousGetHandle(), ExtendedLimitInformation, &limits, (uint)sizeof(ExtendedLimits));
        _ = AssignProcessToJobObject(job.DangerousGetHandle(), process.Handle);
    }

    /// <inheritdoc/>
    public void Dispose() => job.Dispose();

    // JOBOBJECT_EXTENDED_LIMIT_INFORMATION
    private struct ExtendedLimits
    {
        public long PerProcessUserTime, PerJobUserTime;
        public uint LimitFlags;
        public nuint MinimumWorkingSet, MaximumWorkingSet;
        public uint ActiveProcesses;
        public nuint Affinity;
        public uint PriorityClass, SchedulingClass;
        public ulong ReadOperations, WriteOperations, OtherOperations, ReadBytes, WriteBytes, OtherBytes;
        public nuint ProcessMemory, JobMemory, PeakProcessMemory, PeakJobMemory;
    }

    [LibraryImport("kernel32")]
    private static partial nint CreateJobObjectW(nint attributes, nint name);

    [LibraryImport("kernel32")]
    private static unsafe partial int SetInformationJobObject(nint job, int kind, void* information, uint length);

    [LibraryImport("kernel32")]
    private static partial int AssignProcessToJobObject(nint job, nint process);
}
