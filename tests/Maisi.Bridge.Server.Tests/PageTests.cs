using System.Text.Json;
using Maisi.Bridge.TestSupport;
using Microsoft.Playwright;

namespace Maisi.Bridge.Server.Tests;

/// <summary>The page in a browser. MAISI_SCREENSHOTS names a folder for its pictures.</summary>
public sealed class PageTests(TinyBundle bundle) : IClassFixture<TinyBundle>, IAsyncLifetime
{
    private static readonly string? _chromium = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);

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
        await ScreenshotAsync(page, "service-desktop");
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
        await ScreenshotAsync(page, "service-phone");
    }

    private async Task<IPage> OpenAsync(int width, int height)
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
        await Assertions.Expect(page.Locator("#service")).ToContainTextAsync("Bundle bundle");
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

    private static async Task ScreenshotAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("MAISI_SCREENSHOTS") is { Length: > 0 } folder)
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
    }
}
