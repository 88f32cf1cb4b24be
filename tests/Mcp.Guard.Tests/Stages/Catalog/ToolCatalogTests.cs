using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Catalog;

namespace Mcp.Guard.Tests.Stages.Catalog;

/// <summary>Lists that come page by page: what stays of the old one, which cursors are known, when a list is whole.</summary>
[TestFixture]
internal sealed class ToolCatalogTests
{
    private static readonly ToolEntry Entry = Make();

    [Test]
    public void Before_Cursor_IsWhatCameUpToIt()
    {
        var catalog = new ToolCatalog(null!);
        IReadOnlyDictionary<string, ToolEntry> first = Named("a");
        IReadOnlyDictionary<string, ToolEntry> again = Named("b");
        Assert.That(catalog.Before(null), Is.Empty);
        Assert.That(catalog.Before("p2"), Is.Null);
        catalog.Take(first, isFirstSight: false, isWhole: true, "p2");
        Assert.That(catalog.Before("p2"), Is.SameAs(first));
        catalog.Take(again, isFirstSight: false, isWhole: true, "p2");
        Assert.That(catalog.Before("p2"), Is.SameAs(again));
        Assert.That(catalog.Before("P2"), Is.Null);
    }

    [Test]
    public void Before_MoreThanEightUnfinishedLists_TheOldestIsGivenUp()
    {
        var catalog = new ToolCatalog(null!);
        for (int i = 0; i < 9; i++)
        {
            catalog.Take(Named("a"), isFirstSight: false, isWhole: true, $"p{i}");
            Assert.That(catalog.Before("p0"), i < 8 ? Is.Not.Null : Is.Null);
        }

        Assert.That(Enumerable.Range(1, 8).Select(i => catalog.Before($"p{i}")), Has.None.Null);
    }

    [Test]
    public void Take_LastPage_ReplacesTheListAndIsNotStale()
    {
        var catalog = new ToolCatalog(null!);
        Assert.That(catalog.IsStale, Is.True);
        catalog.Take(Named("a"), isFirstSight: true, isWhole: true, null);
        Assert.That((catalog.IsStale, catalog.IsFirstSightOpen), Is.EqualTo((false, false)));
        catalog.MarkStale();
        Assert.That(catalog.IsStale, Is.True);
        catalog.Take(Named("b"), isFirstSight: true, isWhole: true, "p2");
        Assert.That((catalog.IsStale, catalog.IsFirstSightOpen), Is.EqualTo((true, true)));
        Assert.That(catalog.Tools.Keys, Is.EquivalentTo(new[] { "a", "b" }), "the old list stays until the last page has come");
        catalog.Take(Named("c"), isFirstSight: false, isWhole: false, null);
        Assert.That(catalog.Tools.Keys, Is.EquivalentTo(new[] { "a", "b", "c" }), "earlier pages are not known");
        Assert.That(catalog.IsStale, Is.True);
        catalog.Take(Named("d"), isFirstSight: false, isWhole: true, null);
        Assert.That(catalog.Tools.Keys, Is.EquivalentTo(new[] { "d" }));
        Assert.That((catalog.IsStale, catalog.IsFirstSightOpen), Is.EqualTo((false, false)));
    }

    [TestCase(ToolCatalog.MaxTools, 2 * ToolCatalog.MaxTools)]
    [TestCase(ToolCatalog.MaxTools + 1, ToolCatalog.MaxTools + 1)]
    public void Take_UnfinishedList_IsBounded(int page, int expected)
    {
        var catalog = new ToolCatalog(null!);
        catalog.Take(Named([.. Enumerable.Range(0, ToolCatalog.MaxTools).Select(i => $"old_{i}")]), isFirstSight: false, isWhole: true, null);
        catalog.Take(Named([.. Enumerable.Range(0, page).Select(i => $"new_{i}")]), isFirstSight: false, isWhole: true, "p2");
        Assert.That(catalog.Tools, Has.Count.EqualTo(expected));
    }

    private static Dictionary<string, ToolEntry> Named(params string[] names) => names.ToDictionary(name => name, _ => Entry, StringComparer.Ordinal);

    private static ToolEntry Make()
    {
        JsonElement item = JsonDocument.Parse("""{"name":"a","inputSchema":{"type":"object"}}""").RootElement;
        var schema = SchemaCompilation.Rejected(new SchemaRejection("missing", string.Empty, "none"));
        return new ToolEntry(new McpToolDefinition("a", item, new string('a', 64)), ToolPinState.Pinned, ToolHints.Read(item), schema, null, ToolText.Of(item, "name"u8));
    }
}
