using System.Text.Json.Nodes;
using Maisi.Bridge.Experiments;

namespace Maisi.Bridge.Tests.Experiments;

/// <summary>Each wrong datalist is refused with its line; the same list without the mistake is planned.</summary>
public class DatalistTests
{
    // What is done to the list, which case it is about (training 4, or test 1), and words of the message.
    public static TheoryData<string, string> Wrong => new()
    {
        { "no image", "no 'image'" },
        { "empty image", "'image' is the text \"\"" },
        { "image is a number", "'image' is 7" },
        { "no label", "no 'label'" },
        { "image not there", "there is no file" },
        { "label not there", "there is no file" },
        { "case id is a number", "'case_id' is 4" },
        { "case id is a path", "the case id '../P04' cannot be a file's name" },
        { "case id twice", "'P00' is used twice" },
        { "image twice", "The image is listed twice" },
        { "label twice", "The label map is listed twice" },
        { "image is the label", "the same file" },
        { "copied image", "the same bytes as that of 'P00'" },
        { "fold is a text", "the fold is the text \"0\"" },
        { "fold is a list", "the fold is a list" },
        { "fold is null", "the fold is a null" },
        { "fold is negative", "the fold is -1" },
        { "fold is a fraction", "the fold is 1.5" },
        { "fold is true", "the fold is True" },
        { "fold too large", "fold 7 of 5" },
        { "fold missing", "no fold of 5" },
        { "fold misspelt", "a key 'flod'" },
        { "patient in two folds", "is in fold 4 here and in fold 0" },
        { "patient in test", "is in the test set here and in fold" },
        { "synthetic with a fold", "the synthetic case 'P04' has a fold" },
        { "synthetic without parents", "nobody knows what the synthetic case 'P04' was made from" },
        { "synthetic from a test patient", "was made from the test patient 'T00'" },
        { "synthetic in test", "the synthetic case 'T01' is in the test list" },
        { "test with a fold", "the test case 'T01' has a fold" },
        { "unknown source", "the source is 'generated'" },
        { "case is no object", "a case of \"training\" is a str" },
        { "parents are a text", "'parent_patient_ids' is the text" },
        { "key twice", "duplicate key" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Wrong_datalists_are_refused_with_the_line(string kind, string words)
    {
        using var data = new ExperimentData();
        data.Plan().Arms.Count.ShouldBe(2);

        var entry = kind is "synthetic in test" or "test with a fold" or "patient in test" ? data.Testing[1]!.AsObject() : data.Training[4]!.AsObject();
        var line = data.LineOf(entry);
        Spoil(data, entry, kind);
        data.Save(kind == "key twice" ? data.Text().Replace("\"case_id\":\"P04\"", "\"case_id\":\"P04\",\"case_id\":\"P04\"", StringComparison.Ordinal) : null);
        var error = Should.Throw<MaisiException>(() => ExperimentPlanner.Plan(data.Config()));
        error.Message.ShouldContain(words);
        error.Where.ShouldStartWith($"{data.Datalist}:{line}:");
    }

    [Theory]
    [InlineData("[]", "the datalist is a list", 1)]
    [InlineData("{\"training\": 3}", "\"training\" is a int", 1)]
    [InlineData("{\n\"trainig\": []}", "a part 'trainig'", 2)]
    [InlineData("{\n\"training\": [],\n\"validation\": []}", "a list \"validation\"", 3)]
    [InlineData("{\n\"testing\": []}", "no list \"training\"", 1)]
    [InlineData("{\"training\": [\n{\"image\": ]}", "", 2)]
    public void Files_that_are_no_datalists_are_refused_with_the_line(string text, string words, int line)
    {
        using var data = new ExperimentData(0, 0, 0);
        data.Save(text);
        var error = Should.Throw<MaisiException>(() => ExperimentPlanner.Plan(data.Config()));
        error.Message.ShouldContain(words);
        error.Where.ShouldStartWith($"{data.Datalist}:{line}:");
    }

    [Fact]
    public void Test_cases_and_every_fold_are_needed()
    {
        using var data = new ExperimentData(4, 1, 2);
        data.Save();
        Should.Throw<ExperimentException>(() => ExperimentPlanner.Plan(data.Config())).Message.ShouldBe("Fold 4 of 5 has no case to validate on.");
        data.Testing.Clear();
        data.Save();
        Should.Throw<ExperimentException>(() => ExperimentPlanner.Plan(data.Config())).Message.ShouldStartWith("There is no test case");
    }

    private static void Spoil(ExperimentData data, JsonObject entry, string kind)
    {
        void Made() => (entry["source"], entry["parent_patient_ids"]) = ("synthetic", new JsonArray("P00"));
        switch (kind)
        {
            case "no image": entry.Remove("image"); break;
            case "empty image": entry["image"] = ""; break;
            case "image is a number": entry["image"] = 7; break;
            case "no label": entry.Remove("label"); break;
            case "image not there": entry["image"] = "nowhere.nii.gz"; break;
            case "label not there": entry["label"] = "nowhere.nii.gz"; break;
            case "case id is a number": entry["case_id"] = 4; break;
            case "case id is a path": entry["case_id"] = "../P04"; break;
            case "case id twice": entry["case_id"] = "P00"; break;
            case "image twice": entry["image"] = "P00_ct.nii.gz"; break;
            case "label twice": entry["label"] = "P00_label.nii.gz"; break;
            case "image is the label": entry["image"] = "P04_label.nii.gz"; break;
            case "copied image": File.Copy(data["P00_ct.nii.gz"], data["P04_ct.nii.gz"], overwrite: true); break;
            case "fold is a text": entry["fold"] = "0"; break;
            case "fold is a list": entry["fold"] = new JsonArray(0); break;
            case "fold is null": entry["fold"] = null; break;
            case "fold is negative": entry["fold"] = -1; break;
            case "fold is a fraction": entry["fold"] = 1.5; break;
            case "fold is true": entry["fold"] = true; break;
            case "fold too large": entry["fold"] = 7; break;
            case "fold missing": entry.Remove("fold"); break;
            case "fold misspelt": entry.Remove("fold"); entry["flod"] = 4; break;
            case "patient in two folds": entry["patient_id"] = "P00"; break;
            case "patient in test": entry["patient_id"] = "P03"; break;
            case "synthetic with a fold": Made(); break;
            case "synthetic without parents": entry.Remove("fold"); entry["source"] = "synthetic"; break;
            case "synthetic from a test patient": Made(); entry.Remove("fold"); entry["parent_patient_ids"] = new JsonArray("T00"); break;
            case "synthetic in test": entry["synthetic"] = true; break;
            case "test with a fold": entry["fold"] = 0; break;
            case "unknown source": entry["source"] = "generated"; break;
            case "case is no object": data.Training[4] = "P04"; break;
            case "parents are a text": entry["parent_patient_ids"] = "P00"; break;
            case "key twice": break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind);
        }
    }
}
