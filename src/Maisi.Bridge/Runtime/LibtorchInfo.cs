namespace Maisi.Bridge.Runtime;

/// <summary>Which tensor library runs, and with what.</summary>
/// <param name="Binding">"libtorch" (the binding of this repository) or "TorchSharp".</param>
/// <param name="Version">The version of libtorch.</param>
/// <param name="Path">The file of libtorch_cpu; empty when unknown.</param>
/// <param name="Blas">The BLAS used for matrix products: its file, or a name.</param>
/// <param name="OneDnn">Whether oneDNN is there and on; null when unknown.</param>
/// <param name="CudaBuild">Whether this build can use CUDA.</param>
/// <param name="CudaDevices">How many CUDA devices there are.</param>
/// <param name="CudnnVersion">cuDNN's version number; 0 without it.</param>
/// <param name="Threads">Threads that one operation uses.</param>
/// <param name="InteropThreads">Threads for independent operations.</param>
public sealed record LibtorchInfo(
    string Binding, string Version, string Path, string Blas, bool? OneDnn, bool CudaBuild, int CudaDevices, int CudnnVersion, int Threads, int InteropThreads);
