using Maisi.Bridge.Benchmarks;

// One file per benchmark: a class that implements IBenchmark. Usage: dotnet run -c Release --project tests/Maisi.Bridge.Benchmarks -- NAME [options]
var benchmarks = typeof(IBenchmark).Assembly.GetTypes()
    .Where(t => t.IsAssignableTo(typeof(IBenchmark)) && t is { IsAbstract: false })
    .Select(t => (IBenchmark)Activator.CreateInstance(t)!)
    .OrderBy(b => b.Name, StringComparer.Ordinal)
    .ToList();
var chosen = args.Length > 0 ? benchmarks.Find(b => string.Equals(b.Name, args[0], StringComparison.Ordinal)) : null;
if (chosen is null)
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project tests/Maisi.Bridge.Benchmarks -- NAME [options]");
    foreach (var benchmark in benchmarks)
        Console.Error.WriteLine($"  {benchmark.Name,-16} {benchmark.Description}");
    return 2;
}
return chosen.Run(new BenchmarkOptions(args[1..]));
