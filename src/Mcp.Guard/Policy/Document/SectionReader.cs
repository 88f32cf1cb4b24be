using System.Globalization;
using System.Text.Json;

namespace Mcp.Guard.Policy;

/// <summary>Reads the members of one object of the document: knows its keys, checks types and ranges, and reports what is wrong where it stands.</summary>
internal sealed class SectionReader
{
    private readonly PolicySection _section;
    private readonly PolicyProblems _problems;

    private SectionReader(PolicyNode node, PolicySection section, PolicyProblems problems)
    {
        Node = node;
        _section = section;
        _problems = problems;
    }

    public PolicyNode Node { get; }

    /// <summary>Opens an object and refuses the keys that it may not have; null where it is no object.</summary>
    public static SectionReader? Open(PolicyNode node, PolicySection section, PolicyProblems problems)
    {
        if (!Is(node, JsonValueKind.Object, problems))
        {
            return null;
        }

        foreach (PolicyMember member in node.Members)
        {
            if (!section.Keys.Contains(member.Name, StringComparer.Ordinal))
            {
                string? near = PolicyText.Nearest(member.Name, section.Keys);
                string known = "Known keys are " + string.Join(", ", section.Keys);
                problems.Error(
                    member.NameStart,
                    member.Value.Pointer(),
                    $"unknown key {PolicyText.Quote(member.Name)}",
                    near is null ? known : $"Did you mean '{near}'? {known}");
            }
        }

        return new(node, section, problems);
    }

    /// <summary>Checks the type of a value.</summary>
    public static bool Is(PolicyNode node, JsonValueKind kind, PolicyProblems problems)
    {
        if (node.Kind == kind)
        {
            return true;
        }

        problems.Error(node, $"this must be {NameOf(kind)}, and is {NameOf(node.Kind)}", $"Write {NameOf(kind)}");
        return false;
    }

    public static string NameOf(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        _ => "null",
    };

    /// <summary>The value of a key that this kind of object knows, or null.</summary>
    public PolicyNode? Find(string key)
    {
        if (!_section.Keys.Contains(key, StringComparer.Ordinal))
        {
            throw new InvalidOperationException($"The reader asks section '{_section.Name}' for '{key}', which the section does not list.");
        }

        return Node.Find(key);
    }

    /// <summary>The opened object of a key, or null.</summary>
    public SectionReader? Section(string key, PolicySection section) => Find(key) is { } node ? Open(node, section, _problems) : null;

    public bool? Flag(string key)
    {
        if (Find(key) is not { } node)
        {
            return null;
        }

        switch (node.Kind)
        {
            case JsonValueKind.True:
                return true;
            case JsonValueKind.False:
                return false;
            default:
                Is(node, JsonValueKind.True, _problems);
                return null;
        }
    }

    public string? Text(string key, int longest = 4_096) => Find(key) is { } node ? Text(node, _problems, longest) : null;

    /// <summary>A text that is neither empty nor blank and holds no control character.</summary>
    public static string? Text(PolicyNode node, PolicyProblems problems, int longest = 4_096)
    {
        if (!Is(node, JsonValueKind.String, problems))
        {
            return null;
        }

        string text = node.Text!;
        if (string.IsNullOrWhiteSpace(text))
        {
            problems.Error(node, text.Length == 0 ? "this is empty" : "this is blank", "Write a value, or remove the key");
            return null;
        }

        if (text.Length > longest)
        {
            problems.Error(node, $"this has {text.Length} characters", $"At most {longest} are permitted");
            return null;
        }

        if (PolicyText.HasControl(text))
        {
            problems.Error(node, "this holds a control character", "Remove it");
            return null;
        }

        return text;
    }

    public int? Integer(string key, int least, int most) => (int?)Long(key, least, most);

    public long? Long(string key, long least, long most)
    {
        if (Find(key) is not { } node || !Is(node, JsonValueKind.Number, _problems))
        {
            return null;
        }

        if (!long.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) || value < least || value > most)
        {
            _problems.Error(node, $"{PolicyText.Quote(node.Text!)} is not permitted here", $"Write a whole number from {least} to {most}");
            return null;
        }

