using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Hosting;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.RateLimit;
using Mcp.Guard.Stages.ToolPinning;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.Cli.Replay;

/// <summary>
/// Judges recorded calls by a draft policy, with the guard that a host has: the same stages in the same order. Nothing is started, sent or written: the audit
/// goes nowhere, pins and grants are in memory, and whoever is asked gives the answer that the record holds.
/// </summary>
internal sealed class ReplayGuard : IAsyncDisposable
{
    private const string StandIn = "replay-stand-in:";

    private static readonly JsonElement AnySchema = JsonElement.Parse("""{"type":"object"}""");

    private readonly ServiceProvider _services;
    private readonly McpGuardHost _guard;
    private readonly ReplayClock _clock;
    private readonly RecordedPerson _person;
    private readonly RecordedTools _tools;
    private readonly Dictionary<string, GuardConnection> _connections = new(StringComparer.Ordinal);
    private long _number;

    private ReplayGuard(ServiceProvider services, ReplayClock clock, RecordedPerson person, RecordedTools tools)
    {
        _services = services;
        _guard = services.GetRequiredService<McpGuardHost>();
        _clock = clock;
        _person = person;
        _tools = tools;
    }

    public static async Task<ReplayGuard> CreateAsync(PolicySnapshot draft, RecordedTools tools, DateTimeOffset begin, CancellationToken ct)
    {
        var clock = new ReplayClock();
        clock.MoveTo(begin);
        var person = new RecordedPerson();
        var services = new ServiceCollection();
        services.AddMcpGuard(draft)
            .UseTimeProvider(clock)
            .UseAudit(new NoAudit())
            .UseConsent(person)
            .UsePinStore(static _ => new InMemoryPinStore())
            .UseConsentStore(_ => new InMemoryConsentStore(clock));
        ServiceProvider provider = services.BuildServiceProvider();
        var guard = new ReplayGuard(provider, clock, person, tools);
        await guard._guard.StartAsync(ct).ConfigureAwait(false);
        return guard;
    }

