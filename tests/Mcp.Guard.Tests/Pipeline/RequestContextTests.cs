using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>What a request is about, and whether it counts as dangerous, as all stages are told.</summary>
[TestFixture]
internal sealed class RequestContextTests
{
    [TestCase("ping", null, null, null)]
    [TestCase("tools/list", null, null, null)]
    [TestCase("tools/call", null, null, "'tools/call' has no 'name'")]
    [TestCase("prompts/get", null, null, "'prompts/get' has no 'name'")]
    [TestCase("resources/read", null, null, "'resources/read' has no 'uri'")]
    [TestCase("ping", "[]", null, "params is not an object")]
    [TestCase("tools/call", "\"echo\"", null, "params is not an object")]
    [TestCase("tools/call", "{}", null, "'name' is missing or not a text")]
    [TestCase("tools/call", """{"name":["echo"],"arguments":1}""", null, "'name' is missing or not a text")]
    [TestCase("tools/call", """{"uri":"echo"}""", null, "'name' is missing or not a text")]
    [TestCase("resources/read", """{"name":"echo"}""", null, "'uri' is missing or not a text")]
    [TestCase("resources/read", """{"uri":1,"arguments":1}""", null, "'uri' is missing or not a text")]
    [TestCase("tools/call", """{"name":"echo","arguments":[]}""", "echo", "'arguments' is not an object")]
    [TestCase("prompts/get", """{"name":"echo","arguments":"a"}""", "echo", "'arguments' is not an object")]
    [TestCase("tools/call", """{"name":"echo","arguments":null}""", "echo", null)]
    [TestCase("prompts/get", """{"name":"echo"}""", "echo", null)]
    [TestCase("resources/read", """{"uri":"a:b","arguments":1}""", "a:b", null)]
    [TestCase("ping", """{"name":"echo","arguments":1}""", null, null)]
    public async Task SetPayload_Parameters_NameWhatItIsAboutOrAreAFault(string method, string? parameters, string? target, string? fault)
    {
        await using var guard = new GuardFixture(_ => { });
        RequestContext context = guard.Guard.OpenConnection("test").State.CreateRequest(method, ScriptedPipeline.Ada);
        context.SetPayload(parameters is null ? RequestPayload.None : RequestPayload.Of(JsonElement.Parse(parameters)));
        Assert.That((context.Target, context.Fault), Is.EqualTo((target, fault)));
    }

    [Test]
    public async Task SetPayload_NoParametersAfterAFault_KeepsTheFault()
    {
        await using var guard = new GuardFixture(_ => { });
        RequestContext context = guard.Guard.OpenConnection("test").State.CreateRequest("ping", ScriptedPipeline.Ada);
        context.Fault = "duplicate keys";
        context.SetPayload(RequestPayload.None);
        Assert.That(context.Fault, Is.EqualTo("duplicate keys"));
    }

    [Test]
    public async Task ArgumentsDigest_ArgumentsThatChange_IsThatOfTheJudgedOnes()
    {
        await using var guard = new GuardFixture(_ => { });
        RequestContext context = guard.Guard.OpenConnection("test").State.CreateRequest("tools/call", ScriptedPipeline.Ada);
        context.SetPayload(JsonElement.Parse("""{"name":"echo","arguments":{"a":1,"b":2}}"""));
        string first = context.ArgumentsDigest;
        context.SetPayload(JsonElement.Parse("""{"arguments":{"b":2,"a":1},"name":"other"}"""));
        Assert.That(context.ArgumentsDigest, Is.EqualTo(first), "of the canonical form");
        context.SetPayload(JsonElement.Parse("""{"name":"echo","arguments":{"a":1,"b":3}}"""));
        Assert.That(context.ArgumentsDigest, Is.Not.EqualTo(first));
        context.SetPayload(JsonElement.Parse("""{"name":"echo","arguments":{"a":1,"a":2}}"""));
        Assert.That(context.ArgumentsDigestOrNull, Is.Null);
        Assert.That(() => context.ArgumentsDigest, Throws.InvalidOperationException.With.Message.EqualTo("The arguments have no canonical form."));
    }

