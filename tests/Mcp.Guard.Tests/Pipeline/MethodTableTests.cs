using System.Text;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Tests.Pipeline;

[TestFixture]
internal sealed class MethodTableTests
{
    [TestCase("initialize", "Lifecycle", null)]
    [TestCase("server/discover", "Lifecycle", null)]
    [TestCase("ping", "Lifecycle", null)]
    [TestCase("logging/setLevel", "Lifecycle", null)]
    [TestCase("tools/list", "Catalog", null)]
    [TestCase("prompts/list", "Catalog", null)]
    [TestCase("resources/list", "Catalog", null)]
    [TestCase("resources/templates/list", "Catalog", null)]
    [TestCase("tools/call", "ToolCall", "name")]
    [TestCase("resources/read", "Resource", "uri")]
    [TestCase("resources/subscribe", "Resource", "uri")]
    [TestCase("resources/unsubscribe", "Resource", "uri")]
    [TestCase("subscriptions/listen", "Subscription", null)]
    [TestCase("prompts/get", "Prompt", "name")]
    [TestCase("completion/complete", "Completion", null)]
    [TestCase("tasks/get", "Unknown", null)]
    [TestCase("Tools/Call", "Unknown", null)]
    [TestCase("tools/call ", "Unknown", null)]
    [TestCase("sampling/createMessage", "Unknown", null, Description = "a request of servers")]
    [TestCase("", "Unknown", null)]
    public void KindOf_Method_SaysWhatItIsAboutAndWhereItIsNamed(string method, string kind, string? member)
    {
        RequestKind found = MethodTable.KindOf(method);
        Assert.That(found.ToString(), Is.EqualTo(kind));
        Assert.That(MethodTable.TargetMember(found), Is.EqualTo(member));
        Assert.That(Encoding.UTF8.GetString(MethodTable.TargetMemberUtf8(found)), Is.EqualTo(member ?? string.Empty));
    }

    [TestCase(null, false)]
    [TestCase("", false)]
    [TestCase("2024-11-05", false)]
    [TestCase("2025-11-25", false)]
    [TestCase("2026-07-27", false)]
    [TestCase("2026-07-28", true)]
    [TestCase("2027-01-01", true)]
    public void IsStateless_Version_FromTheEraWithoutSessionsOn(string? version, bool expected) =>
        Assert.That(MethodTable.IsStateless(version), Is.EqualTo(expected));
}
