using System.Reflection;
using Maisi.Bridge.TestSupport;
using TorchSharp;

namespace Maisi.Bridge.Torch.Tests;

public sealed class OperatorTableTests
{
    // Added to libtorch after 1.13; the binding has a fallback for each.
    private static readonly string[] Newer = ["aten::scaled_dot_product_attention"];

    private static IEnumerable<Op> Table => typeof(Ops).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (Op)f.GetValue(null)!);

    [Fact]
    public void Every_operator_of_the_table_is_in_the_loaded_libtorch() =>
        Table.Where(o => !o.Exists).Select(o => o.ToString()).Except(Newer).ShouldBeEmpty();

    [Fact]
    public void No_operator_is_listed_twice() => Table.Select(o => o.ToString()).ShouldBeUnique();

    [Theory]
    [InlineData("add", "Tensor", "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor")]
    [InlineData("silu", "", "aten::silu(Tensor self) -> Tensor")]
    public void Schemas_can_be_read(string name, string overload, string schema) => new Op(name, overload).Schema.ShouldBe(schema);

    [SkippableTheory]
    [InlineData("1.13.txt")]
    [InlineData("2.6.txt")]
    [InlineData("2.14.txt")]
    public void Arguments_passed_by_position_mean_the_same_in_all_versions(string file)
    {
        var folder = TestPaths.Reference is { } reference ? Path.Combine(reference, "binding", "schemas") : null;
        Skip.IfNot(Directory.Exists(folder), "the schema files of the reference are not here");
        var recorded = File.ReadLines(Path.Combine(folder, file)).Where(l => l.StartsWith("aten::", StringComparison.Ordinal))
            .ToDictionary(l => l[..l.IndexOf('(', StringComparison.Ordinal)], ArgumentNames, StringComparer.Ordinal);
        var compared = 0;
        foreach (var op in Table.Where(o => o.Exists))
        {
            if (!recorded.TryGetValue(op.ToString(), out var there))
                continue;
            var here = ArgumentNames(op.Schema);
            var shared = Math.Min(here.Length, there.Length);
            here[..shared].ShouldBe(there[..shared], op.ToString());
            compared++;
        }
        compared.ShouldBeGreaterThan(150);
    }

    private static string[] ArgumentNames(string schema)
    {
        var from = schema.IndexOf('(', StringComparison.Ordinal) + 1;
        var to = schema.LastIndexOf(") ->", StringComparison.Ordinal);
        // Commas inside default lists are no separators; the name is the last word before '='.
        var parts = new List<string>();
        var (depth, start) = (0, from);
        for (var i = from; i <= to; i++)
        {
            if (schema[i] is '(' or '[')
                depth++;
            else if (schema[i] is ']' || (schema[i] is ')' && i < to))
                depth--;
            if (i < to && (schema[i] != ',' || depth != 0))
                continue;
            parts.Add(schema[start..i].Split('=')[0].Trim());
            start = i + 1;
        }
        return [.. parts.Where(p => p.Length > 0 && p != "*").Select(p => p[(p.LastIndexOf(' ') + 1)..])];
    }
}
