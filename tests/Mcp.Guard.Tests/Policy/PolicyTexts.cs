using System.Text;
using System.Text.Json;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>Short ways to read policies in tests. The state directory lies where no test has a root.</summary>
internal static class PolicyTexts
{
    /// <summary>The document of the design, as it stands there.</summary>
    public const string Design = """
        {
          "$schema": "https://.../mcp-guard.schema.json",
          "defaults": { "confirmation": "destructive", "rateLimit": { "permits": 3, "per": "1s" }, "toolTimeout": "30s", "promptMaxTokens": 2048 },
          "audit": { "directory": "/var/lib/acme/mcp-audit", "retentionDays": 30, "arguments": "redacted", "results": "redacted", "durability": "flushed" },
          "servers": {
            "files": {
              "package": { "npm": "@modelcontextprotocol/server-filesystem", "version": "2026.8.31" },
              "arguments": ["/srv/project"],
              "isolation": { "mode": "bubblewrap", "writable": ["/srv/project"], "network": false },
              "roots": ["/srv/project"],
              "rules": {
                "readers":  { "tools": ["read_*", "list_*"], "effect": "allow" },
                "writes":   { "tools": ["write_file"], "effect": "ask", "require": { "properties": { "content": { "maxLength": 10000 } } } },
                "no-moves": { "tools": ["move_file"], "effect": "deny" }
              }
            }
          }
        }
        """;

    public static PolicyReadOptions Options { get; } = new() { StateDirectory = "/var/lib/mcp-guard-tests-state" };

    public static JsonElement NoArguments { get; } = JsonElement.Parse("{}");

    public static PolicySnapshot Read(string json, string? path = null, PolicyReadOptions? options = null) =>
        PolicyReader.Read(Encoding.UTF8.GetBytes(json), path, FakeSchemas.Instance, options ?? Options);

    public static GuardPolicyError[] Errors(string json, string? path = null, PolicyReadOptions? options = null) =>
        [.. Assert.Throws<McpGuardPolicyException>(() => Read(json, path, options))!.Errors];

    /// <summary>A policy with one server, whose members beside <c>hostProvided</c> are given.</summary>
    public static string Server(string members) => "{\"servers\":{\"s\":{\"hostProvided\":true" + (members.Length == 0 ? "" : "," + members) + "}}}";

    /// <summary>The only server of a policy with these rules.</summary>
    public static ServerSettings WithRules(string rules) => Read(Server($"\"rules\":{{{rules}}}")).Servers["s"];
}
