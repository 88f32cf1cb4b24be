namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>What a caller may decide about a schema without evaluating it.</summary>
internal enum SchemaShape : byte
{
    /// <summary>Has to be evaluated.</summary>
    General = 0,

    /// <summary>Allows everything.</summary>
    Anything,

    /// <summary>Allows nothing.</summary>
    Nothing,

    /// <summary>Only <c>type</c>.</summary>
    TypeOnly,
}
