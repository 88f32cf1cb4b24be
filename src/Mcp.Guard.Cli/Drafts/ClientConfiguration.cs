using System.Text.Json;
using Mcp.Guard.Cli.Commands;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>
/// Reads the configuration of an MCP client: <c>mcpServers</c> (claude_desktop_config.json, .mcp.json, mcp.json) or <c>servers</c> (.vscode/mcp.json, with
/// comments and inputs). Starts nothing. Values that can be secrets become references.
/// </summary>
internal sealed class ClientConfiguration
{
    private const int MaxServers = 100;
    private const int MaxArguments = 1_000;

    private static readonly JsonDocumentOptions Options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 64 };

    private readonly string _folder;
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> _secrets = new(StringComparer.Ordinal);

    private ClientConfiguration(string folder) => _folder = folder;

    /// <summary>The servers that can be used, in the order of the file.</summary>
    public List<ServerDraft> Servers { get; } = [];

    /// <summary>Those that cannot, each with the reason; no value of theirs is in it.</summary>
    public List<(string Name, string Problem)> Refused { get; } = [];

    /// <exception cref="CommandFault">The file is not there, is no JSON, or is no client's configuration.</exception>
    public static ClientConfiguration Read(string path)
    {
        string full = PolicyFile.FullPath(path);
        byte[] utf8 = PolicyFile.Bytes(full);
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(utf8.AsMemory(utf8.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0), Options);
        }
        catch (JsonException malformed)
        {
            throw new CommandFault($"{full}, line {malformed.LineNumber + 1}: this is not readable JSON", "Mend the file; the client that it belongs to cannot read it either.", cause: malformed);
        }

        using (document)
        {
            string folder = Path.GetDirectoryName(full)!;
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || ServersOf(root) is not { } servers)
            {
                throw new CommandFault($"{full} names no servers", "A client's configuration has \"mcpServers\", or \"servers\" in .vscode/mcp.json.");
            }

            // .vscode/mcp.json stands in a folder of the workspace.
            var configuration = new ClientConfiguration(Path.GetFileName(folder) == ".vscode" ? Path.GetDirectoryName(folder)! : folder);
            foreach (JsonProperty server in servers.EnumerateObject())
            {
                if (configuration.Servers.Count + configuration.Refused.Count == MaxServers)
                {
                    throw new CommandFault($"{full} names more than {MaxServers} servers", "Take them in from smaller files.");
                }

                configuration.Add(server.Name, server.Value);
            }

            return configuration;
        }
    }

    private static JsonElement? ServersOf(JsonElement root)
    {
        foreach (string name in (ReadOnlySpan<string>)["mcpServers", "servers", "context_servers"])
        {
            if (root.TryGetProperty(name, out JsonElement servers) && servers.ValueKind == JsonValueKind.Object)
            {
                return servers;
            }
        }

        // A settings.json has them one level deeper.
        return root.TryGetProperty("mcp", out JsonElement mcp) && mcp.ValueKind == JsonValueKind.Object && mcp.TryGetProperty("servers", out JsonElement inner) && inner.ValueKind == JsonValueKind.Object
            ? inner
            : null;
    }

    private void Add(string name, JsonElement server)
    {
        try
        {
            if (server.ValueKind != JsonValueKind.Object)
            {
                throw new CommandFault("its entry is no object");
            }

            if (server.TryGetProperty("disabled", out JsonElement disabled) && disabled.ValueKind == JsonValueKind.True)
            {
                throw new CommandFault("it is disabled there");
            }

            Servers.Add(Draft(name, server));
        }
        catch (CommandFault refused)
        {
            Refused.Add((name, refused.Message));
        }
    }

    private ServerDraft Draft(string name, JsonElement server)
    {
        string id = IdOf(name, _ids);
        string? url = Text(server, "url") ?? Text(server, "serverUrl");
        string? command = Text(server, "command");
        var draft = new ServerDraft { Id = id, Notes = id == name ? [] : [$"called '{id}': '{name}' is no id of a policy"] };
        if (server.TryGetProperty("envFile", out _))
        {
            draft = draft.WithNote("its envFile is not read: add what it needs to \"environment\", secrets as { \"secret\": \"NAME\" }");
        }

        if (url is not null)
        {
            string resolved = Replace(url, out string? variable);
            if (variable is not null || !IsPlainUrl(resolved))
            {
                throw new CommandFault("its URL holds a variable, credentials or a query, which no policy does");
            }

            return draft with { Url = resolved, IsSse = Text(server, "type") is "sse", Headers = Values(server, "headers", id, StringComparer.OrdinalIgnoreCase) };
        }

        if (command is null)
        {
            throw new CommandFault("it has neither a command nor a url");
        }

        command = Replace(command, out string? unknown);
        List<string> arguments = Arguments(server);
        if (unknown is not null)
        {
            throw new CommandFault($"its command uses the variable {unknown}, whose value is not known here");
        }

        return draft with { Command = command, Arguments = arguments, Environment = Values(server, "env", id, StringComparer.Ordinal) };
    }

    private List<string> Arguments(JsonElement server)
    {
        var arguments = new List<string>();
        if (!server.TryGetProperty("args", out JsonElement list) || list.ValueKind == JsonValueKind.Null)
        {
            return arguments;
        }

        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > MaxArguments || list.EnumerateArray().Any(static item => item.ValueKind != JsonValueKind.String))
        {
            throw new CommandFault("its args are no list of texts");
        }

        foreach (JsonElement item in list.EnumerateArray())
        {
            string argument = Replace(item.GetString()!, out string? unknown);
            if (unknown is not null)
            {
                throw new CommandFault($"argument {arguments.Count + 1} uses the variable {unknown}, whose value is not known here");
            }

            if (SecretLook.IsSecretArgument(arguments.LastOrDefault(), argument))
            {
                throw new CommandFault($"argument {arguments.Count + 1} looks like a secret, and a policy holds none: give it to the server in a variable");
            }

            arguments.Add(argument);
        }

        return arguments;
    }

    private Dictionary<string, DraftValue> Values(JsonElement server, string member, string id, StringComparer comparer)
    {
        var values = new Dictionary<string, DraftValue>(comparer);
        if (!server.TryGetProperty(member, out JsonElement map) || map.ValueKind == JsonValueKind.Null)
        {
            return values;
        }

        if (map.ValueKind != JsonValueKind.Object)
        {
            throw new CommandFault($"its {member} is no object");
        }

        foreach (JsonProperty variable in map.EnumerateObject())
        {
            string value = variable.Value.ValueKind switch
            {
                JsonValueKind.String => variable.Value.GetString()!,
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => variable.Value.GetRawText(),
                _ => throw new CommandFault($"the value of {variable.Name} in its {member} is no text"),
            };
            string resolved = Replace(value, out string? unknown);
            values[variable.Name] = unknown is not null ? Reference(variable.Name, id, null)
                : SecretLook.IsSecret(variable.Name, resolved) ? Reference(variable.Name, id, resolved)
                : DraftValue.Written(resolved);
        }

        return values;
    }

    /// <summary>The variable's own name, or with the server's where another server uses it for another value.</summary>
    private DraftValue Reference(string variable, string id, string? known)
    {
        string name = SecretName(variable);
        if (known is not null && _secrets.FirstOrDefault(taken => taken.Value == known && taken.Key.EndsWith(name, StringComparison.Ordinal)).Key is { } same)
        {
            return DraftValue.Reference(same, known);
        }

        for (int i = 1; _secrets.ContainsKey(name); i++)
        {
            name = SecretName(i == 1 ? $"{id}_{variable}" : $"{id}_{variable}_{i}");
        }

        _secrets[name] = known;
        return DraftValue.Reference(name, known);
    }

    /// <summary>A name that the environment can have: secrets are looked up there first.</summary>
    private static string SecretName(string text)
    {
        char[] name = text.Length > 100 ? text[..100].ToCharArray() : text.ToCharArray();
        foreach (ref char c in name.AsSpan())
        {
            c = char.IsAsciiLetterOrDigit(c) || c == '_' ? char.ToUpperInvariant(c) : '_';
        }

        string upper = new(name);
        return upper.Length > 0 && char.IsAsciiLetter(upper[0]) ? upper : "MCP_" + upper;
    }

    /// <summary>Variables of clients whose value is known here; of the first other one the name.</summary>
    private string Replace(string text, out string? unknown)
    {
        unknown = null;
        int at = 0;
        while ((at = text.IndexOf("${", at, StringComparison.Ordinal)) >= 0)
        {
            int end = text.IndexOf('}', at);
            if (end < 0)
            {
                break;
            }

            string variable = text[(at + 2)..end];
            string? value = variable switch
            {
                "workspaceFolder" or "workspaceRoot" => _folder,
                "userHome" or "env:HOME" or "HOME" => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
                "pathSeparator" or "/" => Path.DirectorySeparatorChar.ToString(),
                _ => null,
            };
            if (value is null)
            {
                unknown = variable.Length > 64 ? variable[..64] : variable;
                return text;
            }

            text = string.Concat(text.AsSpan(0, at), value, text.AsSpan(end + 1));
            at += value.Length;
        }

        return text;
    }

    private static bool IsPlainUrl(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) && parsed.Scheme is "http" or "https" && parsed.UserInfo.Length == 0 && parsed.Query.Length == 0 && parsed.Fragment.Length == 0;

    private static string? Text(JsonElement server, string name) =>
        server.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    /// <summary>A name as an id of a policy: what is not permitted becomes a hyphen, and no id is given twice.</summary>
    /// <param name="name">The name.</param>
    /// <param name="taken">Ids in use; the new one is added.</param>
    public static string IdOf(string name, HashSet<string> taken)
    {
        char[] letters = name.Length > 48 ? name[..48].ToCharArray() : name.ToCharArray();
        foreach (ref char c in letters.AsSpan())
        {
            c = char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '-';
        }

        string basis = new string(letters).Trim('-', '.', '_');
        basis = basis.Length == 0 ? "server" : basis;
        string id = basis;
        for (int i = 2; !taken.Add(id); i++)
        {
            id = $"{basis}-{i}";
        }

        return id;
    }
}
