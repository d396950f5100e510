using System.Reflection;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Base of all networks: parameters, buffers and child modules under the names of the fields that hold them.</summary>
        public abstract partial class Module : IDisposable
        {
            private readonly List<(string Name, Modules.Parameter Parameter)> _parameters = [];
            private readonly List<(string Name, Tensor Buffer, bool Persistent)> _buffers = [];
            private readonly List<(string Name, Module Module)> _children = [];
            private readonly string _name;
            private bool _registered;

            protected Module(string name) => _name = name;

            public virtual bool training { get; private set; } = true;

            public virtual string GetName() => _name;

            public virtual void train(bool train = true)
            {
                training = train;
                foreach (var (_, child) in _children)
                    child.train(train);
            }

            public virtual void eval() => train(false);

            /// <summary>Runs <paramref name="fn"/> on every module below, then on this one.</summary>
            public virtual Module apply(Action<Module> fn)
            {
                foreach (var (_, child) in _children)
                    child.apply(fn);
                fn(this);
                return this;
            }

            public virtual void zero_grad(bool set_to_none = true)
            {
                foreach (var parameter in parameters())
                {
                    if (set_to_none)
                    {
                        parameter.grad = null;
                        continue;
                    }
                    using var grad = parameter.grad;
                    grad?.detach_().zero_();
                }
            }

            public Module requires_grad_(bool requires_grad = true)
            {
                foreach (var parameter in parameters())
                    parameter.requires_grad = requires_grad;
                return this;
            }

            public virtual IEnumerable<(string name, Modules.Parameter parameter)> named_parameters(bool recurse = true)
            {
                var seen = new HashSet<Tensor>(ReferenceEqualityComparer.Instance);
                foreach (var (prefix, module) in recurse ? NamedModulesWithSelf() : [("", this)])
                {
                    foreach (var (name, parameter) in module._parameters)
                    {
                        if (seen.Add(parameter))
                            yield return (Join(prefix, name), parameter);
                    }
                }
            }

            public virtual IEnumerable<Modules.Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(p => p.parameter);

            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true)
            {
                foreach (var (prefix, module) in recurse ? NamedModulesWithSelf() : [("", this)])
                {
                    foreach (var (name, buffer, persistent) in module._buffers)
                    {
                        if (persistent || include_nonpersistent)
                            yield return (Join(prefix, name), buffer);
                    }
                }
            }

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true) =>
                named_buffers(recurse, include_nonpersistent).Select(b => b.buffer);

            public virtual IEnumerable<(string name, Module module)> named_children() => _children.Select(c => (c.Name, c.Module));

            public virtual IEnumerable<Module> children() => _children.Select(c => c.Module);

            /// <summary>Every module below this one, by its dotted name.</summary>
            public virtual IEnumerable<(string name, Module module)> named_modules() => NamedModulesWithSelf().Where(m => !ReferenceEquals(m.Module, this));

            public virtual IEnumerable<Module> modules() => named_modules().Select(m => m.module);

            public virtual bool has_parameter(string target) => get_parameter(target) is not null;

            public virtual bool has_buffer(string target) => get_buffer(target) is not null;

            public virtual Modules.Parameter? get_parameter(string target) => named_parameters().FirstOrDefault(p => string.Equals(p.name, target, StringComparison.Ordinal)).parameter;

            public virtual Tensor? get_buffer(string target) => named_buffers().FirstOrDefault(b => string.Equals(b.name, target, StringComparison.Ordinal)).buffer;

            public virtual void register_parameter(string name, Modules.Parameter param)
            {
                ArgumentNullException.ThrowIfNull(param);
                CheckName(name);
                _parameters.Add((name, param));
            }

            /// <summary>Registers a tensor that is saved and moved with the module but not trained; it leaves its dispose scope.</summary>
            public virtual void register_buffer(string name, Tensor tensor, bool persistent = true)
            {
                ArgumentNullException.ThrowIfNull(tensor);
                CheckName(name);
                _buffers.Add((name, tensor.DetachFromDisposeScope(), persistent));
            }

            /// <summary>Registers a child; null registers nothing.</summary>
            public virtual void register_module(string name, Module submodule)
            {
                if (submodule is null)
                    return;
                CheckName(name);
                submodule.RegisterComponents();
                _children.Add((name, submodule));
            }

            public void add_module(string name, Module module) => register_module(name, module);

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            public override string ToString() => GetName();

            /// <summary>Registers every field that holds a module, a parameter or a tensor (a buffer), base classes' fields included. Call it at the end of the constructor.</summary>
            protected virtual void RegisterComponents()
            {
                if (_registered)
                    return;
                _registered = true;
                foreach (var field in FieldsOf(GetType()))
                {
                    var name = NameOf(field);
                    if (IsRegistered(name))
                        continue;
                    switch (field.GetValue(this))
                    {
                        case Module module:
                            register_module(name, module);
                            break;
                        case Modules.Parameter parameter:
                            register_parameter(name, parameter);
                            break;
                        case Tensor tensor:
                            register_buffer(name, tensor);
                            break;
                    }
                }
            }

            /// <summary>Forgets the children, so that a container can register them anew.</summary>
            protected void ClearModules() => _children.Clear();

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing)
                    return;
                foreach (var (_, child) in _children)
                    child.Dispose();
                foreach (var (_, parameter) in _parameters)
                    parameter.Dispose();
                foreach (var (_, buffer, _) in _buffers)
                    buffer.Dispose();
            }

            private static IEnumerable<FieldInfo> FieldsOf(Type type)
            {
                var levels = new Stack<Type>();
                for (var at = type; at is not null && at != typeof(Module); at = at.BaseType)
                    levels.Push(at);
                return levels.SelectMany(t => t.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly));
            }

            // The field behind an auto-property counts under the property's name.
            private static string NameOf(FieldInfo field) => field.GetCustomAttribute<ComponentNameAttribute>()?.Name ??
                (field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name);

            private static string Join(string prefix, string name) => prefix.Length == 0 ? name : name.Length == 0 ? prefix : $"{prefix}.{name}";

            private IEnumerable<(string Name, Module Module)> NamedModulesWithSelf()
            {
                yield return ("", this);
                foreach (var (name, child) in _children)
                {
                    foreach (var (below, module) in child.NamedModulesWithSelf())
                        yield return (Join(name, below), module);
                }
            }

            private bool IsRegistered(string name) =>
                _parameters.Exists(p => string.Equals(p.Name, name, StringComparison.Ordinal)) ||
                _buffers.Exists(b => string.Equals(b.Name, name, StringComparison.Ordinal)) ||
                _children.Exists(c => string.Equals(c.Name, name, StringComparison.Ordinal));

            private void CheckName(string name)
            {
                if (string.IsNullOrEmpty(name) || name.Contains('.', StringComparison.Ordinal))
                    throw new ArgumentException($"'{name}' is no name for a component of {GetName()}: it must not be empty or contain a dot", nameof(name));
                if (IsRegistered(name))
                    throw new InvalidOperationException($"{GetName()} has a component {name} already");
            }
        }
    }
}
