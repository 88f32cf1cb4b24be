using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Mcp.Guard.Cli.Terminal;

/// <summary>
/// What a verb says, and to whom: results on standard output, progress, warnings and errors on standard error. Every text is made harmless here
/// (<see cref="TerminalText"/>), and no markup language is spoken, so that a verb cannot forget to escape. With <c>--json</c> standard output holds one JSON
/// value and nothing else.
/// </summary>
internal sealed class CommandTerminal : IDisposable
{
    private static readonly JsonWriterOptions JsonOptions = new() { Indented = true, Encoder = JavaScriptEncoder.Default };

    /// <summary>Work that takes longer than this is announced.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(700);

    /// <summary>A column of names is kept whole where none is longer: half the room is left to the others.</summary>
    private const int LongestWhole = 40;

    private readonly TerminalStreams _streams;
    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private IAnsiConsole? _outputConsole;
    private IAnsiConsole? _errorConsole;

    public CommandTerminal(TerminalStreams streams, bool isJson = false)
    {
        _streams = streams;
        IsJson = isJson;
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        _output = new StreamWriter(streams.Output, utf8, leaveOpen: true) { AutoFlush = true };
        _error = new StreamWriter(streams.Error, utf8, leaveOpen: true) { AutoFlush = true };
    }

    /// <summary>Whether the verb was asked for one JSON value on standard output (<c>--json</c>).</summary>
    public bool IsJson { get; }

    /// <summary>Columns that a line of output may have.</summary>
    public int Width => _streams.Width;

    // Made when something is written: a gateway starts without them.
    private IAnsiConsole OutputConsole => _outputConsole ??= CreateConsole(_output, _streams.OutputIsTerminal);

    private IAnsiConsole ErrorConsole => _errorConsole ??= CreateConsole(_error, _streams.ErrorIsTerminal);

    /// <summary>A line of the result. Nothing with <c>--json</c>.</summary>
    public void Line(string text = "", Tone tone = Tone.Plain)
    {
        if (!IsJson)
        {
            WriteLine(OutputConsole, _output, _streams.OutputIsTerminal, text, tone);
        }
    }

    /// <summary>A document of the guard's own making as it is, such as a script or a YAML file: printable ASCII and line feeds only.</summary>
    /// <exception cref="ArgumentException">It holds anything else, so that it was not escaped by whoever wrote it.</exception>
    public void Text(string document)
    {
        if (document.AsSpan().IndexOfAnyExceptInRange(' ', '~') >= 0 && document.AsSpan().Count('\n') != document.Count(static c => c is < ' ' or > '~'))
        {
            throw new ArgumentException("A document is printable ASCII and line feeds.", nameof(document));
        }

        if (!IsJson)
        {
            _output.Write(document);
        }
    }

    /// <summary>A table of the result. Nothing with <c>--json</c>.</summary>
    public void Write(TerminalTable table)
    {
        if (IsJson)
        {
            return;
        }

        IRenderable rendered = Render(table);
        if (_streams.OutputIsTerminal)
        {
            OutputConsole.Write(rendered);
            return;
        }

        // Tables are padded to their width; in files and pipes that is noise.
        var text = new StringWriter();
        IAnsiConsole console = CreateConsole(text, isTerminal: false);
        console.Write(rendered);
        foreach (string line in text.ToString().TrimEnd().Split('\n'))
        {
            _output.WriteLine(line.TrimEnd());
        }
    }

