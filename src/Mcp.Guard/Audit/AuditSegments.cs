namespace Mcp.Guard.Audit;

/// <summary>Finds the segments among the files of a folder.</summary>
internal static class AuditSegments
{
    /// <summary>The names of the segments, in the order of their numbers; other files are left out.</summary>
    public static List<string> Ordered(IReadOnlyList<string> files)
    {
        var names = new List<string>(files.Count);
        foreach (string file in files)
        {
            if (AuditSegmentName.TryParse(file, out _))
            {
                names.Add(file);
            }
        }

        // The number has a fixed width and comes first, so the order of the texts is the order of the numbers.
        names.Sort(StringComparer.Ordinal);
        return names;
    }
}
