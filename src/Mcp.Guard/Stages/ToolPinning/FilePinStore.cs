using System.Buffers;
using System.Text.Json;
using Mcp.Guard.State;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>
/// Remembers tool definitions in a file over restarts. A file that is lost, damaged or open to others is not a first sight:
/// every server is then <see cref="PinnedCatalogStatus.Unavailable"/> until its pins are written anew with a person's word.
/// Several processes may share the file.
/// </summary>
internal sealed class FilePinStore : IPinStore, IDisposable
{
    private const string Format = "mcp-guard-pins-1";
    private const int LockTries = 50;

    private static readonly TimeSpan LockWait = TimeSpan.FromMilliseconds(20);

    private readonly StateFile _file;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _writing = new(1, 1);

    public FilePinStore(string path, TimeProvider time, ILogger logger)
    {
        _file = new StateFile(path, Format);
        _time = time;
        _logger = logger;
    }

    public async ValueTask<PinnedCatalog> ReadAsync(McpServerIdentity server, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(server);
        ct.ThrowIfCancellationRequested();
        PinFileContent content = await Task.Run(Load, ct).ConfigureAwait(false);
        return content.Of(server);
    }

    public async ValueTask<bool> TryWriteAsync(McpServerIdentity server, PinnedCatalog pins, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(pins);
        PinnedCatalog next = PinSnapshot.Next(pins);
        await _writing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            using StateFileLock held = await TakeLockAsync(ct).ConfigureAwait(false);
            return await Task.Run(() => Replace(server, pins.Version, next), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose() => _writing.Dispose();

    private bool Replace(McpServerIdentity server, long expected, PinnedCatalog next)
    {
        PinFileContent content = Load();
        if (content.Of(server).Version != expected)
        {
            return false;
        }

        if (!content.IsSound)
        {
            _file.SetAside();
        }

        content.Servers[server.ToString()] = next;
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            content.WriteTo(writer);
        }

        _file.Write(buffer.WrittenSpan);
        return true;
    }

    private PinFileContent Load()
    {
        StateFileStatus status = _file.Read(out JsonElement json, out string? problem);
        PinFileContent? content = status switch
        {
            StateFileStatus.Sound => PinFileContent.Read(json),
            StateFileStatus.Missing => new PinFileContent { IsSound = true, IsComplete = true },
            _ => null,
        };
        if (content is null)
        {
            StateLog.NoPins(_logger, _file.FilePath, problem ?? (status == StateFileStatus.Lost ? "it is gone" : "an entry in it is incomplete"));
        }

        return content ?? new PinFileContent();
    }

    private async Task<StateFileLock> TakeLockAsync(CancellationToken ct)
    {
        for (int i = 0; i < LockTries; i++)
        {
            if (StateFileLock.TryTake(_file.FilePath) is { } held)
            {
                return held;
            }

            await Task.Delay(LockWait, _time, ct).ConfigureAwait(false);
        }

        throw new IOException($"The pins in '{_file.FilePath}' are locked by another process.");
    }
}
