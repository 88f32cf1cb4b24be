using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>The last stage: an elicitation leaves for the host under the guard's heading (see <see cref="ServerRequestOrigin"/>).</summary>
internal sealed class ServerRequestOriginStage : IGuardStage<ServerRequestContext>
{
    public string Name => GuardStages.ServerRequestOrigin;

    public ValueTask<GuardDecision> EvaluateAsync(ServerRequestContext context, CancellationToken ct)
    {
        if (!string.Equals(context.Method, MethodTable.Elicitation, StringComparison.Ordinal))
        {
            return new(GuardDecision.Continue);
        }

        UrlDisplay? url = null;
        if (ElicitationRequestStage.IsUrl(context.Current) && (url = UrlDisplay.Read(JsonText.GetString(context.Current.GetProperty("url"u8)))) is null)
        {
            return new(ServerRequestGate.Refuse("an address that cannot be shown"));
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (JsonProperty member in context.Current.EnumerateObject())
            {
                if (member.NameEquals("message"u8))
                {
                    writer.WriteString("message"u8, ServerRequestOrigin.Label(context.Server.Id, ServerRequestOrigin.During(context), JsonText.GetString(member.Value), url));
                }
                else
                {
                    member.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        return new(GuardDecision.Replace(JsonDocument.Parse(buffer.WrittenMemory).RootElement, "origin", "the origin was named"));
    }
}
