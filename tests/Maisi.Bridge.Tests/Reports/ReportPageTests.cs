using System.Xml.Linq;
using Maisi.Bridge.Reports;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Reports;

public class ReportPageTests
{
    [Fact]
    public void Names_from_outside_cannot_become_markup()
    {
        const string evil = "<script>alert(1)</script>";
        using var folder = TestPaths.Temporary();
        new HtmlPage(evil).Heading(evil, 3).Paragraph(evil).Lines(evil).Table([evil], [[evil]]).Facts([new(evil, evil)])
            .Figure(SvgChart.Folds(evil, [(evil, [0.5, 0.6]), ("b", [0.4, double.NaN])]), evil).Write(folder["page.html"]);
        var page = File.ReadAllText(folder["page.html"]);
        page.ShouldNotContain("<script");
        page.ShouldContain("&lt;script&gt;");
        page.ShouldContain("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    }

    [Fact]
    public void Long_cells_wrap_and_tables_scroll_by_themselves()
    {
        using var folder = TestPaths.Temporary();
        var text = new string('x', 41);
        new HtmlPage("p").Table(["a", "b", "c"], [["1", text, "z"]], new HashSet<int> { 2 }).Write(folder["page.html"]);
        File.ReadAllText(folder["page.html"]).ShouldContain(
            $"<div class=\"scroll\"><table><tr><th>a</th><th>b</th><th class=\"text\">c</th></tr>\n<tr><td>1</td><td class=\"long\">{text}</td><td class=\"text\">z</td></tr>\n</table></div>");
    }

    [Fact]
    public void Lines_of_one_name_share_a_colour_and_a_legend_entry()
    {
        var svg = XElement.Parse(SvgChart.Lines("step", "loss", [
            new("real", [(0, 1), (10, 0.5)], 0), new("real", [(0, 1.2), (10, 0.4)], 0), new("both", [(0, 1), (5, double.NaN), (10, 0.25)], 1), new("both", [(10, 0.75)], 1)]));
        svg.Attribute("viewBox")!.Value.ShouldBe("0 0 520 240");
        var lines = svg.Elements("polyline").ToList();
        lines.Count.ShouldBe(3);
        string Color(XElement line) => line.Attribute("style")!.Value.Split("stroke:")[1].Split(';')[0];
        Color(lines[0]).ShouldBe(Color(lines[1]));
        Color(lines[2]).ShouldNotBe(Color(lines[0]));
        // A value that is missing is left out, a single one is a dot.
        lines[2].Attribute("points")!.Value.Split(' ').Length.ShouldBe(2);
        svg.Elements("circle").Single().Attribute("fill")!.Value.ShouldBe(Color(lines[2]));
        svg.Elements("rect").Select(r => r.Attribute("fill")!.Value).ShouldBe([Color(lines[0]), Color(lines[2])]);
        svg.Elements("text").Select(t => t.Value).ShouldContain("both");
    }

    [Fact]
    public void Folds_put_a_dot_where_there_is_a_value()
    {
        var svg = XElement.Parse(SvgChart.Folds("mean Dice", [("real", [0.5, 0.6, double.NaN]), ("both", [0.7, 0.5, 0.65])]));
        svg.Elements("circle").Select(c => c.Value).ShouldBe(["real, fold 0: 0.500", "both, fold 0: 0.700", "real, fold 1: 0.600", "both, fold 1: 0.500", "both, fold 2: 0.650"]);
        double Y(int dot) => double.Parse(svg.Elements("circle").ElementAt(dot).Attribute("cy")!.Value, System.Globalization.CultureInfo.InvariantCulture);
        Y(1).ShouldBeLessThan(Y(0));
        Y(3).ShouldBe(Y(0));
        XElement.Parse(SvgChart.Folds("mean Dice", [("real", [double.NaN])])).Elements("circle").ShouldBeEmpty();
    }
}
