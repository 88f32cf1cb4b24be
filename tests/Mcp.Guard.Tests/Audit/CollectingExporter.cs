using OpenTelemetry;

namespace Mcp.Guard.Tests.Audit;

/// <summary>An exporter of the OpenTelemetry SDK that keeps what it gets.</summary>
internal sealed class CollectingExporter<T> : BaseExporter<T>
    where T : class
{
    private readonly Lock _gate = new();
    private readonly List<T> _items = [];

    public IReadOnlyList<T> Items
    {
        get
        {
            lock (_gate)
            {
                return [.. _items];
            }
        }
    }

    public override ExportResult Export(in Batch<T> batch)
    {
        lock (_gate)
        {
            foreach (T item in batch)
            {
                _items.Add(item);
            }
        }

        return ExportResult.Success;
    }
}
