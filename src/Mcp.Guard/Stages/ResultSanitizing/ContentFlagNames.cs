namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>The kebab-case names of <see cref="ContentFlags"/>, as they stand in audit records and in <c>mcp-guard explain text</c>.</summary>
internal static class ContentFlagNames
{
    private static readonly (ContentFlags Flag, string Name)[] Names =
    [
        (ContentFlags.HiddenUnicode, "hidden-unicode"),
        (ContentFlags.Bidi, "bidi"),
        (ContentFlags.Control, "control"),
        (ContentFlags.Terminal, "terminal"),
        (ContentFlags.BadName, "bad-name"),
        (ContentFlags.NameCollision, "name-collision"),
        (ContentFlags.RemoteResource, "remote-resource"),
        (ContentFlags.ActiveContent, "active-content"),
        (ContentFlags.HiddenMarkup, "hidden-markup"),
        (ContentFlags.RoleMarker, "role-marker"),
        (ContentFlags.InstructionLike, "instruction-like"),
    ];

    public static IReadOnlyList<string> Of(ContentFlags flags)
    {
        if (flags == ContentFlags.None)
        {
            return [];
        }

        var names = new List<string>(4);
        foreach ((ContentFlags flag, string name) in Names)
        {
            if ((flags & flag) != 0)
            {
                names.Add(name);
            }
        }

        return names;
    }
}
