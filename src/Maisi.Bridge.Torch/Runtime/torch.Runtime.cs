namespace TorchSharp;

public static partial class torch
{
    /// <summary>The version of libtorch, as the shim was compiled against it.</summary>
    public static unsafe string __version__ => Native.Text(Native.mt_version());

    public static int get_num_threads() => Native.mt_get_num_threads();

    public static void set_num_threads(int num) => Native.mt_set_num_threads(num);

    public static int get_num_interop_threads() => Native.mt_get_num_interop_threads();

    public static void set_num_interop_threads(int num) => Native.Check(Native.mt_set_num_interop_threads(num));

    public static ScalarType get_default_dtype() => (ScalarType)Native.mt_default_dtype(-1);

    public static void set_default_dtype(ScalarType dtype) => Native.Check(Native.mt_default_dtype((int)dtype) < 0 ? 1 : 0);

    /// <summary>CUDA devices, where the shim was built with CUDA.</summary>
    public static class cuda
    {
        public static bool is_available() => device_count() > 0;

        public static bool is_cudnn_available() => is_available() && Native.mt_cuda_cudnn_version() > 0;

        public static int device_count() => Native.mt_cuda_device_count();

        public static void manual_seed(long seed) => torch.manual_seed(seed).Dispose();

        public static void manual_seed_all(long seed) => torch.manual_seed(seed).Dispose();

        /// <summary>Waits until the device has done all its work.</summary>
        public static void synchronize(Device? device = null) => Native.Check(Native.mt_cuda_synchronize(Math.Max(0, device?.index ?? 0)));
    }

    public static class random
    {
        public static Generator manual_seed(long seed) => torch.manual_seed(seed);
    }
}
