using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Prompts;

/// <summary>Puts the parts of a prompt together. All values of one prompt share a random boundary, made when the prompt is finished.</summary>
internal sealed class PromptComposer(int literalLength, int holes)
{
    private const int BoundaryBytes = 12;
    private const int MaxOrigin = 64;

    private readonly List<PromptPart> parts = new((2 * holes) + 1);

    public void AppendAuthor(string text) => parts.Add(new PromptPart(PromptPartKind.Author, string.Empty, text, altered: false));

    public void AppendData(string text, string origin, int limit)
    {
        string bounded = Bound(text, limit);
        string sanitized = TextSanitizer.Default.Sanitize(bounded, TextSurface.Result).Text;
        if (sanitized.Length > limit)
        {
            // An address made unloadable is longer than it was.
            sanitized = TextSanitizer.Default.Sanitize(Bound(sanitized, limit), TextSurface.Result).Text;
        }

        parts.Add(new PromptPart(PromptPartKind.Data, OriginName(origin), sanitized, altered: !ReferenceEquals(text, sanitized)));
    }

    public GuardedPrompt ToPrompt()
    {
        string boundary = NewBoundary();
        var text = new StringBuilder(literalLength + 64);
        foreach (PromptPart part in parts)
        {
            if (part.Kind == PromptPartKind.Author)
            {
                text.Append(part.Text);
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"<<<data {boundary} {part.Origin}>>>{part.Text}<<<end {boundary}>>>");
            }
        }

        return new GuardedPrompt(text.ToString(), parts.ToArray());
    }

    /// <summary>At most so many characters, never half of a surrogate pair.</summary>
    private static string Bound(string text, int limit)
    {
        if (text.Length <= limit)
        {
            return text;
        }

        return limit > 0 && char.IsHighSurrogate(text[limit - 1]) ? text[..(limit - 1)] : text[..limit];
    }

    private string NewBoundary()
    {
        Span<byte> random = stackalloc byte[BoundaryBytes];
        string boundary;
        do
        {
            RandomNumberGenerator.Fill(random);
            boundary = Convert.ToHexStringLower(random);
        }
        while (parts.Exists(part => part.Text.Contains(boundary, StringComparison.OrdinalIgnoreCase)));

        return boundary;
    }

    /// <summary>An expression such as <c>request.Document</c> as a short name.</summary>
    private static string OriginName(string expression)
    {
        var name = new StringBuilder(Math.Min(expression.Length, MaxOrigin));
        foreach (char c in expression.AsSpan(0, Math.Min(expression.Length, MaxOrigin)))
        {
            name.Append(char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' ? c : '_');
        }

        return name.Length == 0 ? "value" : name.ToString();
    }
}
