using System.Text.Json;
using Mcp.Guard.Stages.Consent;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard;

/// <summary>
/// Asks the client of a gateway through MCP elicitation (form mode). The form holds one choice; the guard's own text names the server and the tool first.
/// A client that cannot show forms, that declines, or that answers anything but an offered choice denies.
/// </summary>
/// <remarks>Whoever runs the client answers: use it only where that is the person whose consent counts.</remarks>
public sealed class ElicitationConsentProvider : IConsentProvider
{
    private const string Field = "answer";

    private readonly Func<ElicitRequestParams, CancellationToken, ValueTask<ElicitResult>> _elicit;
    private readonly Func<bool> _canShowForms;

    /// <summary>Asks through this server's client.</summary>
    /// <param name="server">The gateway's own server, of the session on whose behalf the call is made.</param>
    public ElicitationConsentProvider(McpServer server)
    {
        ArgumentNullException.ThrowIfNull(server);
        _elicit = server.ElicitAsync;
        _canShowForms = () => server.ClientCapabilities?.Elicitation is { } elicitation && (elicitation.Form is not null || elicitation.Url is null);
    }

    internal ElicitationConsentProvider(Func<ElicitRequestParams, CancellationToken, ValueTask<ElicitResult>> elicit, Func<bool> canShowForms)
    {
        _elicit = elicit;
        _canShowForms = canShowForms;
    }

    /// <inheritdoc/>
    public async ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!_canShowForms())
        {
            throw new InvalidOperationException("The client cannot show elicitation forms, so nobody can be asked.");
        }

        ElicitResult result = await _elicit(Form(request), ct).ConfigureAwait(false);
        return string.Equals(result.Action, "accept", StringComparison.Ordinal)
            && result.Content is { } content
            && content.TryGetValue(Field, out JsonElement value)
            && value.ValueKind == JsonValueKind.String
                ? ConsentText.Answer(request, value.GetString())
                : ConsentAnswer.Deny(request);
    }

    private static ElicitRequestParams Form(ConsentRequest request)
    {
        var options = new List<ElicitRequestParams.EnumSchemaOption>();
        foreach ((_, string word, string label) in ConsentText.Choices(request))
        {
            options.Add(new ElicitRequestParams.EnumSchemaOption { Const = word, Title = label });
        }

        return new ElicitRequestParams
        {
            Message = ConsentText.Of(request),
            RequestedSchema = new ElicitRequestParams.RequestSchema
            {
                Properties = new Dictionary<string, ElicitRequestParams.PrimitiveSchemaDefinition>(StringComparer.Ordinal)
                {
                    // "no" is the default: a client that fills the form in by itself denies.
                    [Field] = new ElicitRequestParams.TitledSingleSelectEnumSchema { Title = "Your answer", OneOf = options, Default = options[0].Const },
                },
                Required = [Field],
            },
        };
    }
}
