using System.Text.Json;
using Mcp.Guard.State;

namespace Mcp.Guard.Stages.Consent;

/// <summary>A grant as a store outside this process keeps it.</summary>
internal static class ConsentGrantJson
{
    public static void Write(Utf8JsonWriter writer, ConsentGrant grant)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, grant.GrantId);
        writer.WriteString("server"u8, grant.Binding.Server);
        writer.WriteString("method"u8, grant.Binding.Method);
        writer.WriteString("tool"u8, grant.Binding.Tool);
        writer.WriteString("fingerprint"u8, grant.Binding.Fingerprint);
        writer.WriteString("arguments"u8, grant.Binding.ArgumentsDigest);
        writer.WriteString("user"u8, grant.Binding.UserId);
        writer.WriteString("session"u8, grant.Binding.SessionId);
        writer.WriteString("policy"u8, grant.Binding.PolicyRevision);
        writer.WriteBoolean("refusal"u8, grant.IsRefusal);
        writer.WriteBoolean("once"u8, grant.IsSingleUse);
        writer.WriteBoolean("anyArguments"u8, grant.CoversAnyArguments);
        writer.WriteBoolean("anySession"u8, grant.CoversAnySession);
        writer.WriteString("expires"u8, grant.ExpiresAt);
        writer.WriteEndObject();
    }

    /// <summary>Reads a grant; null where a part is missing or of another type: half a grant is none.</summary>
    public static ConsentGrant? Read(JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        if (StateJson.Text(entry, "id"u8) is not { } id || StateJson.Text(entry, "server"u8) is not { } server || StateJson.Text(entry, "method"u8) is not { } method
            || StateJson.Text(entry, "tool"u8) is not { } tool || StateJson.Text(entry, "fingerprint"u8) is not { } fingerprint
            || StateJson.Text(entry, "arguments"u8) is not { } arguments || StateJson.Text(entry, "user"u8) is not { } user
            || StateJson.Text(entry, "session"u8) is not { } session || StateJson.Text(entry, "policy"u8) is not { } policy
            || StateJson.Flag(entry, "refusal"u8) is not { } refusal || StateJson.Flag(entry, "once"u8) is not { } once
            || StateJson.Flag(entry, "anyArguments"u8) is not { } anyArguments || StateJson.Flag(entry, "anySession"u8) is not { } anySession
            || StateJson.Moment(entry, "expires"u8) is not { } expires)
        {
            return null;
        }

        return new ConsentGrant
        {
            GrantId = id,
            Binding = new ConsentBinding
            {
                Server = server,
                Method = method,
                Tool = tool,
                Fingerprint = fingerprint,
                ArgumentsDigest = arguments,
                UserId = user,
                SessionId = session,
                PolicyRevision = policy,
            },
            IsRefusal = refusal,
            IsSingleUse = once,
            CoversAnyArguments = anyArguments,
            CoversAnySession = anySession,
            ExpiresAt = expires,
        };
    }
}
