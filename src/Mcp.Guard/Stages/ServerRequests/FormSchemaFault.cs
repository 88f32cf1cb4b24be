namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>Why a form that a server wants to show is refused. The default refuses.</summary>
internal enum FormSchemaFault
{
    /// <summary>Nothing was judged.</summary>
    NotJudged = 0,

    /// <summary>The schema is no object schema of properties.</summary>
    NotAnObject,

    /// <summary>More fields, or longer choices, than a person can read.</summary>
    TooLarge,

    /// <summary>A field is neither a string, a number, a boolean nor a choice.</summary>
    FieldType,

    /// <summary>A keyword that MCP does not allow in forms, or of the wrong type.</summary>
    Keyword,

    /// <summary>A field asks for a secret: those never go through a form (MCP, elicitation, security considerations).</summary>
    SecretField,

    /// <summary>A name that hides characters or is no plain name.</summary>
    FieldName,

    /// <summary>"required" names no field.</summary>
    Required,

    /// <summary>The form may be shown.</summary>
    None,
}
