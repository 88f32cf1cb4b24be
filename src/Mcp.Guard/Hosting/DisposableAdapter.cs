namespace Mcp.Guard.Hosting;

/// <summary>Lets a part that is disposed synchronously stand in the list of owned parts.</summary>
internal sealed class DisposableAdapter(IDisposable part) : IAsyncDisposable
{
    public ValueTask DisposeAsync()
    {
        part.Dispose();
        return default;
    }
}
