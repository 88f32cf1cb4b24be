using System.Globalization;
using System.Text.Json.Nodes;
using Mcp.Guard.Isolation;

namespace Mcp.Guard.Cli.Compose;

/// <summary>
/// One service of a compose file, made from the very argument list that the guard would start the container with. An option that is not known here is an
/// error: no limit of the one may be missing in the other.
/// </summary>
internal static class ComposeService
{
    /// <summary>Translates a plan of container mode.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="secrets">Variable to name of its secret; these values come from the environment of whoever runs compose.</param>
    /// <exception cref="InvalidOperationException">The plan has an option that this translation does not know.</exception>
    public static JsonObject From(IsolationPlan plan, IReadOnlyDictionary<string, string> secrets)
    {
        var service = new JsonObject();
        var arguments = new Queue<string>(plan.Arguments);
        if (arguments.Dequeue() != "run")
        {
            throw new InvalidOperationException("the plan runs no container");
        }

        while (arguments.Peek().StartsWith("--", StringComparison.Ordinal))
        {
            Translate(service, arguments.Dequeue(), arguments, secrets);
        }

        service["image"] = JsonValue.Create(Escape(arguments.Dequeue()));
        var command = new JsonArray();
        while (arguments.Count > 0)
        {
            command.Add((JsonNode)JsonValue.Create(Escape(arguments.Dequeue())));
        }

        service["command"] = command;
        service["restart"] = JsonValue.Create("no");
        return service;
    }

    private static void Translate(JsonObject service, string option, Queue<string> arguments, IReadOnlyDictionary<string, string> secrets)
    {
        switch (option)
        {
            case "--rm":
                return; // 'compose run --rm' says it
            case "--interactive":
                service["stdin_open"] = JsonValue.Create(true);
                return;
            case "--init":
                service["init"] = JsonValue.Create(true);
                return;
            case "--read-only":
                service["read_only"] = JsonValue.Create(true);
                return;
        }

        string value = arguments.Dequeue();
        switch (option)
        {
            case "--name":
                return; // of one start
            case "--pull":
                service["pull_policy"] = JsonValue.Create(value);
                return;
            case "--log-driver":
                service["logging"] = new JsonObject { ["driver"] = JsonValue.Create(value) };
                return;
            case "--label":
                if (!value.StartsWith("mcp-guard.instance=", StringComparison.Ordinal))
                {
                    Map(service, "labels", value);
                }

                return;
            case "--hostname":
                service["hostname"] = JsonValue.Create(value);
                return;
            case "--cap-drop":
                List(service, "cap_drop").Add((JsonNode)JsonValue.Create(value));
                return;
            case "--security-opt":
                List(service, "security_opt").Add((JsonNode)JsonValue.Create(value == "no-new-privileges" ? "no-new-privileges:true" : value));
                return;
            case "--ipc":
                service["ipc"] = JsonValue.Create(value);
                return;
            case "--cgroupns":
                service["cgroup"] = JsonValue.Create(value);
                return;
            case "--network":
                // podman's own network is called private on its command line.
                service["network_mode"] = JsonValue.Create(value == "private" ? "bridge" : value);
                return;
            case "--user":
                service["user"] = JsonValue.Create(value);
                return;
            case "--userns":
                service["userns_mode"] = JsonValue.Create(value);
                return;
            case "--pids-limit":
                service["pids_limit"] = JsonValue.Create(long.Parse(value, CultureInfo.InvariantCulture));
                return;
            case "--memory":
                service["mem_limit"] = JsonValue.Create(value);
                return;
            case "--memory-swap":
                service["memswap_limit"] = JsonValue.Create(value);
                return;
            case "--cpus":
                service["cpus"] = JsonValue.Create(decimal.Parse(value, CultureInfo.InvariantCulture));
                return;
            case "--shm-size":
                service["shm_size"] = JsonValue.Create(value);
                return;
            case "--tmpfs":
                List(service, "tmpfs").Add((JsonNode)JsonValue.Create(value));
                return;
            case "--ulimit":
                Limit(service, value);
                return;
            case "--mount":
                List(service, "volumes").Add((JsonNode)Volume(value));
                return;
            case "--env":
                Variable(service, value, secrets);
                return;
            case "--workdir":
                service["working_dir"] = JsonValue.Create(Escape(value));
                return;
            case "--entrypoint":
                service["entrypoint"] = new JsonArray(JsonValue.Create(Escape(value)));
                return;
            default:
                throw new InvalidOperationException($"the container option {option} has no translation");
        }
    }

