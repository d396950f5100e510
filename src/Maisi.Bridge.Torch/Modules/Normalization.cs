namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.GroupNorm GroupNorm(long num_groups, long num_channels, double eps = 1e-05, bool affine = true, Device? device = null,
                ScalarType? dtype = null) => new(num_groups, num_channels, eps, affine, device, dtype);

            public static Modules.LayerNorm LayerNorm(long[] normalized_shape, double eps = 1e-05, bool elementwise_affine = true, bool bias = true,
                Device? device = null, ScalarType? dtype = null) => new(normalized_shape, eps, elementwise_affine, bias, device, dtype);

            public static Modules.LayerNorm LayerNorm(long normalized_shape, double eps = 1e-05, bool elementwise_affine = true, bool bias = true,
                Device? device = null, ScalarType? dtype = null) => new([normalized_shape], eps, elementwise_affine, bias, device, dtype);

            public static Modules.BatchNorm1d BatchNorm1d(long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = true,
                bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            public static Modules.InstanceNorm1d InstanceNorm1d(long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = false,
                bool track_running_stats = false, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            public static Modules.BatchNorm2d BatchNorm2d(long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = true,
                bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            public static Modules.InstanceNorm2d InstanceNorm2d(long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = false,
                bool track_running_stats = false, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            public static Modules.BatchNorm3d BatchNorm3d(long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = true,
                bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            public static Modules.InstanceNorm3d InstanceNorm3d(long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = false,
                bool track_running_stats = false, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Normalises groups of channels of each sample.</summary>
    public sealed class GroupNorm : torch.nn.Module<torch.Tensor, torch.Tensor>
    {
        internal GroupNorm(long groups, long channels, double eps, bool affine, torch.Device? device, torch.ScalarType? dtype)
            : base(nameof(GroupNorm))
        {
            if (groups <= 0 || channels % groups != 0)
                throw new ArgumentException($"GroupNorm: {channels} channels are not divisible by {groups} groups");
            num_groups = groups;
            num_channels = channels;
            this.eps = eps;
            if (!affine)
                return;
            weight = ModuleInitialization.Parameter([channels], device, dtype, t => t.fill_(1));
            bias = ModuleInitialization.Parameter([channels], device, dtype, t => t.zero_());
            register_parameter(nameof(weight), weight);
            register_parameter(nameof(bias), bias);
        }

        public Parameter? weight { get; }

        public Parameter? bias { get; }

        public long num_groups { get; }

        public long num_channels { get; }

        public double eps { get; }

        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.group_norm(input, num_groups, weight, bias, eps);
    }

    /// <summary>Normalises the last dimensions.</summary>
    public sealed class LayerNorm : torch.nn.Module<torch.Tensor, torch.Tensor>
    {
        internal LayerNorm(long[] shape, double eps, bool affine, bool hasBias, torch.Device? device, torch.ScalarType? dtype)
            : base(nameof(LayerNorm))
        {
            normalized_shape = shape;
            this.eps = eps;
            if (!affine)
                return;
            weight = ModuleInitialization.Parameter(shape, device, dtype, t => t.fill_(1));
            register_parameter(nameof(weight), weight);
            if (!hasBias)
                return;
            bias = ModuleInitialization.Parameter(shape, device, dtype, t => t.zero_());
            register_parameter(nameof(bias), bias);
        }

        public Parameter? weight { get; }

        public Parameter? bias { get; }

        public long[] normalized_shape { get; }

        public double eps { get; }

        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.layer_norm(input, normalized_shape, weight, bias, eps);
    }

    /// <summary>Weight, bias and running statistics that batch and instance normalisation share.</summary>
    public abstract class NormWithStatistics : torch.nn.Module<torch.Tensor, torch.Tensor>
    {
        private protected NormWithStatistics(string name, long features, double eps, double momentum, bool affine, bool track, torch.Device? device,
            torch.ScalarType? dtype)
            : base(name)
        {
            this.eps = eps;
            this.momentum = momentum;
            if (affine)
            {
                weight = ModuleInitialization.Parameter([features], device, dtype, t => t.fill_(1));
                bias = ModuleInitialization.Parameter([features], device, dtype, t => t.zero_());
                register_parameter(nameof(weight), weight);
                register_parameter(nameof(bias), bias);
            }
            if (!track)
                return;
            device ??= DefaultDevice.Current;
            running_mean = torch.zeros([features], dtype, device);
            running_var = torch.ones([features], dtype, device);
            num_batches_tracked = torch.zeros([], torch.ScalarType.Int64, device);
            register_buffer(nameof(running_mean), running_mean);
            register_buffer(nameof(running_var), running_var);
            register_buffer(nameof(num_batches_tracked), num_batches_tracked);
        }

        public Parameter? weight { get; }

        public Parameter? bias { get; }

        public torch.Tensor? running_mean { get; }

        public torch.Tensor? running_var { get; }

        public torch.Tensor? num_batches_tracked { get; }

        public double eps { get; }

        public double momentum { get; }
    }

    /// <summary>Normalises each channel over the batch.</summary>
    public abstract class BatchNorm : NormWithStatistics
    {
        private protected BatchNorm(string name, long features, double eps, double momentum, bool affine, bool track, torch.Device? device, torch.ScalarType? dtype)
            : base(name, features, eps, momentum, affine, track, device, dtype)
        {
        }

        public override torch.Tensor forward(torch.Tensor input)
        {
            if (training && num_batches_tracked is not null)
            {
                using var _ = torch.no_grad();
                num_batches_tracked.add_(1);
            }
            return torch.nn.functional.batch_norm(input, running_mean, running_var, weight, bias, training || running_mean is null, momentum, eps);
        }
    }

    /// <summary>Normalises each channel of each sample.</summary>
    public abstract class InstanceNorm : NormWithStatistics
    {
        private protected InstanceNorm(string name, long features, double eps, double momentum, bool affine, bool track, torch.Device? device, torch.ScalarType? dtype)
            : base(name, features, eps, momentum, affine, track, device, dtype)
        {
        }

        public override torch.Tensor forward(torch.Tensor input) =>
            torch.nn.functional.instance_norm(input, running_mean, running_var, weight, bias, training || running_mean is null, momentum, eps);
    }

    /// <summary>Batch normalisation of [N, C] or [N, C, L].</summary>
    public sealed class BatchNorm1d : BatchNorm
    {
        internal BatchNorm1d(long features, double eps, double momentum, bool affine, bool track, torch.Device? device, torch.ScalarType? dtype)
            : base(nameof(BatchNorm1d), features, eps, momentum, affine, track, device, dtype)
        {
        }
    }

    /// <summary>Instance normalisation of [N, C, L].</summary>
    public sealed class InstanceNorm1d : InstanceNorm
    {
        internal InstanceNorm1d(long features, double eps, double momentum, bool affine, bool track, torch.Device? device, torch.ScalarType? dtype)
            : base(nameof(InstanceNorm1d), features, eps, momentum, affine, track, device, dtype)
        {
        }
    }

    /// <summary>Batch normalisation of [N, C, H, W].</summary>
    public sealed class BatchNorm2d : BatchNorm
    {
        internal BatchNorm2d(long features, double eps, double momentum, bool affine, bool track, torch.Device? device, torch.ScalarType? dtype)
            : base(nameof(BatchNorm2d), features, eps, momentum, affine, track, device, dtype)
        {
        }
    }

    /// <summary>Instance normalisation of [N, C, H, W].</summary>
    public sealed class InstanceNorm2d : InstanceNorm
    {
        internal InstanceNorm2d(long features, double eps, double momentum, bool affine, bool track, torch.Device? device, torch.ScalarType? dtype)
            : base(nameof(InstanceNorm2d), features, eps, momentum, affine, track, device, dtype)
        {
        }
    }

    /// <summary>Batch normalisation of [N, C, D, H, W].</summary>
    public sealed class BatchNorm3d : BatchNorm
    {
        internal BatchNorm3d(long features, double eps, double momentum, bool affine, bool track, torch.Device? device, torch.ScalarType? dtype)
            : base(nameof(BatchNorm3d), features, eps, momentum, affine, track, device, dtype)
        {
        }
    }

    /// <summary>Instance normalisation of [N, C, D, H, W].</summary>
    public sealed class InstanceNorm3d : InstanceNorm
    {
        internal InstanceNorm3d(long features, double eps, double momentum, bool affine, bool track, torch.Device? device, torch.ScalarType? dtype)
            : base(nameof(InstanceNorm3d), features, eps, momentum, affine, track, device, dtype)
        {
        }
    }
}
