namespace Mcp.Guard.Hosting;

/// <summary>A redactor made of a delegate of the host.</summary>
internal sealed class DelegateContentRedactor(Func<string, string> redact) : IContentRedactor
{
    public string Redact(string text) => redact(text);
}
