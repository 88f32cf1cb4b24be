using Mcp.Guard.Stages.Catalog;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Makes a text that came from a server safe to show and to give to a model: contract T1 to T5 of the text corpus. Linear, idempotent,
/// never throws, at most four times the length; a clean text comes back as the same instance and costs no allocation.
/// </summary>
internal sealed class TextSanitizer(RemoteReferencePolicy policy)
{
    /// <summary>
    /// Passes over addresses until nothing changes; one is enough for every text known, the bound keeps an unknown one linear.
    /// </summary>
    private const int MaxRounds = 4;

    /// <summary>With the recommended policy.</summary>
    public static TextSanitizer Default { get; } = new(RemoteReferencePolicy.Default);

    /// <summary>Sanitises <paramref name="text"/>; <paramref name="peers"/> are the other names on the host, for <see cref="TextSurface.Name"/>.</summary>
    public SanitizerResult Sanitize(string text, TextSurface surface, ReadOnlySpan<string> peers = default)
    {
        string? changed = Sanitize(text.AsSpan(), surface, peers, out ContentFlags flags);
        return new SanitizerResult(changed ?? text, flags);
    }

    /// <summary>The same for a text that is not a string yet. Null: the text is clean as it stands.</summary>
    public string? Sanitize(ReadOnlySpan<char> text, TextSurface surface, ReadOnlySpan<string> peers, out ContentFlags flags)
    {
        flags = surface == TextSurface.Name ? ToolNameRules.FlagsOf(text, peers) : ContentFlags.None;
        TextShape shape = ShapeScan.Of(text);
        if ((shape & TextShape.Unusual) == 0)
        {
            return SanitizePlain(text, surface, shape, ref flags);
        }

        var characters = new TextBuffer(text);
        try
        {
            flags |= CharacterSanitizer.Run(text, keepByteOrderMark: surface is TextSurface.Result or TextSurface.Resource, ref characters);
            ReadOnlySpan<char> visible = characters.Written;
            if (surface == TextSurface.Name)
            {
                return characters.Changed ? visible.ToString() : null;
            }

            flags |= Judge(visible, surface, TextShape.Unusual | TextShape.Turn);
            string? rewritten = RewriteAddresses(visible, surface, ref flags);
            return rewritten ?? (characters.Changed ? visible.ToString() : null);
        }
        finally
        {
            characters.Dispose();
        }
    }

    /// <summary>A text of printed ASCII: no character goes, and the shape tells what there is to look for.</summary>
    private string? SanitizePlain(ReadOnlySpan<char> text, TextSurface surface, TextShape shape, ref ContentFlags flags)
    {
        if (surface == TextSurface.Name)
        {
            return null;
        }

        flags |= Judge(text, surface, shape);
        return (shape & (TextShape.Html | TextShape.Markdown)) == 0 ? null : RewriteAddresses(text, surface, ref flags);
    }

    private static ContentFlags Judge(ReadOnlySpan<char> visible, TextSurface surface, TextShape shape)
    {
        ContentFlags flags = Wording.Default.Judge(visible, surface, shape);
        if (surface == TextSurface.Description && HiddenMarkup.HasGap(visible))
        {
            flags |= ContentFlags.HiddenMarkup;
        }

        return flags;
    }

    private string? RewriteAddresses(ReadOnlySpan<char> visible, TextSurface surface, ref ContentFlags flags)
    {
        string? rewritten = null;
        for (int round = 0; round < MaxRounds; round++)
        {
            var output = new TextBuffer(visible);
            try
            {
                flags |= RemoteReferences.Run(visible, policy, ref output, out bool hidesInDescriptions);
                if (hidesInDescriptions && surface == TextSurface.Description)
                {
                    flags |= ContentFlags.HiddenMarkup;
                }

                if (!output.Changed)
                {
                    break;
                }

                rewritten = output.Written.ToString();
                visible = rewritten;
            }
            finally
            {
                output.Dispose();
            }
        }

        return rewritten;
    }
}
