using System.Collections.Concurrent;

namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>A terminal at which a test types.</summary>
internal sealed class ScriptedTerminal : TextReader
{
    private readonly BlockingCollection<string> _lines = [];
    private readonly StringWriter _output = new();

    public ScriptedTerminal() => Output = TextWriter.Synchronized(_output);

    /// <summary>What the provider writes to; its methods lock it.</summary>
    public TextWriter Output { get; }

    public string Written
    {
        get
        {
            lock (Output)
            {
                return _output.ToString();
            }
        }
    }

    public void Type(string line) => _lines.Add(line);

    public override string? ReadLine() => _lines.Take();

    /// <summary>Takes away what was written.</summary>
    public void Forget()
    {
        lock (Output)
        {
            _output.GetStringBuilder().Clear();
        }
    }

    /// <summary>The number that the question asks for.</summary>
    public async Task<string> NumberAsync()
    {
        const string Mark = "once ";
        await ConsentScenarioTests.Until(() => Written.EndsWith("> ", StringComparison.Ordinal));
        int at = Written.IndexOf(Mark, StringComparison.Ordinal) + Mark.Length;
        return Written.Substring(at, 4);
    }

    protected override void Dispose(bool disposing)
    {
        _output.Dispose();
        _lines.Dispose();
        base.Dispose(disposing);
    }
}
