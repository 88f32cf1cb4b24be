namespace Mcp.Guard;

/// <summary>
/// Takes out of a text what must not be recorded or shown, besides what the guard's own redactor takes out before: names of customers, say. It sees each
/// string of arguments and results that are recorded, and of results that are delivered where the policy sets <c>results.redact</c>.
/// A <c>Redactor</c> of Microsoft.Extensions.Compliance fits with one line: <c>text =&gt; redactor.Redact(text)</c>.
/// </summary>
public interface IContentRedactor
{
    /// <summary>Redacts one text. What it throws keeps the whole value out of the record, and denies the result.</summary>
    /// <param name="text">The text without the credentials that the guard found.</param>
    /// <returns>The text to record or show; the same instance where nothing changes.</returns>
    string Redact(string text);
}
