using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Cli.Explain;

/// <summary><c>explain command</c>: whether an allowlist permits a server command with its arguments and environment.</summary>
internal sealed class CommandExplainKind : IExplainKind
{
    public string Name => "command";

    public void Answer(JsonElement input, Utf8JsonWriter output)
    {
        var entries = new List<CommandEntry>();
        var problems = new List<AllowlistProblem>();
        JsonElement list = ExplainInput.Required(input, "allowlist");
        if (list.ValueKind != JsonValueKind.Array)
        {
            throw new ExplainInputException("'allowlist' must be a list");
        }

        int index = 0;
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (TryReadEntry(item, out CommandEntry? entry, out string problem))
            {
                entries.Add(entry!);
            }
            else
            {
                problems.Add(new AllowlistProblem(index, problem));
            }

            index++;
        }

        CommandVerdict verdict = new CommandAllowlist(entries).Check(
            ExplainInput.Text(input, "command"), ExplainInput.OptionalTexts(input, "args") ?? [], ReadEnvironment(input), PathExplainKind.ReadFlavor(input));
        output.WriteString("decision", verdict.IsAllowed ? "allow" : "deny");
        output.WriteString("code", verdict.Code);
        output.WriteString("message", verdict.IsAllowed ? null : verdict.Message);
        ExplainInput.WriteProblems(output, "droppedEntries", "allowlist", problems);
    }

    private static bool TryReadEntry(JsonElement item, out CommandEntry? entry, out string problem)
    {
        entry = null;
        if (item.ValueKind != JsonValueKind.Object)
        {
            throw new ExplainInputException("'allowlist' must hold objects");
        }

        var arguments = new List<CommandArgument>();
        if (item.TryGetProperty("args", out JsonElement args))
        {
            if (args.ValueKind != JsonValueKind.Array)
            {
                throw new ExplainInputException("'args' of an entry must be a list");
            }

            foreach (JsonElement argument in args.EnumerateArray())
            {
                if (argument.ValueKind == JsonValueKind.Object)
                {
                    if (!CommandArgument.TryPackage(
                        ExplainInput.Text(argument, "package"), ExplainInput.Text(argument, "version"), out CommandArgument package, out problem))
                    {
                        return false;
                    }

                    arguments.Add(package);
                }
                else if (argument.ValueKind == JsonValueKind.String)
                {
                    arguments.Add(CommandArgument.Literal(JsonText.GetString(argument)));
                }
                else
                {
                    throw new ExplainInputException("'args' of an entry must hold strings and packages");
                }
            }
        }

        entry = new CommandEntry(ExplainInput.Text(item, "command"), arguments, ExplainInput.OptionalTexts(item, "env") ?? []);
        problem = string.Empty;
        return true;
    }

    private static List<KeyValuePair<string, string>> ReadEnvironment(JsonElement input)
    {
        var environment = new List<KeyValuePair<string, string>>();
        if (!input.TryGetProperty("env", out JsonElement variables))
        {
            return environment;
        }

        if (variables.ValueKind != JsonValueKind.Object)
        {
            throw new ExplainInputException("'env' must be an object of strings");
        }

        foreach (JsonProperty variable in variables.EnumerateObject())
        {
            environment.Add(KeyValuePair.Create(JsonText.GetName(variable), variable.Value.ValueKind == JsonValueKind.String
                ? JsonText.GetString(variable.Value)
                : throw new ExplainInputException("'env' must be an object of strings")));
        }

        return environment;
    }
}
