using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace Mcp.Guard.Policy;

/// <summary>
/// Writes what a policy means in one form only: every value filled in, names sorted ordinally, durations in ticks, paths absolute. Two documents with
/// the same form are the same policy. What has no effect (descriptions, notation, order of keys and rules, white space) is not in it.
/// </summary>
internal static class PolicyCanonicalizer
{
    private static readonly JsonWriterOptions Options = new() { Indented = false, MaxDepth = 256 };

    /// <summary>The revision of a whole policy.</summary>
    public static string Revision(PolicyDefaults defaults, AuditSettings audit, string stateDirectory, string packageStore, IEnumerable<ServerSettings> servers) => Hash(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("form", 1);
        writer.WriteString("stateDirectory", stateDirectory);
        writer.WriteString("packageStore", packageStore);
        Write(writer, "defaults", defaults);
        Write(writer, audit);
        writer.WriteStartObject("servers");
        foreach (ServerSettings server in servers.OrderBy(server => server.Id, StringComparer.Ordinal))
        {
            // A server's revision covers its part completely.
            writer.WriteString(server.Id, server.Revision);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>The revision of one server's part, with the defaults.</summary>
    public static string Revision(PolicyDefaults defaults, ServerSettings server) => Hash(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("form", 1);
        Write(writer, "defaults", defaults);
        Write(writer, server);
        writer.WriteEndObject();
    });

    /// <summary>Any JSON with its keys sorted and its number literals as they are.</summary>
    public static void Write(Utf8JsonWriter writer, PolicyNode node)
    {
        switch (node.Kind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (PolicyMember member in node.Members.OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    Write(writer, member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (PolicyNode item in node.Items)
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(node.Text);
                break;
            case JsonValueKind.Number:
                writer.WriteRawValue(node.Text!);
                break;
            case JsonValueKind.True or JsonValueKind.False:
                writer.WriteBooleanValue(node.Kind == JsonValueKind.True);
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    private static string Hash(Action<Utf8JsonWriter> write)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(4_096);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            write(writer);
        }

        return Convert.ToHexStringLower(SHA256.HashData(buffer.WrittenSpan));
    }

    private static void Write(Utf8JsonWriter writer, string name, PolicyDefaults defaults)
    {
        writer.WriteStartObject(name);
        writer.WriteString("confirmation", defaults.Confirmation.ToString());
        Write(writer, "rateLimit", defaults.RateLimit);
        writer.WriteNumber("toolTimeout", defaults.ToolTimeout.Ticks);
        writer.WriteNumber("consentTimeout", defaults.ConsentTimeout.Ticks);
        writer.WriteNumber("promptMaxTokens", defaults.PromptMaxTokens);
        writer.WriteString("requireCaller", defaults.RequireCaller?.ToString());
        writer.WriteBoolean("redactArguments", defaults.RedactArguments);
        writer.WriteNumber("maxConcurrentCalls", defaults.MaxConcurrentCalls);
        writer.WriteNumber("maxConcurrentCallsPerCaller", defaults.MaxConcurrentCallsPerCaller);
        writer.WriteNumber("maxQueuedCalls", defaults.MaxQueuedCalls);
        writer.WriteStartObject("budgets");
        Write(writer, "calls", defaults.Budgets.Calls);
        Write(writer, "callsPerTool", defaults.Budgets.CallsPerTool);
        writer.WriteNumber("repeats", defaults.Budgets.Repeats);
        writer.WriteNumber("repeatWindow", defaults.Budgets.RepeatWindow.Ticks);
        writer.WriteEndObject();
        writer.WriteStartObject("results");
        writer.WriteNumber("maxBytes", defaults.Results.MaxBytes);
        writer.WriteNumber("maxItems", defaults.Results.MaxItems);
        writer.WriteNumber("maxDepth", defaults.Results.MaxDepth);
        writer.WriteString("overflow", defaults.Results.Overflow.ToString());
        writer.WriteString("remoteReferences", defaults.Results.RemoteReferences.ToString());
        writer.WriteString("linksWithQuery", defaults.Results.LinksWithQuery.ToString());
        Write(writer, "allowedHosts", defaults.Results.AllowedHosts.Order(StringComparer.Ordinal));
        if (defaults.Results.MediaTypes is { } types)
        {
            Write(writer, "mediaTypes", types.Order(StringComparer.Ordinal));
        }

        writer.WriteNumber("mediaMaxBytes", defaults.Results.MediaMaxBytes);
        writer.WriteString("framing", defaults.Results.Framing.ToString());
        writer.WriteBoolean("redact", defaults.Results.Redact);
        Write(writer, "flags", defaults.Results.Flags);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, AuditSettings audit)
    {
        writer.WriteStartObject("audit");
        writer.WriteString("directory", audit.Directory);
        writer.WriteNumber("retentionDays", audit.RetentionDays);
        writer.WriteString("arguments", audit.Arguments.ToString());
        writer.WriteString("results", audit.Results.ToString());
        writer.WriteString("durability", audit.Durability.ToString());
        writer.WriteString("key", audit.KeySecret);
        writer.WriteString("checkpoints", audit.CheckpointFile);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ServerSettings server)
    {
        writer.WriteStartObject("server");
        writer.WriteString("id", server.Id);
        Write(writer, server.Endpoint);
        if (server.Isolation is not null)
        {
            Write(writer, server.Isolation);
        }

        writer.WriteStartArray("roots");
        foreach (GuardRoot root in server.Roots)
        {
            writer.WriteStartArray();
            writer.WriteStringValue(root.Path);
            writer.WriteStringValue(root.Access.ToString());
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
        Write(writer, "limits", server.Limits);
        writer.WriteBoolean("trusted", server.Trusted);
        writer.WriteBoolean("uncheckedTransport", server.UncheckedTransport);
        writer.WriteBoolean("allowCompletion", server.AllowCompletion);
        writer.WriteBoolean("allowHeaderMirroring", server.AllowHeaderMirroring);
        writer.WriteStartObject("sampling");
        writer.WriteBoolean("allow", server.Sampling.Allowed);
        Write(writer, "maxPromptTokens", server.Sampling.MaxPromptTokens);
        writer.WriteNumber("maxTokens", server.Sampling.MaxTokens);
        writer.WriteNumber("maxDepth", server.Sampling.MaxDepth);
        writer.WriteBoolean("confirm", server.Sampling.Confirm);
        writer.WriteBoolean("allowContext", server.Sampling.AllowContext);
        Write(writer, "rateLimit", server.Sampling.RateLimit);
        writer.WriteEndObject();
        writer.WriteStartObject("elicitation");
        writer.WriteBoolean("allow", server.Elicitation.Allowed);
        writer.WriteBoolean("form", server.Elicitation.Form);
        writer.WriteBoolean("url", server.Elicitation.Url);
        Write(writer, "urls", server.Elicitation.Urls);
        writer.WriteNumber("maxFields", server.Elicitation.MaxFields);
        Write(writer, "rateLimit", server.Elicitation.RateLimit);
        writer.WriteEndObject();
        Write(writer, "metaToServer", server.Meta.ToServer.Order(StringComparer.Ordinal));
        Write(writer, "metaFromServer", server.Meta.FromServer.Order(StringComparer.Ordinal));
        Write(writer, "flags", server.Flags);
        writer.WriteStartObject("pins");
        foreach ((string tool, string fingerprint) in server.Pins.OrderBy(pin => pin.Key, StringComparer.Ordinal))
        {
            writer.WriteString(tool, fingerprint);
        }

        writer.WriteEndObject();
        writer.WriteStartObject("rules");
        foreach (CompiledRule rule in server.Rules)
        {
            Write(writer, rule);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ServerEndpoint endpoint)
    {
        writer.WriteStartObject("endpoint");
        switch (endpoint)
        {
            case UrlEndpoint url:
                writer.WriteString("url", url.Url);
                writer.WriteString("transport", url.Transport.ToString());
                writer.WriteBoolean("allowPrivate", url.AllowPrivate);
                writer.WriteBoolean("useEnvironmentProxy", url.UseEnvironmentProxy);
                Write(writer, "headers", url.Headers.Select(header => new KeyValuePair<string, PolicyValue>(header.Key.ToLowerInvariant(), header.Value)));
                Write(writer, "authorizationUrls", url.AuthorizationUrls.Order(StringComparer.Ordinal));
                break;
            case CommandEndpoint command:
                writer.WriteString("command", command.Command);
                Write(writer, "arguments", command.Arguments);
                Write(writer, "environment", command.Environment);
                writer.WriteString("sha256", command.Sha256);
                break;
            case PackageEndpoint package:
                writer.WriteString("kind", package.Kind.ToString());
                writer.WriteString("name", package.Name);
                writer.WriteString("version", package.Version);
                writer.WriteString("executable", package.Executable);
                Write(writer, "arguments", package.Arguments);
                Write(writer, "environment", package.Environment);
                break;
            default:
                writer.WriteString("kind", endpoint.Describe());
                break;
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, IsolationSettings isolation)
    {
        writer.WriteStartObject("isolation");
        writer.WriteString("mode", isolation.Mode.ToString());
        Write(writer, "readable", isolation.Readable.Order(StringComparer.Ordinal));
        Write(writer, "writable", isolation.Writable.Order(StringComparer.Ordinal));
        writer.WriteString("network", isolation.Network.ToString());
        writer.WriteString("preset", isolation.Preset.ToString());
        writer.WriteString("image", isolation.Image);
        writer.WriteString("engine", isolation.Engine);
        Write(writer, "memory", isolation.Memory);
        writer.WriteString("cpus", isolation.Cpus?.ToString("0.##########", CultureInfo.InvariantCulture));
        Write(writer, "processes", isolation.Processes);
        Write(writer, "openFiles", isolation.OpenFiles);
        Write(writer, "fileSize", isolation.FileSize);
        Write(writer, "temp", isolation.Temp);
        writer.WriteString("user", isolation.User);
        writer.WriteString("workingDirectory", isolation.WorkingDirectory);
        Write(writer, "required", isolation.Required);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, CompiledRule rule)
    {
        writer.WriteStartObject(rule.Id);
        writer.WriteString("effect", rule.Effect.ToString());
        Write(writer, "tools", rule.Tools.Select(glob => glob.Pattern).Order(StringComparer.Ordinal));
        Write(writer, "resources", rule.Resources.Select(glob => glob.Pattern).Order(StringComparer.Ordinal));
        Write(writer, "prompts", rule.Prompts.Select(glob => glob.Pattern).Order(StringComparer.Ordinal));
        writer.WriteString("when", rule.WhenText);
        writer.WriteString("require", rule.RequireText);
        if (rule.Destructive is { } destructive)
        {
            writer.WriteBoolean("destructive", destructive);
        }

        Write(writer, "rateLimit", rule.RateLimit);
        Write(writer, "timeout", rule.Timeout?.Ticks);
        Write(writer, "timeoutWithProgress", rule.TimeoutWithProgress?.Ticks);
        if (rule.Paths is { } paths)
        {
            writer.WriteStartObject("paths");
            Write(writer, "arguments", paths.Arguments);
            Write(writer, "content", paths.Content);
            writer.WriteString("detect", paths.Detection.ToString());
            writer.WriteBoolean("rewrite", paths.Rewrite);
            writer.WriteString("access", paths.Access.ToString());
            writer.WriteEndObject();
        }

        if (rule.Urls is { } urls)
        {
            writer.WriteStartArray("urls");
            foreach (UrlAllowlist list in urls.Lists)
            {
                writer.WriteStartObject();
                Write(writer, "allow", list.Patterns.Order(StringComparer.Ordinal));
                // Earlier versions had such a key; without it the revision of every policy with URLs would change.
                writer.WriteBoolean("allowPrivate", false);
                Write(writer, "arguments", list.Arguments);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        if (rule.Results is { } results)
        {
            writer.WriteStartObject("results");
            Write(writer, "maxBytes", results.MaxBytes);
            Write(writer, "maxItems", results.MaxItems);
            Write(writer, "maxDepth", results.MaxDepth);
            writer.WriteString("overflow", results.Overflow?.ToString());
            writer.WriteString("remoteReferences", results.RemoteReferences?.ToString());
            writer.WriteString("linksWithQuery", results.LinksWithQuery?.ToString());
            if (results.AllowedHosts is not null)
            {
                Write(writer, "allowedHosts", results.AllowedHosts.Order(StringComparer.Ordinal));
            }

            if (results.MediaTypes is not null)
            {
                Write(writer, "mediaTypes", results.MediaTypes.Order(StringComparer.Ordinal));
            }

            Write(writer, "mediaMaxBytes", results.MediaMaxBytes);

            writer.WriteString("framing", results.Framing?.ToString());
            writer.WriteString("redact", results.Redact?.ToString());
            if (results.Flags is not null)
            {
                Write(writer, "flags", results.Flags);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, RateLimitSetting? limit)
    {
        if (limit is null)
        {
            return;
        }

        writer.WriteStartObject(name);
        writer.WriteString("id", limit.Id);
        writer.WriteNumber("permits", limit.Permits);
        writer.WriteNumber("window", limit.Window.Ticks);
        writer.WriteNumber("burst", limit.Burst);
        writer.WriteNumber("by", (int)limit.By);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, long? value)
    {
        if (value is { } number)
        {
            writer.WriteNumber(name, number);
        }
    }

    private static void Write(Utf8JsonWriter writer, string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (string text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, string name, IEnumerable<KeyValuePair<ContentFindings, FlagAction>> flags)
    {
        writer.WriteStartObject(name);
        foreach ((ContentFindings finding, FlagAction action) in flags.OrderBy(flag => flag.Key))
        {
            writer.WriteString(finding.ToString(), action.ToString());
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, IEnumerable<KeyValuePair<string, PolicyValue>> values)
    {
        writer.WriteStartObject(name);
        foreach ((string key, PolicyValue value) in values.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            writer.WriteStartObject(key);
            writer.WriteString("literal", value.Literal);
            writer.WriteString("secret", value.Secret);
            writer.WriteBoolean("fromHost", value.FromHost);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }
}
