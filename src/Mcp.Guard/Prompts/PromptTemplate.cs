using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;

namespace Mcp.Guard.Prompts;

/// <summary>
/// A named prompt from a file, with declared slots. The file is the author's; what fills the slots is data. A JSON file:
/// <code>
/// { "name": "summarise",
///   "slots": { "user": { "type": "text", "maxLength": 80 }, "count": { "type": "integer" }, "document": {} },
///   "text": "Summarise in {{count}} lines for {{user}}: {{document}}" }
/// </code>
/// Every slot is used in the text and every hole is declared; a key that is not listed here is an error.
/// </summary>
public sealed class PromptTemplate
{
    /// <summary>The longest template file, in bytes: 1 MiB.</summary>
    public const int MaxFileBytes = 1024 * 1024;

    private readonly List<(string Literal, PromptSlot? Slot)> segments;

    private PromptTemplate(string name, FrozenDictionary<string, PromptSlot> slots, List<(string Literal, PromptSlot? Slot)> segments)
    {
        Name = name;
        Slots = slots;
        this.segments = segments;
    }

    /// <summary>The name by which hosts and logs speak of the template.</summary>
    public string Name { get; }

    /// <summary>The declared slots by name.</summary>
    public IReadOnlyDictionary<string, PromptSlot> Slots { get; }

    /// <summary>Reads a template file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="PromptTemplateException">The file is too large or is no template; the message names what is wrong.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PromptTemplate Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream file = File.OpenRead(path);
        if (file.Length > MaxFileBytes)
        {
            throw new PromptTemplateException($"prompt template '{path}' is larger than {MaxFileBytes} bytes");
        }

