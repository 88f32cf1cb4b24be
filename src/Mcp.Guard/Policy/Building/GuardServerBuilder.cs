using System.Text.Json.Nodes;

namespace Mcp.Guard;

/// <summary>Says how a server is reached and what it may do. Used by <see cref="GuardPolicyBuilder.Server"/>.</summary>
public sealed class GuardServerBuilder
{
    internal GuardServerBuilder()
    {
    }

    internal JsonObject Json { get; } = [];

    /// <summary>The server is reached at a URL.</summary>
    /// <param name="url">The exact URL.</param>
    public GuardServerBuilder Url(string url) => Set("url", JsonValue.Create(url));

    /// <summary>The server is started by the guard.</summary>
    /// <param name="command">An absolute path, or a bare name.</param>
    /// <param name="arguments">Its exact arguments.</param>
    public GuardServerBuilder Command(string command, params IEnumerable<string> arguments) =>
        Set("command", JsonValue.Create(command)).Set("arguments", PolicyJson.Texts(arguments));

    /// <summary>The server is an npm package that <c>mcp-guard install</c> put into the guard's store.</summary>
    /// <param name="name">The package's name.</param>
    /// <param name="version">One exact version.</param>
    /// <param name="arguments">Its exact arguments.</param>
    public GuardServerBuilder NpmPackage(string name, string version, params IEnumerable<string> arguments) => Package("npm", name, version, arguments);

    /// <summary>The server is a .NET tool that <c>mcp-guard install</c> put into the guard's store.</summary>
    /// <param name="name">The package's name.</param>
    /// <param name="version">One exact version.</param>
    /// <param name="arguments">Its exact arguments.</param>
    public GuardServerBuilder DotnetPackage(string name, string version, params IEnumerable<string> arguments) => Package("dotnet", name, version, arguments);

    /// <summary>The host makes the transport itself and hands it to the guard.</summary>
    public GuardServerBuilder HostProvided() => Set("hostProvided", JsonValue.Create(true));

    /// <summary>Grants the server's process an environment variable.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value; for secrets use <see cref="EnvironmentSecret"/>.</param>
    public GuardServerBuilder Environment(string name, string value) => Put("environment", name, JsonValue.Create(value));

    /// <summary>Grants the server's process an environment variable whose value is a secret, resolved when the server is started.</summary>
    /// <param name="name">The variable's name.</param>
    /// <param name="secret">The secret's name.</param>
    public GuardServerBuilder EnvironmentSecret(string name, string secret) => Put("environment", name, Secret(secret));

    /// <summary>Sends an HTTP header whose value is a secret, resolved when the server is connected.</summary>
    /// <param name="name">The header's name.</param>
    /// <param name="secret">The secret's name.</param>
    public GuardServerBuilder HeaderSecret(string name, string secret) => Put("headers", name, Secret(secret));

    /// <summary>The server runs without isolation, with all rights of the host.</summary>
    public GuardServerBuilder WithoutIsolation() => Isolation("none");

    /// <summary>What the server runs in.</summary>
    /// <param name="mode"><c>bubblewrap</c>, <c>container</c> or <c>none</c>.</param>
    /// <param name="writable">Absolute folders that it may write.</param>
    public GuardServerBuilder Isolation(string mode, params IEnumerable<string> writable)
    {
        var isolation = new JsonObject { ["mode"] = JsonValue.Create(mode) };
        JsonArray folders = PolicyJson.Texts(writable);
        if (folders.Count > 0)
        {
            isolation["writable"] = folders;
        }

        return Set("isolation", isolation);
    }

    /// <summary>A folder that calls may reach. Without any, no path is permitted.</summary>
    /// <param name="path">Absolute path.</param>
    /// <param name="access">What calls may do there.</param>
    public GuardServerBuilder Root(string path, RootAccess access = RootAccess.ReadWrite)
    {
        PolicyJson.List(Json, "roots").Add((JsonNode)new JsonObject
        {
            ["path"] = JsonValue.Create(path),
            ["access"] = JsonValue.Create(access == RootAccess.Read ? "read" : "readWrite"),
        });
        return this;
    }

