using System.Security.Claims;
using Mcp.Guard;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace WebHost;

/// <summary>
/// What users reach by HTTP. The caller is the authenticated user of the request and nothing else; a user sees and answers the questions about his own calls only. The tokens travel in a
/// header: a host with cookies needs antiforgery tokens on the answers, or another page answers for its user.
/// </summary>
internal static class Endpoints
{
    public static void Map(IEndpointRouteBuilder routes, IMcpGuard guard, McpClient files, PendingConsents pending)
    {
        RouteGroupBuilder group = routes.MapGroup("").RequireAuthorization();
        group.MapPost("/tools/{tool}", async (string tool, Dictionary<string, string> arguments, ClaimsPrincipal user, CancellationToken ct) =>
        {
            // One connection serves all users; the scope says on whose behalf this call is made.
            using IDisposable scope = guard.BeginScope(new GuardCaller(UserOf(user), "web"));
            CallToolResult result = await files.CallToolAsync(tool, arguments.ToDictionary(pair => pair.Key, pair => (object?)pair.Value), cancellationToken: ct);
            string text = string.Join('\n', result.Content.OfType<TextContentBlock>().Select(block => block.Text));
            return result.IsError == true ? Results.Text(text, statusCode: StatusCodes.Status403Forbidden) : Results.Text(text);
        });
        group.MapGet("/consents", (ClaimsPrincipal user) => pending.List()
            .Where(request => IsOf(request, user))
            .Select(request => new Question(request.RequestId, request.ToolName, request.ServerId, request.ArgumentsForDisplay, [.. request.Reasons], request.Deadline)));
        group.MapPost("/consents/{id}/{answer}", (string id, string answer, ClaimsPrincipal user) =>
        {
            bool isOwn = pending.List().Any(request => request.RequestId == id && IsOf(request, user));
            bool answered = isOwn && (answer == "approve" ? pending.TryApprove(id, UserOf(user)) : pending.TryDeny(id, UserOf(user)));
            return answered ? Results.NoContent() : Results.NotFound();
        });
    }

    private static bool IsOf(ConsentRequest request, ClaimsPrincipal user) => string.Equals(request.Caller.UserId, UserOf(user), StringComparison.Ordinal);

    private static string UserOf(ClaimsPrincipal user) => user.FindFirstValue("sub")!;
}
