using System.Runtime.CompilerServices;
using System.Text.Json;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Audit;

/// <summary>The arguments of a call as the policy lets them be recorded, and their digest, each made when it is first read.</summary>
internal sealed class AuditedArguments : AuditRecordContent
{
    private readonly IAuditContent _content;
    private readonly JsonElement _arguments;
    private readonly ContentRecording _mode;
    private StrongBox<JsonElement>? _recorded;
    private string? _digest;

    public AuditedArguments(IAuditContent content, JsonElement arguments, ContentRecording mode)
    {
        _content = content;
        _mode = mode;
        Bytes = AuditedSize.Of(arguments);
        if (Bytes <= AuditedSize.MaxDeferred && !content.RunsHostCode(mode))
        {
            _arguments = arguments;
            return;
        }

        // The arguments themselves are let go: a record that waits holds no more than it tells.
        _recorded = new(content.Record(arguments, mode));
        _digest = content.Digest(arguments);
        Bytes = AuditedSize.Of(_recorded.Value);
    }

    public override long Bytes { get; }

    public override JsonElement Arguments =>
        (Volatile.Read(ref _recorded) ?? Interlocked.CompareExchange(ref _recorded, new(_content.Record(_arguments, _mode)), null) ?? _recorded).Value;

    public override string? ArgumentsDigest => Volatile.Read(ref _digest) ?? (_digest = _content.Digest(_arguments));
}