    /// <summary>Approves a tool's definition by its fingerprint. Where a server has pins, tools without one ask first.</summary>
    /// <param name="tool">The exact name.</param>
    /// <param name="fingerprint">Lower-case hexadecimal SHA-256, as <c>mcp-guard check</c> shows it.</param>
    public GuardServerBuilder Pin(string tool, string fingerprint) => Put("pins", tool, JsonValue.Create(fingerprint));

    /// <summary>
    /// Takes credentials out of the arguments of calls and prompts before anything is judged: the server receives what is left, and consent shows it. What takes
    /// their place is text, so that a schema may then refuse the call.
    /// </summary>
    public GuardServerBuilder RedactArguments() => Set("redactArguments", JsonValue.Create(true));

    /// <summary>Lets calls of tools pass the rules.</summary>
    /// <param name="ruleId">The id of the rule.</param>
    /// <param name="tools">Names; <c>*</c> stands for any text.</param>
    public GuardServerBuilder Allow(string ruleId, params IEnumerable<string> tools) => Rule(ruleId, "allow", rule => rule.Tools(tools));

    /// <summary>The same with more said about the rule.</summary>
    /// <param name="ruleId">The id of the rule.</param>
    /// <param name="configure">Says what the rule selects and sets.</param>
    public GuardServerBuilder Allow(string ruleId, Action<GuardRuleBuilder> configure) => Rule(ruleId, "allow", configure);

    /// <summary>Asks a person before calls of tools.</summary>
    /// <param name="ruleId">The id of the rule.</param>
    /// <param name="tools">Names; <c>*</c> stands for any text.</param>
    public GuardServerBuilder Ask(string ruleId, params IEnumerable<string> tools) => Rule(ruleId, "ask", rule => rule.Tools(tools));

    /// <summary>The same with more said about the rule.</summary>
    /// <param name="ruleId">The id of the rule.</param>
    /// <param name="configure">Says what the rule selects and sets.</param>
    public GuardServerBuilder Ask(string ruleId, Action<GuardRuleBuilder> configure) => Rule(ruleId, "ask", configure);

    /// <summary>Denies calls of tools. Deny beats every other rule.</summary>
    /// <param name="ruleId">The id of the rule.</param>
    /// <param name="tools">Names; <c>*</c> stands for any text.</param>
    public GuardServerBuilder Deny(string ruleId, params IEnumerable<string> tools) => Rule(ruleId, "deny", rule => rule.Tools(tools));

    /// <summary>The same with more said about the rule.</summary>
    /// <param name="ruleId">The id of the rule.</param>
    /// <param name="configure">Says what the rule selects.</param>
    public GuardServerBuilder Deny(string ruleId, Action<GuardRuleBuilder> configure) => Rule(ruleId, "deny", configure);

    /// <summary>Sets any other key of the server.</summary>
    /// <param name="key">A key of a server in the document, such as <c>sampling</c>.</param>
    /// <param name="json">Its value as JSON text.</param>
    /// <exception cref="ArgumentException">The text is not JSON, or the key is set already.</exception>
    public GuardServerBuilder With(string key, string json) => Set(key, PolicyJson.Parse(json));

    private static JsonObject Secret(string name) => new() { ["secret"] = JsonValue.Create(name) };

    private GuardServerBuilder Package(string registry, string name, string version, IEnumerable<string> arguments) =>
        Set("package", new JsonObject { [registry] = JsonValue.Create(name), ["version"] = JsonValue.Create(version) })
            .Set("arguments", PolicyJson.Texts(arguments));

    private GuardServerBuilder Rule(string id, string effect, Action<GuardRuleBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var rule = new GuardRuleBuilder(effect);
        PolicyJson.Add(PolicyJson.Object(Json, "rules"), id, rule.Json);
        configure(rule);
        return this;
    }

    private GuardServerBuilder Put(string map, string key, JsonNode? value)
    {
        PolicyJson.Add(PolicyJson.Object(Json, map), key, value);
        return this;
    }

    private GuardServerBuilder Set(string key, JsonNode? value)
    {
        PolicyJson.Add(Json, key, value);
        return this;
    }
}
