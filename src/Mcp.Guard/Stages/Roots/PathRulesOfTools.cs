using System.Collections.Concurrent;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.Roots;

/// <summary>The path rules of one policy setting, compiled for each tool definition that it meets. Bounded.</summary>
internal sealed class PathRulesOfTools
{
    private const int Capacity = 10_000;

    private readonly ConcurrentDictionary<string, PathArgumentRules> _byFingerprint = new(StringComparer.Ordinal);

    public PathArgumentRules For(PathSettings settings, ToolEntry tool)
    {
        if (_byFingerprint.TryGetValue(tool.Definition.Fingerprint, out PathArgumentRules? known))
        {
            return known;
        }

        PathArgumentMode mode = settings.Detection == PathDetection.Declared ? PathArgumentMode.Declared : PathArgumentMode.Auto;
        if (!PathArgumentRules.TryCreate(mode, settings.Arguments, settings.Content, tool.InputSchemaJson, out PathArgumentRules? rules, out string problem))
        {
            throw new InvalidOperationException($"The paths of a rule cannot be compiled: {problem}");
        }

        if (_byFingerprint.Count >= Capacity)
        {
            _byFingerprint.Clear();
        }

        return _byFingerprint.GetOrAdd(tool.Definition.Fingerprint, rules!);
    }
}
