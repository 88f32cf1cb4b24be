using System.Runtime.CompilerServices;

namespace Mcp.Guard.Stages.Consent;

/// <summary>
/// One terminal, shared by all providers that ask at it (each prompt has a provider of its own): whose turn it is, and the read that cannot be taken back.
/// </summary>
internal sealed class ConsoleTurns
{
    private static readonly ConditionalWeakTable<TextReader, ConsoleTurns> Terminals = [];

    private Task<string?>? _reading;

    /// <summary>Held by the provider whose question is shown.</summary>
    public SemaphoreSlim Turn { get; } = new(1, 1);

    public static ConsoleTurns Of(TextReader input) => Terminals.GetValue(input, static _ => new ConsoleTurns());

    /// <summary>Reads a line. A read that outlived its question goes on for the next one. The caller holds <see cref="Turn"/>.</summary>
    public async Task<string?> ReadLineAsync(TextReader input, CancellationToken ct)
    {
        _reading ??= Task.Run(input.ReadLine, CancellationToken.None);
        string? line = await _reading.WaitAsync(ct).ConfigureAwait(false);
        _reading = null;
        return line;
    }
}
