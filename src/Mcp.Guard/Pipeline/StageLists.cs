namespace Mcp.Guard.Pipeline;

/// <summary>The stages of every boundary, in order, ready to run.</summary>
internal sealed class StageLists
{
    public required StageSlot<ConnectionContext>[] Connection { get; init; }

    public required StageSlot<CatalogContext>[] Catalog { get; init; }

    public required StageSlot<RequestContext>[] Request { get; init; }

    public required StageSlot<ResultContext>[] Result { get; init; }

    public required StageSlot<ServerRequestContext>[] ServerRequest { get; init; }

    public required StageSlot<NotificationContext>[] Notification { get; init; }
}