    /// <summary>Judges a call. Calls must come in the order in which they were made.</summary>
    public async Task<ReplayVerdict> JudgeAsync(RecordedCall call, CancellationToken ct)
    {
        _clock.MoveTo(call.Time);
        if (!_guard.Runtime.Policy.Current.Servers.TryGetValue(call.Server, out ServerSettings? settings))
        {
            return new(ReplayDecision.Deny, GuardDenialCodes.ServerNotAllowed, GuardStages.Methods);
        }

        // A blank name is in no method table, and no request can be made of it.
        if (string.IsNullOrWhiteSpace(call.Method))
        {
            return new(ReplayDecision.Deny, GuardDenialCodes.MethodNotAllowed, GuardStages.Methods);
        }

        RequestKind kind = MethodTable.KindOf(call.Method);
        if (IsDeniedByNoPolicy(call, out string stage))
        {
            return new(ReplayDecision.Deny, call.PastCode, stage);
        }

        if (call is { PastCode: GuardDenialCodes.RateLimited, Count: > 1 })
        {
            return ReplayVerdict.Unknown("the calls were counted together: when each came is not recorded");
        }

        if (MethodTable.TargetMember(kind) is not null && call.Target is null)
        {
            return ReplayVerdict.Unknown("the record does not hold the whole name");
        }

        if (call.PastCode == GuardDenialCodes.NameCollision)
        {
            return ReplayVerdict.Unknown("whether the name collides depends on what else was listed");
        }

        if (kind == RequestKind.Subscription)
        {
            return await AtMostAsync(call, settings, null, "the URIs of a subscription are not recorded", ct).ConfigureAwait(false);
        }

        return kind is RequestKind.ToolCall ? await JudgeToolAsync(call, settings, ct).ConfigureAwait(false)
            : kind is RequestKind.Prompt && call.MissingArguments is { } missing ? await PartialAsync(call, settings, settings.ForPrompt(call.Target!), null, missing, ct).ConfigureAwait(false)
            : await EvaluateAsync(call, settings, null, call.Arguments, null, ct).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    /// <summary>True where what denied the call then was no policy, and would be there under any.</summary>
    private static bool IsDeniedByNoPolicy(RecordedCall call, out string stage)
    {
        stage = call.PastStage;
        return call.Past == PastVerdict.Denied
            && (call.PastCode is GuardDenialCodes.ArgumentsMalformed or GuardDenialCodes.ToolUnknown || string.Equals(call.PastStage, GuardStages.Schema, StringComparison.Ordinal));
    }

    private async Task<ReplayVerdict> JudgeToolAsync(RecordedCall call, ServerSettings settings, CancellationToken ct)
    {
        string name = call.Target!;
        string? fingerprint = call.Fingerprint ?? _tools.ListedLast(call.Server, name);
        (JsonElement definition, ToolPinState recorded) = _tools.Find(call.Server, name, fingerprint);
        ToolPinState state = settings.Pins.Count == 0 ? recorded
            : fingerprint is null ? ToolPinState.Pinned
            : PinRegister.Compare(settings, name, fingerprint).State;
        var tool = new Tool(name, definition, fingerprint, state);
        if (call.MissingArguments is { } missing)
        {
            return await PartialAsync(call, settings, settings.ForTool(name), tool, missing, ct).ConfigureAwait(false);
        }

        if (definition.ValueKind != JsonValueKind.Undefined)
        {
            return await EvaluateAsync(
                call, settings, tool, call.Arguments, call.Fingerprint is null ? "judged by the definition that the server had listed last" : null, ct).ConfigureAwait(false);
        }

        const string unknown = "the log does not hold the tool's definition: its schema and flags could still refuse the call";
        ReplayVerdict verdict = await EvaluateAsync(call, settings, tool, call.Arguments, unknown, ct).ConfigureAwait(false);
        return verdict.Decision == ReplayDecision.Ask && settings.Trusted
            ? ReplayVerdict.Unknown("the log does not hold the tool's definition, and the draft trusts the server's word on what is destructive")
            : verdict;
    }

    /// <summary>
    /// A call whose arguments are not known. Where a rule looks at them nothing can be said; else schema, roots and URL rules could only refuse the call, so that
    /// what is decided without arguments is the most that the call can get.
    /// </summary>
    private async Task<ReplayVerdict> PartialAsync(RecordedCall call, ServerSettings settings, TargetRules rules, Tool? tool, string missing, CancellationToken ct) =>
        rules is { LooksAtArguments: true, IsDenied: false }
            ? ReplayVerdict.Unknown($"a rule looks at the arguments, and {missing}")
            : await AtMostAsync(call, settings, tool, missing, ct).ConfigureAwait(false);

    private Task<ReplayVerdict> AtMostAsync(RecordedCall call, ServerSettings settings, Tool? tool, string missing, CancellationToken ct)
    {
        // A number that no other call has: calls whose arguments are unknown are not identical to each other.
        JsonElement arguments = tool is null ? default : JsonElement.Parse(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{{\"call\":{++_number}}}"));
        return EvaluateAsync(call, settings, tool is null ? null : tool with { HidesSchema = true }, arguments, missing, ct);
    }

    private async Task<ReplayVerdict> EvaluateAsync(RecordedCall call, ServerSettings settings, Tool? tool, JsonElement arguments, string? missing, CancellationToken ct)
    {
        GuardConnection connection = ConnectionTo(call.Server, settings);
        ConnectionState state = connection.State;
        state.ProtocolVersion = call.ProtocolVersion;
        if (tool is not null)
        {
            List(state, settings, tool);
        }

        _person.Agrees = call.Past != PastVerdict.Denied && call.PastCode.Length == 0;
        GuardRequestContext context = connection.CreateRequest(call.Method, Parameters(call, arguments), call.Caller ?? GuardCaller.ForConnection("replay"));
        GuardEvaluation evaluation = await _guard.Policy.EvaluateAsync(context, ct).ConfigureAwait(false);
        await using (evaluation.ConfigureAwait(false))
        {
            string rules = string.Join(',', context.MatchedRules);
            if (evaluation.Denial is { } denial)
            {
                // At Consent somebody was to be asked; what the answer would be is no matter of the policy.
                return string.Equals(denial.Stage, GuardStages.Consent, StringComparison.Ordinal)
                    ? new(ReplayDecision.Ask, Rules: rules, Missing: missing)
                    : new(ReplayDecision.Deny, denial.Code, denial.Stage, rules);
            }

            return new(((RequestContext)context).ConsentNote is null ? ReplayDecision.Allow : ReplayDecision.Ask, Rules: rules, Missing: missing);
        }
    }

    private GuardConnection ConnectionTo(string server, ServerSettings settings)
    {
        if (!_connections.TryGetValue(server, out GuardConnection? connection))
        {
            connection = new GuardConnection(new ConnectionState(_guard.Runtime, settings.Identity));
            _connections.Add(server, connection);
        }

        return connection;
    }

    /// <summary>Puts the tool into the connection's catalogue as the catalogue stage would, with the pin that the draft or the record gives it.</summary>
    private void List(ConnectionState state, ServerSettings settings, Tool tool)
    {
        bool isReal = tool.Definition.ValueKind != JsonValueKind.Undefined && !tool.HidesSchema;
        JsonElement definition = isReal ? tool.Definition
            : tool.Definition.ValueKind != JsonValueKind.Undefined ? JsonMembers.Replace(tool.Definition, "inputSchema"u8, static writer =>
            {
                writer.WritePropertyName("inputSchema"u8);
                AnySchema.WriteTo(writer);
            })
            : StandInFor(tool.Name);
        string fingerprint = isReal ? tool.Fingerprint! : StandIn + tool.Name + tool.Fingerprint;
        ToolEntry entry = _guard.Runtime.Tools
            .GetOrAdd(state, definition, tool.Name, fingerprint, tool.State)
            .Listed(new ToolNameVerdict(ToolNameRules.Judge(tool.Name)), null, null, settings.Pins.Count > 0);
        if (!ReferenceEquals(state.Tools.Find(tool.Name), entry))
        {
            state.Tools.Take(new Dictionary<string, ToolEntry>(StringComparer.Ordinal) { [tool.Name] = entry }, isFirstSight: false, isWhole: true, nextCursor: null);
        }
    }

    private static JsonElement StandInFor(string name)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, name);
            writer.WritePropertyName("inputSchema"u8);
            AnySchema.WriteTo(writer);
            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }

