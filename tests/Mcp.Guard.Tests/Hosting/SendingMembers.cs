using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>
/// Every public member of the SDK that can send something through a client, found by reflection: the methods of the client and its session, their extension
/// methods, and the objects that hold a client.
/// </summary>
internal static class SendingMembers
{
    /// <summary>Types whose members are tried.</summary>
    public static readonly Type[] Types =
        [typeof(McpClient), typeof(McpSession), typeof(McpClientTool), typeof(McpClientPrompt), typeof(McpClientResource), typeof(McpClientResourceTemplate)];

    /// <summary>Members that send nothing to the server.</summary>
    private static readonly HashSet<string> Silent = new(StringComparer.Ordinal)
    {
        "McpClient.CreateAsync", "McpClient.ResumeSessionAsync", // make a client, over a transport that is guarded or not
        "McpClient.ResolveInputRequestsAsync", // asks the host's own handlers
        "McpSession.RegisterNotificationHandler", "McpSession.DisposeAsync",
        "McpClient.AddKnownTools", "McpClient.RemoveKnownTools", "McpClient.ClearKnownTools",
        "McpClientTool.WithName", "McpClientTool.WithDescription", "McpClientTool.WithProgress", "McpClientTool.WithMeta",
        "AIFunctionDeclaration.AsDeclarationOnly", "AIFunction.AsDeclarationOnly", "AITool.GetService",
    };

    /// <summary>One JSON object that every parameter type of the SDK can be read from.</summary>
    private const string AnyParameters = """
        {
          "name": "echo", "uri": "test://x", "level": "debug", "arguments": {}, "progressToken": "t", "progress": 1,
          "ref": { "type": "ref/prompt", "name": "p" }, "argument": { "name": "a", "value": "v" }, "notifications": {}, "protocolVersion": "2025-11-25",
          "capabilities": {}, "clientInfo": { "name": "n", "version": "1" }
        }
        """;

    public static IReadOnlyList<SendingMember> All { get; } = [.. Find()];

    /// <summary>Types of the SDK that are made over a client.</summary>
    public static IEnumerable<Type> TypesThatHoldAClient() =>
        SdkTypes().Where(type => type is { IsPublic: true, IsAbstract: false }
            && type.GetConstructors().Any(constructor => constructor.GetParameters().Any(parameter => parameter.ParameterType == typeof(McpSession) || typeof(McpClient).IsAssignableFrom(parameter.ParameterType))));

    /// <summary>The object on which a member is called.</summary>
    public static object Holder(Type declaring, McpClient client) =>
        declaring.IsInstanceOfType(client) ? client
        : declaring.IsAssignableFrom(typeof(McpClientTool)) ? new McpClientTool(client, new Tool { Name = "echo", InputSchema = JsonDocument.Parse("""{"type":"object"}""").RootElement })
        : declaring == typeof(McpClientPrompt) ? new McpClientPrompt(client, new Prompt { Name = "p" })
        : declaring == typeof(McpClientResource) ? new McpClientResource(client, new Resource { Name = "x", Uri = "test://x" })
        : declaring == typeof(McpClientResourceTemplate) ? new McpClientResourceTemplate(client, new ResourceTemplate { Name = "x", UriTemplate = "test://{x}" })
        : throw new NotSupportedException($"no object of {declaring}");

