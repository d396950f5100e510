using System.Text.Json;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;
using Microsoft.Playwright;

namespace Maisi.Bridge.Server.Tests;

/// <summary>The page in a browser. MAISI_SCREENSHOTS names a folder for its pictures.</summary>
public sealed class PageTests(TinyBundle bundle) : IClassFixture<TinyBundle>, IAsyncLifetime
{
    private static readonly string? _chromium = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);

    private static readonly string? _pictures = Environment.GetEnvironmentVariable("MAISI_SCREENSHOTS") is { Length: > 0 } folder ? folder : null;

    private readonly List<string> _complaints = [];
    private TinyService? _service;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        if (_chromium is null)
            return;
        _service = await TinyService.StartAsync(bundle);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = _chromium,
            Args = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage"],
        });
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_service is not null)
            await _service.DisposeAsync();
    }

    [SkippableFact]
    public async Task A_label_map_is_submitted_watched_looked_at_and_downloaded()
    {
        var page = await OpenAsync(1280, 1000);
        await page.GetByLabel("Make").SelectOptionAsync("from-mask");
        await page.GetByLabel("Label map", new() { Exact = true }).SetInputFilesAsync(bundle.Mask);
        await page.GetByLabel("Seed").FillAsync("18446744073709551615");
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "View: from-mask, 1 sample, seed 18446744073709551615" }).ClickAsync(new() { Timeout = 60_000 });
        await Assertions.Expect(page.Locator("#status")).ToContainTextAsync("Shown", new() { Timeout = 60_000 });
        (await page.GetByText("Manifest", new() { Exact = true }).IsVisibleAsync()).ShouldBeTrue();
        (await page.Locator("#manifest").TextContentAsync())!.ShouldContain("\"median_hounsfield\"");
        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Button, new() { Name = "Download ZIP" }).ClickAsync());
        download.SuggestedFilename.ShouldEndWith(".zip");
        var hasViewer = (await _service!.Http.GetAsync("niivue.js")).IsSuccessStatusCode;
        if (hasViewer)
        {
            (await page.Locator("#status").TextContentAsync())!.ShouldStartWith("Shown: ");
            var canvas = page.Locator("#canvas");
            await page.WaitForTimeoutAsync(1000);
            var (grey, coloured) = await PixelsAsync(page, await canvas.ScreenshotAsync());
            grey.ShouldBeGreaterThan(2000);
            coloured.ShouldBeGreaterThan(500);
            (await page.Locator("#legend").TextContentAsync())!.ShouldContain("liver");
            // Without labels nothing has a colour but the cross: neither background nor body is drawn.
            await page.GetByLabel("Label opacity").FillAsync("0");
            await page.WaitForTimeoutAsync(500);
            var (_, cross) = await PixelsAsync(page, await canvas.ScreenshotAsync());
            (await page.EvaluateAsync<double>("document.getElementById('canvas').width * document.getElementById('canvas').height")).ShouldBeGreaterThan(4 * coloured);
            coloured.ShouldBeGreaterThan(2 * cross);
            await page.GetByLabel("Label opacity").FillAsync("0.5");
            // Keys move the cross, and the place is told.
            await canvas.FocusAsync();
            await page.Keyboard.PressAsync("ArrowRight");
            var place = await page.Locator("#place").TextContentAsync();
            await page.Keyboard.PressAsync("PageUp");
            (await page.Locator("#place").TextContentAsync()).ShouldNotBe(place);
        }
        else
        {
            (await page.Locator("#pictures img").CountAsync()).ShouldBe(1);
        }
        _complaints.Where(c => hasViewer || !c.Contains("niivue", StringComparison.Ordinal) && !c.Contains("404", StringComparison.Ordinal)).ShouldBeEmpty();
        Skip.IfNot(hasViewer, "this build has no NiiVue (npm was not at hand); the page showed a picture in its place");
    }

    [SkippableFact]
    public async Task On_a_phone_by_the_keyboard_alone_with_names_for_everything()
    {
        var page = await OpenAsync(390, 844);
        (await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth")).ShouldBeTrue();
        await page.Keyboard.PressAsync("Tab");
        (await page.EvaluateAsync<string>("document.activeElement.textContent")).ShouldBe("Skip to the jobs");
        await page.Keyboard.PressAsync("Tab");
        (await page.EvaluateAsync<string>("document.activeElement.id")).ShouldBe("kind");
        await page.GetByLabel("Make").SelectOptionAsync("image");
        foreach (var (name, value) in new[] { ("size", "33"), ("spacing", "2") })
        {
            foreach (var input in await page.Locator($"[name={name}]").AllAsync())
                await input.FillAsync(value);
        }
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("output_size[0] must be divisible");
        foreach (var input in await page.Locator("[name=size]").AllAsync())
            await input.FillAsync("32");
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        var view = page.GetByRole(AriaRole.Button, new() { Name = "View: image" });
        await view.WaitForAsync(new() { Timeout = 60_000 });
        await view.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#status")).ToContainTextAsync("Shown", new() { Timeout = 60_000 });
        var nameless = await page.EvaluateAsync<string[]>("""
            () => [...document.querySelectorAll("input, select, textarea, button, canvas, progress")].filter(e => e.offsetParent !== null)
              .filter(e => !(e.labels?.length || e.ariaLabel || e.textContent.trim() && e.tagName === "BUTTON")).map(e => e.outerHTML.slice(0, 80))
            """);
        nameless.ShouldBeEmpty();
        (await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth")).ShouldBeTrue();
    }

    [SkippableFact]
    public async Task Pictures_for_the_documentation()
    {
        var shipped = Path.Combine(TestPaths.Root, "bundles", "maisi_headneck_small");
        Skip.If(_pictures is null, "takes pictures when MAISI_SCREENSHOTS names a folder");
        Skip.IfNot(File.Exists(Path.Combine(shipped, "models", "diff_unet_3d.pt")), "needs the shipped bundle");
        await _service!.DisposeAsync();
        _service = await TinyService.StartAsync(bundle, o => (o.Bundle, o.MaskDatabase) = (shipped, null));
        using var temp = TestPaths.Temporary();
        var (labels, _) = new HeadPhantom(1000).Render([64, 64, 64], [3, 3, 3]);
        VolumeFile.Write(Volume.FromArray<byte>(labels, new VolumeGrid(64, 64, 64, Affine.Diagonal(3, 3, 3))), temp["head_label.nii.gz"]);
        foreach (var (name, width, height) in new[] { ("service-desktop", 1280, 1000), ("service-phone", 390, 844) })
        {
            var page = await OpenAsync(width, height, "Bundle maisi_headneck_small");
            await page.GetByLabel("Make").SelectOptionAsync("from-mask");
            await page.GetByLabel("Label map", new() { Exact = true }).SetInputFilesAsync(temp["head_label.nii.gz"]);
            await page.GetByLabel("Seed").FillAsync("7");
            await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "View: from-mask" }).First.ClickAsync(new() { Timeout = 120_000 });
            await Assertions.Expect(page.Locator("#status")).ToContainTextAsync("Shown: mask_seed7", new() { Timeout = 60_000 });
            await _service.Client.SubmitAsync(new() { Kind = Client.JobKind.Image, NumOutputSamples = 4, Seed = 8 });
            await page.ReloadAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "View: from-mask" }).First.ClickAsync();
            await Assertions.Expect(page.Locator("#status")).ToContainTextAsync("Shown: mask_seed7", new() { Timeout = 60_000 });
            await Assertions.Expect(page.Locator("#list")).ToContainTextAsync("sample 2 of 4, denoise", new() { Timeout = 120_000 });
            await page.Locator("#canvas").FocusAsync();
            await page.Keyboard.PressAsync("PageDown");
            await page.EvaluateAsync("document.activeElement.blur()");
            await page.WaitForTimeoutAsync(500);
            await page.ScreenshotAsync(new() { Path = Path.Combine(_pictures, name + ".png"), FullPage = true });
            await page.CloseAsync();
            foreach (var job in (await _service.Client.ListJobsAsync()).Jobs)
                await _service.Client.DeleteJobAsync(job.Id);
        }
        _complaints.ShouldBeEmpty();
    }

    private async Task<IPage> OpenAsync(int width, int height, string says = "Bundle bundle")
    {
        Skip.If(_chromium is null, "needs Chromium (apt-get install chromium)");
        var page = await _browser!.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = height } });
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                _complaints.Add(message.Text);
        };
        page.PageError += (_, error) => _complaints.Add(error);
        await page.GotoAsync(_service!.Http.BaseAddress!.ToString());
        await Assertions.Expect(page.Locator("#service")).ToContainTextAsync(says);
        return page;
    }

    // Pixels that are grey and not dark, and pixels with a colour.
    private static async Task<(int Grey, int Coloured)> PixelsAsync(IPage page, byte[] png)
    {
        var counts = await page.EvaluateAsync<int[]>("""
            async text => {
              const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(text), c => c.charCodeAt(0))], { type: "image/png" }));
              const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
              canvas.drawImage(picture, 0, 0);
              const data = canvas.getImageData(0, 0, picture.width, picture.height).data;
              let grey = 0, coloured = 0;
              for (let i = 0; i < data.length; i += 4) {
                const high = Math.max(data[i], data[i + 1], data[i + 2]), low = Math.min(data[i], data[i + 1], data[i + 2]);
                if (high - low > 40) coloured++; else if (high > 40) grey++;
              }
              return [grey, coloured];
            }
            """, Convert.ToBase64String(png));
        return (counts[0], counts[1]);
    }
}
