namespace Mcp.Guard.Prompts;

/// <summary>
/// A prompt whose literal parts are the author's and whose holes are data. It is made only by <see cref="Render"/> from an interpolated
/// string, or from a <see cref="PromptTemplate"/>: there is no conversion from <see cref="string"/>, so text that came from elsewhere cannot
/// be passed where a prompt is expected.
/// </summary>
/// <example><code>GuardedPrompt prompt = GuardedPrompt.Render($"Summarise for {user}: {document}");</code></example>
public sealed class GuardedPrompt
{
    internal GuardedPrompt(string text, IReadOnlyList<PromptPart> parts)
    {
        Text = text;
        Parts = parts;
    }

    /// <summary>The whole prompt for the model: the author's words as written, each value sanitised and inside a frame with a random boundary.</summary>
    public string Text { get; }

    /// <summary>The parts in order, with the origin of each value.</summary>
    public IReadOnlyList<PromptPart> Parts { get; }

    /// <summary>
    /// Renders an interpolated string. Each hole is at most <see cref="GuardedPromptInterpolatedStringHandler.DefaultMaxHoleLength"/>
    /// characters; a hole's format gives another limit: <c>{document:4000}</c>.
    /// </summary>
    public static GuardedPrompt Render(ref GuardedPromptInterpolatedStringHandler prompt) => prompt.ToPrompt();

    /// <summary>The whole prompt.</summary>
    public override string ToString() => Text;
}
