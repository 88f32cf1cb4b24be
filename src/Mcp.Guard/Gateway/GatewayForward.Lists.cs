using System.Collections.Frozen;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <content>Prompts, resources, templates and completion.</content>
internal sealed partial class GatewayForward
{
    private const int MaxPages = 64;
    private const int MaxEntries = 10_000;

    private readonly SemaphoreSlim _listing = new(1, 1);
    private FrozenDictionary<string, string> _prompts = FrozenDictionary<string, string>.Empty;
    private long _promptsListedAt;
    private OfferedResources _resources = OfferedResources.None;
    private volatile bool _resourcesStale;

    /// <summary>What the server listed last of its resources.</summary>
    public OfferedResources Resources => Volatile.Read(ref _resources);

    /// <summary>The prompts as the gateway offers them.</summary>
    public async Task<IReadOnlyList<Prompt>> ListPromptsAsync(CancellationToken ct)
    {
        using ConnectionUse use = Use();
        McpClient client = await ConnectAsync(ct).ConfigureAwait(false);
        List<Prompt> listed = client.ServerCapabilities.Prompts is null
            ? []
            : await PagesAsync(
                async cursor =>
                {
                    ListPromptsResult page = await client.ListPromptsAsync(new ListPromptsRequestParams { Cursor = cursor }, ct).ConfigureAwait(false);
                    return (page.Prompts, page.NextCursor);
                }).ConfigureAwait(false);
        var names = new Dictionary<string, string>(listed.Count, StringComparer.Ordinal);
        var offered = new List<Prompt>(listed.Count);
        foreach (Prompt prompt in listed)
        {
            string shown = NameOf(prompt.Name);
            if (names.TryAdd(shown, prompt.Name))
            {
                offered.Add(With(prompt, "name", shown));
            }
        }

        Volatile.Write(ref _prompts, names.ToFrozenDictionary(StringComparer.Ordinal));
        Volatile.Write(ref _promptsListedAt, guard.Runtime.Time.GetTimestamp());
        return offered;
    }

    /// <summary>The server's own name of an offered prompt; null where it offers none of that name. Lists first where the name is not known, at most every two seconds.</summary>
    public async ValueTask<string?> FindPromptAsync(string shown, CancellationToken ct)
    {
        if (!shown.StartsWith(_prefix, StringComparison.Ordinal))
        {
            return null;
        }

        if (Volatile.Read(ref _prompts).TryGetValue(shown, out string? known))
        {
            return known;
        }

        if (IsFresh(Volatile.Read(ref _promptsListedAt)))
        {
            return null;
        }

        await ListPromptsAsync(ct).ConfigureAwait(false);
        return Volatile.Read(ref _prompts).TryGetValue(shown, out string? found) ? found : null;
    }

    /// <summary>The resources as the server lists them.</summary>
    public async Task<IReadOnlyList<Resource>> ListResourcesAsync(CancellationToken ct) => (await ListAllAsync(ct).ConfigureAwait(false)).Resources;

    /// <summary>The templates as the server lists them.</summary>
    public async Task<IReadOnlyList<ResourceTemplate>> ListTemplatesAsync(CancellationToken ct) => (await ListAllAsync(ct).ConfigureAwait(false)).Templates;

    /// <summary>What the server offers, listed anew where that is stale, or older than two seconds and <paramref name="anew"/> is asked for.</summary>
    public async ValueTask<OfferedResources> OfferedAsync(bool anew, CancellationToken ct)
    {
        OfferedResources offered = Resources;
        if (offered.ListedAt != 0 && !_resourcesStale && (!anew || IsFresh(offered.ListedAt)))
        {
            return offered;
        }

        await _listing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (ReferenceEquals(offered, Resources) || _resourcesStale)
            {
                await ListAllAsync(ct).ConfigureAwait(false);
            }
        }
        finally
        {
            _listing.Release();
        }

        return Resources;
    }

    /// <summary>Gets a prompt through the guarded connection.</summary>
    public Task<GetPromptResult> GetPromptAsync(string prompt, IDictionary<string, JsonElement>? arguments, RelayedCall call, CancellationToken ct) => RunAsync(
        call,
        client => client.GetPromptAsync(new GetPromptRequestParams { Name = prompt, Arguments = arguments, Meta = MetaOf(client, call) }, ct),
        ct);

    /// <summary>Reads a resource through the guarded connection.</summary>
    public Task<ReadResourceResult> ReadAsync(string uri, RelayedCall call, CancellationToken ct) => RunAsync(
        call,
        client => client.ReadResourceAsync(new ReadResourceRequestParams { Uri = uri, Meta = MetaOf(client, call) }, ct),
        ct);

    /// <summary>Completes an argument through the guarded connection.</summary>
    public Task<CompleteResult> CompleteAsync(Reference about, CompleteRequestParams asked, RelayedCall call, CancellationToken ct) => RunAsync(
        call,
        client => client.CompleteAsync(new CompleteRequestParams { Ref = about, Argument = asked.Argument, Context = asked.Context, Meta = MetaOf(client, call) }, ct),
        ct);

    private async Task<(IReadOnlyList<Resource> Resources, IReadOnlyList<ResourceTemplate> Templates)> ListAllAsync(CancellationToken ct)
    {
        using ConnectionUse use = Use();
        McpClient client = await ConnectAsync(ct).ConfigureAwait(false);
        _resourcesStale = false;
        List<Resource> resources = [];
        List<ResourceTemplate> templates = [];
        if (client.ServerCapabilities.Resources is not null)
        {
            resources = await PagesAsync(
                async cursor =>
                {
                    ListResourcesResult page = await client.ListResourcesAsync(new ListResourcesRequestParams { Cursor = cursor }, ct).ConfigureAwait(false);
                    return (page.Resources, page.NextCursor);
                }).ConfigureAwait(false);
            try
            {
                templates = await PagesAsync(
                    async cursor =>
                    {
                        ListResourceTemplatesResult page = await client.ListResourceTemplatesAsync(new ListResourceTemplatesRequestParams { Cursor = cursor }, ct).ConfigureAwait(false);
                        return (page.ResourceTemplates, page.NextCursor);
                    }).ConfigureAwait(false);
            }
            catch (McpProtocolException unknown) when (unknown.ErrorCode == McpErrorCode.MethodNotFound)
            {
                // A server with resources need not have templates.
            }
        }

        var shapes = new Dictionary<string, UriTemplateShape>(StringComparer.Ordinal);
        foreach (ResourceTemplate template in templates)
        {
            shapes[template.UriTemplate] = UriTemplateShape.Of(template.UriTemplate);
        }

        Volatile.Write(ref _resources, new OfferedResources(
            resources.Select(static resource => resource.Uri).ToFrozenSet(StringComparer.Ordinal),
            shapes.ToFrozenDictionary(StringComparer.Ordinal),
            guard.Runtime.Time.GetTimestamp()));
        return (resources, templates);
    }

    /// <summary>All pages of a list. One without an end, or too long, is none.</summary>
    private async Task<List<T>> PagesAsync<T>(Func<string?, Task<(IList<T> Entries, string? Next)>> page)
    {
        var all = new List<T>();
        string? cursor = null;
        for (int pages = 0; pages < MaxPages; pages++)
        {
            (IList<T> entries, cursor) = await page(cursor).ConfigureAwait(false);
            all.AddRange(entries);
            if (all.Count > MaxEntries)
            {
                break;
            }

            if (cursor is null)
            {
                return all;
            }
        }

        throw new McpException($"The server '{serverId}' lists more than {MaxEntries} entries, or more than {MaxPages} pages.");
    }
}
