using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;

namespace Mcp.Guard.Docs.Tests;

/// <summary>Reads what portable symbols and assemblies say about where they were built. Symbols store a path in pieces, so a search for its text finds nothing.</summary>
internal static class SymbolFile
{
    /// <summary>The kind of custom debug information that holds SourceLink (portable PDB specification).</summary>
    private static readonly Guid SourceLinkKind = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    /// <summary>The names of all documents of a portable PDB.</summary>
    public static string[] Documents(byte[] pdb)
    {
        using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(pdb));
        MetadataReader reader = provider.GetMetadataReader();
        return [.. reader.Documents.Select(handle => reader.GetString(reader.GetDocument(handle).Name))];
    }

    /// <summary>The SourceLink document of a portable PDB; null where it has none.</summary>
    public static string? SourceLink(byte[] pdb)
    {
        using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(pdb));
        MetadataReader reader = provider.GetMetadataReader();
        foreach (CustomDebugInformationHandle handle in reader.CustomDebugInformation)
        {
            CustomDebugInformation information = reader.GetCustomDebugInformation(handle);
            if (reader.GetGuid(information.Kind) == SourceLinkKind)
            {
                return Encoding.UTF8.GetString(reader.GetBlobBytes(information.Value));
            }
        }

        return null;
    }

    /// <summary>Whether an assembly says that the same sources give the same bytes, and where it looks for its symbols.</summary>
    public static (bool IsReproducible, string[] Symbols) DebugDirectory(byte[] assembly)
    {
        using var reader = new PEReader(new MemoryStream(assembly));
        DebugDirectoryEntry[] entries = [.. reader.ReadDebugDirectory()];
        return (
            entries.Any(static entry => entry.Type == DebugDirectoryEntryType.Reproducible),
            [.. entries.Where(static entry => entry.Type == DebugDirectoryEntryType.CodeView).Select(entry => reader.ReadCodeViewDebugDirectoryData(entry).Path)]);
    }
}
