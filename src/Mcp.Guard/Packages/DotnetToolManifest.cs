using System.Xml;

namespace Mcp.Guard.Packages;

/// <summary>Reads DotnetToolSettings.xml: which file of a .NET tool is its command, and whether <c>dotnet</c> runs it.</summary>
/// <param name="Command">The command's name.</param>
/// <param name="EntryPoint">The file beside the settings.</param>
/// <param name="IsAssembly">True where <c>dotnet</c> runs it, false for a program of its own.</param>
internal sealed record DotnetToolManifest(string Command, string EntryPoint, bool IsAssembly)
{
    public const string FileName = "DotnetToolSettings.xml";

    private const int MaxCharacters = 1 << 20;

    /// <summary>The manifest; null where the text is none, or names several commands.</summary>
    public static DotnetToolManifest? Read(Stream xml)
    {
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MaxCharacters };
        DotnetToolManifest? found = null;
        try
        {
            using var reader = XmlReader.Create(xml, settings);
            while (reader.Read())
            {
                if (reader.NodeType != XmlNodeType.Element || reader.LocalName != "Command")
                {
                    continue;
                }

                if (found is not null || reader.GetAttribute("Name") is not { Length: > 0 } name || reader.GetAttribute("EntryPoint") is not { Length: > 0 } entry)
                {
                    return null;
                }

                string? runner = reader.GetAttribute("Runner");
                if (runner is not ("dotnet" or "executable"))
                {
                    return null;
                }

                found = new DotnetToolManifest(name, entry, runner == "dotnet");
            }
        }
        catch (XmlException)
        {
            return null;
        }

        return found;
    }
}