        return value;
    }

    public decimal? Decimal(string key, decimal least, decimal most)
    {
        if (Find(key) is not { } node || !Is(node, JsonValueKind.Number, _problems))
        {
            return null;
        }

        if (!decimal.TryParse(node.Text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value)
            || value < least || value > most)
        {
            _problems.Error(
                node,
                $"{PolicyText.Quote(node.Text!)} is not permitted here",
                string.Create(CultureInfo.InvariantCulture, $"Write a number from {least} to {most}"));
            return null;
        }

        return value;
    }

    public TimeSpan? Duration(string key, TimeSpan least, TimeSpan most)
    {
        if (Find(key) is not { } node)
        {
            return null;
        }

        string range = $"Write a duration from \"{PolicyText.Duration(least)}\" to \"{PolicyText.Duration(most)}\": a whole number with ms, s, m, h or d, as in \"30s\"";
        if (node.Kind != JsonValueKind.String)
        {
            _problems.Error(node, $"this must be a duration, and is {NameOf(node.Kind)}", range);
            return null;
        }

        if (!PolicyText.TryDuration(node.Text!, out TimeSpan value) || value < least || value > most)
        {
            _problems.Error(node, $"{PolicyText.Quote(node.Text!)} is not permitted here", range);
            return null;
        }

        return value;
    }

    /// <summary>A number of bytes: a whole number, or a text such as "512MiB".</summary>
    public long? Size(string key, long least, long most)
    {
        if (Find(key) is not { } node)
        {
            return null;
        }

        long value = 0;
        bool read = node.Kind switch
        {
            JsonValueKind.Number => long.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value),
            JsonValueKind.String => PolicyText.TrySize(node.Text!, out value),
            _ => false,
        };
        if (!read || value < least || value > most)
        {
            string found = node.Text is null ? NameOf(node.Kind) : PolicyText.Quote(node.Text);
            _problems.Error(node, $"{found} is not permitted here", $"Write a size from {least} to {most} bytes, as in 65536 or \"512MiB\"");
            return null;
        }

        return value;
    }

    public T? Word<T>(string key, (string Word, T Value)[] words)
        where T : struct => Find(key) is { } node && TryWord(node, words, out T value) ? value : null;

    /// <summary>One of a fixed set of words.</summary>
    public bool TryWord<T>(PolicyNode node, (string Word, T Value)[] words, out T value)
    {
        value = default!;
        if (!Is(node, JsonValueKind.String, _problems))
        {
            return false;
        }

        foreach ((string word, T meaning) in words)
        {
            if (string.Equals(word, node.Text, StringComparison.Ordinal))
            {
                value = meaning;
                return true;
            }
        }

        string? near = PolicyText.Nearest(node.Text!, words.Select(word => word.Word));
        string known = "Write one of " + string.Join(", ", words.Select(word => $"\"{word.Word}\""));
        _problems.Error(node, $"{PolicyText.Quote(node.Text!)} is not known here", near is null ? known : $"Did you mean '{near}'? {known}");
        return false;
    }

    /// <summary>The elements of a list, or null where there is none.</summary>
    public IReadOnlyList<PolicyNode>? List(string key, int least, int most)
    {
        if (Find(key) is not { } node || !Is(node, JsonValueKind.Array, _problems))
        {
            return null;
        }

        if (node.Items.Count < least || node.Items.Count > most)
        {
            _problems.Error(node, $"this list has {node.Items.Count} elements", $"Write {least} to {most}, or remove the key");
            return null;
        }

        return node.Items;
    }

    /// <summary>A list of texts, each once.</summary>
    public List<string>? Texts(string key, int most, int longest = 4_096, int least = 0)
    {
        if (List(key, least, most) is not { } items)
        {
            return null;
        }

        var texts = new List<string>(items.Count);
        var seen = new HashSet<string>(items.Count, StringComparer.Ordinal);
        foreach (PolicyNode item in items)
        {
            if (Text(item, _problems, longest) is { } text)
            {
                if (!seen.Add(text))
                {
                    _problems.Error(item, $"{PolicyText.Quote(text)} is listed twice", "Keep one of the two");
                }

                texts.Add(text);
            }
        }

        return texts;
    }
}
