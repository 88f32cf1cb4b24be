using System.Collections.Frozen;

namespace Mcp.Guard.Policy;

/// <summary>A server from a package that was installed into the guard's store.</summary>
internal sealed record PackageEndpoint : ServerEndpoint
{
    public required PackageKind Kind { get; init; }

    public required string Name { get; init; }

    /// <summary>One exact version.</summary>
    public required string Version { get; init; }

    /// <summary>Which of the package's commands; null where it has one.</summary>
    public string? Executable { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The whole environment that the policy grants.</summary>
    public FrozenDictionary<string, PolicyValue> Environment { get; init; } = FrozenDictionary<string, PolicyValue>.Empty;

    public override string Describe()
    {
        string package = $"{(Kind == PackageKind.Npm ? "npm" : "dotnet")}:{Name}@{Version}";
        return Join(Executable is null ? package : package + "#" + Executable, Arguments);
    }
}