        byte[] content = new byte[file.Length];
        file.ReadExactly(content);
        return Parse(content, path);
    }

    /// <summary>Reads a template from UTF-8 JSON text.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <exception cref="PromptTemplateException">The text is no template; the message names what is wrong.</exception>
    public static PromptTemplate Parse(ReadOnlyMemory<byte> utf8, string source = "template")
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Read(document.RootElement, source);
        }
        catch (JsonException e)
        {
            throw new PromptTemplateException($"prompt template '{source}' is not readable JSON: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new PromptTemplateException($"prompt template '{source}' holds text that is no Unicode: {e.Message}", e);
        }
    }

    /// <summary>Fills the slots. Every slot needs a value, and every value a slot.</summary>
    /// <param name="values">Values by slot name: strings, numbers of .NET, booleans.</param>
    /// <exception cref="PromptTemplateException">A slot has no value, a value has no slot, or its type is another.</exception>
    public GuardedPrompt Render(IReadOnlyDictionary<string, object> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach (string given in values.Keys)
        {
            if (!Slots.ContainsKey(given))
            {
                throw new PromptTemplateException($"prompt template '{Name}' has no slot '{given}'; its slots are {string.Join(", ", Slots.Keys.Order(StringComparer.Ordinal))}");
            }
        }

        var composer = new PromptComposer(segments.Sum(segment => segment.Literal.Length), Slots.Count);
        foreach ((string literal, PromptSlot? slot) in segments)
        {
            if (slot is null)
            {
                composer.AppendAuthor(literal);
                continue;
            }

            if (!values.TryGetValue(slot.Name, out object? value) || value is null)
            {
                throw new PromptTemplateException($"prompt template '{Name}' needs a value for its slot '{slot.Name}'");
            }

            composer.AppendData(Format(slot, value), slot.Name, slot.MaxLength);
        }

        return composer.ToPrompt();
    }

    private string Format(PromptSlot slot, object value)
    {
        string? text = (slot.Type, value) switch
        {
            (PromptSlotType.Text, string already) => already,
            (PromptSlotType.WholeNumber, int or long or short or byte or uint or ulong or ushort or sbyte) => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
            (PromptSlotType.Number, int or long or short or byte or uint or ulong or ushort or sbyte or double or float or decimal) => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
            (PromptSlotType.Boolean, bool flag) => flag ? "true" : "false",
            _ => null,
        };
        return text ?? throw new PromptTemplateException($"prompt template '{Name}': slot '{slot.Name}' takes a value of type {slot.Type}, found {value.GetType().Name}");
    }

    private static PromptTemplate Read(JsonElement root, string source)
    {
        Require(root.ValueKind == JsonValueKind.Object, source, "is not a JSON object");
        string? name = null;
        string? text = null;
        var slots = new Dictionary<string, PromptSlot>(StringComparer.Ordinal);
        foreach (JsonProperty property in root.EnumerateObject())
        {
            switch (property.Name)
            {
                case "name":
                    Require(property.Value.ValueKind == JsonValueKind.String, source, "'name' must be a string");
                    name = property.Value.GetString();
                    break;
                case "text":
                    Require(property.Value.ValueKind == JsonValueKind.String, source, "'text' must be a string");
                    text = property.Value.GetString();
                    break;
                case "slots":
                    Require(property.Value.ValueKind == JsonValueKind.Object, source, "'slots' must be an object");
                    foreach (JsonProperty slot in property.Value.EnumerateObject())
                    {
                        slots.Add(slot.Name, ReadSlot(slot, source));
                    }

                    break;
                default:
                    throw new PromptTemplateException($"prompt template '{source}': unknown key '{property.Name}'; the keys are name, slots, text");
            }
        }

        Require(!string.IsNullOrEmpty(name), source, "'name' is missing");
        Require(text is not null, source, "'text' is missing");
        List<(string, PromptSlot?)> segments = Split(text!, slots, source);
        foreach (string slot in slots.Keys)
        {
            Require(segments.Exists(segment => segment.Item2?.Name == slot), source, $"slot '{slot}' is declared but not used in 'text'");
        }

        return new PromptTemplate(name!, slots.ToFrozenDictionary(StringComparer.Ordinal), segments);
    }

    private static PromptSlot ReadSlot(JsonProperty slot, string source)
    {
        Require(slot.Name.Length is > 0 and <= 64 && slot.Name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'), source, $"slot name '{slot.Name}' must be 1 to 64 ASCII letters, digits or underscores");
        Require(slot.Value.ValueKind == JsonValueKind.Object, source, $"slot '{slot.Name}' must be an object");
        PromptSlotType type = PromptSlotType.Text;
        int maxLength = GuardedPromptInterpolatedStringHandler.DefaultMaxHoleLength;
        foreach (JsonProperty property in slot.Value.EnumerateObject())
        {
            switch (property.Name)
            {
                case "type":
                    type = property.Value.ValueKind != JsonValueKind.String ? (PromptSlotType)(-1) : property.Value.GetString() switch
                    {
                        "text" => PromptSlotType.Text,
                        "integer" => PromptSlotType.WholeNumber,
                        "number" => PromptSlotType.Number,
                        "boolean" => PromptSlotType.Boolean,
                        _ => (PromptSlotType)(-1),
                    };
                    Require(type >= 0, source, $"slot '{slot.Name}': 'type' must be text, integer, number or boolean");
                    break;
                case "maxLength":
                    Require(property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetInt32(out maxLength) && maxLength > 0, source, $"slot '{slot.Name}': 'maxLength' must be a whole number above 0");
                    break;
                default:
                    throw new PromptTemplateException($"prompt template '{source}': slot '{slot.Name}' has an unknown key '{property.Name}'; the keys are type, maxLength");
            }
        }

        return new PromptSlot(slot.Name, type, maxLength);
    }

    /// <summary>Literals and holes in order. Braces that open no hole are an error, so that a misspelt hole is never sent as text.</summary>
    private static List<(string Literal, PromptSlot? Slot)> Split(string text, Dictionary<string, PromptSlot> slots, string source)
    {
        var segments = new List<(string, PromptSlot?)>();
        int at = 0;
        while (at < text.Length)
        {
            int open = text.IndexOf("{{", at, StringComparison.Ordinal);
            string literal = open < 0 ? text[at..] : text[at..open];
            Require(!literal.Contains("}}", StringComparison.Ordinal), source, $"'}}}}' at character {at} closes nothing");
            if (literal.Length > 0)
            {
                segments.Add((literal, null));
            }

            if (open < 0)
            {
                break;
            }

            int close = text.IndexOf("}}", open, StringComparison.Ordinal);
            Require(close >= 0, source, $"the hole at character {open} is not closed");
            string name = text[(open + 2)..close].Trim();
            Require(slots.TryGetValue(name, out PromptSlot? slot), source, $"the hole '{name}' is not declared in 'slots'");
            segments.Add((string.Empty, slot));
            at = close + 2;
        }

        return segments;
    }

    private static void Require(bool holds, string source, string fault)
    {
        if (!holds)
        {
            throw new PromptTemplateException($"prompt template '{source}': {fault}");
        }
    }
}
