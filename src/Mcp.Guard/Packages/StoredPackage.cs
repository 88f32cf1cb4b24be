namespace Mcp.Guard.Packages;

/// <summary>One verified package of the store, ready to be started.</summary>
/// <param name="Folder">Its folder, absolute, links resolved.</param>
/// <param name="Runtime">The program that runs it (<c>node</c>, <c>dotnet</c>); null where the entry is a program itself.</param>
/// <param name="Entry">The script, assembly or program, absolute, inside <paramref name="Folder"/>.</param>
/// <param name="Tree">The SHA-512 that was verified.</param>
internal sealed record StoredPackage(string Folder, string? Runtime, string Entry, string Tree);
