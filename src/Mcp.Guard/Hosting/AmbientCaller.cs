namespace Mcp.Guard.Hosting;

/// <summary>The caller of the current flow of control. It never touches the wire.</summary>
internal static class AmbientCaller
{
    private static readonly AsyncLocal<GuardCaller?> Local = new();

    public static GuardCaller? Current => Local.Value;

    /// <summary>Sets the caller until the scope is disposed; scopes nest.</summary>
    public static IDisposable Begin(GuardCaller caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var scope = new Scope(Local.Value);
        Local.Value = caller;
        return scope;
    }

    private sealed class Scope(GuardCaller? before) : IDisposable
    {
        public void Dispose() => Local.Value = before;
    }
}
