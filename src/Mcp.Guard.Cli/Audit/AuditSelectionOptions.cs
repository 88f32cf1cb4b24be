using System.CommandLine;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Cli.Audit;

/// <summary>The options that select records, the same for every verb that reads a log.</summary>
internal sealed class AuditSelectionOptions
{
    private readonly Option<string?> _since = new("--since") { Description = "From this time on: a date, a time (UTC without an offset), or 15m, 2h, 7d ago." };
    private readonly Option<string?> _until = new("--until") { Description = "Before this time; the same forms." };
    private readonly Option<string?> _server = new("--server") { Description = "Only of this server." };
    private readonly Option<string?> _tool = new("--tool") { Description = "Only of this tool, prompt or resource; * stands for any text." };
    private readonly Option<string?> _session = new("--session") { Description = "Only of this session." };
    private readonly Option<string?> _caller = new("--caller") { Description = "Only of this user." };
    private readonly Option<string?> _id = new("--id") { Description = "Only of this decision: what a denial names, and intent, consent and outcome share." };
    private readonly Option<bool> _denied = new("--denied") { Description = "Only what the guard or a person refused." };

    public void AddTo(Command command)
    {
        foreach (Option option in (IEnumerable<Option>)[_since, _until, _server, _tool, _session, _caller, _id, _denied])
        {
            command.Add(option);
        }
    }

    /// <exception cref="Terminal.CommandFault">A time cannot be read.</exception>
    public AuditSelection Read(ParseResult parsed, TimeProvider time)
    {
        DateTimeOffset now = time.GetUtcNow();
        return new(
            new AuditQuery
            {
                From = parsed.GetValue(_since) is { } since ? AuditTimeArgument.Parse("--since", since, now) : null,
                To = parsed.GetValue(_until) is { } until ? AuditTimeArgument.Parse("--until", until, now) : null,
                Server = parsed.GetValue(_server),
                SessionId = parsed.GetValue(_session),
                UserId = parsed.GetValue(_caller),
                DecisionId = parsed.GetValue(_id),
            },
            parsed.GetValue(_tool) is { } tool ? new Glob(tool) : null,
            parsed.GetValue(_denied));
    }
}
