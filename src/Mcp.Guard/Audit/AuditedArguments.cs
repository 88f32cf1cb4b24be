using System.Runtime.CompilerServices;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Audit;

/// <summary>The arguments of a call as the policy lets them be recorded, and their digest, each made when it is first read.</summary>
internal sealed class AuditedArguments : AuditRecordContent
{
    private readonly IAuditContent _content;
    private readonly RequestPayload? _parameters;
    private readonly ContentRecording _mode;
    private StrongBox<JsonElement>? _recorded;
    private string? _digest;

    /// <param name="content">What of them may be recorded.</param>
    /// <param name="parameters">The parameters that they stand in, which are held as long as the arguments are.</param>
    /// <param name="mode">What the policy lets be recorded.</param>
    public AuditedArguments(IAuditContent content, RequestPayload parameters, ContentRecording mode)
    {
        _content = content;
        _mode = mode;
        Bytes = parameters.Bytes;
        if (Bytes <= AuditedSize.MaxDeferred && !content.RunsHostCode(mode))
        {
            _parameters = parameters;
            return;
        }

        // What is not recorded as it stands is let go: a record that waits holds no more than it tells.
        _recorded = new(content.Record(parameters.Arguments, mode));
        _digest = content.Digest(parameters.ArgumentsUtf8);
        if (mode is not (ContentRecording.Full or ContentRecording.Redacted))
        {
            Bytes = AuditedSize.Of(_recorded.Value);
        }
    }

    public override long Bytes { get; }

    public override JsonElement Arguments =>
        (Volatile.Read(ref _recorded) ?? Interlocked.CompareExchange(ref _recorded, new(_content.Record(_parameters!.Arguments, _mode)), null) ?? _recorded).Value;

    public override string? ArgumentsDigest => Volatile.Read(ref _digest) ?? (_digest = _content.Digest(_parameters is null ? default : _parameters.ArgumentsUtf8));
}
