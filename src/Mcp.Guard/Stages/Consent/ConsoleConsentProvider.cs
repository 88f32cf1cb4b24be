using System.Security.Cryptography;
using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard;

/// <summary>
/// Asks at the terminal, one question at a time. An answer is a word and the number shown with the question, so that a line typed for another
/// question, or before this one appeared, answers nothing.
/// </summary>
public sealed class ConsoleConsentProvider : IConsentProvider
{
    private readonly TextReader _input;
    private readonly TextWriter _output;
    private readonly ConsoleTurns _turns;

    /// <summary>Asks at the process's own terminal. A host that speaks MCP over its standard output must not use it: the question would break the protocol.</summary>
    public ConsoleConsentProvider()
        : this(Console.In, Console.Error)
    {
    }

    /// <summary>Asks through these.</summary>
    /// <param name="input">Where lines are read; only this provider may read it.</param>
    /// <param name="output">Where questions are written.</param>
    public ConsoleConsentProvider(TextReader input, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        _input = input;
        _output = output;
        _turns = ConsoleTurns.Of(input);
    }

    /// <inheritdoc/>
    public async ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        await _turns.Turn.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            string number = RandomNumberGenerator.GetInt32(1000, 10_000).ToString(System.Globalization.CultureInfo.InvariantCulture);
            await _output.WriteAsync(Question(request, number).AsMemory(), ct).ConfigureAwait(false);
            await _output.FlushAsync(ct).ConfigureAwait(false);
            while (true)
            {
                string? line = await _turns.ReadLineAsync(_input, ct).ConfigureAwait(false);
                if (line is null)
                {
                    return ConsentAnswer.Deny(request);
                }

                string[] words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                if (words is ["no"])
                {
                    return ConsentAnswer.Deny(request);
                }

                if (words.Length == 2 && string.Equals(words[1], number, StringComparison.Ordinal))
                {
                    return ConsentText.Answer(request, words[0]);
                }

                await _output.WriteAsync($"Answer with a word and {number}, or with no.\n".AsMemory(), ct).ConfigureAwait(false);
                await _output.FlushAsync(ct).ConfigureAwait(false);
            }
        }
        finally
        {
            _turns.Turn.Release();
        }
    }

    private static string Question(ConsentRequest request, string number)
    {
        var text = new System.Text.StringBuilder("\n").Append(ConsentText.Of(request));
        foreach ((ConsentAnswerKind kind, string word, string label) in ConsentText.Choices(request))
        {
            text.Append("    ").Append(word);
            if (kind != ConsentAnswerKind.Deny)
            {
                text.Append(' ').Append(number);
            }

            text.Append(" = ").Append(label).Append('\n');
        }

        return text.Append("> ").ToString();
    }
}
