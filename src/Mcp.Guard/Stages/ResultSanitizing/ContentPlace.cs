namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Where a value stands in a result, as far as it matters: content blocks and resources hold binary data and the text for the model.</summary>
internal enum ContentPlace
{
    /// <summary>Structured content, metadata, an error: every string is text.</summary>
    Elsewhere = 0,

    /// <summary>A whole result.</summary>
    Result,

    /// <summary>The <c>content</c> of a tool result or prompt message: a list of blocks, or one block.</summary>
    Blocks,

    /// <summary>The <c>contents</c> of a resource that was read.</summary>
    Resources,

    /// <summary>One embedded or read resource.</summary>
    Resource,

    /// <summary>The <c>messages</c> of a prompt.</summary>
    Messages,

    /// <summary>Base64 data of a block.</summary>
    BlockData,

    /// <summary>Base64 data of a resource.</summary>
    ResourceBlob,

    /// <summary>The text of a block or resource: what a model reads.</summary>
    Text,
}
