namespace Mcp.Guard.IntegrationTests.Eras;

/// <summary>One request as it arrived at the server.</summary>
internal sealed record HttpExchange(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    /// <summary>A header's value; null where it was not sent.</summary>
    public string? this[string header] => Headers.TryGetValue(header, out string? value) ? value : null;
}
