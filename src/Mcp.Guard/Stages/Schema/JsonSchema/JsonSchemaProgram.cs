using System.Runtime.InteropServices;
using System.Text.Json;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>A compiled schema. Immutable; any number of threads may validate with it at once.</summary>
internal sealed class JsonSchemaProgram
{
    private static readonly JsonSchemaError[] NotAnObject = [new JsonSchemaError("", "", "type", "must be object")];

    private readonly SchemaNode _root;
    private readonly JsonSchemaOptions _options;
    private readonly JsonTextLimits _limits;
    private readonly bool _isDynamic;
    private readonly bool _objectsOnly;

    private readonly bool _fitsOnePass;
    private readonly JsonSchemaProgram? _also;

    internal JsonSchemaProgram(SchemaNode root, JsonSchemaOptions options, bool isDynamic, bool fitsOnePass, bool objectsOnly = false, JsonSchemaProgram? also = null)
    {
        _also = also;
        _fitsOnePass = fitsOnePass;
        _root = root;
        _options = options;
        _limits = options.InstanceLimits;
        _isDynamic = isDynamic;
        _objectsOnly = objectsOnly;
    }

    /// <summary>The same program, for instances that have to be objects whatever the schema says.</summary>
    public JsonSchemaProgram ForObjects() => new(_root, _options, _isDynamic, _fitsOnePass, true, _also);

    /// <summary>The same program, for instances that have to satisfy a second one too.</summary>
    public JsonSchemaProgram And(JsonSchemaProgram other) => new(_root, _options, _isDynamic, _fitsOnePass, _objectsOnly, other);

    /// <summary>
    /// Parses and validates a JSON text. Text that is not strict JSON is <see cref="JsonSchemaOutcome.MalformedText"/> whatever the schema
    /// allows, so that what was validated is what every other reader will see.
    /// </summary>
    /// <param name="utf8Json">The text, UTF-8 without byte order mark.</param>
    /// <param name="maxErrors">How many errors to collect where the instance is invalid; 0 stops at the first fault and allocates nothing.</param>
    public JsonSchemaResult Validate(ReadOnlySpan<byte> utf8Json, int maxErrors = 0)
    {
        if (_fitsOnePass && IsValidInOnePass(utf8Json))
        {
            return _also is null ? new JsonSchemaResult(JsonSchemaOutcome.Valid, null, null) : _also.Validate(utf8Json, maxErrors);
        }

        JsonSchemaResult result = ValidateInTwoSteps(utf8Json, maxErrors);
        return _also is null || !result.IsValid ? result : _also.Validate(utf8Json, maxErrors);
    }

    /// <summary>The short way, which knows one answer; what it cannot tell is false.</summary>
    internal bool IsValidInOnePass(ReadOnlySpan<byte> utf8Json) =>
        (!_objectsOnly || StrictJsonParser.BeginsObject(utf8Json)) && OnePassValidator.IsValid(_root, utf8Json, _limits, _options.MaxSteps);

    /// <summary>The way of every text that the short one does not answer for: first parsed, then evaluated.</summary>
    internal JsonSchemaResult ValidateInTwoSteps(ReadOnlySpan<byte> utf8Json, int maxErrors = 0)
    {
        ValidationWorkspace workspace = ValidationWorkspace.Take();
        try
        {
            JsonTextFault fault = StrictJsonParser.Parse(utf8Json, _limits, workspace.Tape);
            if (fault != JsonTextFault.None)
            {
                return Unreadable(fault);
            }

            if (_objectsOnly && workspace.Tape.Tokens[0].Type != JsonTypes.Object)
            {
                return new JsonSchemaResult(JsonSchemaOutcome.Invalid, maxErrors > 0 ? NotAnObject : null, null);
            }

            var evaluator = new SchemaEvaluator(utf8Json, workspace, _options, _isDynamic);
            JsonSchemaOutcome outcome = evaluator.Run(_root);
            if (outcome == JsonSchemaOutcome.Invalid && maxErrors > 0)
            {
                var collector = new SchemaEvaluator(utf8Json, workspace, _options, _isDynamic, maxErrors);

                // Looking for every fault costs more than finding the first: where the steps run out on the way, what was found is enough.
                collector.Run(_root);
                return new JsonSchemaResult(JsonSchemaOutcome.Invalid, collector.Errors, null);
            }

            return new JsonSchemaResult(outcome, null, outcome == JsonSchemaOutcome.LimitExceeded ? SchemaEvaluator.LimitDetail : null);
        }
        finally
        {
            workspace.Return();
        }
    }

    /// <summary>
    /// Validates a parsed value, by its own text: an element keeps the bytes it was read from, and they are held to the same strictness
    /// (the element's reader lets lone surrogates and repeated names through). An undefined element is malformed.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The element's document is disposed.</exception>
    public JsonSchemaResult Validate(JsonElement instance, int maxErrors = 0) =>
        instance.ValueKind == JsonValueKind.Undefined
            ? Unreadable(JsonTextFault.Unread)
            : Validate(JsonMarshal.GetRawUtf8Value(instance), maxErrors);

    private static JsonSchemaResult Unreadable(JsonTextFault fault)
    {
        bool isLimit = fault is JsonTextFault.TooLarge or JsonTextFault.TooDeep or JsonTextFault.TooManyTokens or JsonTextFault.NumberTooLong;
        return new JsonSchemaResult(isLimit ? JsonSchemaOutcome.LimitExceeded : JsonSchemaOutcome.MalformedText, null, JsonTextFaults.Describe(fault));
    }
}
