namespace Mcp.Guard.Hosting;

/// <summary>A transport whose server process the guard started and can end.</summary>
internal interface IServerProcessOwner
{
    void Kill();
}
