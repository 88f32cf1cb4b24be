using System.ComponentModel;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Mcp.Guard.Prompts;

/// <summary>Takes the parts of an interpolated string apart for <see cref="GuardedPrompt.Render"/>. The compiler calls it.</summary>
[InterpolatedStringHandler]
[EditorBrowsable(EditorBrowsableState.Advanced)]
public ref struct GuardedPromptInterpolatedStringHandler
{
    /// <summary>The most characters of a hole without a limit of its own: 32,768.</summary>
    public const int DefaultMaxHoleLength = 32 * 1024;

    private readonly PromptComposer composer;

    /// <summary>Called by the compiler.</summary>
    /// <param name="literalLength">The characters of all literal parts.</param>
    /// <param name="formattedCount">How many holes there are.</param>
    public GuardedPromptInterpolatedStringHandler(int literalLength, int formattedCount)
    {
        composer = new PromptComposer(literalLength, formattedCount);
    }

    /// <summary>A literal part: the author's words.</summary>
    /// <param name="value">The words.</param>
    public readonly void AppendLiteral(string value) => composer.AppendAuthor(value);

    /// <summary>A hole: data.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">The value; null is empty.</param>
    /// <param name="format">Of text, the most characters taken: a whole number. Of numbers, dates and other formattable values their own format, invariant.</param>
    /// <param name="origin">The expression in the hole; given by the compiler.</param>
    /// <exception cref="FormatException">The format of a text is no whole number.</exception>
    public readonly void AppendFormatted<T>(T value, string? format = null, [CallerArgumentExpression(nameof(value))] string origin = "")
    {
        // "0" is a format of a number and would be a limit that takes the whole value away: only text has limits.
        if (value is IFormattable formattable)
        {
            composer.AppendData(formattable.ToString(format, CultureInfo.InvariantCulture) ?? string.Empty, origin, DefaultMaxHoleLength);
            return;
        }

        int limit = DefaultMaxHoleLength;
        if (format is not null && !int.TryParse(format, NumberStyles.None, CultureInfo.InvariantCulture, out limit))
        {
            throw new FormatException($"'{format}' is no limit for the hole '{origin}': text takes a whole number of characters, as in {{document:4000}}");
        }

        composer.AppendData(value?.ToString() ?? string.Empty, origin, limit);
    }

    /// <summary>A hole: characters that are data.</summary>
    /// <param name="value">The characters.</param>
    /// <param name="format">A whole number is the most characters taken.</param>
    /// <param name="origin">The expression in the hole; given by the compiler.</param>
    public readonly void AppendFormatted(ReadOnlySpan<char> value, string? format = null, [CallerArgumentExpression(nameof(value))] string origin = "") =>
        AppendFormatted(value.ToString(), format, origin);

    internal readonly GuardedPrompt ToPrompt() => (composer ?? new PromptComposer(0, 0)).ToPrompt();
}
