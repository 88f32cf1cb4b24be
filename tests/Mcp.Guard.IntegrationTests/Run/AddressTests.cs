using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Mcp.Guard.IntegrationTests.Eras;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Run;

/// <summary>
/// Elicitation in URL mode from end to end: a server of the SDK, <c>mcp-guard run</c> as a process, a client of the SDK; over both transports, in both eras of
/// either side.
/// </summary>
[TestFixture("stdio", "2025-11-25", "2025-11-25")]
[TestFixture("stdio", "2025-11-25", "2026-07-28")]
[TestFixture("stdio", "2026-07-28", "2025-11-25")]
[TestFixture("stdio", "2026-07-28", "2026-07-28")]
[TestFixture("http", "2025-11-25", "2025-11-25")]
[TestFixture("http", "2026-07-28", "2026-07-28")]
internal sealed class AddressTests(string transport, string era, string serverEra)
{
    private readonly List<ElicitRequestParams> _shown = [];
    private readonly Channel<string> _completed = Channel.CreateUnbounded<string>();
    private string _work = string.Empty;
    private string _answer = "accept";
    private RunningGateway? _gateway;
    private McpClient? _plain;
    private McpClient? _showsAddresses;

    private string Calls => File.Exists(Path.Combine(_work, "calls")) ? File.ReadAllText(Path.Combine(_work, "calls")) : string.Empty;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _work = Directory.CreateTempSubdirectory("mcp-guard-address-").FullName;
        if (transport == "http")
        {
            string tokens = Path.Combine(_work, "tokens");
            _gateway = await RunningGateway.StartHttpAsync(Policy("http"), "--http", "--caller", "ada", "--caller", "bob", "--token-file", tokens);
            Dictionary<string, string> token = await RunningGateway.TokensAsync(tokens);
            _showsAddresses = await _gateway.ConnectAsync(Options(showsAddresses: true), token["ada"]);
            _plain = await _gateway.ConnectAsync(Options(showsAddresses: false), token["bob"]);
        }
        else
        {
            _showsAddresses = await RunningGateway.ConnectAsync(Options(showsAddresses: true), Policy("shows"));
            _plain = await RunningGateway.ConnectAsync(Options(showsAddresses: false), Policy("plain"));
        }
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        foreach (IAsyncDisposable? made in (IAsyncDisposable?[])[_showsAddresses, _plain, _gateway])
        {
            if (made is not null)
            {
                await made.DisposeAsync();
            }
        }