    private static byte[] Parameters(RecordedCall call, JsonElement arguments)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            if (MethodTable.TargetMember(MethodTable.KindOf(call.Method)) is { } member)
            {
                writer.WriteString(member, call.Target);
            }

            if (arguments.ValueKind != JsonValueKind.Undefined)
            {
                writer.WritePropertyName("arguments"u8);
                arguments.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A tool as a call used it.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Definition">Its definition; undefined where the log does not hold it.</param>
    /// <param name="Fingerprint">Its recorded fingerprint; null where there is none.</param>
    /// <param name="State">How the definition compares with the pins.</param>
    private sealed record Tool(string Name, JsonElement Definition, string? Fingerprint, ToolPinState State)
    {
        /// <summary>True where the arguments are not known and must not be measured by the schema.</summary>
        public bool HidesSchema { get; init; }
    }

    private sealed class NoAudit : IAuditSink
    {
        public ValueTask WriteAsync(AuditRecord record, CancellationToken ct) => default;
    }

    /// <summary>Answers as the person of the record did.</summary>
    private sealed class RecordedPerson : IConsentProvider
    {
        public bool Agrees { get; set; }

        public ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct) =>
            new(Agrees ? ConsentAnswer.AllowOnce(request) : ConsentAnswer.Deny(request));
    }
}
