using System.Collections;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.Sequential Sequential(params Module<Tensor, Tensor>[] modules) => new(modules.Select((m, i) => (i.ToString(), m)));

            public static Modules.Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules) => new(modules);

            public static Modules.Sequential Sequential(IEnumerable<Module<Tensor, Tensor>> modules) => new(modules.Select((m, i) => (i.ToString(), m)));

            public static Modules.Sequential Sequential(IEnumerable<(string name, Module<Tensor, Tensor> submodule)> modules) => new(modules);

            public static Modules.ModuleList<T> ModuleList<T>(params T[] modules)
                where T : Module => new(modules);

            public static Modules.ModuleDict<T> ModuleDict<T>(params (string, T)[] modules)
                where T : Module => new(modules);

            public static Modules.ParameterList ParameterList(params Modules.Parameter[] parameters) => new(parameters);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Modules in a row: each takes what the one before gives.</summary>
    public class Sequential : torch.nn.Module<torch.Tensor, torch.Tensor>, IEnumerable<torch.nn.Module<torch.Tensor, torch.Tensor>>
    {
        private readonly List<torch.nn.Module<torch.Tensor, torch.Tensor>> _modules = [];

        internal Sequential(IEnumerable<(string Name, torch.nn.Module<torch.Tensor, torch.Tensor> Module)> modules)
            : base(nameof(Sequential))
        {
            foreach (var (name, module) in modules)
                append(name, module);
        }

        public int Count => _modules.Count;

        public torch.nn.Module<torch.Tensor, torch.Tensor> this[int index] => _modules[index];

        public Sequential append(torch.nn.Module<torch.Tensor, torch.Tensor> module) => append(_modules.Count.ToString(), module);

        public Sequential append(string name, torch.nn.Module<torch.Tensor, torch.Tensor> module)
        {
            register_module(name, module);
            _modules.Add(module);
            return this;
        }

        public override torch.Tensor forward(torch.Tensor input)
        {
            if (_modules.Count == 0)
                return input.alias();
            var current = input;
            foreach (var module in _modules)
            {
                var next = module.call(current);
                if (!ReferenceEquals(current, input) && !ReferenceEquals(current, next))
                    current.Dispose();
                current = next;
            }
            return current;
        }

        public IEnumerator<torch.nn.Module<torch.Tensor, torch.Tensor>> GetEnumerator() => _modules.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>Modules by position; their names are "0", "1", ...</summary>
    public class ModuleList<T> : torch.nn.Module, IReadOnlyList<T>
        where T : torch.nn.Module
    {
        private readonly List<T> _modules = [];

        public ModuleList(params T[] modules)
            : base("ModuleList") => append(modules);

        public int Count => _modules.Count;

        public T this[int index] => _modules[index];

        public void Add(T item)
        {
            register_module(_modules.Count.ToString(), item);
            _modules.Add(item);
        }

        public void append(params T[] parameters) => extend(parameters);

        public void extend(IEnumerable<T> modules)
        {
            foreach (var module in modules)
                Add(module);
        }

        public IEnumerator<T> GetEnumerator() => _modules.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>Modules by name, in the order they were added.</summary>
    public class ModuleDict<T> : torch.nn.Module, IEnumerable<(string Name, T Module)>
        where T : torch.nn.Module
    {
        private readonly List<(string Name, T Module)> _modules = [];

        public ModuleDict(params (string Name, T Module)[] modules)
            : base("ModuleDict")
        {
            foreach (var (name, module) in modules)
                Add(name, module);
        }

        public int Count => _modules.Count;

        public T this[string key] => TryGetValue(key, out var found) ? found : throw new KeyNotFoundException($"there is no module {key}");

        public void Add(string key, T value)
        {
            register_module(key, value);
            _modules.Add((key, value));
        }

        public void Add((string, T) item) => Add(item.Item1, item.Item2);

        public IEnumerable<string> keys() => _modules.Select(m => m.Name);

        public IEnumerable<T> values() => _modules.Select(m => m.Module);

        public IEnumerator<(string, T)> items() => _modules.GetEnumerator();

        public bool ContainsKey(string key) => TryGetValue(key, out _);

        public bool TryGetValue(string key, out T value)
        {
            var found = _modules.Find(m => string.Equals(m.Name, key, StringComparison.Ordinal));
            value = found.Module;
            return found.Module is not null;
        }

        public IEnumerator<(string Name, T Module)> GetEnumerator() => _modules.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>Parameters by position; their names are "0", "1", ...</summary>
    public class ParameterList : torch.nn.Module, IReadOnlyList<Parameter>
    {
        private readonly List<Parameter> _parameters = [];

        public ParameterList(params Parameter[] parameters)
            : base(nameof(ParameterList))
        {
            foreach (var parameter in parameters)
                Add(parameter);
        }

        public int Count => _parameters.Count;

        public Parameter this[int index] => _parameters[index];

        public void Add(Parameter item)
        {
            register_parameter(_parameters.Count.ToString(), item);
            _parameters.Add(item);
        }

        public IEnumerator<Parameter> GetEnumerator() => _parameters.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
