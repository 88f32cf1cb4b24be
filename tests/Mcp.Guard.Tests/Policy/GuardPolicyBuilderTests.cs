using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

[TestFixture]
internal sealed class GuardPolicyBuilderTests
{
    [Test]
    public void Build_PolicyOfTheDesign_IsTheDocument()
    {
        GuardPolicyBuilder builder = new GuardPolicyBuilder()
            .AuditDirectory("/var/lib/acme/mcp-audit")
            .Server("files", server => server
                .NpmPackage("@modelcontextprotocol/server-filesystem", "2026.8.31", "/srv/project")
                .Isolation("bubblewrap", "/srv/project")
                .Root("/srv/project")
                .Allow("readers", "read_*", "list_*")
                .Ask("writes", rule => rule.Tools("write_file").Require("""{ "properties": { "content": { "maxLength": 10000 } } }"""))
                .Deny("no-moves", "move_file"));
        Assert.That(PolicyReader.Read(builder, FakeSchemas.Instance, PolicyTexts.Options).Revision, Is.EqualTo(PolicyTexts.Read(PolicyTexts.Design).Revision));
    }

    [Test]
    public void Build_EveryTypedMember_IsInTheSnapshot()
    {
        GuardPolicyBuilder builder = new GuardPolicyBuilder()
            .StateDirectory("/var/lib/own")
            .Default("requireCaller", "true")
            .Audit("retentionDays", "10")
            .ToolTimeout(TimeSpan.FromMilliseconds(1500))
            .RateLimit(7, TimeSpan.FromMinutes(2))
            .ConfirmEveryCall()
            .Server("web", server => server.Url("https://a.example/mcp").HeaderSecret("Authorization", "token").With("sampling", """{"allow":true}"""))
            .Server("tool", server => server.Command("/usr/bin/node", "x.js", "").Environment("A", "1").EnvironmentSecret("B", "b").WithoutIsolation().Root("/srv/r", RootAccess.Read))
            .Server("dotnet", server => server.DotnetPackage("Acme.Server", "1.0.0"))
            .Server("own", server => server.HostProvided().Pin("t", new string('a', 64)).Allow("a", rule => rule
                .Tools("x").Tools("y").Prompts("p").Destructive(false).RateLimit(1, TimeSpan.FromDays(1)).Timeout(TimeSpan.FromSeconds(5))
                .Paths("/path").Urls("https://*.a.example").When("true").With("results", """{"redact":true}"""))
                .Deny("r", rule => rule.Resources("file:///*")));
        PolicySnapshot policy = PolicyReader.Read(builder, FakeSchemas.Instance, PolicyTexts.Options);
        ServerSettings own = policy.Servers["own"];
        RuleVerdict verdict = own.ForTool("y").Judge(PolicyTexts.NoArguments);
        var tool = (CommandEndpoint)policy.Servers["tool"].Endpoint;
        Assert.Multiple(() =>
        {
            Assert.That(policy.StateDirectory, Is.EqualTo("/var/lib/own"));
            Assert.That(policy.Defaults.RequireCaller, Is.True);
            Assert.That(policy.Audit.RetentionDays, Is.EqualTo(10));
            Assert.That(policy.Defaults.ToolTimeout, Is.EqualTo(TimeSpan.FromMilliseconds(1500)));
            Assert.That((policy.Defaults.RateLimit.Permits, policy.Defaults.RateLimit.Window), Is.EqualTo((7L, TimeSpan.FromMinutes(2))));
            Assert.That(policy.Defaults.Confirmation, Is.EqualTo(ConfirmationMode.Always));
            Assert.That(((UrlEndpoint)policy.Servers["web"].Endpoint).Headers["authorization"].Secret, Is.EqualTo("token"));
            Assert.That(policy.Servers["web"].Sampling.Allowed, Is.True);
            Assert.That(tool.Arguments, Is.EqualTo(new[] { "x.js", "" }));
            Assert.That((tool.Environment["A"].Literal, tool.Environment["B"].Secret), Is.EqualTo(("1", "b")));
            Assert.That(policy.Servers["tool"].Isolation!.Mode, Is.EqualTo(IsolationMode.None));
            Assert.That(policy.Servers["tool"].Roots.Single(), Is.EqualTo(new GuardRoot("/srv/r", RootAccess.Read)));
            Assert.That(((PackageEndpoint)policy.Servers["dotnet"].Endpoint).Kind, Is.EqualTo(PackageKind.Dotnet));
            Assert.That(own.Pins["t"], Is.EqualTo(new string('a', 64)));
            Assert.That((verdict.Effect, verdict.Destructive, verdict.Timeout), Is.EqualTo((RuleEffect.Allow, (bool?)false, (TimeSpan?)TimeSpan.FromSeconds(5))));
            Assert.That(verdict.RateLimits.Single().Window, Is.EqualTo(TimeSpan.FromDays(1)));
            Assert.That(verdict.Paths!.Arguments, Is.EqualTo(new[] { "/path" }));
            Assert.That(verdict.Urls!.Lists.Single().Patterns, Is.EqualTo(new[] { "https://*.a.example" }));
            Assert.That(verdict.Results!.Redact, Is.True);
            Assert.That(own.ForPrompt("p").Judge(default).Effect, Is.EqualTo(RuleEffect.Allow));
            Assert.That(own.ForResource("file:///x").IsDenied, Is.True);
        });
    }

