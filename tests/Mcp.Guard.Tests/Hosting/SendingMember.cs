using System.Reflection;
using ModelContextProtocol.Client;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>One public member of the SDK that may send something to a server.</summary>
/// <param name="Name">Type, name and parameters.</param>
/// <param name="Method">Closed over types, where it is generic.</param>
/// <param name="Problem">Why it cannot be called; null where it can.</param>
internal sealed record SendingMember(string Name, MethodInfo Method, string? Problem)
{
    /// <summary>Notifications of the client are denied by their method, whatever a stage says.</summary>
    public bool IsNotification => Method.Name is "SendNotificationAsync" or "NotifyProgressAsync" or "SendMessageAsync";

    /// <summary>Calls it on a client, or on an object that holds one; gives back what it threw.</summary>
    public async Task<Exception?> CallAsync(McpClient client)
    {
        try
        {
            object?[] arguments = [.. Method.GetParameters().Select(SendingMembers.ArgumentFor)];
            if (Method.IsStatic)
            {
                arguments[0] = client;
            }

            object? pending = Method.Invoke(Method.IsStatic ? null : SendingMembers.Holder(Method.DeclaringType!, client), arguments);
            switch (pending)
            {
                case Task task:
                    await task;
                    break;
                case ValueTask task:
                    await task;
                    break;
                case not null when pending.GetType().GetMethod("AsTask") is { } asTask:
                    await (Task)asTask.Invoke(pending, null)!;
                    break;
            }

            return null;
        }
        catch (TargetInvocationException wrapped)
        {
            return wrapped.InnerException;
        }
        catch (Exception failure)
        {
            return failure;
        }
    }
}
