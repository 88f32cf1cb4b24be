using Microsoft.Extensions.Compliance.Classification;
using Microsoft.Extensions.Compliance.Redaction;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Eras;

/// <summary>Redactors of Microsoft.Extensions.Compliance as the host's own: one instance, and those that a provider of the host chooses.</summary>
[TestFixture]
internal sealed class HostRedactorTests
{
    [Test]
    public async Task Redactor_AsAMethod_SeesWhatIsDeliveredAndRecorded()
    {
        Redactor redactor = new CustomerNumbers();
        await using EraConnection connection = await OpenAsync(builder => builder.UseContentRedactor(redactor.Redact));
        await AssertRedactedAsync(connection);
    }

    [Test]
    public async Task Redactor_OfTheHostsProvider_SeesWhatIsDeliveredAndRecorded()
    {
        await using ServiceProvider host = new ServiceCollection().AddRedaction(redaction => redaction.SetRedactor<CustomerNumbers>(ServerText.Classes)).BuildServiceProvider();
        await using EraConnection connection = await OpenAsync(builder => builder.UseContentRedactor(_ => new ServerText(host.GetRequiredService<IRedactorProvider>())));
        await AssertRedactedAsync(connection);
    }

    private static Task<EraConnection> OpenAsync(Action<McpGuardBuilder> configure) =>
        EraConnection.OpenAsync("streams", null, server => server.With("results", """{"redact":true}"""), configure);

    private static async Task AssertRedactedAsync(EraConnection connection)
    {
        CallToolResult result = await connection.Guarded.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "customer K-4711 wrote" });
        Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("customer K-**** wrote"));
        Assert.That(connection.Audit.Records.Select(record => record.Arguments.ToString() + record.Result), Has.None.Contains("4711").And.Some.Contains("K-****"));
    }

    /// <summary>What an own redactor has to be: a length, and a text of that length.</summary>
    private sealed class CustomerNumbers : Redactor
    {
        public override int GetRedactedLength(ReadOnlySpan<char> input) => input.Length;

        public override int Redact(ReadOnlySpan<char> source, Span<char> destination)
        {
            source.CopyTo(destination);
            for (int at = 0; at + 6 <= source.Length; at++)
            {
                if (source[at..].StartsWith("K-") && !source.Slice(at + 2, 4).ContainsAnyExceptInRange('0', '9'))
                {
                    destination.Slice(at + 2, 4).Fill('*');
                }
            }

            return source.Length;
        }
    }

    /// <summary>All text of servers is of one class; the host's configuration says which redactor that is.</summary>
    private sealed class ServerText(IRedactorProvider redactors) : IContentRedactor
    {
        public static DataClassificationSet Classes { get; } = new DataClassification("acme", "server-text");

        public string Redact(string text) => redactors.GetRedactor(Classes).Redact(text);
    }
}