    // A server's own word makes a tool harmless only where the policy trusts the server; a rule's word counts before it.
    [TestCase("tools/call", "untrusted", null, null, true)]
    [TestCase("tools/call", "trusted", null, null, true, Description = "not listed: nothing is known of it")]
    [TestCase("tools/call", "untrusted", "readOnlyHint", null, true)]
    [TestCase("tools/call", "trusted", "readOnlyHint", null, false)]
    [TestCase("tools/call", "trusted", "destructiveHint", null, true)]
    [TestCase("tools/call", "trusted", "readOnlyHint", true, true)]
    [TestCase("tools/call", "untrusted", "readOnlyHint", false, false)]
    [TestCase("tools/call", "untrusted", "destructiveHint", false, true)]
    [TestCase("prompts/get", "untrusted", null, null, false)]
    [TestCase("prompts/get", "untrusted", "destructiveHint", null, false)]
    [TestCase("ping", "untrusted", null, null, false)]
    public async Task IsDestructive_Tool_UnlessPolicyOrATrustedServerSaysOtherwise(string method, string trust, string? hint, bool? rule, bool expected)
    {
        await using var guard = new GuardFixture(server =>
        {
            server.With("trusted", trust == "trusted" ? "true" : "false");
            if (rule is { } word)
            {
                server.With("rules", $$$"""{"r":{"effect":"allow","tools":["echo"],"destructive":{{{(word ? "true" : "false")}}}}}""");
            }
        });
        await guard.Host.StartAsync(default);
        ConnectionState connection = guard.Guard.OpenConnection("test").State;
        RequestContext context = connection.CreateRequest(method, ScriptedPipeline.Ada);
        Assert.That(context.MatchedRules, Is.Empty, "before the rules were asked");
        if (hint is not null)
        {
            connection = await ListedAsync(guard, hint);
            context = connection.CreateRequest(method, ScriptedPipeline.Ada);
            context.Entry = connection.Tools.Find("echo");
            Assert.That(context.Entry, Is.Not.Null);
        }

        if (rule is not null)
        {
            context.SetVerdict(context.Settings!.ForTool("echo").Judge(JsonElement.Parse("{}")));
            Assert.That(context.MatchedRules, Is.EqualTo(new[] { "r" }));
        }

        Assert.That(context.IsDestructive, Is.EqualTo(expected));
    }

    [Test]
    public async Task InCallerFlow_Request_AsksWhereTheCallerIs()
    {
        await using var guard = new GuardFixture(_ => { });
        RequestContext context = guard.Guard.OpenConnection("test").State.CreateRequest("ping", ScriptedPipeline.Ada);
        var user = new AsyncLocal<string>();
        user.Value = "caller";
        ExecutionContext flow = ExecutionContext.Capture()!;
        user.Value = "loop";
        Assert.That(await context.InCallerFlow(Ask), Is.EqualTo("loop"), "no transport said so");
        context.CallerFlow = flow;
        Assert.That(await context.InCallerFlow(Ask), Is.EqualTo("caller"));
        Assert.That(user.Value, Is.EqualTo("loop"));

        ValueTask<string> Ask() => new(user.Value!);
    }

    [Test]
    public async Task UseCurrentPolicy_Policy_SaysWhetherItIsAnother()
    {
        await using var guard = new GuardFixture(_ => { });
        await using var before = new GuardFixture(_ => { });
        ConnectionState connection = guard.Guard.OpenConnection("test").State;
        PolicySnapshot old = before.Guard.OpenConnection("test").State.Policy;
        var context = new RequestContext(connection, old, null, ScriptedPipeline.Ada, "decision", "ping");
        Assert.That(context.UseCurrentPolicy(), Is.True);
        Assert.That(context.Policy, Is.SameAs(connection.Policy));
        Assert.That(context.Settings, Is.SameAs(connection.Settings(connection.Policy)));
        Assert.That(context.UseCurrentPolicy(), Is.False);
    }

    [TestCase("tools/call", """{"name":"notes__Search","arguments":{"a":1}}""", "Search", """{"name":"Search","arguments":{"a":1}}""")]
    [TestCase("tools/call", """{"name":"Search"}""", "Search", """{"name":"Search"}""")]
    [TestCase("tools/call", """{"name":"notes__other"}""", "notes__other", """{"name":"notes__other"}""")]
    [TestCase("prompts/get", """{"name":"notes__Search"}""", "notes__Search", """{"name":"notes__Search"}""")]
    [TestCase("tools/call", """{"uri":"notes__Search"}""", null, """{"uri":"notes__Search"}""")]
    public async Task UseExactName_NameUnderWhichAToolIsListed_IsTheServersOwn(string method, string parameters, string? target, string forwarded)
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll(), policy: static policy => policy.Server("notes", static settings =>
        {
            settings.HostProvided();
            GuardFixture.AllowAll()(settings);
        }));
        await guard.Host.StartAsync(default);
        await ListAsync(guard, "test", """{"tools":[{"name":"search","inputSchema":{"type":"object"}}]}""");
        ConnectionState notes = await ListAsync(guard, "notes", """{"tools":[{"name":"Search","inputSchema":{"type":"object"}},{"name":"add","inputSchema":{"type":"object"}}]}""");
        RequestContext context = notes.CreateRequest(method, ScriptedPipeline.Ada);
        context.SetPayload(JsonElement.Parse(parameters));
        context.UseExactName();
        Assert.That(context.Target, Is.EqualTo(target));
        Assert.That(context.Current.GetRawText(), Is.EqualTo(forwarded));
    }

    private static Task<ConnectionState> ListedAsync(GuardFixture guard, string hint) =>
        ListAsync(guard, "test", $$$"""{"tools":[{"name":"echo","inputSchema":{"type":"object"},"annotations":{"{{{hint}}}":true}}]}""");

    private static async Task<ConnectionState> ListAsync(GuardFixture guard, string server, string tools)
    {
        var connection = guard.Guard.OpenConnection(server);
        GuardEvaluation listing = await guard.Guard.Policy.EvaluateAsync(connection.CreateRequest("tools/list", "{}"u8));
        await listing.CompleteAsync(JsonElement.Parse(tools));
        return connection.State;
    }
}
