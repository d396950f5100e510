using System.Text;
using System.Text.Json.Nodes;
using Maisi.Bridge.Reports;

namespace Maisi.Bridge.Generation;

/// <summary>What lies beside a run's images for people and for experiments: an HTML page of previews and a MONAI datalist.</summary>
internal static class RunIndex
{
    public const string PageName = "index.html", DatalistName = "datalist.json", SheetName = "contact_sheet.png";

    /// <summary>
    /// MONAI's datalist: <c>{"training": [{"image", "label", "synthetic", "parent", "seed"}]}</c> with paths relative to the run's folder.
    /// The parent is the label map that a case was made from, so that experiments can keep its subject out of their test set; what a sample
    /// does not have is left out.
    /// </summary>
    public static string Datalist(RunManifest manifest)
    {
        var cases = manifest.Samples.Select(sample =>
        {
            var item = new JsonObject();
            foreach (var (key, value) in new[]
            {
                ("image", sample.File(SampleWriter.ImageEnd)?.Path), ("label", sample.File(SampleWriter.LabelEnd)?.Path),
                ("parent", sample.Mask?.Path), ("parent_sha256", sample.Mask?.Sha256),
            })
            {
                if (value is not null)
                    item[key] = value;
            }
            (item["synthetic"], item["seed"]) = (true, sample.Seed);
            return (JsonNode)item;
        });
        var list = new JsonObject { ["name"] = $"synthetic cases of {manifest.Bundle}", ["bundle"] = manifest.Bundle, ["training"] = new JsonArray([.. cases]) };
        return list.ToJsonString(new() { WriteIndented = true }) + "\n";
    }

    /// <summary>A page with every sample's previews and figures; it needs nothing but the files beside it.</summary>
    /// <param name="manifest">The run.</param>
    /// <param name="sheet">The picture of all samples.</param>
    public static string Page(RunManifest manifest, string sheet)
    {
        var page = new StringBuilder();
        page.Append($$"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>{{HtmlPage.Text(manifest.Bundle)}}: {{manifest.Samples.Count}} synthetic samples</title>
            <style>body{font:14px sans-serif;margin:2em;background:#111;color:#ddd}img{max-width:49%}figure{margin:0 0 2em}td{padding-right:1.5em}a{color:#8cf}</style></head><body>
            <h1>{{HtmlPage.Text(manifest.Bundle)}}</h1>
            <p>{{manifest.Samples.Count}} synthetic samples, run seed {{manifest.Options.Seed}}, {{manifest.Options.Steps}} steps. Not for diagnosis. <a href="{{SynthesisRun.ManifestName}}">manifest</a></p>

            """);
        if (manifest.Samples.Count > 1)
            page.AppendLine($"<figure><a href=\"{sheet}\"><img src=\"{sheet}\" alt=\"all samples\" style=\"max-width:100%\"></a></figure>");
        foreach (var sample in manifest.Samples)
        {
            page.Append("<figure>");
            foreach (var picture in new[] { SampleWriter.PreviewEnd, SampleWriter.OverlayEnd }.Select(sample.File).OfType<HashedFile>())
                page.Append($"<img src=\"{Link(picture)}\" alt=\"\"> ");
            var file = sample.File(SampleWriter.ImageEnd) ?? sample.File(SampleWriter.LabelEnd)!;
            page.Append($"<figcaption><a href=\"{Link(file)}\">{HtmlPage.Text(file.Path)}</a>, seed {sample.Seed}, ");
            page.Append($"{string.Join('×', sample.Size)} voxels of {string.Join('×', sample.Spacing)} mm{Quality(sample)}. ");
            if (sample.MedianHounsfield.Count > 0)
                page.Append(HtmlPage.Text($"Medians: {string.Join(", ", sample.MedianHounsfield.Select(m => FormattableString.Invariant($"{m.Key} {m.Value:F0}")))}"));
            page.AppendLine("</figcaption></figure>");
        }
        page.AppendLine("</body></html>");
        return page.ToString();
    }

    private static string Quality(SampleRecord sample) => sample.Attempts.FirstOrDefault(a => a.Kept) switch
    {
        { Passed: true } => $", within the range of real images (attempt {sample.Attempts.Count})",
        { Passed: false, Quality: { } organs } => $", outside the range of real images: {HtmlPage.Text(string.Join(", ", organs.Where(o => o.IsOutlier).Select(o => o.Organ)))}",
        _ => "",
    };

    private static string Link(HashedFile file) => Uri.EscapeDataString(file.Path);
}