    private static void Variable(JsonObject service, string value, IReadOnlyDictionary<string, string> secrets)
    {
        if (service["environment"] is not JsonObject environment)
        {
            service["environment"] = environment = [];
        }

        int equals = value.IndexOf('=', StringComparison.Ordinal);
        if (equals >= 0)
        {
            environment[value[..equals]] = JsonValue.Create(Escape(value[(equals + 1)..]));
            return;
        }

        // The value stays in the environment of whoever runs compose; without it nothing starts.
        string secret = secrets.TryGetValue(value, out string? name) ? name : value;
        environment[value] = JsonValue.Create(IsVariable(secret)
            ? $"${{{secret}:?the server needs the secret {secret}}}"
            : throw new InvalidOperationException($"the secret '{secret}' has no name that a variable of compose can have; rename it to letters, digits and '_'"));
    }

    private static bool IsVariable(string name) => name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static void Limit(JsonObject service, string value)
    {
        if (service["ulimits"] is not JsonObject limits)
        {
            service["ulimits"] = limits = [];
        }

        string[] parts = value.Split('=', ':');
        limits[parts[0]] = new JsonObject
        {
            ["soft"] = JsonValue.Create(long.Parse(parts[1], CultureInfo.InvariantCulture)),
            ["hard"] = JsonValue.Create(long.Parse(parts[2], CultureInfo.InvariantCulture)),
        };
    }

    /// <summary>The planner refuses paths with commas and quotes, so that the value can be split.</summary>
    private static JsonObject Volume(string value)
    {
        var volume = new JsonObject();
        JsonObject? temporary = null;
        foreach (string field in value.Split(','))
        {
            int equals = field.IndexOf('=', StringComparison.Ordinal);
            string text = equals < 0 ? string.Empty : field[(equals + 1)..];
            switch (equals < 0 ? field : field[..equals])
            {
                case "type":
                    volume["type"] = JsonValue.Create(text);
                    break;
                case "source":
                    volume["source"] = JsonValue.Create(Escape(text));
                    break;
                case "target":
                    volume["target"] = JsonValue.Create(Escape(text));
                    break;
                case "readonly":
                    volume["read_only"] = JsonValue.Create(true);
                    break;
                case "tmpfs-size":
                    (temporary ??= [])["size"] = JsonValue.Create(long.Parse(text, CultureInfo.InvariantCulture));
                    break;
                case "tmpfs-mode":
                    (temporary ??= [])["mode"] = JsonValue.Create(Convert.ToInt32(text, 8));
                    break;
                default:
                    throw new InvalidOperationException($"the mount field {field} has no translation");
            }
        }

        if (temporary is not null)
        {
            volume["tmpfs"] = temporary;
        }
        else
        {
            // A source that is not there must fail, not be made as an empty folder of root's.
            volume["bind"] = new JsonObject { ["create_host_path"] = JsonValue.Create(false) };
        }

        return volume;
    }

    private static void Map(JsonObject service, string key, string value)
    {
        if (service[key] is not JsonObject map)
        {
            service[key] = map = [];
        }

        int equals = value.IndexOf('=', StringComparison.Ordinal);
        map[value[..equals]] = JsonValue.Create(Escape(value[(equals + 1)..]));
    }

    private static JsonArray List(JsonObject service, string key)
    {
        if (service[key] is not JsonArray list)
        {
            service[key] = list = [];
        }

        return list;
    }

    /// <summary>A dollar starts a variable in compose, wherever it stands.</summary>
    private static string Escape(string text) => text.Replace("$", "$$", StringComparison.Ordinal);
}
