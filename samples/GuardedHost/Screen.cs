namespace GuardedHost;

/// <summary>Readable output, in colour where the terminal has it.</summary>
internal sealed class Screen
{
    private readonly bool _colour = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null;

    public void Title(string text) => Console.WriteLine($"\n{Paint("1", text)}");

    public void Step(string text) => Console.WriteLine($"\n{Paint("1;36", "> " + text)}");

    public void Allowed(string text) => Console.WriteLine($"  {Paint("32", "allowed")}  {OneLine(text)}");

    public void Denied(string text) => Console.WriteLine($"  {Paint("31", "denied ")}  {OneLine(text)}");

    public void Note(string text) => Console.WriteLine($"           {Paint("2", OneLine(text))}");

    public void Ask(string question, string detail)
    {
        Console.WriteLine($"  {Paint("33", "asked  ")}  {question}");
        Console.WriteLine($"           {Paint("2", OneLine(detail))}");
    }

    public void Answer(string text) => Console.WriteLine($"  {Paint("33", "answer ")}  {text}");

    public void Prompt(string text) => Console.Write($"  {Paint("33", text)}");

    private static string OneLine(string text)
    {
        string line = text.ReplaceLineEndings(" | ");
        return line.Length <= 160 ? line : line[..157] + "...";
    }

    private string Paint(string code, string text) => _colour ? $"\u001b[{code}m{text}\u001b[0m" : text;
}