    /// <summary>An argument with which a call can be sent.</summary>
    public static object? ArgumentFor(ParameterInfo parameter)
    {
        Type type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        return parameter.HasDefaultValue ? (parameter.DefaultValue is null && type.IsValueType && type == parameter.ParameterType ? Activator.CreateInstance(type) : parameter.DefaultValue)
            : type == typeof(string) ? parameter.Name switch
            {
                "uri" or "resourceUri" => "test://x",
                "method" when parameter.Member.Name.Contains("Notification", StringComparison.Ordinal) => "notifications/anything",
                "method" => "tools/call",
                _ => "echo",
            }
            : type == typeof(Uri) ? new Uri("test://x")
            : type == typeof(CancellationToken) ? CancellationToken.None
            : type == typeof(JsonRpcRequest) ? new JsonRpcRequest { Method = "tools/call", Params = new JsonObject { ["name"] = "echo" } }
            : type == typeof(JsonRpcMessage) ? new JsonRpcNotification { Method = "notifications/anything" }
            : type == typeof(AIFunctionArguments) ? new AIFunctionArguments()
            : type == typeof(Reference) ? new PromptReference { Name = "p" }
            : type == typeof(ProgressToken) ? new ProgressToken("t")
            : type == typeof(ProgressNotificationValue) ? new ProgressNotificationValue { Progress = 1 }
            : type == typeof(LoggingLevel) ? LoggingLevel.Debug
            : type == typeof(Microsoft.Extensions.Logging.LogLevel) ? Microsoft.Extensions.Logging.LogLevel.Debug
            : typeof(Delegate).IsAssignableFrom(type) ? Nothing(type)
            : typeof(System.Text.Json.Serialization.Metadata.JsonTypeInfo).IsAssignableFrom(type) ? McpJsonUtilities.DefaultOptions.GetTypeInfo(type.GetGenericArguments()[0])
            : typeof(IReadOnlyDictionary<string, object?>).IsAssignableFrom(type) ? new Dictionary<string, object?>()
            : typeof(RequestParams).IsAssignableFrom(type) || typeof(NotificationParams).IsAssignableFrom(type)
                ? JsonSerializer.Deserialize(AnyParameters, McpJsonUtilities.DefaultOptions.GetTypeInfo(type))
            : throw new NotSupportedException($"no argument for {parameter.ParameterType} {parameter.Name}");
    }

    private static IEnumerable<Type> SdkTypes() => typeof(McpClient).Assembly.GetExportedTypes().Concat(Assembly.Load("ModelContextProtocol").GetExportedTypes());

    private static IEnumerable<SendingMember> Find()
    {
        IEnumerable<MethodInfo> own = Types
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static))
            .Where(method => method.DeclaringType != typeof(object) && !method.IsSpecialName && method.GetBaseDefinition().DeclaringType != typeof(object));
        IEnumerable<MethodInfo> extensions = SdkTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static))
            .Where(method => method.IsDefined(typeof(ExtensionAttribute)) && Types.Any(type => method.GetParameters()[0].ParameterType.IsAssignableFrom(type) && method.GetParameters()[0].ParameterType != typeof(object)));
        foreach (MethodInfo method in own.Concat(extensions).DistinctBy(Signature))
        {
            if (Silent.Contains($"{method.DeclaringType!.Name}.{method.Name}"))
            {
                continue;
            }

            MethodInfo closed = method;
            string? problem = null;
            try
            {
                if (method.IsGenericMethodDefinition)
                {
                    closed = method.MakeGenericMethod([.. method.GetGenericArguments().Select(ArgumentType)]);
                }

                foreach (ParameterInfo parameter in closed.GetParameters().Skip(closed.IsStatic ? 1 : 0))
                {
                    _ = ArgumentFor(parameter);
                }
            }
            catch (Exception failure)
            {
                problem = failure.Message;
            }

            yield return new SendingMember(Signature(method), closed, problem);
        }
    }

    private static Type ArgumentType(Type parameter) => parameter.Name switch
    {
        "TParameters" => typeof(CallToolRequestParams),
        _ => typeof(CallToolResult),
    };

    private static string Signature(MethodInfo method) =>
        $"{method.DeclaringType!.Name}.{method.Name}({string.Join(", ", method.GetParameters().Select(parameter => parameter.ParameterType.ToString().Split('.')[^1].TrimEnd(']') + " " + parameter.Name))})";

    /// <summary>A delegate that does nothing.</summary>
    private static Delegate Nothing(Type type)
    {
        MethodInfo invoke = type.GetMethod("Invoke")!;
        return Expression.Lambda(type, Expression.Default(invoke.ReturnType), invoke.GetParameters().Select(parameter => Expression.Parameter(parameter.ParameterType))).Compile();
    }
}
