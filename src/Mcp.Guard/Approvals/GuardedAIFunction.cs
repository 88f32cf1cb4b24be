using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;
using Microsoft.Extensions.AI;
using ModelContextProtocol.Client;

namespace Mcp.Guard.Approvals;

/// <summary>A tool of a guarded connection as a function for chat clients. It judges nothing, for the transport does, and gives no way round itself.</summary>
internal sealed class GuardedAIFunction : AIFunction
{
    private readonly McpClientTool _tool;

    private GuardedAIFunction(McpClientTool tool, ConnectionState connection)
    {
        _tool = tool;
        Connection = connection;
    }

    /// <summary>The connection that its calls go through.</summary>
    public ConnectionState Connection { get; }

    /// <summary>The exact name at the server, whatever name it is listed under.</summary>
    public string ToolName => Connection.Tools.ExactNameOf(_tool.ProtocolTool.Name) ?? _tool.ProtocolTool.Name;

    public override string Name => _tool.Name;

    public override string Description => _tool.Description;

    public override JsonElement JsonSchema => _tool.JsonSchema;

    public override JsonElement? ReturnJsonSchema => _tool.ReturnJsonSchema;

    public override JsonSerializerOptions JsonSerializerOptions => _tool.JsonSerializerOptions;

    public override IReadOnlyDictionary<string, object?> AdditionalProperties => _tool.AdditionalProperties;

    /// <summary>The function, marked where the policy can ask about a call of it.</summary>
    public static AIFunction Wrap(McpClientTool tool, ConnectionState connection)
    {
        var function = new GuardedAIFunction(tool, connection);
        return CanAsk(connection, function.ToolName) ? new ApprovalRequiredAIFunction(function) : function;
    }

    /// <summary>Only itself: a base class would hand out the tool beneath, which knows the client.</summary>
    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;
    }

    protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) =>
        _tool.InvokeAsync(arguments, cancellationToken);

    private static bool CanAsk(ConnectionState connection, string name)
    {
        if (connection.Settings(connection.Policy) is not { } settings || connection.Tools.Find(name) is not { } entry)
        {
            return true; // denied at the transport, unless that changes; then rather one question too many
        }

        bool destructive = ToolDanger.Weigh(entry.Hints, settings.Trusted, null).IsDestructive;
        return entry.Pin != ToolPinState.Pinned || settings.ForTool(name).CanAsk(destructive || settings.Limits.Confirmation == ConfirmationMode.Always);
    }
}
