using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using DescriptionAttribute = System.ComponentModel.DescriptionAttribute;

namespace Mcp.Guard.IntegrationTests.Eras;

/// <summary>
/// The tools of the test server. Each call that reaches one is a line in a file, so that a test sees the same count whatever the transport and process.
/// </summary>
internal sealed class EraTools(string log)
{
    /// <summary>The id under which the server knows its question.</summary>
    public const string VisitId = "chosen-by-the-server";

    /// <summary>What <c>visit</c> wants opened. A policy that lists https://login.example.com lets the first pass and no other.</summary>
    public static readonly IReadOnlyDictionary<string, string> Addresses = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["listed"] = "https://login.example.com/start?for=guard",
        ["error"] = "https://login.example.com/start",
        ["other-host"] = "https://login.example.org/start",
        ["user"] = "https://login.example.com@evil.example/start",
        ["credentials"] = "https://user:word@login.example.com/start",
        ["script"] = "javascript:alert(1)//login.example.com",
        ["data"] = "data:text/html,login.example.com",
        ["file"] = "file:///etc/passwd",
        ["plain-http"] = "http://login.example.com/start",
        ["port"] = "https://login.example.com:8443/start",
        ["suffix"] = "https://login.example.com.evil.example/",
        ["look-alike"] = "https://logіn.example.com/",
        ["punycode"] = "https://xn--logn-tkc.example.com/",
        ["backslash"] = "https://evil.example\\@login.example.com/",
        ["controls"] = "https://login.example.com/\u0000\nstart",
        ["fragment"] = "https://login.example.com/#access_token=x",
        ["relative"] = "//login.example.com/start",
        ["empty"] = "",
    };

    [McpServerTool(Name = "echo"), Description("Says the text again.")]
    public string Echo(string text) => Count("echo", $"echo: {text}");

    [McpServerTool(Name = "measure", UseStructuredContent = true), Description("Counts letters.")]
    public Measure MeasureText(string text) => new(text.Length, Count("measure", text).ToUpperInvariant());

    [McpServerTool(Name = "fail"), Description("Fails.")]
    public string Fail() => throw new McpException(Count("fail", "it does not work"));

    [McpServerTool(Name = "forbidden"), Description("No policy of a test allows it.")]
    public string Forbidden() => Count("forbidden", "reached");

    [McpServerTool(Name = "read"), Description("Reads a file.")]
    public string Read(string path) => Count("read", File.ReadAllText(path));

    [McpServerTool(Name = "route"), Description("Says where it was sent.")]
    public string Route([McpHeader("Region")] string region, string text) => Count("route", $"{region}: {text}");

    [McpServerTool(Name = "large"), Description("Says very much.")]
    public string Large(int length) => Count("large", new string('x', length));

    [McpServerTool(Name = "progress"), Description("Tells how far it is, and ends when the test has heard it.")]
    public async Task<string> TellProgress(RequestContext<CallToolRequestParams> context, CancellationToken ct)
    {
        var half = new ProgressNotificationValue { Progress = 1, Total = 2, Message = "half" };
        await context.Server.NotifyProgressAsync(context.Params!.ProgressToken!.Value, half, cancellationToken: ct);
        while (!File.Exists(log + ".heard"))
        {
            await Task.Delay(10, ct);
        }

        return Count("progress", "done");
    }

    [McpServerTool(Name = "roots"), Description("Asks for the roots, in the way of the protocol version.")]
    public string Roots(RequestContext<CallToolRequestParams> context)
    {
        if (context.Params!.InputResponses is { } answers)
        {
            ListRootsResult roots = answers["where"].Deserialize(InputResponse.ListRootsResultJsonTypeInfo)!;
            return Count("roots", $"{context.Params.RequestState}: {string.Join(' ', roots.Roots.Select(root => root.Uri))}");
        }

        Count("roots", string.Empty);
        throw new InputRequiredException(
            new Dictionary<string, InputRequest> { ["where"] = InputRequest.ForRootsList(new ListRootsRequestParams()) }, requestState: "asked");
    }

    [McpServerTool(Name = "later"), Description("Puts the work off twice.")]
    public string Later(RequestContext<CallToolRequestParams> context)
    {
        string state = context.Params!.RequestState ?? string.Empty;
        Count("later", state);
        return state.Length == 2 ? "done at last" : throw new InputRequiredException(requestState: state + "x");
    }

    [McpServerTool(Name = "elicit"), Description("Asks the person behind the client.")]
    public string Elicit(RequestContext<CallToolRequestParams> context)
    {
        if (context.Params!.InputResponses is not null)
        {
            return Count("elicit", "answered");
        }

        Count("elicit", string.Empty);
        throw new InputRequiredException(
            new Dictionary<string, InputRequest> { ["q"] = InputRequest.ForElicitation(new ElicitRequestParams { Message = "your password?" }) }, requestState: "asked");
    }

    [McpServerTool(Name = "form"), Description("Shows a form, in the way of the protocol version.")]
    public string Form(RequestContext<CallToolRequestParams> context)
    {
        if (context.Params!.InputResponses is { } answers)
        {
            ElicitResult answer = answers["q"].Deserialize(InputResponse.ElicitResultJsonTypeInfo)!;
            return Count("form", $"{answer.Action} {(answer.Content is { } content && content.TryGetValue("colour", out var colour) ? colour.ToString() : "nothing")}");
        }

        Count("form", string.Empty);
        var schema = new ElicitRequestParams.RequestSchema { Properties = { ["colour"] = new ElicitRequestParams.StringSchema { MaxLength = 10 } } };
        throw new InputRequiredException(
            new Dictionary<string, InputRequest> { ["q"] = InputRequest.ForElicitation(new ElicitRequestParams { Message = "Which colour?", RequestedSchema = schema }) }, requestState: "asked");
    }

    [McpServerTool(Name = "visit"), Description("Wants an address opened, in the way of the protocol version, and tells when that is done.")]
    public async Task<string> Visit(string which, RequestContext<CallToolRequestParams> context, CancellationToken ct)
    {
        if (context.Params!.InputResponses is { } answers)
        {
            ElicitResult answer = answers["q"].Deserialize(InputResponse.ElicitResultJsonTypeInfo)!;
            if (answer.IsAccepted)
            {
                await context.Server.SendNotificationAsync(
                    NotificationMethods.ElicitationCompleteNotification, new ElicitationCompleteNotificationParams { ElicitationId = VisitId }, cancellationToken: ct);
            }

            return Count("visit", $"{answer.Action} {answer.Content?.Count ?? 0}");
        }

        Count("visit", string.Empty);
        var asked = new ElicitRequestParams { Mode = "url", Message = "Sign in, please.", Url = Addresses[which], ElicitationId = VisitId };
        throw which == "error"
            ? new UrlElicitationRequiredException("sign in first", [asked])
            : new InputRequiredException(new Dictionary<string, InputRequest> { ["q"] = InputRequest.ForElicitation(asked) }, requestState: "asked");
    }

    [McpServerTool(Name = "sample"), Description("Asks the model of the host, in the way of the protocol version.")]
    public string Sample(RequestContext<CallToolRequestParams> context)
    {
        if (context.Params!.InputResponses is { } answers)
        {
            CreateMessageResult answer = answers["q"].Deserialize(InputResponse.CreateMessageResultJsonTypeInfo)!;
            return Count("sample", ((TextContentBlock)answer.Content[0]).Text);
        }

        Count("sample", string.Empty);
        var asked = new CreateMessageRequestParams { MaxTokens = 5000, Messages = [new SamplingMessage { Role = Role.User, Content = [new TextContentBlock { Text = "How much?" }] }] };
        throw new InputRequiredException(new Dictionary<string, InputRequest> { ["q"] = InputRequest.ForSampling(asked) }, requestState: "asked");
    }

    [McpServerPrompt(Name = "greet"), Description("Greets.")]
    public string Greet(string name) => Count("greet", $"Say hello to {name}.");

    [McpServerResource(UriTemplate = "test://greeting", Name = "greeting"), Description("A greeting.")]
    public string Greeting() => Count("greeting", "hello");

    [McpServerResource(UriTemplate = "test://secret", Name = "secret"), Description("No policy of a test allows it.")]
    public string Secret() => Count("secret", "reached");

    private string Count(string what, string result)
    {
        lock (log)
        {
            File.AppendAllText(log, what + "\n");
        }

        return result;
    }

    /// <summary>The result of <c>measure</c>.</summary>
    internal sealed record Measure(int Length, string Upper);
}
