using System.Buffers;
using System.Text.Json;

namespace Mcp.Guard.Cli.Explain;

/// <summary>The line loop of <c>mcp-guard explain</c>: one JSON object a line in, one a line out, same order, same <c>id</c>.</summary>
internal static class ExplainLoop
{
    /// <summary>The longest line read, in bytes; a longer one is answered with an error and skipped.</summary>
    public const int MaxLineBytes = 64 * 1024 * 1024;

    private static readonly JsonDocumentOptions InputOptions = new() { MaxDepth = 512 };
    private static readonly JsonWriterOptions OutputOptions = new() { SkipValidation = false };

    public static void Run(IExplainKind kind, Stream input, Stream output)
    {
        byte[] buffer = new byte[64 * 1024];
        var line = new ArrayBufferWriter<byte>();
        bool tooLong = false;
        int read;
        while ((read = input.Read(buffer)) > 0)
        {
            ReadOnlySpan<byte> rest = buffer.AsSpan(0, read);
            while (!rest.IsEmpty)
            {
                int end = rest.IndexOf((byte)'\n');
                ReadOnlySpan<byte> part = end < 0 ? rest : rest[..end];
                tooLong |= line.WrittenCount + part.Length > MaxLineBytes;
                if (!tooLong)
                {
                    line.Write(part);
                }

                if (end < 0)
                {
                    break;
                }

                AnswerLine(kind, line.WrittenMemory, tooLong, output);
                output.Flush();
                line.ResetWrittenCount();
                tooLong = false;
                rest = rest[(end + 1)..];
            }
        }

        if (line.WrittenCount > 0 || tooLong)
        {
            AnswerLine(kind, line.WrittenMemory, tooLong, output);
        }

        output.Flush();
    }

    private static void AnswerLine(IExplainKind kind, ReadOnlyMemory<byte> line, bool tooLong, Stream output)
    {
        if (!tooLong && line.Span.Trim(" \t\r"u8).IsEmpty)
        {
            return;
        }

        var answer = new ArrayBufferWriter<byte>();
        JsonElement id = default;
        string? error;
        if (tooLong)
        {
            error = $"the line is longer than {MaxLineBytes} bytes";
        }
        else
        {
            try
            {
                using JsonDocument document = JsonDocument.Parse(line, InputOptions);
                JsonElement root = document.RootElement;
                if (root.ValueKind != JsonValueKind.Object)
                {
                    error = "the line is not a JSON object";
                }
                else
                {
                    if (root.TryGetProperty("id", out JsonElement given))
                    {
                        id = given.Clone();
                    }

                    using var writer = new Utf8JsonWriter(answer, OutputOptions);
                    writer.WriteStartObject();
                    WriteId(writer, id);
                    kind.Answer(root, writer);
                    writer.WriteEndObject();
                    writer.Flush();
                    error = null;
                }
            }
            catch (JsonException e)
            {
                error = $"the line is not readable JSON: {e.Message}";
            }
            catch (ExplainInputException e)
            {
                error = e.Message;
            }
            catch (Exception fault)
            {
                // A fault answers this line only, and is no verdict: whoever asks must not take it for one.
                error = $"the guard failed on this line: {fault.GetType().Name}: {fault.Message}";
            }
        }

        if (error is not null)
        {
            answer.ResetWrittenCount();
            using var writer = new Utf8JsonWriter(answer, OutputOptions);
            writer.WriteStartObject();
            WriteId(writer, id);
            writer.WriteString("error", error);
            writer.WriteEndObject();
            writer.Flush();
        }

        output.Write(answer.WrittenSpan);
        output.WriteByte((byte)'\n');
    }

    private static void WriteId(Utf8JsonWriter writer, JsonElement id)
    {
        writer.WritePropertyName("id");
        if (id.ValueKind == JsonValueKind.Undefined)
        {
            writer.WriteNullValue();
        }
        else
        {
            id.WriteTo(writer);
        }
    }
}
