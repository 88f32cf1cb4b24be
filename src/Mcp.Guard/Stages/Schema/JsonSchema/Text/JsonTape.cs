using System.Runtime.CompilerServices;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The tokens of one parsed text and the decoded bytes of its escaped strings. Reused between texts; grows only within the limits given.</summary>
internal sealed class JsonTape
{
    private const int FirstTokens = 64;

    public JsonToken[] Tokens { get; private set; } = new JsonToken[FirstTokens];

    public int Count { get; private set; }

    public byte[] Decoded { get; private set; } = [];

    public int DecodedCount { get; private set; }

    public JsonTextFault Fault { get; private set; }

    /// <summary>Where in the text the fault lies.</summary>
    public int FaultOffset { get; private set; }

    public void Reset()
    {
        Count = 0;
        DecodedCount = 0;
        Fault = JsonTextFault.Unread;
        FaultOffset = 0;
    }

    public void Finish(int count, JsonTextFault fault, int offset)
    {
        Count = count;
        Fault = fault;
        FaultOffset = offset;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public JsonToken[] GrowTokens()
    {
        JsonToken[] tokens = Tokens;
        Array.Resize(ref tokens, tokens.Length * 2);
        return Tokens = tokens;
    }

    /// <summary>Room for the decoded form of a string; never longer than its escaped form, so the text's size bounds it.</summary>
    public Span<byte> DecodedRoom(int bytes)
    {
        if (Decoded.Length - DecodedCount < bytes)
        {
            byte[] decoded = Decoded;
            Array.Resize(ref decoded, Math.Max(Math.Max(256, decoded.Length * 2), DecodedCount + bytes));
            Decoded = decoded;
        }

        return Decoded.AsSpan(DecodedCount, bytes);
    }

    public void CommitDecoded(int bytes) => DecodedCount += bytes;

    /// <summary>A copy that outlives the next text, with nothing spare.</summary>
    public JsonTape Freeze() => new()
    {
        Tokens = Tokens.AsSpan(0, Count).ToArray(),
        Count = Count,
        Decoded = DecodedCount == 0 ? [] : Decoded.AsSpan(0, DecodedCount).ToArray(),
        DecodedCount = DecodedCount,
        Fault = Fault,
        FaultOffset = FaultOffset,
    };
}