        Directory.Delete(_work, recursive: true);
    }

    [SetUp]
    public void Forget()
    {
        _shown.Clear();
        _answer = "accept";
        File.Delete(Path.Combine(_work, "calls"));
        while (_completed.Reader.TryRead(out _))
        {
            // Of the test before.
        }
    }

    [TestCase("accept")]
    [TestCase("decline")]
    [TestCase("cancel")]
    public async Task Visit_ListedAddress_IsShownWholeAndTheAnswerArrives(string answer)
    {
        _answer = answer;
        Assert.That(await OutcomeAsync(_showsAddresses!, "listed"), Is.EqualTo($"{answer} 0"), "nothing but the word leaves, whatever the client adds");
        ElicitRequestParams shown = _shown.Single();
        Assert.Multiple(() =>
        {
            Assert.That((shown.Mode, shown.Url), Is.EqualTo(("url", EraTools.Addresses["listed"])));
            Assert.That(shown.ElicitationId, Does.StartWith("gateway-"));
            Assert.That(shown.RequestedSchema, Is.Null);
            Assert.That(shown.Message, Does.StartWith("Server 'era' asks the following, during 'visit'.")
                .And.Contain("The host of this address is login.example.com\n").And.EndsWith("\n> \"Sign in, please.\"\n"));
        });
    }

    [Test]
    public async Task Visit_Accepted_ClientIsToldWhenItIsDone()
    {
        await OutcomeAsync(_showsAddresses!, "listed");
        if (era == "2025-11-25")
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            Assert.That(await _completed.Reader.ReadAsync(limit.Token), Is.EqualTo(_shown.Single().ElicitationId), "under the id that it was shown");
        }
        else
        {
            // There is no connection to tell it to: the call that asked has ended with its answer.
            await OutcomeAsync(_showsAddresses!, "listed");
            Assert.That(_completed.Reader.TryRead(out string? told), Is.False, told);
        }
    }

    [Test]
    public async Task Visit_ClientThatShowsNoAddresses_ServerIsToldDecline()
    {
        Assert.That(await OutcomeAsync(_plain!, "listed"), Is.EqualTo("decline 0"));
        Assert.That(_shown, Is.Empty);
    }

    [TestCaseSource(nameof(Hostile))]
    public async Task Visit_HostileAddress_NobodySeesIt(string which)
    {
        string outcome = await OutcomeAsync(_showsAddresses!, which);
        Assert.That(_shown, Is.Empty);
        bool byMessage = serverEra == "2025-11-25";
        Assert.That(outcome, byMessage ? Is.EqualTo("decline 0") : Does.Contain("[server-request-refused]"));
        Assert.That(Calls.Split('\n').Count(static line => line == "visit"), Is.EqualTo(byMessage ? 2 : 1), "the server did ask");
    }

    [Test]
    public async Task Visit_AddressInAnError_EndsTheCall()
    {
        Assert.That(await OutcomeAsync(_showsAddresses!, "error"), Does.Contain("[server-request-refused]").And.Not.Contain("login.example.com"));
        Assert.That(_shown, Is.Empty);
    }

    private static IEnumerable<string> Hostile() => EraTools.Addresses.Keys.Except(["listed", "error"]);

    private static async Task<string> OutcomeAsync(McpClient client, string which)
    {
        try
        {
            CallToolResult result = await client.CallToolAsync("era__visit", new Dictionary<string, object?> { ["which"] = which });
            return string.Concat(result.Content.OfType<TextContentBlock>().Select(static block => block.Text));
        }
        catch (McpException refused)
        {
            return refused.Message;
        }
    }

    private McpClientOptions Options(bool showsAddresses) => new()
    {
        ProtocolVersion = era,
        DiscoverProbeTimeout = TimeSpan.FromSeconds(30),
        Capabilities = new ClientCapabilities { Elicitation = new ElicitationCapability { Form = new FormElicitationCapability(), Url = showsAddresses ? new UrlElicitationCapability() : null } },
        Handlers = new McpClientHandlers
        {
            ElicitationHandler = (asked, _) =>
            {
                _shown.Add(asked!);
                return new(new ElicitResult
                {
                    Action = _answer,
                    Content = _answer == "accept" ? new Dictionary<string, JsonElement> { ["token"] = JsonElement.Parse("\"not asked for\"") } : null,
                });
            },
            NotificationHandlers =
            [
                new(NotificationMethods.ElicitationCompleteNotification, (told, _) =>
                {
                    _completed.Writer.TryWrite(told.Params!["elicitationId"]!.GetValue<string>());
                    return default;
                }),
            ],
        },
    };

    private string Policy(string name)
    {
        string path = Path.Combine(_work, name + ".json");
        File.WriteAllText(path, new JsonObject
        {
            ["stateDirectory"] = Path.Combine(_work, "state-" + name),
            ["servers"] = new JsonObject
            {
                ["era"] = new JsonObject
                {
                    ["command"] = EraServer.Dotnet,
                    ["arguments"] = new JsonArray(EraServer.Library),
                    ["environment"] = new JsonObject { [EraServer.Variable] = Path.Combine(_work, "calls"), [EraServer.VersionVariable] = serverEra },
                    ["isolation"] = new JsonObject { ["mode"] = "none" },
                    ["rateLimit"] = new JsonObject { ["permits"] = 1000, ["per"] = "1s" },
                    ["elicitation"] = new JsonObject { ["allow"] = true, ["url"] = true, ["urls"] = new JsonArray("https://login.example.com") },
                    ["rules"] = new JsonObject { ["all"] = new JsonObject { ["tools"] = new JsonArray("*"), ["effect"] = "allow" } },
                },
            },
        }.ToJsonString());
        return path;
    }
}
