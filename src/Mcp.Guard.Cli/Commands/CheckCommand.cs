using System.CommandLine;
using System.Text.Json;
using Mcp.Guard.Cli.Checks;
using Mcp.Guard.Cli.Servers;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Schema;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard check POLICY</c>: what is wrong in a policy, what is worth a look, and what it means for a server as it is now.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var policy = new Argument<string>("POLICY") { Description = "The policy file." };
        var against = new Option<string?>("--against") { Description = "Start this server of the policy, in its isolation, and show what would happen to each of its tools and what changed since the pins.", HelpName = "SERVER" };
        var strict = new Option<bool>("--strict") { Description = "Count warnings as a negative verdict." };
        Option<int> timeout = VerbOptions.Timeout();
        var command = new Verb(
            "check",
            "Validates a policy: errors with line, column and fix, warnings, and with --against what it means for a server as it is now. Exit 0: usable; 1: refused, changed, or with --strict warnings; 2: unreadable.",
            "mcp-guard check mcp-guard.json",
            "mcp-guard check mcp-guard.json --against files",
            "mcp-guard check mcp-guard.json --strict --json")
        {
            policy, against, strict, timeout,
        };
        command.Runs((parsed, terminal, ct) => RunAsync(
            terminal,
            PolicyFile.FullPath(parsed.GetValue(policy)!),
            parsed.GetValue(against),
            parsed.GetValue(strict),
            TimeSpan.FromSeconds(parsed.GetValue(timeout)),
            ct));
        return command;
    }

    private static async Task<int> RunAsync(CommandTerminal terminal, string path, string? against, bool strict, TimeSpan timeout, CancellationToken ct)
    {
        byte[] utf8 = PolicyFile.Bytes(path);
        PolicySnapshot policy = Read(utf8, path);
        if (against is not null && !policy.Servers.ContainsKey(against))
        {
            throw ServerProbe.Unknown(policy, against);
        }

        IReadOnlyList<GuardPolicyError> warnings = PolicyAdvisor.Advise(policy, utf8);
        IReadOnlyList<(string Server, string Problem)> here = await OfThisMachineAsync(policy).ConfigureAwait(false);
        foreach (GuardPolicyError warning in warnings)
        {
            terminal.Warn(warning.ToString());
        }

        foreach ((string server, string problem) in here)
        {
            terminal.Warn($"on this machine: {server}: {problem}");
        }

        terminal.Line($"{path}: acceptable, {Count(policy.Servers.Count, "server")}, {Count(policy.Servers.Values.Sum(static server => server.Rules.Count), "rule")}, {Count(warnings.Count + here.Count, "warning")}", Tone.Good);
        terminal.Line($"revision {policy.Revision}", Tone.Faint);
        ServerComparison? comparison = null;
        if (against is not null)
        {
            comparison = await terminal.WithProgressAsync($"starting {against}", () => ServerComparison.RunAsync(policy, against, timeout, ct)).ConfigureAwait(false);
            Show(terminal, comparison);
        }

        bool negative = (strict && warnings.Count + here.Count > 0) || comparison is { IsChanged: true };
        terminal.Json(json => Write(json, policy, path, warnings, here, comparison, !negative));
        return negative ? ExitCodes.Negative : ExitCodes.Done;
    }

    /// <summary>A text that is not JSON is bad input; JSON that is no acceptable policy is a negative verdict.</summary>
    private static PolicySnapshot Read(byte[] utf8, string path)
    {
        var problems = new PolicyProblems(utf8, path, hasText: true);
        PolicyParser.Parse(utf8, problems);
        problems.ThrowIfAny();
        try
        {
            return PolicyReader.Read(utf8, path, new BuiltInSchemaCompiler());
        }
        catch (McpGuardPolicyException refused)
        {
            throw new CommandFault(
                refused.Errors.Count == 1 ? "the policy is not acceptable" : $"the policy is not acceptable ({refused.Errors.Count} errors)",
                "Mend what is named above; docs/policy.md and the published schema describe every key.",
                ExitCodes.Negative,
                refused)
            {
                Errors = refused.Errors,
            };
        }
    }

    private static async Task<IReadOnlyList<(string Server, string Problem)>> OfThisMachineAsync(PolicySnapshot policy)
    {
        ServiceProvider provider = LookingGuard.Create(policy);
        await using (provider.ConfigureAwait(false))
        {
            return [.. PolicyAdvisor.OfThisMachine(policy, provider.GetRequiredService<McpGuardHost>())];
        }
    }

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";

    private static void Show(CommandTerminal terminal, ServerComparison comparison)
    {
        var table = new TerminalTable("tool", "call", "pin", "why");
        foreach ((ToolEntry tool, ToolOutlook outlook) in comparison.Tools)
        {
            Tone tone = outlook.Decision switch
            {
                "allow" => Tone.Good,
                "ask" => Tone.Caution,
                _ => Tone.Bad,
            };
            table.Add(
                TerminalText.FromServer(tool.Definition.Name, 128),
                new TerminalCell(outlook.Decision, tone),
                new TerminalCell(PinWord(comparison, tool), tool.Pin == ToolPinState.Pinned ? Tone.Plain : Tone.Bad),
                outlook.Why);
        }

        if (comparison.Tools.Count > 0)
        {
            terminal.Write(table);
        }
        else
        {
            terminal.Line("The server lists no tool.");
        }

        foreach (string rule in comparison.Idle)
        {
            terminal.Warn($"rule '{rule}' matches no tool that the server lists");
        }

        foreach (string gone in comparison.Gone)
        {
            terminal.Warn($"the pinned tool '{gone}' is gone");
        }

        foreach (ToolReview review in comparison.Reviews.Where(static review => review.Kind is ToolReviewKind.Changed or ToolReviewKind.Instructions))
        {
            terminal.Line($"{review.ToolName}: not as it was pinned", Tone.Bad);
            if (review.Before is null && review.Kind == ToolReviewKind.Changed)
            {
                terminal.Line("  The policy keeps only fingerprints, so that what changed cannot be shown.");
                terminal.Line($"  fingerprint now: {review.Fingerprint}", Tone.Faint);
                continue;
            }

            foreach (ToolChange change in review.Changes)
            {
                terminal.Line("  " + change);
            }

            if (review.OmittedChanges > 0)
            {
                terminal.Line($"  and {review.OmittedChanges} more differences");
            }
        }

        terminal.Line(comparison.IsFirstSight
            ? "Nothing was pinned before: a host would pin what the server lists now at its first sight."
            : comparison.IsChanged ? "Something is not as it was pinned." : "Everything that is listed is as it was pinned.");
    }

    private static string PinWord(ServerComparison comparison, ToolEntry tool) => tool.Pin switch
    {
        ToolPinState.Pinned => comparison.IsFirstSight ? "first sight" : "same",
        ToolPinState.New => "new",
        ToolPinState.Changed => "changed",
        ToolPinState.Refused => "refused",
        _ => "lost",
    };

    private static void Write(
        Utf8JsonWriter json, PolicySnapshot policy, string path, IReadOnlyList<GuardPolicyError> warnings, IReadOnlyList<(string Server, string Problem)> here, ServerComparison? comparison, bool ok)
    {
        json.WriteString("policy", path);
        json.WriteString("revision", policy.Revision);
        json.WriteBoolean("ok", ok);
        json.WriteStartArray("warnings");
        foreach (GuardPolicyError warning in warnings)
        {
            PolicyErrorJson.Write(json, warning);
        }

        json.WriteEndArray();
        json.WriteStartArray("machine");
        foreach ((string server, string problem) in here)
        {
            json.WriteStartObject();
            json.WriteString("server", server);
            json.WriteString("problem", problem);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (comparison is not null)
        {
            json.WriteStartObject("against");
            Write(json, comparison);
            json.WriteEndObject();
        }
    }

    private static void Write(Utf8JsonWriter json, ServerComparison comparison)
    {
        json.WriteString("server", comparison.Settings.Id);
        json.WriteBoolean("firstSight", comparison.IsFirstSight);
        json.WriteBoolean("changed", comparison.IsChanged);
        json.WriteStartArray("tools");
        foreach ((ToolEntry tool, ToolOutlook outlook) in comparison.Tools)
        {
            json.WriteStartObject();
            json.WriteString("name", tool.Definition.Name);
            json.WriteString("decision", outlook.Decision);
            json.WriteString("why", outlook.Why);
            json.WriteTexts("rules", outlook.Rules);
            json.WriteString("pin", PinWord(comparison, tool));
            json.WriteString("fingerprint", tool.Definition.Fingerprint);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteTexts("gone", comparison.Gone);
        json.WriteTexts("idleRules", comparison.Idle);
        json.WriteStartArray("changes");
        foreach (ToolReview review in comparison.Reviews)
        {
            json.WriteStartObject();
            json.WriteString("of", review.ToolName);
            json.WriteString("kind", review.Kind.ToString().ToLowerInvariant());
            json.WriteString("fingerprint", review.Fingerprint);
            json.WriteTexts("differences", review.Kind == ToolReviewKind.New ? [] : review.Changes.Select(static change => change.ToString()));
            json.WriteNumber("omitted", review.OmittedChanges);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
