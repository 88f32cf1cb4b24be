using FsCheck;
using FsCheck.Fluent;

namespace Mcp.Guard.Tests.Proof;

/// <summary>Random scenarios, small enough that rules meet calls and calls meet limits.</summary>
internal sealed class Scenarios
{
    private static readonly string[] Names = ["read_file", "read_dir", "write_file", "move"];
    private static readonly string[] Patterns = ["read_file", "read_dir", "write_file", "move", "read_*", "*_file", "*", "w*e", "m*v*e"];
    private static readonly string[] ResourcePatterns = ["notes://a", "notes://*", "file:*", "*", "*b"];
    private static readonly string[] PromptPatterns = ["brief", "b*", "*", "full"];
    private static readonly CallerModel[] Callers = [new("ada", "s1"), new("ada", "s2"), new("bob", "s1"), new(null, "connection")];
    private static readonly int[] Waits = [1, 100, 333, 334, 1_000, 7_000, 20_000, 60_000, 61_000, 300_000, 46_800_000];

    private readonly Random _random;
    private readonly bool _isGenerous;

    private Scenarios(int seed, bool isGenerous)
    {
#pragma warning disable CA5394 // The same scenario for the same seed is what is wanted.
        _random = new Random(seed);
#pragma warning restore CA5394
        _isGenerous = isGenerous;
    }

    /// <summary>Scenarios of everything.</summary>
    public static Arbitrary<Scenario> Any { get; } = Make(isGenerous: false);

    /// <summary>Scenarios without limits that one call could reach because of another one.</summary>
    public static Arbitrary<Scenario> WithoutLimits { get; } = Make(isGenerous: true);

    private static Arbitrary<Scenario> Make(bool isGenerous) => Arb.From(
        Gen.Choose(0, int.MaxValue).Select(seed => new Scenarios(seed, isGenerous).Scenario()),
        static scenario => scenario.Smaller());

    private Scenario Scenario()
    {
        bool hasOther = Chance(3);
        return new(Policy(), Tools(), [.. Many(1, 12, () => Step(hasOther))]) { Other = hasOther ? Policy() : null, OtherTools = hasOther ? Tools() : [] };
    }

    private PolicyModel Policy() => new()
    {
        ConfirmAlways = Chance(4),
        Rate = _isGenerous ? new RateModel(1_000_000, TimeSpan.FromSeconds(1), null, null) : Chance(3) ? Rate() : Chance(2) ? new RateModel(1_000, TimeSpan.FromSeconds(1), null, null) : null,
        Calls = !_isGenerous && Chance(6) ? Number(0, 6) : null,
        CallsPerTool = !_isGenerous && Chance(6) ? Number(0, 4) : null,
        Repeats = !_isGenerous && Chance(5) ? Number(1, 3) : null,
        RequireCaller = Chance(4),
        Trusted = Chance(3),
        HasRoot = !Chance(6),
        MaxConcurrent = !_isGenerous && Chance(4) ? Number(1, 3) : 16,
        MaxConcurrentPerCaller = !_isGenerous && Chance(4) ? Number(1, 2) : 8,
        Rules = [.. Enumerable.Range(0, Number(0, 5)).Select(Rule)],
        Pins = Chance(6) ? Tools() : [],
    };

    private RuleModel Rule(int index)
    {
        string effect = Pick("allow", "allow", "ask", "ask", "deny");
        bool denies = effect == "deny";
        // "when" and "require" judge arguments, and resources have none.
        bool namesResources = Chance(3);
        return new RuleModel($"r{index}", [.. Many(1, 2, () => Pick(Patterns)).Distinct(StringComparer.Ordinal)], effect)
        {
            Resources = namesResources ? [Pick(ResourcePatterns)] : [],
            Prompts = Chance(3) ? [Pick(PromptPatterns)] : [],
            When = !namesResources && Chance(2) ? Test() : null,
            Require = !namesResources && !denies && Chance(4) ? Test() : null,
            Destructive = !denies && Chance(4) ? Chance(2) : null,
            Rate = !denies && !_isGenerous && Chance(5) ? Rate() : null,
        };
    }

    private ArgumentTest Test() => new(Chance(2) ? Number(0, 2) : null, Chance(2)) { Fault = Chance(12) ? Pick(FaultModel.Limit, FaultModel.Throws) : FaultModel.None };

    private RateModel Rate()
    {
        long permits = Chance(10) ? 0 : Number(1, 4);
        IReadOnlyList<string>? by = Number(0, 5) switch
        {
            0 => [],
            1 => ["session"],
            2 => ["caller", "tool"],
            3 => ["server"],
            _ => null,
        };
        return new RateModel(permits, TimeSpan.FromMilliseconds(Pick(1_000, 1_000, 10_000, 60_000)), permits > 0 && Chance(3) ? Number(1, 3) : null, by);
    }

    private ToolModel[] Tools() => [.. Names.Where(_ => !Chance(6)).Select(Tool)];

    private ToolModel Tool(string name) => new(name, Hint(), Hint(), Chance(8) ? 2 : 1);

    private bool? Hint() => Number(0, 5) switch { 0 => true, 1 or 2 => false, _ => null };

    private Step Step(bool hasOther) => Number(0, 19) switch
    {
        < 13 => new Step.Call(Request(), Pick(Callers), Answer(), !_isGenerous && Chance(4), Server(hasOther)),
        < 16 => new Step.Wait(TimeSpan.FromMilliseconds(Pick(Waits))),
        16 => new Step.End(),
        17 => Chance(2) ? new Step.Halt(Scope()) : new Step.Resume(Scope()),
        _ => new Step.Lists(Tools(), Server(hasOther)),
    };

    private string Server(bool hasOther) => hasOther && Chance(2) ? "other" : "test";

    private AnswerModel Answer() => (AnswerModel)Number(0, (int)AnswerModel.AnswersAnother);

    private HaltScope Scope()
    {
        // A stop of a tool needs its server.
        string? server = Chance(2) ? "test" : Chance(4) ? Pick("elsewhere", "other") : null;
        return new HaltScope(server, server is not null && Chance(2) ? Pick(Names) : null, Chance(2) ? Pick("ada", "bob") : null);
    }

    private CallModel Request() => Number(0, 7) switch
    {
        0 => Chance(3) ? File(Pick(PathModel.Inside, PathModel.Outside, PathModel.Climbing)) : new CallModel(Pick("notes://a", "notes://b"), null, null, null, false) { Kind = TargetModel.Resource },
        1 => new CallModel(Pick("brief", "full"), null, Chance(2) ? Pick("a", "b") : null, null, false) { Kind = TargetModel.Prompt },
        _ => Call(),
    };

    private static CallModel File(PathModel path) => new($"file:{path}", null, null, path, false) { Kind = TargetModel.Resource };

    private CallModel Call() => new(
        Chance(15) ? "ghost" : Pick(Names),
        Chance(2) ? Number(0, 3) : null,
        Chance(2) ? Pick("a", "b") : null,
        Chance(4) ? Pick(PathModel.Inside, PathModel.Inside, PathModel.Outside, PathModel.Climbing) : null,
        Chance(12));

    private IEnumerable<T> Many<T>(int least, int most, Func<T> one) => Enumerable.Range(0, Number(least, most)).Select(_ => one());

#pragma warning disable CA5394
    private int Number(int least, int most) => _random.Next(least, most + 1);
#pragma warning restore CA5394

    private bool Chance(int oneIn) => Number(1, oneIn) == 1;

    private T Pick<T>(params T[] of) => of[Number(0, of.Length - 1)];
}
