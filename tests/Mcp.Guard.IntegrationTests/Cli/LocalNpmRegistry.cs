using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.IntegrationTests.Cli;

/// <summary>An npm registry on loopback with packages of a test's own: metadata with integrity, tarballs, nothing else.</summary>
internal sealed class LocalNpmRegistry : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Dictionary<string, (string Manifest, byte[] Tarball)> _packages = new(StringComparer.Ordinal);

    private LocalNpmRegistry(WebApplication app) => _app = app;

    public string Url => _app.Urls.First() + "/";

    public static async Task<LocalNpmRegistry> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        var registry = new LocalNpmRegistry(app);
        app.Run(registry.AnswerAsync);
        await app.StartAsync();
        return registry;
    }

    /// <summary>Publishes a package; what was there under its name is replaced.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="manifest">Its package.json.</param>
    /// <param name="files">Its other files.</param>
    public void Publish(string name, string manifest, params (string Path, string Text)[] files)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip))
        {
            foreach ((string path, string text) in files.Prepend(("package.json", manifest)))
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "package/" + path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
            }
        }

        _packages[name] = (manifest, packed.ToArray());
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!.TrimStart('/');
        bool isTarball = path.EndsWith(".tgz", StringComparison.Ordinal);
        if (!_packages.TryGetValue(isTarball ? path.Split('/')[0] : path, out (string Manifest, byte[] Tarball) package))
        {
            context.Response.StatusCode = 404;
            return;
        }

        if (isTarball)
        {
            await context.Response.Body.WriteAsync(package.Tarball);
            return;
        }

        string integrity = "sha512-" + Convert.ToBase64String(SHA512.HashData(package.Tarball));
        string manifest = package.Manifest.TrimEnd().TrimEnd('}');
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($$"""
            { "name": "{{path}}", "dist-tags": { "latest": "1.0.0" },
              "versions": { "1.0.0": {{manifest}}, "hasInstallScript": true, "dist": { "tarball": "{{Url}}{{path}}/-/{{path}}-1.0.0.tgz", "integrity": "{{integrity}}" } } } }
            """);
    }
}
