namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public abstract partial class Module
        {
            /// <summary>Parameters and persistent buffers by their dotted names; the tensors are the module's own, not copies.</summary>
            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
            {
                destination ??= new(StringComparer.Ordinal);
                foreach (var (at, module) in NamedModulesWithSelf())
                {
                    var where = Join(prefix ?? "", at);
                    foreach (var (name, parameter) in module._parameters)
                        destination.TryAdd(Join(where, name), parameter);
                    foreach (var (name, buffer, persistent) in module._buffers)
                    {
                        if (persistent)
                            destination.TryAdd(Join(where, name), buffer);
                    }
                }
                return destination;
            }

            /// <summary>Copies values in. Nothing is copied when anything does not fit.</summary>
            /// <param name="source">Tensors by dotted name; dtype and device may differ.</param>
            /// <param name="strict">Whether missing and unexpected names are errors. Shapes that differ always are.</param>
            /// <param name="skip">Names to leave alone.</param>
            /// <exception cref="InvalidOperationException">Names or shapes differ; the message lists them.</exception>
            public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(Dictionary<string, Tensor> source, bool strict = true,
                IList<string>? skip = null)
            {
                ArgumentNullException.ThrowIfNull(source);
                var skipped = new HashSet<string>(skip ?? [], StringComparer.Ordinal);
                var target = state_dict();
                List<string> missing = [.. target.Keys.Where(k => !source.ContainsKey(k) && !skipped.Contains(k))];
                List<string> unexpected = [.. source.Keys.Where(k => !target.ContainsKey(k) && !skipped.Contains(k))];
                var shared = target.Where(t => source.ContainsKey(t.Key) && !skipped.Contains(t.Key)).ToList();
                List<string> problems = [.. shared.Where(t => !t.Value.shape.AsSpan().SequenceEqual(source[t.Key].shape))
                    .Select(t => $"{t.Key}: the module has [{string.Join(", ", t.Value.shape)}], the file [{string.Join(", ", source[t.Key].shape)}]")];
                problems.AddRange(shared.Where(t => t.Value.is_meta).Select(t => $"{t.Key}: the module was built on the meta device and has no memory for it"));
                if (strict)
                {
                    problems.AddRange(missing.Select(k => $"{k}: missing in the file"));
                    problems.AddRange(unexpected.Select(k => $"{k}: unknown to the module"));
                }
                if (problems.Count > 0)
                    throw new InvalidOperationException(Describe(problems));
                using var _ = no_grad();
                foreach (var (key, tensor) in shared)
                    tensor.copy_(source[key]);
                return (missing, unexpected);
            }

            /// <summary>Moves and converts parameters and buffers; only floating-point ones change dtype. The objects stay the same.</summary>
            internal Module Convert(Device? device, ScalarType? dtype)
            {
                using var scope = DisposeScope.Suspend();
                using var grad = no_grad();
                foreach (var parameter in parameters())
                {
                    using var old = parameter.grad;
                    var requires = parameter.requires_grad;
                    if (!Change(parameter, device, dtype))
                        continue;
                    parameter.requires_grad = requires;
                    if (old is null)
                        continue;
                    Change(old, device, dtype);
                    parameter.grad = old;
                }
                foreach (var buffer in buffers())
                    Change(buffer, device, dtype);
                return this;
            }

            private static bool Change(Tensor tensor, Device? device, ScalarType? dtype)
            {
                var type = dtype is not null && tensor.is_floating_point() ? dtype.Value : tensor.dtype;
                var target = device ?? tensor.device;
                if (type == tensor.dtype && target.Equals(tensor.device))
                    return false;
                using var detached = tensor.detach();
                using var changed = target.type == DeviceType.META || !tensor.is_meta
                    ? detached.to(type, target)
                    : empty(tensor.shape, type, target);
                tensor.Rebind(changed);
                return true;
            }

            private string Describe(List<string> problems)
            {
                const int shown = 12;
                var rest = problems.Count > shown ? $"\n  ... and {problems.Count - shown} more" : "";
                return $"The weights do not fit {GetName()} ({problems.Count} problems):\n  {string.Join("\n  ", problems.Take(shown))}{rest}";
            }
        }
    }
}

/// <summary>Moving and converting modules; the module itself comes back.</summary>
public static class ModuleExtensionMethods
{
    public static T to<T>(this T module, torch.ScalarType type, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.Convert(null, type);

    public static T to<T>(this T module, torch.Device device, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.Convert(device, null);

    public static T to<T>(this T module, torch.Device device, torch.ScalarType type, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.Convert(device, type);

    public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.Convert(new torch.Device(deviceType, deviceIndex), null);

    public static T to<T>(this T module, string device, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.Convert(new torch.Device(device), null);

    public static T cpu<T>(this T module, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.Convert(torch.CPU, null);

    public static T cuda<T>(this T module, int deviceIndex = -1, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.Convert(new torch.Device(DeviceType.CUDA, deviceIndex), null);

    public static T half<T>(this T module, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.Convert(null, torch.ScalarType.Float16);

    public static T bfloat16<T>(this T module, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.Convert(null, torch.ScalarType.BFloat16);

    public static T @float<T>(this T module, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.Convert(null, torch.ScalarType.Float32);

    public static T @double<T>(this T module, bool non_blocking = false)
        where T : torch.nn.Module => (T)module.Convert(null, torch.ScalarType.Float64);
}