    [Test]
    public void Build_WriteAndRead_GivesTheSameRevision() =>
        Prop.ForAll(Builders().ToArbitrary(), build =>
        {
            var builder = new GuardPolicyBuilder();
            build(builder);
            PolicySnapshot built = PolicyReader.Read(builder, FakeSchemas.Instance, PolicyTexts.Options);
            PolicySnapshot read = PolicyReader.Read(Encoding.UTF8.GetBytes(builder.ToJson()), null, FakeSchemas.Instance, PolicyTexts.Options);
            return built.Revision == read.Revision && built.CanAsk == read.CanAsk && built.Servers.Keys.Order().SequenceEqual(read.Servers.Keys.Order())
                && built.Servers.All(pair => pair.Value.Revision == read.Servers[pair.Key].Revision && pair.Value.Identity.Equals(read.Servers[pair.Key].Identity));
        }).Check(Properties.Config());

    [Test]
    public void Build_Faults_AreReportedAllAtOnceWithoutLines()
    {
        GuardPolicyBuilder builder = new GuardPolicyBuilder().ToolTimeout(TimeSpan.Zero).Server("s", server => server.Url("x").Root("").Allow("r", "a**"));
        GuardPolicyError[] errors = [.. Assert.Throws<McpGuardPolicyException>(() => PolicyReader.Read(builder, FakeSchemas.Instance, PolicyTexts.Options))!.Errors];
        Assert.Multiple(() =>
        {
            Assert.That(errors.Select(error => error.Location), Is.EquivalentTo(new[] { "/defaults/toolTimeout", "/servers/s/url", "/servers/s/roots/0/path", "/servers/s/rules/r/tools/0" }));
            Assert.That(errors.Select(error => (error.Line, error.Column)), Is.All.EqualTo((0, 0)));
            Assert.That(errors[0].ToString(), Does.StartWith("policy: /"));
        });
    }

    [Test]
    public void Build_SameIdTwice_Throws() => Assert.Multiple(() =>
    {
        Assert.Throws<ArgumentException>(() => new GuardPolicyBuilder().Server("s", s => s.Url("https://a.example")).Server("s", s => s.Url("https://a.example")));
        Assert.Throws<ArgumentException>(() => new GuardPolicyBuilder().Server("s", s => s.Allow("r", "a").Deny("r", "a")));
        Assert.Throws<ArgumentException>(() => new GuardPolicyBuilder().ToolTimeout(TimeSpan.FromSeconds(1)).Default("toolTimeout", "\"1s\""));
        Assert.Throws<ArgumentException>(() => new GuardPolicyBuilder().Server("s", s => s.With("sampling", "{'allow':true}")), "the text is not JSON");
        Assert.Throws<ArgumentException>(() => new GuardPolicyBuilder().Server("s", s => s.With("sampling", """{"allow":true,"allow":true}""")), "a key appears twice");
    });

