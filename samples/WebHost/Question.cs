namespace WebHost;

/// <summary>A question as a page shows it: names first, arguments in the form that hides nothing.</summary>
internal sealed record Question(string Id, string Tool, string Server, string Arguments, string[] Reasons, DateTimeOffset Deadline);