    /// <summary>The result as JSON: calls <paramref name="write"/> inside an open object, and ends the line. Only with <c>--json</c>.</summary>
    public void Json(Action<Utf8JsonWriter> write)
    {
        if (!IsJson)
        {
            return;
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, JsonOptions))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        _streams.Output.Write(buffer.WrittenSpan);
        _streams.Output.WriteByte((byte)'\n');
        _streams.Output.Flush();
    }

    /// <summary>A line about the work, on standard error: never part of the result.</summary>
    public void Note(string text, Tone tone = Tone.Faint) => WriteLine(ErrorConsole, _error, _streams.ErrorIsTerminal, text, tone);

    /// <summary>Something that is permitted but worth a look, on standard error.</summary>
    public void Warn(string text) => Note("warning: " + text, Tone.Caution);

    /// <summary>What is wrong, where, and the next step, on standard error; with <c>--json</c> also as the JSON value.</summary>
    /// <param name="verb">The verb as typed, such as <c>audit verify</c>.</param>
    /// <param name="fault">What happened.</param>
    public void Fault(string verb, FaultReport fault)
    {
        foreach (GuardPolicyError error in fault.Errors)
        {
            Note(error.ToString(), Tone.Bad);
        }

        foreach (string detail in fault.Details)
        {
            Note(detail);
        }

        string name = verb.Length == 0 ? "mcp-guard" : "mcp-guard " + verb;
        Note($"{name}: {fault.Message}", Tone.Bad);
        if (fault.Next.Length > 0)
        {
            Note(fault.Next, Tone.Plain);
        }

        Json(json =>
        {
            json.WriteStartObject("error");
            json.WriteString("message", fault.Message);
            json.WriteString("next", fault.Next);
            json.WriteTexts("details", fault.Details);
            json.WriteStartArray("errors");
            foreach (GuardPolicyError error in fault.Errors)
            {
                PolicyErrorJson.Write(json, error);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>Asks on standard error; yes is <c>y</c> or <c>yes</c>, everything else and the end of the input is no.</summary>
    public bool Confirm(string question)
    {
        WriteInline($"{question} [y/N] ");
        string? answer = _streams.Input.ReadLine();
        if (answer is null || !_streams.ErrorIsTerminal)
        {
            _error.WriteLine();
        }

        return answer?.Trim() is { } said && (said.Equals("y", StringComparison.OrdinalIgnoreCase) || said.Equals("yes", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Runs work; where it takes longer than a moment, says so on standard error: a moving line on a terminal, one line elsewhere.</summary>
    /// <param name="what">What is being done, such as <c>starting files</c>.</param>
    /// <param name="work">The work.</param>
    public async Task<T> WithProgressAsync<T>(string what, Func<Task<T>> work)
    {
        Task<T> running = work();
        if (await Task.WhenAny(running, Task.Delay(Patience, TimeProvider.System)).ConfigureAwait(false) != running)
        {
            string text = TerminalText.Clean(what) + " ...";
            if (_streams.ErrorIsTerminal && _streams.Colours)
            {
                // The status line is the one text of the library that is always markup.
                return await ErrorConsole.Status().StartAsync(Markup.Escape(text), _ => running).ConfigureAwait(false);
            }

            Note(text);
        }

        return await running.ConfigureAwait(false);
    }

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    private void WriteInline(string text)
    {
        _error.Write(TerminalText.Clean(text));
        _error.Flush();
    }

    private static void WriteLine(IAnsiConsole console, TextWriter writer, bool isTerminal, string text, Tone tone)
    {
        string clean = TerminalText.Clean(text);
        if (!isTerminal || clean.Length == 0)
        {
            // Whole lines: what reads a pipe or a file is better served by one error a line than by 80 columns.
            writer.WriteLine(clean);
            return;
        }

        console.Write(new Text(clean, StyleOf(tone)));
        console.WriteLine();
    }

    private static Table Render(TerminalTable table)
    {
        var rendered = new Table { Border = TableBorder.Simple };
        for (int i = 0; i < table.Columns.Count; i++)
        {
            var column = new TableColumn(new Text(TerminalText.Clean(table.Columns[i]), StyleOf(Tone.Strong)));
            column.Padding(0, 1);
            if (table.Whole.Contains(i) && table.Rows.All(row => row[i].Text.Length <= LongestWhole))
            {
                column.NoWrap();
            }

            rendered.AddColumn(column);
        }

        foreach (TerminalCell[] row in table.Rows)
        {
            rendered.AddRow(row.Select(cell => (IRenderable)new Text(TerminalText.Clean(cell.Text), StyleOf(cell.Tone))));
        }

        return rendered;
    }

    private static Style StyleOf(Tone tone) => tone switch
    {
        Tone.Strong => new Style(decoration: Decoration.Bold),
        Tone.Faint => new Style(decoration: Decoration.Dim),
        Tone.Good => new Style(Color.Green),
        Tone.Caution => new Style(Color.Yellow),
        Tone.Bad => new Style(Color.Red),
        _ => Style.Plain,
    };

    private IAnsiConsole CreateConsole(TextWriter writer, bool isTerminal)
    {
        bool colours = isTerminal && _streams.Colours;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = colours ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = colours ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = _streams.Width;
        console.Profile.Capabilities.Unicode = true;
        return console;
    }
}
