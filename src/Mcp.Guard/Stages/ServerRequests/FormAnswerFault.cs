namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>Why an answer to a form is not sent to the server. The default refuses.</summary>
internal enum FormAnswerFault
{
    /// <summary>Nothing was judged.</summary>
    NotJudged = 0,

    /// <summary>The form itself is refused, or its schema does not compile.</summary>
    Form,

    /// <summary>The answer is no object, or larger than a form's answer can be.</summary>
    NotAnAnswer,

    /// <summary>The answer holds a field that the form does not ask for.</summary>
    UnknownField,

    /// <summary>A field does not satisfy the form's schema.</summary>
    Invalid,

    /// <summary>The schema engine ended without an answer.</summary>
    Limit,

    /// <summary>The answer may be sent.</summary>
    None,
}
