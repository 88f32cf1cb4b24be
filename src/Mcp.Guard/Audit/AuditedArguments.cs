using System.Text.Json;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Audit;

/// <summary>The arguments of a call as the policy lets them be recorded, and their digest.</summary>
internal sealed class AuditedArguments : AuditRecordContent
{
    private readonly IAuditContent _content;
    private readonly JsonElement _arguments;
    private readonly ContentRecording _mode;
    private Made? _made;

    public AuditedArguments(IAuditContent content, JsonElement arguments, ContentRecording mode)
    {
        _content = content;
        _arguments = arguments;
        _mode = mode;
        Bytes = AuditedSize.Of(arguments);
        if (Bytes > AuditedSize.MaxDeferred)
        {
            _ = Read();
        }
    }

    public override long Bytes { get; }

    public override JsonElement Arguments => Read().Recorded;

    public override string? ArgumentsDigest => Read().Digest;

    private Made Read() => Volatile.Read(ref _made) ?? Make();

    private Made Make()
    {
        var made = new Made(_content.Record(_arguments, _mode), _content.Digest(_arguments));
        return Interlocked.CompareExchange(ref _made, made, null) ?? made;
    }

    private sealed record Made(JsonElement Recorded, string? Digest);
}
