using System.Text.Json;

namespace Mcp.Guard.Policy;

/// <summary>One value of a policy document with the place where it stands, so that an error can name line, column and pointer.</summary>
internal sealed class PolicyNode
{
    private static readonly List<PolicyMember> NoMembers = [];
    private static readonly List<PolicyNode> NoItems = [];

    private readonly PolicyNode? _parent;
    private readonly string? _name;
    private readonly int _index;

    public PolicyNode(JsonValueKind kind, int start, PolicyNode? parent, string? name)
    {
        Kind = kind;
        Start = start;
        End = start;
        _parent = parent;
        _name = name;
        _index = parent is { Kind: JsonValueKind.Array } ? parent.Items.Count : -1;
        Members = kind == JsonValueKind.Object ? [] : NoMembers;
        Items = kind == JsonValueKind.Array ? [] : NoItems;
    }

    public JsonValueKind Kind { get; }

    /// <summary>Offset of the first byte.</summary>
    public int Start { get; }

    /// <summary>Offset behind the last byte.</summary>
    public int End { get; set; }

    /// <summary>The value of a string without escapes, or the literal of a number; null for anything else.</summary>
    public string? Text { get; set; }

    public List<PolicyMember> Members { get; }

    public List<PolicyNode> Items { get; }

    public PolicyNode? Find(string name)
    {
        foreach (PolicyMember member in Members)
        {
            if (string.Equals(member.Name, name, StringComparison.Ordinal))
            {
                return member.Value;
            }
        }

        return null;
    }

    /// <summary>The JSON Pointer of this value.</summary>
    public string Pointer()
    {
        var tokens = new Stack<string>();
        for (PolicyNode node = this; node._parent is not null; node = node._parent)
        {
            tokens.Push(node._name ?? node._index.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        return tokens.Count == 0 ? string.Empty : string.Concat(tokens.Select(token => "/" + EscapeToken(token)));
    }

    /// <summary>The deepest existing value on the way that a JSON Pointer describes from here.</summary>
    public PolicyNode Nearest(string pointer)
    {
        PolicyNode node = this;
        foreach (string raw in pointer.Split('/').Skip(1))
        {
            string token = raw.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            PolicyNode? next = node.Kind switch
            {
                JsonValueKind.Object => node.Find(token),
                JsonValueKind.Array when int.TryParse(token, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int index)
                    && index < node.Items.Count => node.Items[index],
                _ => null,
            };
            if (next is null)
            {
                return node;
            }

            node = next;
        }

        return node;
    }

    public static string EscapeToken(string token) => token.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
