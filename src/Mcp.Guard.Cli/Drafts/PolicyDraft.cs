using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>
/// Writes a policy from servers and what they offered. The document is strict JSON, so that its comments are the <c>description</c> keys that the reader knows.
/// Everything asks; what denies was found harmful; what allows was said by the user.
/// </summary>
internal sealed class PolicyDraft
{
    // The file is for people: a path with an apostrophe stays readable. What can hide or break a line is escaped by this encoder too.
    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The package store that is written; null for the default.</summary>
    public string? PackageStore { get; init; }

    /// <summary>The state directory that is written; null for the default.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>The servers; those of which nothing is known get no rules and no pins.</summary>
    public required IReadOnlyList<(ServerDraft Draft, DraftedRules? Rules)> Servers { get; init; }

    public byte[] ToUtf8()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("description", "Written by 'mcp-guard init' from what each server says of itself, which proves nothing: review it. Deny beats ask beats allow; what no rule names asks. 'mcp-guard check' judges this file, docs/policy.md explains every key.");
            if (StateDirectory is not null)
            {
                json.WriteString("stateDirectory", StateDirectory);
            }

            if (PackageStore is not null)
            {
                json.WriteString("packageStore", PackageStore);
            }

            json.WriteStartObject("servers");
            foreach ((ServerDraft draft, DraftedRules? rules) in Servers)
            {
                json.WriteStartObject(draft.Id);
                Write(json, draft, rules);
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static void Write(Utf8JsonWriter json, ServerDraft draft, DraftedRules? rules)
    {
        WriteWay(json, draft);
        if (draft.IsProcess)
        {
            WriteBox(json, draft, rules);
        }

        if (draft.Roots.Count > 0)
        {
            json.WriteStartArray("roots");
            foreach (string root in draft.Roots)
            {
                json.WriteStartObject();
                json.WriteString("path", root);
                json.WriteString("access", rules is { Writes: true } ? "readWrite" : "read");
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (rules is null)
        {
            return;
        }

        json.WriteStartObject("rules");
        foreach (DraftedRule rule in rules.Rules)
        {
            Write(json, rule);
        }

        json.WriteEndObject();
        json.WriteStartObject("pins");
        if (rules.InstructionsFingerprint is { } instructions)
        {
            json.WriteString(PinRegister.InstructionsKey, instructions);
        }

        foreach (ToolDraft tool in rules.Tools)
        {
            json.WriteString(tool.Name, tool.Fingerprint);
        }

        json.WriteEndObject();
    }

    private static void WriteWay(Utf8JsonWriter json, ServerDraft draft)
    {
        if (draft.Url is { } url)
        {
            json.WriteString("url", url);
            if (draft.IsSse)
            {
                json.WriteString("transport", "sse");
            }

            WriteValues(json, "headers", draft.Headers);
            return;
        }

        if (draft.Package is { } package)
        {
            json.WriteStartObject("package");
            json.WriteString(draft.Registry == PackageKind.Dotnet ? "dotnet" : "npm", package);
            json.WriteString("version", draft.Version);
            if (draft.Executable is not null)
            {
                json.WriteString("executable", draft.Executable);
            }

            json.WriteEndObject();
        }
        else
        {
            json.WriteString("command", draft.Command);
        }

        if (draft.Arguments.Count > 0)
        {
            json.WriteTexts("arguments", draft.Arguments);
        }

        WriteValues(json, "environment", draft.Environment);
    }

    private static void WriteBox(Utf8JsonWriter json, ServerDraft draft, DraftedRules? rules)
    {
        json.WriteStartObject("isolation");
        json.WriteString("mode", draft.IsIsolated ? "bubblewrap" : "none");
        if (draft.IsIsolated)
        {
            if (draft.Readable.Count > 0)
            {
                json.WriteTexts("readable", draft.Readable);
            }

            if (rules is { Writes: true } && draft.Roots.Count > 0)
            {
                json.WriteTexts("writable", draft.Roots);
            }

            json.WriteBoolean("network", false);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, DraftedRule rule)
    {
        json.WriteStartObject(rule.Id);
        json.WriteString("description", rule.Description);
        json.WriteTexts(rule.Selects, rule.Patterns);
        json.WriteString("effect", rule.Effect);
        if (rule.IsDestructive && rule.Effect != "deny")
        {
            json.WriteBoolean("destructive", true);
        }

        if (rule.Paths.Count > 0 && rule.Effect != "deny")
        {
            json.WriteStartObject("paths");
            json.WriteTexts("arguments", rule.Paths);
            if (rule.OnlyReads)
            {
                json.WriteString("access", "read");
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteValues(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, DraftValue> values)
    {
        if (values.Count == 0)
        {
            return;
        }

        json.WriteStartObject(name);
        foreach ((string key, DraftValue value) in values.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            if (value.Literal is { } literal)
            {
                json.WriteString(key, literal);
            }
            else
            {
                json.WriteStartObject(key);
                json.WriteString("secret", value.Secret);
                json.WriteEndObject();
            }
        }

        json.WriteEndObject();
    }
}
