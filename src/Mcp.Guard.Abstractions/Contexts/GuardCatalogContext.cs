namespace Mcp.Guard;

/// <summary>The result of a list request: tools, prompts, resources or resource templates, before the model sees it.</summary>
public abstract class GuardCatalogContext : GuardContext
{
    /// <inheritdoc/>
    public sealed override GuardBoundary Boundary => GuardBoundary.Catalog;
}
