namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>A response, or one event of an event stream, is longer than the limit.</summary>
internal sealed class ResponseLimitException(long limit) : IOException($"the response is longer than {limit} bytes")
{
    public long Limit { get; } = limit;
}