    [Test]
    public void ToJson_EveryMember_IsItsKey()
    {
        string json = new GuardPolicyBuilder()
            .Default("maxConcurrentCalls", "9").Audit("results", "\"none\"").AuditDirectory("/srv/audit").StateDirectory("/srv/state").PackageStore("/srv/store")
            .ToolTimeout(TimeSpan.FromSeconds(5)).RateLimit(2, TimeSpan.FromMinutes(1)).ConfirmEveryCall()
            .Server("url", server => server.Url("https://a.example").HeaderSecret("Authorization", "t"))
            .Server("command", server => server.Command("node", "x", "y").Environment("A", "1").EnvironmentSecret("B", "b").Isolation("bubblewrap", "/srv/w").Root("/srv/r", RootAccess.Read).Root("/srv/q"))
            .Server("npm", server => server.NpmPackage("a", "1.0.0", "x").WithoutIsolation().RedactArguments().Pin("t", "f").Pin("u", "g"))
            .Server("dotnet", server => server.DotnetPackage("A", "2.0.0").With("trusted", "true"))
            .Server("own", server => server.HostProvided()
                .Allow("a", "x", "y").Ask("b", "x").Deny("c", "x")
                .Allow("d", rule => rule.Tools("t").Tools("u").Resources("r").Prompts("p").When("true").Require("{}").Destructive().RateLimit(1, TimeSpan.FromSeconds(1))
                    .Timeout(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(9)).Paths("/a").Urls("https://b.example").With("results", "{\"redact\":true}"))
                .Ask("e", rule => rule.Destructive(false).Timeout(TimeSpan.FromHours(1)))
                .Deny("f", rule => rule.Tools("z")))
            .ToJson();
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(json), JsonNode.Parse("""
            {
              "stateDirectory": "/srv/state", "packageStore": "/srv/store",
              "defaults": { "maxConcurrentCalls": 9, "toolTimeout": "5s", "rateLimit": { "permits": 2, "per": "1m" }, "confirmation": "always" },
              "audit": { "results": "none", "directory": "/srv/audit" },
              "servers": {
                "url": { "url": "https://a.example", "headers": { "Authorization": { "secret": "t" } } },
                "command": {
                  "command": "node", "arguments": ["x", "y"], "environment": { "A": "1", "B": { "secret": "b" } }, "isolation": { "mode": "bubblewrap", "writable": ["/srv/w"] },
                  "roots": [{ "path": "/srv/r", "access": "read" }, { "path": "/srv/q", "access": "readWrite" }]
                },
                "npm": { "package": { "npm": "a", "version": "1.0.0" }, "arguments": ["x"], "isolation": { "mode": "none" }, "redactArguments": true, "pins": { "t": "f", "u": "g" } },
                "dotnet": { "package": { "dotnet": "A", "version": "2.0.0" }, "arguments": [], "trusted": true },
                "own": {
                  "hostProvided": true,
                  "rules": {
                    "a": { "effect": "allow", "tools": ["x", "y"] }, "b": { "effect": "ask", "tools": ["x"] }, "c": { "effect": "deny", "tools": ["x"] },
                    "d": {
                      "effect": "allow", "tools": ["t", "u"], "resources": ["r"], "prompts": ["p"], "when": true, "require": {}, "destructive": true, "rateLimit": { "permits": 1, "per": "1s" },
                      "timeout": "1s", "timeoutWithProgress": "9s", "paths": ["/a"], "urls": ["https://b.example"], "results": { "redact": true }
                    },
                    "e": { "effect": "ask", "destructive": false, "timeout": "1h" },
                    "f": { "effect": "deny", "tools": ["z"] }
                  }
                }
              }
            }
            """)), Is.True, json);
        Assert.That(json, Does.Contain(Environment.NewLine), "it is written to be read");
    }

    [Test]
    public void Build_NothingForSomething_Throws() => Assert.Multiple(() =>
    {
        var builder = new GuardPolicyBuilder();
        Assert.That(() => builder.Server(null!, _ => { }), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("id"));
        Assert.That(() => builder.Server("s", null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("configure"));
        Assert.That(() => builder.Server(" ", _ => { }), Throws.ArgumentException);
        Assert.That(() => builder.Default("toolTimeout", null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("json"));
        Assert.That(() => builder.Default("", "1"), Throws.ArgumentException);
        builder.Server("s", server =>
        {
            Assert.That(() => server.Allow("a", (Action<GuardRuleBuilder>)null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("configure"));
            Assert.That(() => server.Command("node", null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("texts"));
            Assert.That(() => server.Ask("b", rule => rule.Tools((IEnumerable<string>)null!)), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("patterns"));
        });
    });

    [Test]
    public void Build_Refusal_SaysWhatToCorrect() => Assert.Multiple(() =>
    {
        Assert.That(
            () => new GuardPolicyBuilder().Default("toolTimeout", "30s"),
            Throws.ArgumentException.With.Message.StartsWith("The value is not JSON text: ").And.Message.Contains("A text needs quotes of its own").And.InnerException.Not.Null);
        Assert.That(() => new GuardPolicyBuilder().StateDirectory("/a").StateDirectory("/b"), Throws.ArgumentException.With.Message.StartsWith("'stateDirectory' is set already; set it once."));
        Assert.That(() => new GuardPolicyBuilder().Default("x", new string('[', 97) + new string(']', 97)), Throws.ArgumentException, "deeper than a policy may be");
    });

    [Test]
    public void Build_NullValue_IsAnErrorOfThePolicyAndNoCrash() =>
        Assert.That(
            () => PolicyReader.Read(new GuardPolicyBuilder().Default("toolTimeout", "null"), FakeSchemas.Instance, PolicyTexts.Options),
            Throws.InstanceOf<McpGuardPolicyException>().With.Message.Contains("/defaults/toolTimeout: this must be a duration, and is null"));

    private static Gen<Action<GuardPolicyBuilder>> Builders() =>
        from servers in Gen.Choose(0, 3)
        from kinds in Gen.ArrayOf(Gen.Choose(0, 4), servers)
        from roots in Gen.ArrayOf(Gen.Elements("/srv/a", "/srv/ö b", "/srv/\"q\"", "/srv/\\b"), servers)
        from effects in Gen.ArrayOf(Gen.Choose(0, 2), servers)
        from patterns in Gen.ArrayOf(Gen.Elements("*", "read_*", "tool", "ü*", "a\"b", "a\\b", "<&>"), servers)
        from milliseconds in Gen.Choose(1, 100_000)
        from permits in Gen.Choose(0, 1_000)
        select (Action<GuardPolicyBuilder>)(builder =>
        {
            builder.ToolTimeout(TimeSpan.FromMilliseconds(milliseconds)).RateLimit(permits, TimeSpan.FromSeconds(1));
            for (int i = 0; i < servers; i++)
            {
                int at = i;
                builder.Server("s" + i, server =>
                {
                    _ = kinds[at] switch
                    {
                        0 => server.Url("https://a.example/" + at),
                        1 => server.Command("node", roots[at], patterns[at]).WithoutIsolation(),
                        2 => server.NpmPackage("@a/b", "1.0." + at, roots[at]),
                        3 => server.DotnetPackage("A.B", "1.0." + at),
                        _ => server.HostProvided(),
                    };
                    server.Root(roots[at], at % 2 == 0 ? RootAccess.Read : RootAccess.ReadWrite);
                    _ = effects[at] switch
                    {
                        0 => server.Deny("r", patterns[at]),
                        1 => server.Ask("r", rule => rule.Tools(patterns[at]).When("true").Timeout(TimeSpan.FromMilliseconds(milliseconds))),
                        _ => server.Allow("r", rule => rule.Tools(patterns[at]).Require("{}").RateLimit(permits, TimeSpan.FromHours(1)).Destructive()),
                    };
                });
            }
        });
}
