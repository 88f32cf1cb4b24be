using System.CommandLine;
using Mcp.Guard.Cli.Run;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard run POLICY</c>: one MCP server in front of all servers of a policy, over standard streams or over HTTP on loopback.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var policy = new Argument<string>("POLICY") { Description = "The policy file." };
        var http = new Option<int?>("--http")
        {
            Description = "Serve Streamable HTTP at http://127.0.0.1:PORT/mcp in place of standard streams; without PORT a free one. Requests need a token made for this start.",
            HelpName = "PORT",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Record what rules, rates, budgets and consent would deny, and let it pass. Everything else stays in force." };
        var caller = new Option<string[]>("--caller")
        {
            Description = "On whose behalf requests are made; by default the account that runs the command. With --http it can be given several times: each caller gets a token.",
            HelpName = "NAME",
        };
        var consent = new Option<RunConsent>("--consent")
        {
            Description = "Who is asked: the client (elicitation), the terminal that the command was started in, or nobody (deny). Whoever cannot be asked denies.",
            DefaultValueFactory = static _ => RunConsent.Elicitation,
        };
        var audit = new Option<string?>("--audit") { Description = "Write the audit into this folder in place of the policy's. The policy is then not read again when it changes.", HelpName = "DIR" };
        var tokenFile = new Option<string?>("--token-file") { Description = "Write the tokens of --http into this new file, readable by its owner only, in place of standard error.", HelpName = "FILE" };
        var plain = new Option<bool>("--plain-names") { Description = "Offer tools and prompts under the server's own names, without 'server__'. Only for a policy with one server." };
        var command = new Verb(
            "run",
            "Runs a guarded gateway: one MCP server in front of all servers of a policy, for any MCP client.",
            "mcp-guard run mcp-guard.json",
            "mcp-guard run mcp-guard.json --http 8808 --caller ada --caller bob",
            "mcp-guard run mcp-guard.json --dry-run --audit ./trial")
        {
            policy, http, dryRun, caller, consent, audit, tokenFile, plain,
        };
        command.Runs((parsed, terminal, ct) => GatewayRun.RunAsync(
            new RunOptions
            {
                Policy = parsed.GetValue(policy)!,
                IsHttp = parsed.GetResult(http) is not null,
                Port = parsed.GetValue(http) ?? 0,
                IsDryRun = parsed.GetValue(dryRun),
                Callers = parsed.GetValue(caller) ?? [],
                Consent = parsed.GetValue(consent),
                Audit = parsed.GetValue(audit),
                TokenFile = parsed.GetValue(tokenFile),
                PlainNames = parsed.GetValue(plain),
            },
            terminal,
            ct));
        return command;
    }
}
