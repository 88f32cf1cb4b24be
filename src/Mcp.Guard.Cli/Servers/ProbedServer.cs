using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Cli.Servers;

/// <summary>What a server offered when it was asked once, as the guard judged it.</summary>
/// <param name="Tools">Every tool with a readable definition, ordered by name, those too that the policy hides from models.</param>
/// <param name="Pins">What a first sight would pin: fingerprints of tools and instructions.</param>
/// <param name="Reviews">What is not as it was pinned.</param>
/// <param name="HasPrompts">Whether it says that it has prompts.</param>
/// <param name="HasResources">Whether it says that it has resources.</param>
internal sealed record ProbedServer(IReadOnlyList<ToolEntry> Tools, PinnedCatalog Pins, IReadOnlyList<ToolReview> Reviews, bool HasPrompts, bool HasResources);
