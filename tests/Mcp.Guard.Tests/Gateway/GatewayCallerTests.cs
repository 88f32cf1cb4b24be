using System.Security.Claims;
using Mcp.Guard.Gateway;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>Who an authenticated request is.</summary>
[TestFixture]
internal sealed class GatewayCallerTests
{
    private static ClaimsPrincipal Principal(params (string Type, string Value, string Issuer)[] claims) =>
        new(new ClaimsIdentity(claims.Select(claim => new Claim(claim.Type, claim.Value, ClaimValueTypes.String, claim.Issuer)), "test"));

    [Test]
    public void Of_SubjectAndLoginSession_AreTheCaller()
    {
        GuardCaller? caller = GatewayCaller.Of(Principal(("sub", "ada", ClaimsIdentity.DefaultIssuer), ("sid", "7", ClaimsIdentity.DefaultIssuer)));
        Assert.That(caller, Is.EqualTo(new GuardCaller("ada", "sid 7")));
        Assert.That(caller!.IsConnection, Is.False);
    }

    [Test]
    public void Of_SameSubjectOfAnotherIssuer_IsSomebodyElse()
    {
        string?[] users =
        [
            GatewayCaller.Of(Principal(("sub", "ada", ClaimsIdentity.DefaultIssuer)))?.UserId,
            GatewayCaller.Of(Principal(("sub", "ada", "https://a.example")))?.UserId,
            GatewayCaller.Of(Principal(("sub", "ada", "https://b.example")))?.UserId,
            GatewayCaller.Of(Principal(("sub", "ada https://a.example", ClaimsIdentity.DefaultIssuer)))?.UserId,
            GatewayCaller.Of(Principal(("sub", "ada%20https://a.example", ClaimsIdentity.DefaultIssuer)))?.UserId,
        ];
        Assert.That(users, Is.Unique.And.All.Not.Null);
    }

    [Test]
    public void Of_NothingThatNamesOnePerson_IsNobody()
    {
        string local = ClaimsIdentity.DefaultIssuer;
        var notAuthenticated = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "ada")]));
        var two = new ClaimsPrincipal([new ClaimsIdentity([new Claim("sub", "ada")], "x"), new ClaimsIdentity([new Claim("sub", "bob")], "y")]);
        foreach (ClaimsPrincipal user in (ClaimsPrincipal[])
                 [
                     new ClaimsPrincipal(), Principal(), notAuthenticated, two,
                     Principal(("sub", " ", local)), Principal(("name", "ada", local)), Principal(("sub", new string('a', 257), local)),
                     Principal(("sub", "ada", local), (ClaimTypes.NameIdentifier, "bob", local)),
                     Principal(("sub", "ada", local), ("sid", "1", local), ("sid", "2", local)),
                 ])
        {
            Assert.That(GatewayCaller.Of(user), Is.Null);
        }
    }

    [Test]
    public void Of_ClaimsOfAnIdentityThatIsNotAuthenticated_DoNotCount()
    {
        var user = new ClaimsPrincipal([new ClaimsIdentity([new Claim("sub", "root")]), new ClaimsIdentity([new Claim("sub", "ada")], "x")]);
        Assert.That(GatewayCaller.Of(user)?.UserId, Is.EqualTo("ada"));
    }
}
