namespace Mcp.Guard.Tests.Fuzz;

/// <summary>A parser or reader that hostile input reaches, and what holds of it whatever the input is.</summary>
/// <param name="Name">Its name; seeds of its own and what was once found lie in <c>tests/fuzz/NAME</c>, one input a file.</param>
/// <param name="IsOfBytes">Whether it reads bytes; each character of an input is one byte then.</param>
/// <param name="Seeds">Where the inputs begin: the cases of our own corpus.</param>
/// <param name="Tokens">What its parser stumbles over.</param>
/// <param name="Try">Judges one input; throws where something does not hold.</param>
internal sealed record FuzzTarget(string Name, bool IsOfBytes, Func<IEnumerable<string>> Seeds, string[] Tokens, Action<string> Try)
{
    public override string ToString() => Name;
}
