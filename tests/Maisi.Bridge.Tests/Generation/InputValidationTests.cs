using System.Text.Json;
using Maisi.Bridge.Generation;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Generation;

/// <summary>What MAISI refuses, in its order and words (golden/util_rules.json).</summary>
public sealed class InputValidationTests
{
    private static readonly JsonElement _rules = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Golden("util_rules.json"))).RootElement;
    private static readonly LabelVocabulary _maisi = LabelVocabulary.Load("maisi");

    public static TheoryData<int> Cases(string key) => [.. Enumerable.Range(0, _rules.GetProperty(key).GetArrayLength())];

    [Theory]
    [MemberData(nameof(Cases), "check_input_ct")]
    public void Ct(int index) => Compare(_rules.GetProperty("check_input_ct")[index], args => InputValidation.CheckCt(
        Ints(args), Spacing(args), Sizes(args.GetProperty("controllable_anatomy_size")), Strings(args.GetProperty("body_region")), Strings(args.GetProperty("anatomy_list")), _maisi));

    [Theory]
    [MemberData(nameof(Cases), "check_input_mr")]
    public void Mr(int index) => Compare(_rules.GetProperty("check_input_mr")[index], args =>
        InputValidation.CheckMr(Ints(args), Spacing(args), Strings(args.GetProperty("anatomy_list")), _maisi));

    private static void Compare(JsonElement item, Action<JsonElement> check)
    {
        if (item.GetProperty("ok").GetBoolean())
        {
            check(item.GetProperty("args"));
            return;
        }
        // The fixture keeps 200 characters; a float in Python ends in ".0" where ours does not.
        var expected = item.GetProperty("message").GetString()!;
        var message = Should.Throw<MaisiException>(() => check(item.GetProperty("args"))).Message;
        if (expected.Contains("dict_keys", StringComparison.Ordinal))
            message.ShouldContain("is not a structure of the maisi vocabulary");
        else if (expected.Contains("FOV", StringComparison.Ordinal))
            Plain(expected).ShouldStartWith(Plain(message));
        else
            Plain(message)[..Math.Min(Plain(message).Length, Plain(expected).Length)].ShouldBe(Plain(expected));
    }

    private static string Plain(string message) => message.Replace(".0", "", StringComparison.Ordinal);

    private static int[] Ints(JsonElement args) => [.. args.GetProperty("output_size").EnumerateArray().Select(v => v.GetInt32())];

    private static double[] Spacing(JsonElement args) => [.. args.GetProperty("spacing").EnumerateArray().Select(v => v.GetDouble())];

    // Upstream iterates over the letters of a bare string.
    private static string[] Strings(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => [],
        JsonValueKind.String => [.. value.GetString()!.Select(c => c.ToString())],
        _ => [.. value.EnumerateArray().Select(v => v.GetString()!)],
    };

    private static AnatomySize[]? Sizes(JsonElement value) => value.ValueKind == JsonValueKind.Null ? null
        : [.. value.EnumerateArray().Select(v => new AnatomySize(v[0].GetString()!, v[1].GetDouble()))];
}
