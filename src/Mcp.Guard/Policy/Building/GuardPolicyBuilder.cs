using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Policy;

namespace Mcp.Guard;

/// <summary>
/// Builds a policy in code. What it makes is a policy document, read by the same strict reader as a file: the two cannot mean different things.
/// Nothing is judged while building; what is wrong is reported when the guard starts, all at once, as a <see cref="McpGuardPolicyException"/>.
/// </summary>
public sealed class GuardPolicyBuilder
{
    private readonly JsonObject _document = [];
    private readonly JsonObject _servers = [];

    /// <summary>Sets one of the <c>defaults</c> for all servers.</summary>
    /// <param name="key">A key of the document's <c>defaults</c>, such as <c>toolTimeout</c>.</param>
    /// <param name="json">Its value as JSON text, such as <c>"\"30s\""</c>.</param>
    /// <exception cref="ArgumentException">The text is not JSON, or the key is set already.</exception>
    public GuardPolicyBuilder Default(string key, string json) => Set("defaults", key, json);

    /// <summary>Sets one of the <c>audit</c> settings.</summary>
    /// <param name="key">A key of the document's <c>audit</c>, such as <c>retentionDays</c>.</param>
    /// <param name="json">Its value as JSON text.</param>
    /// <exception cref="ArgumentException">The text is not JSON, or the key is set already.</exception>
    public GuardPolicyBuilder Audit(string key, string json) => Set("audit", key, json);

    /// <summary>The folder for the audit.</summary>
    /// <param name="path">Absolute path.</param>
    public GuardPolicyBuilder AuditDirectory(string path) => Set("audit", "directory", JsonValue.Create(path));

    /// <summary>The folder in which the guard keeps pins, grants, checkpoints and keys. Default: the user's state directory.</summary>
    /// <param name="path">Absolute path.</param>
    public GuardPolicyBuilder StateDirectory(string path)
    {
        PolicyJson.Add(_document, "stateDirectory", JsonValue.Create(path));
        return this;
    }

    /// <summary>The folder in which installed server packages lie. Default: <c>packages</c> in the state directory.</summary>
    /// <param name="path">Absolute path.</param>
    public GuardPolicyBuilder PackageStore(string path)
    {
        PolicyJson.Add(_document, "packageStore", JsonValue.Create(path));
        return this;
    }

    /// <summary>How long a tool call may take. Default 30 seconds.</summary>
    /// <param name="timeout">1 millisecond to 1 day.</param>
    public GuardPolicyBuilder ToolTimeout(TimeSpan timeout) => Set("defaults", "toolTimeout", JsonValue.Create(PolicyText.Duration(timeout)));

    /// <summary>How many tool calls each caller may make. Default 3 in a second.</summary>
    /// <param name="permits">0 denies every call.</param>
    /// <param name="per">More than zero, at most one day.</param>
    public GuardPolicyBuilder RateLimit(long permits, TimeSpan per) => Set("defaults", "rateLimit", PolicyJson.RateLimit(permits, per));

    /// <summary>Asks a person before every call that no rule allows, and not only before destructive ones.</summary>
    public GuardPolicyBuilder ConfirmEveryCall() => Set("defaults", "confirmation", JsonValue.Create("always"));

    /// <summary>Adds a server. One that no policy names is never connected to.</summary>
    /// <param name="id">The host's id for it: 1 to 64 letters, digits, <c>.</c>, <c>_</c>, <c>-</c>.</param>
    /// <param name="configure">Says how it is reached and what it may do.</param>
    /// <exception cref="ArgumentException">There is a server of that id already.</exception>
    public GuardPolicyBuilder Server(string id, Action<GuardServerBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(configure);
        var server = new GuardServerBuilder();
        PolicyJson.Add(_servers, id, server.Json);
        configure(server);
        return this;
    }

    /// <summary>The policy as a document, indented: what <c>mcp-guard.json</c> would say.</summary>
    public string ToJson() => System.Text.Encoding.UTF8.GetString(Write(new JsonWriterOptions { Indented = true }).Span);

    internal ReadOnlyMemory<byte> ToUtf8() => Write(default);

    private ReadOnlyMemory<byte> Write(JsonWriterOptions options)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, options))
        {
            writer.WriteStartObject();
            foreach ((string key, JsonNode? value) in _document)
            {
                writer.WritePropertyName(key);
                PolicyJson.Write(writer, value);
            }

            writer.WritePropertyName("servers");
            _servers.WriteTo(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private GuardPolicyBuilder Set(string section, string key, string json) => Set(section, key, PolicyJson.Parse(json));

    private GuardPolicyBuilder Set(string section, string key, JsonNode? value)
    {
        if (_document[section] is not JsonObject target)
        {
            _document[section] = target = [];
        }

        PolicyJson.Add(target, key, value);
        return this;
    }
}
