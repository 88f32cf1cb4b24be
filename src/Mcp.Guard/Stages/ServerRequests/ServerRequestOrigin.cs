using System.Globalization;
using System.Text;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>
/// The guard's own heading above the words of a server that asks a person: who asks, in which call, and for which address. Every line of the server's is
/// marked and quoted, so that none can pass for the guard's.
/// </summary>
internal static class ServerRequestOrigin
{
    private const int MaxLines = 40;
    private const int MaxLine = 400;

    /// <summary>The call that a request belongs to, in words.</summary>
    public static string During(ServerRequestContext context) =>
        context.IsCallCertain && context.Call?.TargetName is { } target
            ? $"during '{ConsentDisplay.Name(target)}'"
            : "during one of several calls";

    /// <summary>The heading and the server's words below it.</summary>
    /// <param name="serverId">The server's id in the policy.</param>
    /// <param name="during">See <see cref="During"/>.</param>
    /// <param name="message">The server's words.</param>
    /// <param name="url">The address that it wants opened; null for a form.</param>
    public static string Label(string serverId, string during, string message, UrlDisplay? url)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Server '{ConsentDisplay.Name(serverId)}' asks the following, {during}. This is not a request for your consent to a call.\n");
        if (url is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"It wants you to open {url.Url}\nThe host of this address is {url.Host}\n");
            if (url.Warning is { } warning)
            {
                text.Append(CultureInfo.InvariantCulture, $"Warning: {warning}\n");
            }
        }

        int lines = 0;
        foreach (string line in message.Split('\n'))
        {
            if (lines++ == MaxLines)
            {
                text.Append("> [more lines are not shown]\n");
                break;
            }

            text.Append("> ").Append(ConsentDisplay.Quote(line.TrimEnd('\r'), MaxLine).Text).Append('\n');
        }

        return text.ToString();
    }
}
