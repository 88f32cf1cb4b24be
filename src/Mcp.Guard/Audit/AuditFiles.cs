using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Audit;

namespace Mcp.Guard;

/// <summary>Opens the audit files of a guard for reading, and exports them.</summary>
public static class AuditFiles
{
    private const int FlushBytes = 64 * 1024;

    /// <summary>A reader over a directory of audit files. It reads what is there, also while a guard writes; it proves nothing: see <see cref="AuditVerifier"/>.</summary>
    /// <param name="directory">The audit directory.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static IAuditReader Open(string directory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        return new AuditFileReader(directory);
    }

    /// <summary>Writes the selected entries as JSON Lines: UTF-8, one object a line, a line feed after each. The memory it takes does not grow with the log.</summary>
    /// <param name="reader">The log.</param>
    /// <param name="output">Receives the lines; it stays open.</param>
    /// <param name="format">The form of an entry.</param>
    /// <param name="query">What to select; null is everything.</param>
    /// <param name="ct">Ends the export; what was written stays.</param>
    /// <returns>The number of entries.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such format.</exception>
    /// <exception cref="IOException">A file cannot be read, or the output not written.</exception>
    public static async Task<long> ExportAsync(IAuditReader reader, Stream output, AuditExportFormat format, AuditQuery? query = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(output);
        if (format is not (AuditExportFormat.Json or AuditExportFormat.Ocsf))
        {
            throw new ArgumentOutOfRangeException(nameof(format), format, "unknown format");
        }

        long count = 0;
        var lines = new ArrayBufferWriter<byte>(FlushBytes);
        using var writer = new Utf8JsonWriter(lines);
        await foreach (AuditEntry entry in reader.ReadAsync(query ?? new AuditQuery(), ct).ConfigureAwait(false))
        {
            if (format == AuditExportFormat.Ocsf)
            {
                AuditOcsf.Write(entry, writer);
            }
            else
            {
                AuditExport.Write(entry, writer);
            }

            writer.Flush();
            writer.Reset();
            lines.GetSpan(1)[0] = (byte)'\n';
            lines.Advance(1);
            count++;
            if (lines.WrittenCount >= FlushBytes)
            {
                await output.WriteAsync(lines.WrittenMemory, ct).ConfigureAwait(false);
                lines.ResetWrittenCount();
            }
        }

        await output.WriteAsync(lines.WrittenMemory, ct).ConfigureAwait(false);
        return count;
    }
}
